//! A container's definition.

use std::collections::BTreeMap;

use mck_blueprint::model::{Container, Image};
use mck_cloudformation::{
    Text, pseudo,
    resources::ecs::task_definition::{
        ContainerDefinition, ContainerDependency, HealthCheck, KernelCapabilities, KeyValuePair,
        LinuxParameters, LogConfiguration, PortMapping, Secret, SystemControl, Ulimit,
    },
};
use mck_environment::settings::DependencyCondition;

use super::{NetworkMode, Task, volumes::Volumes};
use crate::units::{mebibytes, seconds};
use crate::{names, secrets, stack::Stack, synthesis::Scene};

/// Open files of a process: what a web server with some thousand connections and PHP need; the ECS
/// agent's own default of 1,024 is too few.
const OPEN_FILES: u32 = 65_536;
/// Ports below this one are for processes with `CAP_NET_BIND_SERVICE`.
const FIRST_UNPRIVILEGED_PORT: u16 = 1_024;
/// What may wait for CloudWatch Logs before lines are dropped: with it a service that is slow to take
/// logs does not stop an app.
const LOG_BUFFER: &str = "25m";

pub(super) fn definition(
    stack: &mut Stack,
    scene: &Scene<'_>,
    task: &Task<'_>,
    container: &Container,
    volumes: &mut Volumes<'_>,
) -> ContainerDefinition {
    let locks = task.locker == Some(container.name.as_str());
    let mounts = volumes.of(container, task.common.exec, locks);
    let is_base = matches!(container.image, Image::Base(_));
    let (memory, memory_reservation) = memory(container);
    ContainerDefinition {
        name: (&container.name).into(),
        image: image(scene, task, container),
        command: texts(&container.command),
        working_directory: unless_empty(&container.working_directory),
        user: unless_empty(&container.user),
        cpu: container.cpu.into(),
        memory,
        memory_reservation,
        essential: container.essential.into(),
        environment: environment(stack, task, container),
        secrets: of_secrets(stack, scene, container),
        readonly_root_filesystem: container.read_only_root.into(),
        // Images of others may bring an init process that insists on being the first.
        linux_parameters: Some(LinuxParameters {
            init_process_enabled: is_base.into(),
            capabilities: Some(KernelCapabilities {
                drop: vec!["ALL".into()],
                add: container.capabilities.iter().map(|it| short(it)).collect(),
            }),
            tmpfs: mounts.tmpfs,
            ..Default::default()
        }),
        mount_points: mounts.points,
        port_mappings: ports(task, container),
        system_controls: low_port(container).into_iter().collect(),
        depends_on: dependencies(container),
        health_check: health_check(container),
        stop_timeout: seconds(container.stop_timeout).into(),
        ulimits: vec![Ulimit {
            name: "nofile".into(),
            soft_limit: OPEN_FILES.into(),
            hard_limit: OPEN_FILES.into(),
        }],
        log_configuration: Some(logs(task)),
        ..Default::default()
    }
}

fn image(scene: &Scene<'_>, task: &Task<'_>, container: &Container) -> Text {
    let made = container.made_image();
    match (made, task.common.app, &task.common.release) {
        (Some(made), Some(app), Some(release)) => Text::concat([
            pseudo::account(),
            ".dkr.ecr.".into(),
            pseudo::region(),
            ".".into(),
            pseudo::url_suffix(),
            format!("/{}:", names::repository(scene.blueprint, app, made)).into(),
            release.clone(),
        ]),
        _ => match &container.image {
            Image::Base(name) | Image::Oci(name) => name.into(),
        },
    }
}

/// Limit and reservation. ECS wants the limit to be the greater one; where it is not, the limit alone
/// is also the reservation.
fn memory(container: &Container) -> (mck_cloudformation::Integer, mck_cloudformation::Integer) {
    let reservation = mebibytes(container.memory_reservation);
    match container.memory.map(mebibytes) {
        Some(limit) if limit > reservation => (limit.into(), reservation.into()),
        Some(limit) => (limit.into(), Default::default()),
        None => (Default::default(), reservation.into()),
    }
}

