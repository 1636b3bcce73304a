//! App Clusters and App Servers.

use mck_environment::{
    settings::{Architecture, ClusterScaling},
    units::{Duration, Size},
};
use serde::Serialize;

use super::{Node, SecurityGroupName, TaskDefinition};

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
    /// The image of its App Servers; none for the newest ECS-optimised Amazon Linux (AWS).
    pub image_id: Option<String>,
    /// What one App Server offers to tasks, its daemons' share taken off.
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
    /// Instance types that spot instances may be of beside `instance_type` (AWS).
    pub spot_instance_types: Vec<String>,
    /// Stopped instances kept ready.
    pub warm_servers: u16,
    /// The share of the capacity that tasks should use, in percent (AWS).
    pub target_capacity_percent: u8,
    /// How App Servers are replaced when their launch template changes; none for not at all (AWS).
    pub instance_refresh: Option<InstanceRefresh>,
    /// When App Servers come and go.
    pub scaling: ClusterScaling,
    /// How long an App Server may drain before it stops.
    pub draining_timeout: Duration,
    /// Daemons, by name: one task of each on every App Server (AWS).
    pub daemons: Vec<Daemon>,
    /// The log group of its App Servers and daemons.
    pub log_group: String,
    /// Whether commands may be run in containers (ECS Exec).
    pub exec: bool,
    /// The App Servers' security group.
    pub security_group: SecurityGroupName,
}

/// A task that runs once on every App Server (an ECS service of the strategy `DAEMON`), in the
/// server's own network (`host` mode), so that it takes no network interface from the apps' tasks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Daemon {
    /// Its name, unique in the cluster.
    pub name: String,
    /// One sentence for progress displays.
    pub description: String,
    /// What it is made of.
    pub task_definition: TaskDefinition,
}

/// How an instance refresh replaces App Servers (EC2 Auto Scaling).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InstanceRefresh {
    /// The share of the wanted servers that stays in service, in percent.
    pub minimum_healthy_percent: u8,
    /// The share of the wanted servers that there is at most, in percent.
    pub maximum_healthy_percent: u8,
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
