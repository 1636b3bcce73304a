//! The stack of an App Cluster: its App Servers, their capacity provider, daemons, ECS Exec.

mod daemons;
mod exec;
mod servers;

use mck_blueprint::model::AppCluster;
use mck_cloudformation::{
    LogicalId,
    resources::ecs::{
        self,
        capacity_provider::{AutoScalingGroupProvider, ManagedScaling},
        cluster::{ClusterConfiguration, ClusterSettings},
        cluster_capacity_provider_associations::CapacityProviderStrategy,
    },
};

use crate::{
    alarms, log_groups, names, security_groups,
    stack::{Stack, StackId},
    synthesis::Scene,
};

pub(crate) fn stack(scene: &Scene<'_>, cluster: &AppCluster) -> Stack {
    let id = StackId::Cluster(cluster.name.clone());
    let mut stack = scene.stack(id, &format!("The App Cluster {}", cluster.name));
    let description = format!(
        "Keeps the logs of the App Servers of the cluster {} and of their daemons",
        cluster.name
    );
    let log_group = log_groups::add(
        &mut stack,
        scene.blueprint,
        &cluster.log_group,
        &description,
    );
    let rules = security_groups::add(&mut stack, scene);
    let ecs_cluster = add_cluster(&mut stack, scene, cluster);
    let daemons = daemons::add(&mut stack, scene, cluster, &ecs_cluster, &log_group);
    // Servers come after the daemons' services: a service without a server is stable at once, even
    // while its key has no value yet, and so does not hold up the making of the stack.
    // And after the cluster, which they look for at once.
    let before: Vec<LogicalId> = [ecs_cluster.clone()]
        .into_iter()
        .chain(daemons)
        .chain(rules)
        .collect();
    let group = servers::add(&mut stack, scene, cluster, &before);
    add_capacity(&mut stack, cluster, &ecs_cluster, &group);
    let own = alarms::Own {
        auto_scaling_group: Some(&group),
        ..Default::default()
    };
    alarms::add(&mut stack, scene, own);
    stack
}

fn add_cluster(stack: &mut Stack, scene: &Scene<'_>, cluster: &AppCluster) -> LogicalId {
    let exec = cluster
        .exec
        .then(|| exec::add(stack, scene.blueprint, cluster));
    let properties = ecs::Cluster {
        cluster_name: names::ecs_cluster(scene.blueprint, &cluster.name).into(),
        cluster_settings: vec![ClusterSettings {
            name: "containerInsights".into(),
            value: "enabled".into(),
        }],
        configuration: exec.map(|execute_command_configuration| ClusterConfiguration {
            execute_command_configuration: Some(execute_command_configuration),
            ..Default::default()
        }),
        ..Default::default()
    };
    let description = format!(
        "The ECS cluster {}, which groups apps' services",
        cluster.name
    );
    stack.add("Cluster", description, &properties).id()
}

/// ECS adds servers when tasks find no place and removes empty ones, so that tasks use the target
/// share of the capacity; it drains a server before it stops and protects one with tasks. That takes
/// the place of thresholds of reservation.
fn add_capacity(
    stack: &mut Stack,
    cluster: &AppCluster,
    ecs_cluster: &LogicalId,
    group: &LogicalId,
) {
    let provider = ecs::CapacityProvider {
        auto_scaling_group_provider: Some(AutoScalingGroupProvider {
            auto_scaling_group_arn: group.reference(),
            managed_scaling: Some(ManagedScaling {
                status: "ENABLED".into(),
                target_capacity: cluster.target_capacity_percent.into(),
                ..Default::default()
            }),
            managed_termination_protection: "ENABLED".into(),
            managed_draining: "ENABLED".into(),
        }),
        ..Default::default()
    };
    let description = format!(
        "Adds, drains and removes App Servers of the cluster {} by what tasks need",
        cluster.name
    );
    let provider = stack.add("CapacityProvider", description, &provider).id();
    let associations = ecs::ClusterCapacityProviderAssociations {
        cluster: ecs_cluster.reference(),
        capacity_providers: vec![provider.reference()],
        default_capacity_provider_strategy: vec![CapacityProviderStrategy {
            capacity_provider: provider.reference(),
            weight: 1.into(),
            ..Default::default()
        }],
    };
    let description = format!("Gives the cluster {} its App Servers", cluster.name);
    stack.add("CapacityProviders", description, &associations);
    stack.hand_over(
        &names::cluster::capacity_provider(&cluster.name),
        "The capacity provider of its App Servers",
        provider.reference(),
    );
}

#[cfg(test)]
mod tests;