/// The container's variables, hosts that only AWS knows among them, and the release that it is of.
fn environment(stack: &mut Stack, task: &Task<'_>, container: &Container) -> Vec<KeyValuePair> {
    let plain = container.environment.iter();
    let mut variables: BTreeMap<&str, Text> = plain
        .map(|(name, value)| (name.as_str(), value.into()))
        .collect();
    for (name, variable) in &container.endpoints {
        let host = stack.take(&names::data::endpoint(&variable.endpoint));
        let value = Text::concat([Text::from(&variable.prefix), host]);
        variables.insert(name, value);
    }
    if let Some(release) = &task.common.release {
        variables.insert("REVISION", release.clone());
    }
    variables
        .into_iter()
        .map(|(name, value)| KeyValuePair {
            name: name.into(),
            value,
        })
        .collect()
}

fn of_secrets(stack: &mut Stack, scene: &Scene<'_>, container: &Container) -> Vec<Secret> {
    let secrets = container.secrets.iter();
    secrets
        .map(|(variable, secret)| Secret {
            name: variable.into(),
            value_from: secrets::arn(stack, scene, secret),
        })
        .collect()
}

/// ECS leaves `CAP_` out.
fn short(capability: &str) -> Text {
    capability.strip_prefix("CAP_").unwrap_or(capability).into()
}

fn ports(task: &Task<'_>, container: &Container) -> Vec<PortMapping> {
    let port = container
        .port
        .filter(|_| task.network == NetworkMode::AwsVpc);
    let mapping = |port: u16| PortMapping {
        container_port: port.into(),
        protocol: "tcp".into(),
        ..Default::default()
    };
    port.map(mapping).into_iter().collect()
}

/// Docker gives a capability to `root` only, so for other users the port itself is made a common one,
/// in the task's network alone.
fn low_port(container: &Container) -> Option<SystemControl> {
    let port = container.port?;
    let may_bind = container.capabilities.iter();
    let may_bind = may_bind.clone().any(|it| it == "CAP_NET_BIND_SERVICE");
    (may_bind && port < FIRST_UNPRIVILEGED_PORT).then(|| SystemControl {
        namespace: "net.ipv4.ip_unprivileged_port_start".into(),
        value: port.to_string().into(),
    })
}

fn dependencies(container: &Container) -> Vec<ContainerDependency> {
    let dependencies = container.depends_on.iter();
    dependencies
        .map(|(name, condition)| ContainerDependency {
            container_name: name.into(),
            condition: match condition {
                DependencyCondition::Start => "START".into(),
                DependencyCondition::Complete => "COMPLETE".into(),
                DependencyCondition::Success => "SUCCESS".into(),
                DependencyCondition::Healthy => "HEALTHY".into(),
            },
        })
        .collect()
}

fn health_check(container: &Container) -> Option<HealthCheck> {
    let check = container.health_check.as_ref()?;
    let mut command = vec!["CMD".into()];
    command.extend(texts(&check.command));
    Some(HealthCheck {
        command,
        interval: seconds(check.interval).into(),
        timeout: seconds(check.timeout).into(),
        retries: check.retries.into(),
        start_period: seconds(check.start_period).into(),
    })
}

fn logs(task: &Task<'_>) -> LogConfiguration {
    let options: [(&str, Text); 5] = [
        ("awslogs-group", task.common.log_group.reference()),
        ("awslogs-region", pseudo::region()),
        ("awslogs-stream-prefix", (&task.log_prefix).into()),
        ("mode", "non-blocking".into()),
        ("max-buffer-size", LOG_BUFFER.into()),
    ];
    LogConfiguration {
        log_driver: "awslogs".into(),
        options: options
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        ..Default::default()
    }
}

fn texts(words: &[String]) -> Vec<Text> {
    words.iter().map(Text::from).collect()
}

fn unless_empty(text: &str) -> Text {
    if text.is_empty() {
        Text::Absent
    } else {
        text.into()
    }
}
