//! Alarms of the blueprint as CloudWatch alarms, each in the stack that makes what it watches.
//!
//! Those of the load balancer, the data stores and the Bastion are in the stack `observability`,
//! which comes after them and has the topic.

mod missing;
mod watched;

use std::collections::HashMap;

use mck_blueprint::model::{Alarm, Blueprint};
use mck_cloudformation::{LogicalId, Text, pseudo, resources::cloudwatch};

use self::watched::{Dimensions, Name, Watched};
use crate::{
    names, observability,
    stack::{Stack, StackId},
    synthesis::Scene,
};

/// Resources of the stack itself that dimensions of its alarms name.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Own<'a> {
    /// The target group, in the stack of an app.
    pub(crate) target_group: Option<&'a LogicalId>,
    /// The Auto Scaling group, in the stack of a cluster or of Jenkins.
    pub(crate) auto_scaling_group: Option<&'a LogicalId>,
}

/// The alarms of a blueprint, by the stack that each belongs into.
pub(crate) struct Alarms<'a>(HashMap<StackId, Vec<(&'a Alarm, Watched)>>);

impl<'a> Alarms<'a> {
    /// Of all alarms of a blueprint.
    pub(crate) fn of(blueprint: &'a Blueprint) -> Self {
        let apps = watched::apps(blueprint);
        let mut stacks: HashMap<StackId, Vec<(&Alarm, Watched)>> = HashMap::new();
        for alarm in &blueprint.alarms {
            let watched = watched::of(blueprint, &apps, alarm);
            let alarms = stacks.entry(watched.stack.clone()).or_default();
            alarms.push((alarm, watched));
        }
        Self(stacks)
    }
}

/// Adds the blueprint's alarms that belong into this stack.
pub(crate) fn add(stack: &mut Stack, scene: &Scene<'_>, own: Own<'_>) {
    let alarms = scene.index.alarms.0.get(&stack.id);
    for (alarm, watched) in alarms.into_iter().flatten() {
        let properties = properties(stack, alarm, watched, own);
        let prefix = format!(
            "{}-{}-",
            scene.blueprint.project, scene.blueprint.environment
        );
        let name = alarm.name.strip_prefix(&prefix).unwrap_or(&alarm.name);
        stack.add(
            LogicalId::of(&[name, "alarm"]),
            alarm.description.clone(),
            &properties,
        );
    }
}

fn properties(
    stack: &mut Stack,
    alarm: &Alarm,
    watched: &Watched,
    own: Own<'_>,
) -> cloudwatch::Alarm {
    let topic = topic(stack);
    let mut properties = cloudwatch::Alarm {
        alarm_name: (&alarm.name).into(),
        alarm_description: (&alarm.description).into(),
        comparison_operator: (&alarm.comparison).into(),
        threshold: alarm.threshold.into(),
        evaluation_periods: alarm.evaluation_periods.into(),
        datapoints_to_alarm: alarm.evaluation_periods.into(),
        treat_missing_data: missing::treatment(alarm).into(),
        alarm_actions: vec![topic.clone()],
        ok_actions: vec![topic],
        ..Default::default()
    };
    match watched.series.as_slice() {
        [one] => watch_one(stack, alarm, one, own, &mut properties),
        several => properties.metrics = worst_of(stack, alarm, several, own),
    }
    properties
}

fn watch_one(
    stack: &mut Stack,
    alarm: &Alarm,
    dimensions: &Dimensions,
    own: Own<'_>,
    properties: &mut cloudwatch::Alarm,
) {
    properties.namespace = (&alarm.namespace).into();
    properties.metric_name = (&alarm.metric).into();
    properties.dimensions = render(stack, dimensions, own);
    properties.period = period(alarm).into();
    if is_percentile(&alarm.statistic) {
        properties.extended_statistic = (&alarm.statistic).into();
        // A percentile of a handful of requests says nothing of the app.
        properties.evaluate_low_sample_count_percentile = "ignore".into();
    } else {
        properties.statistic = (&alarm.statistic).into();
    }
}

/// The worst of several servers counts: a mean over all would hide it.
fn worst_of(
    stack: &mut Stack,
    alarm: &Alarm,
    several: &[Dimensions],
    own: Own<'_>,
) -> Vec<cloudwatch::alarm::MetricDataQuery> {
    let function = if alarm.comparison.starts_with("Less") {
        "MIN"
    } else {
        "MAX"
    };
    let ids: Vec<String> = (1..=several.len())
        .map(|number| format!("server{number}"))
        .collect();
    let worst = cloudwatch::alarm::MetricDataQuery {
        id: "worst".into(),
        label: format!("{} of the worst server", alarm.metric).into(),
        expression: format!("{function}([{}])", ids.join(", ")).into(),
        return_data: true.into(),
        ..Default::default()
    };
    let servers = several.iter().zip(&ids).map(|(dimensions, id)| {
        let metric = cloudwatch::alarm::Metric {
            namespace: (&alarm.namespace).into(),
            metric_name: (&alarm.metric).into(),
            dimensions: render(stack, dimensions, own),
        };
        cloudwatch::alarm::MetricDataQuery {
            id: id.into(),
            metric_stat: Some(cloudwatch::alarm::MetricStat {
                metric: Some(metric),
                period: period(alarm).into(),
                stat: (&alarm.statistic).into(),
                ..Default::default()
            }),
            return_data: false.into(),
            ..Default::default()
        }
    });
    let mut queries = vec![worst];
    queries.extend(servers);
    queries
}

fn render(
    stack: &mut Stack,
    dimensions: &Dimensions,
    own: Own<'_>,
) -> Vec<cloudwatch::alarm::Dimension> {
    let pairs = dimensions.iter();
    pairs
        .map(|(name, value)| cloudwatch::alarm::Dimension {
            name: (*name).into(),
            value: text(stack, value, own),
        })
        .collect()
}

fn text(stack: &mut Stack, name: &Name, own: Own<'_>) -> Text {
    match name {
        Name::Known(name) => name.into(),
        Name::Handed(handed) => stack.take(handed),
        Name::Node(group, number) => {
            Text::concat([stack.take(group), format!("-{number:03}").into()])
        }
        Name::Account => pseudo::account(),
        Name::OwnTargetGroup => own
            .target_group
            .expect("an app with alarms on its requests has a target group")
            .attribute("TargetGroupFullName"),
        Name::OwnAutoScalingGroup => own
            .auto_scaling_group
            .expect("servers with alarms are in an Auto Scaling group of their stack")
            .reference(),
    }
}

/// The ARN of the topic that alarms go to, in any stack after `data` and `edge`; there is one only
/// where there are alarms.
pub(crate) fn topic(stack: &mut Stack) -> Text {
    if stack.id == StackId::Observability {
        observability::topic().reference()
    } else {
        stack.take(&names::observability::topic())
    }
}

/// In whole seconds: CloudWatch takes 10, 20, 30 or multiples of 60.
fn period(alarm: &Alarm) -> i64 {
    i64::try_from(alarm.period.as_secs_ceil()).unwrap_or(i64::MAX)
}

/// `p99`, and what else of CloudWatch's statistics is not one of the five plain ones.
fn is_percentile(statistic: &str) -> bool {
    !["Average", "Maximum", "Minimum", "SampleCount", "Sum"].contains(&statistic)
}

#[cfg(test)]
mod tests;
