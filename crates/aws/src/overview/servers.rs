//! App Servers, as ECS sees them. Pure.

use aws_sdk_ecs::types::{ContainerInstance, Resource};
use serde::Serialize;

use crate::ecs::short;

/// The attribute of an App Server with its zone (ECS developer guide, "Container instance attributes").
const ZONE: &str = "ecs.availability-zone";
const TYPE: &str = "ecs.instance-type";

/// How an App Server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServerStatus {
    /// The id of its instance.
    pub id: String,
    /// The name of its ECS cluster.
    pub cluster: String,
    /// The availability zone; may be empty.
    pub zone: String,
    /// The instance type; may be empty.
    pub instance_type: String,
    /// What ECS says, such as `ACTIVE` or `DRAINING`.
    pub status: String,
    /// Whether its agent is connected; without that, nothing can be started there.
    pub is_connected: bool,
    /// Tasks that run there.
    pub tasks: u32,
    /// CPU units that are free for tasks, of how many; 1024 are one virtual CPU.
    pub cpu: Share,
    /// Memory in MiB that is free for tasks, of how much.
    pub memory: Share,
    /// The id by which tasks name it.
    #[serde(skip)]
    pub(super) container_instance: String,
}

/// What is left of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Share {
    /// What is left.
    pub free: u32,
    /// What there is in all.
    pub total: u32,
}

impl ServerStatus {
    pub(super) fn of(cluster: &str, instance: &ContainerInstance) -> Self {
        let arn = instance.container_instance_arn().unwrap_or_default();
        let container_instance = short(arn).to_owned();
        let id = instance.ec2_instance_id();
        Self {
            id: id.unwrap_or(&container_instance).to_owned(),
            cluster: cluster.to_owned(),
            zone: attribute(instance, ZONE),
            instance_type: attribute(instance, TYPE),
            status: instance.status().unwrap_or_default().to_owned(),
            is_connected: instance.agent_connected(),
            tasks: instance.running_tasks_count().try_into().unwrap_or(0),
            cpu: share(instance, "CPU"),
            memory: share(instance, "MEMORY"),
            container_instance,
        }
    }
}

fn attribute(instance: &ContainerInstance, name: &str) -> String {
    let mut attributes = instance.attributes().iter();
    let found = attributes.find(|it| it.name() == name);
    found
        .and_then(|it| it.value())
        .unwrap_or_default()
        .to_owned()
}

fn share(instance: &ContainerInstance, name: &str) -> Share {
    let of = |resources: &[Resource]| {
        let mut resources = resources.iter();
        let found = resources.find(|it| it.name() == Some(name));
        found.map_or(0, |it| it.integer_value().try_into().unwrap_or(0))
    };
    Share {
        free: of(instance.remaining_resources()),
        total: of(instance.registered_resources()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::Attribute;

    use super::*;

    #[test]
    fn a_server_has_its_zone_and_what_is_free() {
        let resource =
            |name: &str, value: i32| Resource::builder().name(name).integer_value(value).build();
        let attribute = Attribute::builder()
            .name(ZONE)
            .value("eu-central-1b")
            .build();
        let instance = ContainerInstance::builder()
            .container_instance_arn("arn:aws:ecs:eu-central-1:1:container-instance/shop/0123")
            .ec2_instance_id("i-0123")
            .status("ACTIVE")
            .agent_connected(true)
            .running_tasks_count(3)
            .attributes(attribute.expect("it has a name"))
            .registered_resources(resource("CPU", 2_048))
            .registered_resources(resource("MEMORY", 3_884))
            .remaining_resources(resource("CPU", 512))
            .remaining_resources(resource("MEMORY", 900))
            .build();
        let server = ServerStatus::of("shop-production-app", &instance);
        assert_eq!(
            (server.id.as_str(), server.zone.as_str()),
            ("i-0123", "eu-central-1b")
        );
        assert_eq!(
            server.cpu,
            Share {
                free: 512,
                total: 2_048
            }
        );
        assert_eq!(
            server.memory,
            Share {
                free: 900,
                total: 3_884
            }
        );
        assert_eq!((server.tasks, server.is_connected), (3, true));
        assert_eq!(server.container_instance, "0123");
    }
}
