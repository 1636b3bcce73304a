//! The stack of an app: task definitions, service, scaling, jobs, routes, roles, secrets.
//!
//! Until the first deployment (condition [`RELEASED`]) it has everything but its service and its
//! schedules. A deployment registers new revisions of its task definitions and updates the service;
//! the template takes the release from Parameter Store, so that it never goes back behind one.

mod access_points;
mod jobs;
mod one_off;
mod routing;
mod scaling;
mod service;

use mck_blueprint::model::{App, AppCluster, Container};
use mck_cloudformation::{Expression, LogicalId, ParameterType, Text};

use crate::{
    alarms, log_groups, names,
    releases::{self, NO_RELEASE},
    roles, secrets, security_groups,
    stack::{Stack, StackId},
    synthesis::Scene,
    task_definition::{self, Common, Media, NetworkMode, Task},
};

/// The condition that there is a release to run.
const RELEASED: &str = "Released";
/// What log streams of the service's tasks begin with.
const SERVICE: &str = "service";

/// What the parts of an app's stack are made of.
struct Parts<'a> {
    scene: &'a Scene<'a>,
    app: &'a App,
    cluster: &'a AppCluster,
    /// The subnets and the security group of all its tasks.
    network: Network,
    /// The cluster's capacity provider.
    capacity_provider: Text,
    /// Ways into the shared file system.
    media: &'a Media,
    /// What all its task definitions share.
    common: Common<'a>,
    /// The role of its containers.
    task_role: LogicalId,
}

/// Where tasks are.
#[derive(Clone)]
struct Network {
    subnets: Vec<Text>,
    security_group: Text,
}

pub(crate) fn stack(scene: &Scene<'_>, app: &App) -> Stack {
    let blueprint = scene.blueprint;
    let id = StackId::App(app.name.clone());
    let mut stack = scene.stack(id, &format!("The app {}", app.name));
    let mut clusters = blueprint.clusters.iter();
    let cluster = clusters
        .find(|it| it.name == app.cluster)
        .expect("planning refuses an app on a cluster that there is not");
    let release = release(&mut stack, scene, app);
    let description = format!("Keeps the logs of the app {}", app.name);
    let log_group = log_groups::add(&mut stack, blueprint, &app.log_group, &description);
    security_groups::add(&mut stack, scene);
    secrets::add(&mut stack, scene);
    let media = access_points::add(&mut stack, app);
    let parts = parts(
        &mut stack,
        scene,
        app,
        cluster,
        &media,
        (release, log_group),
    );
    let task_definition = add_task_definition(&mut stack, &parts);
    let route = routing::add(&mut stack, &parts);
    let service = service::add(&mut stack, &parts, &task_definition, route.as_ref());
    scaling::add(&mut stack, &parts, &service, route.as_ref());
    jobs::add(&mut stack, &parts);
    one_off::add(&mut stack, &parts);
    let own = alarms::Own {
        target_group: route.as_ref().map(|route| &route.target_group),
        ..Default::default()
    };
    alarms::add(&mut stack, scene, own);
    stack.template.output(
        "ServiceName",
        "The ECS service, from the first deployment on",
        names::ecs_service(&app.name),
    );
    stack
}

/// The deployed release, and the condition that there is one.
fn release(stack: &mut Stack, scene: &Scene<'_>, app: &App) -> Text {
    let release = stack.stored(
        "Release",
        "Where Parameter Store has the deployed release",
        ParameterType::SsmString,
        &names::release_parameter(scene.blueprint, &app.name),
    );
    stack.after.insert(releases::of(scene, app));
    let none = Expression::equals(release.clone(), NO_RELEASE);
    stack.template.condition(RELEASED, Expression::not(&none));
    release
}

fn parts<'a>(
    stack: &mut Stack,
    scene: &'a Scene<'a>,
    app: &'a App,
    cluster: &'a AppCluster,
    media: &'a Media,
    (release, log_group): (Text, LogicalId),
) -> Parts<'a> {
    let whose = format!("tasks of the app {}", app.name);
    let containers = &app.task_definition.containers;
    let of_images = roles::Containers {
        app: Some(&app.name),
        all: containers,
    };
    let execution_role = roles::add_execution_role(
        stack,
        scene,
        "ExecutionRole".into(),
        &whose,
        &app.log_group,
        &of_images,
    );
    let file_systems = access_points::access(media, containers, false);
    let exec = cluster.exec.then_some(cluster);
    let task_role =
        roles::add_task_role(stack, scene, "TaskRole".into(), &whose, &file_systems, exec);
    let provider = names::cluster::capacity_provider(&cluster.name);
    Parts {
        scene,
        app,
        cluster,
        network: network(stack, scene, app, cluster),
        capacity_provider: stack.take(&provider),
        media,
        common: Common {
            app: Some(&app.name),
            cluster,
            exec: cluster.exec,
            release: Some(release),
            log_group,
            execution_role,
            media,
        },
        task_role,
    }
}

/// The app subnets of the cluster's zones.
fn network(stack: &mut Stack, scene: &Scene<'_>, app: &App, cluster: &AppCluster) -> Network {
    let subnets = names::network::app_subnets(scene.blueprint, cluster);
    Network {
        subnets: subnets.iter().map(|subnet| stack.take(subnet)).collect(),
        security_group: security_groups::id(stack, scene, &app.security_group),
    }
}

fn add_task_definition(stack: &mut Stack, parts: &Parts<'_>) -> LogicalId {
    let definition = &parts.app.task_definition;
    let task = Task {
        id: "TaskDefinition".into(),
        description: format!("What a task of the app {} is made of", parts.app.name),
        family: definition.family.clone(),
        containers: &definition.containers,
        network: NetworkMode::AwsVpc,
        log_prefix: SERVICE.to_owned(),
        common: &parts.common,
        task_role: parts.task_role.clone(),
        locker: None,
    };
    let id = task_definition::add(stack, parts.scene, &task);
    stack.template.output(
        "TaskDefinition",
        "The task definition of the service, as this template has it",
        id.reference(),
    );
    id
}

/// A container like one of the app's that alone makes a task and runs another command.
fn alone(app: &App, name: &str, command: Vec<String>) -> Container {
    let mut containers = app.task_definition.containers.iter();
    let found = containers.find(|container| container.name == name);
    let container = found.expect("planning refuses a container that there is not");
    Container {
        command,
        port: None,
        essential: true,
        health_check: None,
        depends_on: Default::default(),
        ..container.clone()
    }
}

#[cfg(test)]
mod tests;
