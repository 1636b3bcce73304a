//! A container of a task definition.

use std::collections::BTreeMap;

use mck_environment::{
    settings::{ContainerHealthCheck, DependencyCondition},
    units::{Duration, Size},
};
use serde::Serialize;

use super::DnsTarget;

/// A container of a task definition.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Container {
    /// Its name, unique in the task.
    pub name: String,
    /// One sentence for progress displays.
    pub description: String,
    /// What its root file system is made of.
    pub image: Image,
    /// The command and its arguments; never holds a secret. Of an OCI image's container it is given
    /// to the image's entry point, as in ECS. Empty: what the image says.
    pub command: Vec<String>,
    /// The folder in which the command starts. Empty: what the image says.
    pub working_directory: String,
    /// The user to run as: a name or a number; `root` only where it can't be helped.
    /// Empty: what the image says.
    pub user: String,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Environment variables from secrets: variable name to secret name.
    pub secrets: BTreeMap<String, String>,
    /// Environment variables whose value only the target knows: hosts that must be called by AWS's
    /// own name, since that is the name in their certificate.
    pub endpoints: BTreeMap<String, EndpointVariable>,
    /// The port that it listens on; the task's containers share one address.
    pub port: Option<u16>,
    /// CPU units, 1024 for one virtual CPU.
    pub cpu: u32,
    /// Memory kept for it when its task is placed.
    pub memory_reservation: Size,
    /// Memory above which it is killed.
    pub memory: Option<Size>,
    /// Whether the task stops with it.
    pub essential: bool,
    /// Whether its root file system is read-only.
    pub read_only_root: bool,
    /// Linux capabilities that it keeps, such as `CAP_NET_BIND_SERVICE`; all others are dropped.
    pub capabilities: Vec<String>,
    /// Where it can write, and what it sees of the release.
    pub mounts: Vec<MountPoint>,
    /// Configuration files put into it, read-only.
    pub files: Vec<ConfigurationFile>,
    /// Containers that come first, and in what state.
    pub depends_on: BTreeMap<String, DependencyCondition>,
    /// A check from inside.
    pub health_check: Option<ContainerHealthCheck>,
    /// The signal that asks it to stop, such as `SIGTERM`. Empty: what the image
    /// says.
    pub stop_signal: String,
    /// How long it may take to stop before it is killed, 2 s to 120 s (ECS).
    pub stop_timeout: Duration,
}

impl Container {
    /// What the container's image is called where images are made, on AWS; none where its own image is
    /// run as it is. An image of the user's gets what the kit puts into the container: configuration
    /// files, and the release where it sees one.
    pub fn made_image(&self) -> Option<&str> {
        match &self.image {
            Image::Base(name) => Some(name),
            Image::Oci(_) if self.files.is_empty() && !self.sees_release() => None,
            Image::Oci(_) => Some(&self.name),
        }
    }

    fn sees_release(&self) -> bool {
        self.mounts
            .iter()
            .any(|mount| mount.source == MountSource::Release)
    }
}

/// A variable whose value is the host name that AWS gave to a data store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EndpointVariable {
    /// What stands before the host name, such as `tls://`; may be empty.
    pub prefix: String,
    /// Whose host name.
    pub endpoint: DnsTarget,
}

/// What a container's root file system is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Image {
    /// The machine's own programs locally; on AWS the kit's base image of this name (`nginx`,
    /// `php-fpm`) with the release in it.
    Base(String),
    /// An OCI image by reference.
    Oci(String),
}

/// A mount into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MountPoint {
    /// The absolute path in the container.
    pub path: String,
    /// What is seen there.
    pub source: MountSource,
    /// Whether it can't be written to.
    pub read_only: bool,
    /// Whether an empty place begins as a copy of what the image or release has at the path.
    pub seeded: bool,
    /// The most that it may hold, where it is memory; it counts as the task's.
    pub size: Option<Size>,
}

/// What a mount shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum MountSource {
    /// The app's release tree.
    Release,
    /// A folder of the shared file system, the same for all of an app's tasks.
    Media(String),
    /// Memory of the container's own, gone with it.
    Temporary,
    /// A folder that the containers of one task share, gone with the task.
    TaskVolume(String),
    /// This absolute path of the App Server, made where it is missing; for daemons and the sockets
    /// that they offer.
    Host(String),
}

/// A configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConfigurationFile {
    /// The absolute path in the container.
    pub path: String,
    /// The whole text; never holds a secret.
    pub content: String,
    /// Whether it is a program.
    pub executable: bool,
}
