//! What a blueprint can say.

mod access;
mod app;
mod cluster;
mod container;
mod data;
mod dns;
mod edge;
mod global;
mod network;
mod observability;
mod secret;
mod servers;
mod services;

use std::collections::BTreeMap;

use mck_environment::settings::{Ci, Local, Target};
use serde::Serialize;

pub use access::{
    AccessRule, GroupRule, Peer, PortRange, Protocol, SecurityGroup, SecurityGroupName,
};
pub use app::{
    App, DeploymentConfiguration, HealthCheck, Hook, HookStage, ListenerRule, ScalingPolicy,
    ScheduledJob, TargetGroup, TaskCount, TaskDefinition,
};
pub use cluster::{AppCluster, AppServer, Daemon, InstanceRefresh, ServerCapacity};
pub use container::{
    ConfigurationFile, Container, EndpointVariable, Image, MountPoint, MountSource,
};
pub use data::{
    BackupPlan, DatabaseCluster, DatabaseSchema, FileSystem, MemcachedCluster, RedisCluster,
    RedisPersistence,
};
pub use dns::{DnsProvider, DnsRecord, DnsTarget, PrivateZone, PublicZone};
pub use edge::{ContentDelivery, Front, Listener, LoadBalancer, ManagedRuleGroup, WebAcl};
pub use global::{CiRole, CiUser, Global, IdentityProvider, ImageRepository};
pub use network::{NatGateway, Network, Node, Route, ServiceEndpoints, Subnet, Tier, Zone};
pub use observability::{Alarm, Integration, LogGroup};
pub use secret::{Secret, SecretOrigin};
pub use servers::{Bastion, Jenkins, JenkinsHome};
pub use services::{MessageBroker, SearchDomain};

/// The architecture of one environment, complete: whoever makes it real has no choice left.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Blueprint {
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// What makes it real.
    pub target: Target,
    /// How the local target uses this machine; none for other targets.
    pub local: Option<Local>,
    /// The AWS region; part of every private DNS name.
    pub region: String,
    /// Tags of every resource.
    pub tags: BTreeMap<String, String>,
    /// The VPC.
    pub network: Network,
    /// Who may reach whom, on which port and why: the one source of all security groups.
    pub access: Vec<AccessRule>,
    /// The security groups that follow from `access`, by name.
    pub security_groups: Vec<SecurityGroup>,
    /// The load balancer.
    pub load_balancer: LoadBalancer,
    /// The CDN and the static bucket, where wanted.
    pub content_delivery: Option<ContentDelivery>,
    /// The web application firewall, where wanted (AWS).
    pub web_acl: Option<WebAcl>,
    /// App Clusters, by name.
    pub clusters: Vec<AppCluster>,
    /// Apps, by name.
    pub apps: Vec<App>,
    /// The images that apps' images are built on (AWS), by the base image's name; whoever builds may
    /// name others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub base_images: BTreeMap<String, String>,
    /// The database cluster.
    pub database: DatabaseCluster,
    /// Redis clusters, by name.
    pub redis: Vec<RedisCluster>,
    /// Memcached, where wanted.
    pub memcached: Option<MemcachedCluster>,
    /// The shared file system, where wanted.
    pub file_system: Option<FileSystem>,
    /// The search engine, where wanted (AWS).
    pub search: Option<SearchDomain>,
    /// The message broker, where wanted (AWS).
    pub message_broker: Option<MessageBroker>,
    /// The Bastion, where wanted.
    pub bastion: Option<Bastion>,
    /// Jenkins, where wanted.
    pub jenkins: Option<Jenkins>,
    /// How continuous integration comes into the account (AWS): what [`Global`] is made of.
    pub ci: Option<Ci>,
    /// Service discovery.
    pub private_zone: PrivateZone,
    /// Public names, where they are managed.
    pub public_zone: Option<PublicZone>,
    /// Secrets, by name; never their values.
    pub secrets: Vec<Secret>,
    /// Log groups, by name.
    pub log_groups: Vec<LogGroup>,
    /// Alarms, by name.
    pub alarms: Vec<Alarm>,
    /// E-mail addresses that hear alarms.
    pub alarm_receivers: Vec<String>,
    /// Vendors that are switched on, by name.
    pub integrations: Vec<Integration>,
}
