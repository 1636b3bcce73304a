//! Requests and their answers.

use mck_blueprint::model::Blueprint;

use super::{
    taken,
    widget::{Chart, First, Section, Widget},
};
use crate::{names, stack::Stack};

const BALANCER: &str = "AWS/ApplicationELB";

pub(super) fn section(stack: &mut Stack, blueprint: &Blueprint) -> Section {
    let name = taken(stack, &names::edge::load_balancer_full_name());
    let mut charts = whole(&name);
    if blueprint.apps.iter().any(|app| app.target_group.is_some()) {
        charts.extend(by_app(&name));
    }
    Section {
        title: "Traffic",
        widgets: charts.into_iter().map(Widget::Chart).collect(),
    }
}

/// What the load balancer sees of all apps together.
fn whole(name: &str) -> Vec<Chart> {
    let balancer = [("LoadBalancer", name)];
    vec![
        Chart::new("Requests", "Sum").unit("a minute").metric(
            (BALANCER, "RequestCount"),
            &balancer,
            "requests",
        ),
        Chart::new("Time to answer", "p50")
            .unit("seconds")
            .metric((BALANCER, "TargetResponseTime"), &balancer, "p50")
            .metric((BALANCER, "TargetResponseTime"), &balancer, "p99")
            .of("p99"),
        Chart::new("Errors", "Sum")
            .unit("a minute")
            .metric(
                (BALANCER, "HTTPCode_Target_4XX_Count"),
                &balancer,
                "4xx of apps",
            )
            .metric(
                (BALANCER, "HTTPCode_Target_5XX_Count"),
                &balancer,
                "5xx of apps",
            )
            .metric(
                (BALANCER, "HTTPCode_ELB_4XX_Count"),
                &balancer,
                "4xx of the load balancer",
            )
            .metric(
                (BALANCER, "HTTPCode_ELB_5XX_Count"),
                &balancer,
                "5xx of the load balancer",
            )
            .metric(
                (BALANCER, "TargetConnectionErrorCount"),
                &balancer,
                "refused by tasks",
            ),
    ]
}

/// The apps with the most, or the fewest of what there should be many of.
fn by_app(name: &str) -> Vec<Chart> {
    let chart = |title: &str, statistic, metric: &str, first| {
        let terms = format!(
            "{{{BALANCER},LoadBalancer,TargetGroup}} MetricName=\"{metric}\" LoadBalancer=\"{name}\""
        );
        Chart::new(title, statistic).search(&terms, first)
    };
    let search = |title, statistic, metric| chart(title, statistic, metric, First::Greatest);
    vec![
        search("Requests by app", "Sum", "RequestCount")
            .unit("a minute")
            .stacked(),
        search("Time to answer by app, p99", "p99", "TargetResponseTime").unit("seconds"),
        search("Errors by app, 5xx", "Sum", "HTTPCode_Target_5XX_Count").unit("a minute"),
        search("Errors by app, 4xx", "Sum", "HTTPCode_Target_4XX_Count").unit("a minute"),
        chart(
            "Healthy tasks by app",
            "Minimum",
            "HealthyHostCount",
            First::Least,
        )
        .unit("tasks"),
        search("Unhealthy tasks by app", "Maximum", "UnHealthyHostCount").unit("tasks"),
    ]
}
