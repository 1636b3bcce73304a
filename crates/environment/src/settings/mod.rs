//! The shape of `magecloudkit.toml`, one module per section, with every default.
//!
//! All keys are optional but for those that only the user can know; the default is what a
//! production store should have. The common part of the file and each `[environment.NAME]` share
//! this shape.

mod app;
mod cache;
mod ci;
mod cluster;
mod container;
mod database;
mod edge;
mod integrations;
mod local;
mod network;
mod observability;
mod servers;
mod services;
mod waf;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use app::{
    Admin, App, CircuitBreaker, Deployment, HealthCheck, Hooks, Job, Nginx, Php, PhpMode, Preset,
    ProcessManager, Routing, Scaling, Stickiness, Tasks,
};
pub use cache::{AppendFsync, Cache, Memcached, Redis, RedisEngine};
pub use ci::{Ci, CircleCi, GitHub, GitLab};
pub use cluster::{Architecture, Cluster, ClusterScaling, Servers};
pub use container::{Container, ContainerHealthCheck, DependencyCondition, Mount};
pub use database::{Backups, Database, DatabaseLog, ServerlessCapacity, Storage, Throughput};
pub use edge::{Algorithm, Cdn, Certificate, Dns, LoadBalancer};
pub use integrations::{
    Algolia, Blackfire, Bugsnag, Cloudflare, Datadog, Integrations, NewRelic, Nosto, Pingdom,
};
pub use local::{Local, RuntimeProgram};
pub use network::{ExistingVpc, Nat, Network};
pub use observability::{Alarms, Logs};
pub use servers::{Bastion, Jenkins};
pub use services::{BrokerDeployment, MessageBroker, Search};
pub use waf::Waf;

/// Everything that can be said of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Where the environment runs. Default: `local` for an environment named `local`, else `aws`.
    pub target: Option<Target>,
    /// The AWS region; the local target uses it in names only.
    pub region: String,
    /// Tags put on every AWS resource, at most 40 (AWS allows 50, the kit adds its own).
    pub tags: BTreeMap<String, String>,
    /// The VPC, its zones and subnets.
    pub network: Network,
    /// App Clusters (ECS clusters) by name. Default: one, named `app`.
    pub cluster: BTreeMap<String, Cluster>,
    /// Apps by name. At least one is needed.
    pub app: BTreeMap<String, App>,
    /// Base images by name, where `mck build` puts code and configuration on them (AWS only): `nginx`
    /// and `php-fpm` for presets, else the container's name. `HOST/NAME:TAG`,
    /// `HOST/NAME@sha256:DIGEST`, or `oci:FOLDER` relative to this file. The kit's Dockerfiles for them
    /// are in its folder `images`. `MCK_BASE_IMAGES` goes before this, and `--base` before both.
    pub base_image: BTreeMap<String, String>,
    /// The database cluster (Aurora MySQL on AWS, MariaDB locally).
    pub database: Database,
    /// Redis and Memcached.
    pub cache: Cache,
    /// The shared file system for media (EFS on AWS).
    pub storage: Storage,
    /// The search engine of Magento 2's catalog, an OpenSearch Service domain. AWS only: the local
    /// target has none. Magento 2.4 can't be installed without a search engine.
    pub search: Search,
    /// The message broker of Magento 2's queues, RabbitMQ on Amazon MQ. AWS only; without it the
    /// queues are in the database.
    pub message_broker: MessageBroker,
    /// The load balancer (ALB on AWS, HAProxy locally).
    pub load_balancer: LoadBalancer,
    /// The private zone of service discovery, and the public zone where there is one.
    pub dns: Dns,
    /// The content delivery network (CloudFront).
    pub cdn: Cdn,
    /// The web application firewall: AWS WAF at CloudFront where there is one, else at the load
    /// balancer. AWS only.
    pub waf: Waf,
    /// The Bastion, the one way in for people. On AWS it is Ubuntu LTS with unattended security
    /// updates and `fail2ban`; its architecture is its instance type's.
    pub bastion: Bastion,
    /// The Jenkins automation server. AWS only: an Auto Scaling group of one, its home
    /// `/mnt/jenkins` on a file system of its own.
    pub jenkins: Jenkins,
    /// How continuous integration comes into the account, and how many images it keeps there. AWS
    /// only.
    pub ci: Ci,
    /// Third-party vendors.
    pub integration: Integrations,
    /// Logs and how long they are kept.
    pub logs: Logs,
    /// Alarms and who hears them.
    pub alarms: Alarms,
    /// Secrets by name. A secret is named here and its value kept in the target's secret store,
    /// never in this file.
    pub secret: BTreeMap<String, Secret>,
    /// Settings of the local target only.
    pub local: Local,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            target: None,
            region: "us-east-1".to_owned(),
            tags: BTreeMap::new(),
            network: Network::default(),
            cluster: BTreeMap::from([("app".to_owned(), Cluster::default())]),
            app: BTreeMap::new(),
            base_image: BTreeMap::new(),
            database: Database::default(),
            cache: Cache::default(),
            storage: Storage::default(),
            search: Search::default(),
            message_broker: MessageBroker::default(),
            load_balancer: LoadBalancer::default(),
            dns: Dns::default(),
            cdn: Cdn::default(),
            waf: Waf::default(),
            bastion: Bastion::default(),
            jenkins: Jenkins::default(),
            ci: Ci::default(),
            integration: Integrations::default(),
            logs: Logs::default(),
            alarms: Alarms::default(),
            secret: BTreeMap::new(),
            local: Local::default(),
        }
    }
}

/// What makes the blueprint real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// This Linux machine.
    Local,
    /// An AWS account, through CloudFormation and ECS.
    Aws,
}

/// A secret that apps and integrations refer to by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Secret {
    /// What the secret is for.
    pub description: Option<String>,
    /// Make a random value when there is none yet: this many characters, 16 to 128.
    #[schemars(range(min = 16, max = 128))]
    pub generate: Option<u16>,
}
