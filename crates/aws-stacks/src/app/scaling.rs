//! When tasks are added and removed: Application Auto Scaling, by target tracking.

use mck_cloudformation::{
    LogicalId, Text,
    resources::applicationautoscaling::{
        ScalableTarget, ScalingPolicy,
        scaling_policy::{PredefinedMetricSpecification, TargetTrackingScalingPolicyConfiguration},
    },
};

use super::{Parts, RELEASED, routing::Route};
use crate::{names, stack::Stack, units::seconds};

/// Adds the limits of the number of tasks, and a policy for each metric that is tracked.
pub(super) fn add(
    stack: &mut Stack,
    parts: &Parts<'_>,
    service: &LogicalId,
    route: Option<&Route>,
) {
    let app = parts.app;
    let cluster = names::ecs_cluster(parts.scene.blueprint, &app.cluster);
    let target = ScalableTarget {
        service_namespace: "ecs".into(),
        scalable_dimension: "ecs:service:DesiredCount".into(),
        resource_id: Text::concat([
            Text::from(format!("service/{cluster}/")),
            service.attribute("Name"),
        ]),
        min_capacity: app.tasks.minimum.into(),
        max_capacity: app.tasks.maximum.into(),
        ..Default::default()
    };
    let description = format!("How many tasks the app {} may have", app.name);
    let target = stack
        .add("Scaling", description, &target)
        .on_condition(RELEASED)
        .id();
    for tracked in tracked(stack, parts, route) {
        add_policy(stack, parts, &target, tracked);
    }
}

/// A metric that is kept at a value.
struct Tracked {
    name: &'static str,
    what: &'static str,
    metric: &'static str,
    resource: Text,
    value: f64,
}

fn tracked(stack: &mut Stack, parts: &Parts<'_>, route: Option<&Route>) -> Vec<Tracked> {
    let policy = parts.app.scaling;
    let of_service = |name, what, metric, percent: u8| Tracked {
        name,
        what,
        metric,
        resource: Text::Absent,
        value: percent.into(),
    };
    let cpu = policy
        .cpu_percent
        .map(|it| of_service("cpu", "CPU use", "ECSServiceAverageCPUUtilization", it));
    let memory = policy.memory_percent.map(|it| {
        let metric = "ECSServiceAverageMemoryUtilization";
        of_service("memory", "memory use", metric, it)
    });
    let requests = policy.requests_per_task.zip(route);
    let requests = requests.map(|(requests, route)| Tracked {
        name: "requests",
        what: "requests a minute and task",
        metric: "ALBRequestCountPerTarget",
        resource: Text::concat([
            stack.take(&names::edge::load_balancer_full_name()),
            "/".into(),
            route.target_group.attribute("TargetGroupFullName"),
        ]),
        value: requests.into(),
    });
    [cpu, memory, requests].into_iter().flatten().collect()
}

fn add_policy(stack: &mut Stack, parts: &Parts<'_>, target: &LogicalId, tracked: Tracked) {
    let policy = parts.app.scaling;
    let properties = ScalingPolicy {
        policy_name: tracked.name.into(),
        policy_type: "TargetTrackingScaling".into(),
        scaling_target_id: target.reference(),
        target_tracking_scaling_policy_configuration: Some(
            TargetTrackingScalingPolicyConfiguration {
                predefined_metric_specification: Some(PredefinedMetricSpecification {
                    predefined_metric_type: tracked.metric.into(),
                    resource_label: tracked.resource,
                }),
                target_value: tracked.value.into(),
                scale_out_cooldown: seconds(policy.scale_out_cooldown).into(),
                scale_in_cooldown: seconds(policy.scale_in_cooldown).into(),
                ..Default::default()
            },
        ),
        ..Default::default()
    };
    let description = format!("Keeps {} of the app {}", tracked.what, parts.app.name);
    stack
        .add(
            LogicalId::of(&["scaling-by", tracked.name]),
            description,
            &properties,
        )
        .on_condition(RELEASED);
}
