//! Daemons: a task of each on every App Server.

use mck_blueprint::model::{AppCluster, Daemon};
use mck_cloudformation::{
    LogicalId,
    resources::ecs::{self, service::DeploymentConfiguration},
};

use crate::{
    roles,
    stack::Stack,
    synthesis::Scene,
    task_definition::{self, Common, Media, NetworkMode, Task},
};

/// Adds the daemons; gives their services.
pub(super) fn add(
    stack: &mut Stack,
    scene: &Scene<'_>,
    cluster: &AppCluster,
    ecs_cluster: &LogicalId,
    log_group: &LogicalId,
) -> Vec<LogicalId> {
    let daemons = cluster.daemons.iter();
    daemons
        .map(|daemon| {
            let definition = add_task_definition(stack, scene, cluster, daemon, log_group);
            add_service(stack, daemon, ecs_cluster, &definition)
        })
        .collect()
}

fn add_task_definition(
    stack: &mut Stack,
    scene: &Scene<'_>,
    cluster: &AppCluster,
    daemon: &Daemon,
    log_group: &LogicalId,
) -> LogicalId {
    let containers = &daemon.task_definition.containers;
    let whose = format!("the daemon {} of the cluster {}", daemon.name, cluster.name);
    let of_images = roles::Containers {
        app: None,
        all: containers,
    };
    let execution_role = roles::add_execution_role(
        stack,
        scene,
        LogicalId::of(&[&daemon.name, "execution-role"]),
        &whose,
        &cluster.log_group,
        &of_images,
    );
    let id = LogicalId::of(&[&daemon.name, "task-role"]);
    let task_role = roles::add_task_role(stack, scene, id, &whose, &[], None);
    let task = Task {
        id: LogicalId::of(&[&daemon.name, "task-definition"]),
        description: format!("What the daemon {} is made of", daemon.name),
        family: daemon.task_definition.family.clone(),
        containers,
        network: NetworkMode::Host,
        log_prefix: "daemon".to_owned(),
        common: &Common {
            app: None,
            cluster,
            exec: false,
            release: None,
            log_group: log_group.clone(),
            execution_role,
            media: &Media::default(),
        },
        task_role,
        locker: None,
    };
    task_definition::add(stack, scene, &task)
}

/// A new revision takes the place of the old one on each server, which has room for one.
fn add_service(
    stack: &mut Stack,
    daemon: &Daemon,
    ecs_cluster: &LogicalId,
    definition: &LogicalId,
) -> LogicalId {
    let properties = ecs::Service {
        service_name: (&daemon.name).into(),
        cluster: ecs_cluster.reference(),
        launch_type: "EC2".into(),
        scheduling_strategy: "DAEMON".into(),
        task_definition: definition.reference(),
        deployment_configuration: Some(DeploymentConfiguration {
            minimum_healthy_percent: 0.into(),
            maximum_percent: 100.into(),
            ..Default::default()
        }),
        enable_ecs_managed_tags: true.into(),
        propagate_tags: "SERVICE".into(),
        ..Default::default()
    };
    let id = LogicalId::of(&[&daemon.name, "service"]);
    stack.add(id, daemon.description.as_str(), &properties).id()
}
