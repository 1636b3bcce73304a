//! Tasks and the App Servers that they run on.

use mck_blueprint::model::Blueprint;

use super::widget::{Chart, First, Section, Widget};
use crate::names;

/// What ECS reports by itself.
const ECS: &str = "AWS/ECS";
/// What it reports with Container Insights.
const INSIGHTS: &str = "ECS/ContainerInsights";

pub(super) fn sections(blueprint: &Blueprint) -> Vec<Section> {
    let clusters: Vec<String> = blueprint
        .clusters
        .iter()
        .map(|cluster| names::ecs_cluster(blueprint, &cluster.name))
        .collect();
    let section = |title, charts: Vec<Chart>| Section {
        title,
        widgets: charts.into_iter().map(Widget::Chart).collect(),
    };
    vec![
        section("Tasks", tasks(&clusters)),
        section("App Servers", servers(&clusters)),
    ]
}

/// By service; the services with the most load and the fewest tasks.
fn tasks(clusters: &[String]) -> Vec<Chart> {
    let any = any_of(clusters);
    let search = |title: &str, statistic, namespace: &str, metric: &str, first| {
        let terms = format!(
            "{{{namespace},ClusterName,ServiceName}} MetricName=\"{metric}\" ClusterName={any}"
        );
        Chart::new(title, statistic).search(&terms, first)
    };
    let reserved = "percent of what is reserved";
    vec![
        search(
            "Processor",
            "Average",
            ECS,
            "CPUUtilization",
            First::Greatest,
        )
        .unit(reserved),
        search(
            "Memory",
            "Maximum",
            ECS,
            "MemoryUtilization",
            First::Greatest,
        )
        .unit(reserved),
        search(
            "Running tasks",
            "Minimum",
            INSIGHTS,
            "RunningTaskCount",
            First::Least,
        )
        .unit("tasks"),
    ]
}

fn servers(clusters: &[String]) -> Vec<Chart> {
    let chart = |title: &str, statistic, namespace, metric| {
        let chart = Chart::new(title, statistic);
        clusters.iter().fold(chart, |chart, name| {
            chart.metric((namespace, metric), &[("ClusterName", name)], name)
        })
    };
    let reserved = "percent of what servers have";
    let providers = format!(
        "{{AWS/ECS/ManagedScaling,CapacityProviderName,ClusterName}} \
         MetricName=\"CapacityProviderReservation\" ClusterName={}",
        any_of(clusters)
    );
    vec![
        chart("Reserved processor", "Average", ECS, "CPUReservation").unit(reserved),
        chart("Reserved memory", "Average", ECS, "MemoryReservation").unit(reserved),
        chart("Servers", "Minimum", INSIGHTS, "ContainerInstanceCount").unit("servers"),
        Chart::new("Capacity in use", "Average")
            .search(&providers, First::Greatest)
            .unit("percent"),
    ]
}

/// Exactly one of these names, in a search.
fn any_of(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(" OR ")),
    }
}
