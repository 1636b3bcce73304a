//! What task definitions are made of before anybody registers one: the blueprint's containers in
//! ECS's words, as far as a client reads them.

use mck_blueprint::model::{App, Container, HookStage, Image};
use mck_environment::settings::DependencyCondition;
use serde_json::{Map, Value, json};

use crate::{
    names::Names,
    world::{EmulatedApp, Role},
};

/// The container of the presets that runs PHP, in which commands of people run.
const PHP: &str = "php-fpm";

/// A request to register a family's task definition with a release.
pub fn request(
    names: &Names,
    app: &EmulatedApp,
    family: &str,
    role: &Role,
    release: &str,
) -> Map<String, Value> {
    let containers: Vec<Value> = containers(&app.named, role)
        .iter()
        .map(|container| container_definition(names, app, role, container, release))
        .collect();
    let request = json!({
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["EC2"],
        "executionRoleArn": names.arn("iam", &format!("role/{}-execution", app.located.stack)),
        "taskRoleArn": names.arn("iam", &format!("role/{}-task", app.located.stack)),
        "containerDefinitions": containers,
    });
    match request {
        Value::Object(request) => request,
        _ => Map::new(),
    }
}

/// The containers of a family: all of the app's, or the one that a command runs in.
fn containers(app: &App, role: &Role) -> Vec<Container> {
    let all = &app.task_definition.containers;
    let (name, command) = match role {
        Role::Service => return all.clone(),
        Role::Job(name) => {
            let job = app.jobs.iter().find(|job| job.name == *name);
            job.map(|job| (job.container.as_str(), job.command.clone()))
        }
        Role::Hook(stage) => {
            let hook = app.hooks.iter().find(|hook| hook.stage == *stage);
            hook.map(|hook| (hook.container.as_str(), hook.command.clone()))
        }
        Role::Run => Some((PHP, Vec::new())),
    }
    .unwrap_or((PHP, Vec::new()));
    let found = all.iter().find(|it| it.name == name).or(all.first());
    let alone = found.map(|container| Container {
        command,
        port: None,
        essential: true,
        health_check: None,
        depends_on: Default::default(),
        ..container.clone()
    });
    alone.into_iter().collect()
}

fn container_definition(
    names: &Names,
    app: &EmulatedApp,
    role: &Role,
    container: &Container,
    release: &str,
) -> Value {
    let mut environment: Vec<Value> = container
        .environment
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    environment.push(json!({ "name": "REVISION", "value": release }));
    let secrets: Vec<Value> = container
        .secrets
        .iter()
        .map(|(name, secret)| {
            let arn = names.arn("secretsmanager", &format!("secret:{secret}"));
            json!({ "name": name, "valueFrom": arn })
        })
        .collect();
    let dependencies: Vec<Value> = container
        .depends_on
        .iter()
        .map(|(name, condition)| json!({ "containerName": name, "condition": word(condition) }))
        .collect();
    let ports: Vec<Value> = container
        .port
        .iter()
        .map(|port| json!({ "containerPort": port, "hostPort": port, "protocol": "tcp" }))
        .collect();
    let mut definition = json!({
        "name": container.name,
        "image": image(names, app, container, release),
        "cpu": container.cpu,
        "memoryReservation": container.memory_reservation.as_mib(),
        "essential": container.essential,
        "command": container.command,
        "environment": environment,
        "secrets": secrets,
        "dependsOn": dependencies,
        "portMappings": ports,
        "readonlyRootFilesystem": container.read_only_root,
        "mountPoints": [],
        "volumesFrom": [],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": app.located.log_group,
                "awslogs-region": names.region(),
                "awslogs-stream-prefix": log_prefix(role),
            },
        },
    });
    if let Some(memory) = container.memory {
        definition["memory"] = memory.as_mib().into();
    }
    definition
}

/// What log streams begin with.
fn log_prefix(role: &Role) -> String {
    match role {
        Role::Service => "service".to_owned(),
        Role::Run => "run".to_owned(),
        Role::Job(name) => format!("job-{name}"),
        Role::Hook(HookStage::Install) => "hook-install".to_owned(),
        Role::Hook(HookStage::Upgrade) => "hook-upgrade".to_owned(),
        Role::Hook(HookStage::CacheFlush) => "hook-cache-flush".to_owned(),
    }
}

fn image(names: &Names, app: &EmulatedApp, container: &Container, release: &str) -> String {
    let made = container.made_image().and_then(|made| {
        let mut repositories = app.located.repositories.iter();
        repositories.find(|(name, _)| name == made)
    });
    match (made, &container.image) {
        (Some((_, repository)), _) => format!("{}/{repository}:{release}", names.registry()),
        (None, Image::Oci(name) | Image::Base(name)) => name.clone(),
    }
}

fn word(condition: &DependencyCondition) -> &'static str {
    match condition {
        DependencyCondition::Start => "START",
        DependencyCondition::Complete => "COMPLETE",
        DependencyCondition::Success => "SUCCESS",
        DependencyCondition::Healthy => "HEALTHY",
    }
}
