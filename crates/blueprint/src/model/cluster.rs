//! App Clusters and App Servers.

use mck_environment::{
    settings::{Architecture, ClusterScaling},
    units::{Duration, Size},
};
use serde::Serialize;

use super::{Node, SecurityGroupName};

/// An App Cluster (an ECS cluster with its capacity).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppCluster {
    /// Its name in the environment.
    pub name: String,
    /// The names of the zones that it uses, in order.
    pub zones: Vec<String>,
    /// The instance type of its App Servers.
    pub instance_type: String,
    /// The processor architecture.
    pub architecture: Architecture,
    /// What one App Server offers to tasks.
    pub capacity: ServerCapacity,
    /// The least number of App Servers.
    pub minimum: u32,
    /// The greatest number of App Servers.
    pub maximum: u32,
    /// The App Servers at first, spread over the zones in turn.
    pub servers: Vec<AppServer>,
    /// The volume of each App Server.
    pub volume_size: Size,
    /// The share of spot instances, in percent.
    pub spot_percent: u8,
    /// Stopped instances kept ready.
    pub warm_servers: u16,
    /// When App Servers come and go.
    pub scaling: ClusterScaling,
    /// How long an App Server may drain before it stops.
    pub draining_timeout: Duration,
    /// Whether commands may be run in containers (ECS Exec).
    pub exec: bool,
    /// The App Servers' security group.
    pub security_group: SecurityGroupName,
}

/// What an App Server offers to tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServerCapacity {
    /// CPU units, 1024 for one virtual CPU.
    pub cpu: u32,
    /// Memory, without what the system keeps for itself.
    pub memory: Size,
}

/// An App Server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppServer {
    /// Its name, zone and address.
    #[serde(flatten)]
    pub node: Node,
}
