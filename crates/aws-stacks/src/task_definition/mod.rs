//! Task definitions: the blueprint's containers in ECS's words.
//!
//! A task definition says nothing of CPU and memory as a whole: there both would be limits, while the
//! blueprint's are reservations, which containers say themselves.

mod container;
mod files;
mod volumes;

use mck_blueprint::model::{self, AppCluster};
use mck_cloudformation::{LogicalId, Text, resources::ecs};
use mck_environment::settings::Architecture;
use serde_json::Value as Json;

pub use self::files::{files_digest, files_label};
use self::volumes::Volumes;
pub(crate) use self::volumes::{LOCKS, Media};
use crate::{stack::Stack, synthesis::Scene};

/// The metadata key of the digests of files that must be in the images.
pub(crate) const FILES: &str = "mck:Files";

/// The network of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkMode {
    /// An interface, an address and security groups of its own.
    AwsVpc,
    /// The server's.
    Host,
}

impl NetworkMode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AwsVpc => "awsvpc",
            Self::Host => "host",
        }
    }
}

/// A task definition to make.
pub(crate) struct Task<'a> {
    /// Its name in the template.
    pub(crate) id: LogicalId,
    /// One sentence for progress displays.
    pub(crate) description: String,
    /// The family.
    pub(crate) family: String,
    /// Its containers.
    pub(crate) containers: &'a [model::Container],
    /// Its network.
    pub(crate) network: NetworkMode,
    /// What log streams begin with: `<prefix>/<container>/<task id>`.
    pub(crate) log_prefix: String,
    /// What is the same of all task definitions of a stack.
    pub(crate) common: &'a Common<'a>,
    /// The role of its containers.
    pub(crate) task_role: LogicalId,
    /// The container that takes the lock of a job which must not run twice.
    pub(crate) locker: Option<&'a str>,
}

/// What all task definitions of a stack share.
pub(crate) struct Common<'a> {
    /// The app; none for daemons.
    pub(crate) app: Option<&'a str>,
    /// The cluster that they run on.
    pub(crate) cluster: &'a AppCluster,
    /// Whether commands may be run in the containers.
    pub(crate) exec: bool,
    /// The deployed release; none for daemons.
    pub(crate) release: Option<Text>,
    /// The log group.
    pub(crate) log_group: LogicalId,
    /// The role with which the ECS agent starts the tasks.
    pub(crate) execution_role: LogicalId,
    /// Ways into the shared file system.
    pub(crate) media: &'a Media,
}

/// Adds a task definition.
pub(crate) fn add(stack: &mut Stack, scene: &Scene<'_>, task: &Task<'_>) -> LogicalId {
    let mut volumes = Volumes::new(task.common.media, task.common.cluster);
    let containers: Vec<_> = task
        .containers
        .iter()
        .map(|container| container::definition(stack, scene, task, container, &mut volumes))
        .collect();
    let properties = ecs::TaskDefinition {
        family: task.family.as_str().into(),
        network_mode: task.network.as_str().into(),
        requires_compatibilities: vec!["EC2".into()],
        runtime_platform: Some(ecs::task_definition::RuntimePlatform {
            cpu_architecture: match task.common.cluster.architecture {
                Architecture::X86_64 => "X86_64".into(),
                Architecture::Arm64 => "ARM64".into(),
            },
            operating_system_family: "LINUX".into(),
        }),
        execution_role_arn: task.common.execution_role.attribute("Arn"),
        task_role_arn: task.task_role.attribute("Arn"),
        container_definitions: containers,
        volumes: volumes.finish(),
        ..Default::default()
    };
    let added = stack.add(task.id.clone(), task.description.as_str(), &properties);
    let digests = files::digests(task.containers);
    if digests.is_empty() {
        return added.id();
    }
    added.metadata(FILES, Json::Object(digests)).id()
}

#[cfg(test)]
mod tests;
