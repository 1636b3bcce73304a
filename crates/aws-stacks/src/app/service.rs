//! The ECS service.

use mck_blueprint::rollout;
use mck_cloudformation::{
    LogicalId,
    resources::ecs::{
        self,
        service::{
            AwsVpcConfiguration, CapacityProviderStrategyItem, DeploymentCircuitBreaker,
            DeploymentConfiguration, LoadBalancer, NetworkConfiguration, PlacementStrategy,
            ThresholdConfiguration,
        },
    },
};

use super::{Parts, RELEASED, routing::Route};
use crate::{names, stack::Stack, units::seconds};

/// Adds the service. It says no number of tasks: ECS begins with one, Application Auto Scaling brings
/// it to the minimum at once, and no later update of the stack undoes what scaling or a person chose
/// (CloudFormation, `AWS::ECS::Service`, `DesiredCount`).
pub(super) fn add(
    stack: &mut Stack,
    parts: &Parts<'_>,
    task_definition: &LogicalId,
    route: Option<&Route>,
) -> LogicalId {
    let app = parts.app;
    let target_group = app.target_group.as_ref().zip(route);
    let properties = ecs::Service {
        service_name: names::ecs_service(&app.name).into(),
        cluster: names::ecs_cluster(parts.scene.blueprint, &app.cluster).into(),
        task_definition: task_definition.reference(),
        capacity_provider_strategy: vec![CapacityProviderStrategyItem {
            capacity_provider: parts.capacity_provider.clone(),
            weight: 1.into(),
            ..Default::default()
        }],
        deployment_configuration: Some(deployment(parts)),
        availability_zone_rebalancing: if rollout::rebalances(&app.deployment) {
            "ENABLED".into()
        } else {
            "DISABLED".into()
        },
        placement_strategies: [
            ("spread", "attribute:ecs.availability-zone"),
            ("spread", "instanceId"),
            ("binpack", "memory"),
        ]
        .map(|(kind, field)| PlacementStrategy {
            type_: kind.into(),
            field: field.into(),
        })
        .into(),
        network_configuration: Some(NetworkConfiguration {
            awsvpc_configuration: Some(AwsVpcConfiguration {
                assign_public_ip: "DISABLED".into(),
                subnets: parts.network.subnets.clone(),
                security_groups: vec![parts.network.security_group.clone()],
            }),
        }),
        load_balancers: target_group
            .map(|(group, route)| LoadBalancer {
                container_name: (&group.container).into(),
                container_port: group.port.into(),
                target_group_arn: route.target_group.reference(),
                ..Default::default()
            })
            .into_iter()
            .collect(),
        health_check_grace_period_seconds: target_group
            .map_or_else(Default::default, |(group, _)| {
                seconds(group.health_check.grace_period).into()
            }),
        enable_execute_command: parts.cluster.exec.into(),
        enable_ecs_managed_tags: true.into(),
        propagate_tags: "SERVICE".into(),
        ..Default::default()
    };
    let description = format!("Keeps the tasks of the app {} running", app.name);
    // ECS refuses a target group that no load balancer has, so the rules come first.
    let rules = route.iter().flat_map(|route| &route.rules);
    stack
        .add("Service", description, &properties)
        .after(rules)
        .on_condition(RELEASED)
        .id()
}

fn deployment(parts: &Parts<'_>) -> DeploymentConfiguration {
    let rules = parts.app.deployment;
    DeploymentConfiguration {
        minimum_healthy_percent: rules.minimum_healthy_percent.into(),
        maximum_percent: rules.maximum_percent.into(),
        deployment_circuit_breaker: Some(DeploymentCircuitBreaker {
            enable: rules.circuit_breaker.into(),
            rollback: rules.rollback.into(),
            threshold_configuration: rules.circuit_breaker.then(|| ThresholdConfiguration {
                type_: "COUNT".into(),
                value: rules.failure_threshold.into(),
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}
