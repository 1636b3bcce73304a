//! What of an environment costs something: counts and sizes, without prices and without use.
//!
//! A blueprint says what is wanted (`wanted`), the templates of stacks what is there (`deployed`).
//! Both say it in the same words, so that the same prices go with both.

mod deployed;
mod wanted;

use mck_environment::settings::RedisEngine;

pub use deployed::DeployedStack;

/// What of an environment costs something.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Inventory {
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) database: Option<Database>,
    pub(crate) redis: Vec<Redis>,
    pub(crate) memcached: Option<Nodes>,
    pub(crate) search: Option<Search>,
    pub(crate) message_broker: Option<Nodes>,
    pub(crate) media: Option<Media>,
    pub(crate) bastion: Option<Server>,
    pub(crate) jenkins: Option<Server>,
    /// The file system of Jenkins' home.
    pub(crate) jenkins_home: Option<JenkinsHome>,
    pub(crate) nat_gateways: usize,
    /// Whether app subnets go out through NAT gateways, which may be those of an adopted VPC.
    pub(crate) through_nat: bool,
    pub(crate) endpoints: Option<Endpoints>,
    pub(crate) load_balancer: Option<LoadBalancer>,
    pub(crate) content_delivery: bool,
    pub(crate) web_acl: Option<WebAcl>,
    /// Whether something runs that writes logs.
    pub(crate) logs: bool,
    pub(crate) flow_logs: bool,
    pub(crate) alarms: usize,
    pub(crate) dashboard: bool,
    pub(crate) secrets: usize,
    /// Keys of the environment's own.
    pub(crate) keys: usize,
    pub(crate) private_zone: bool,
    /// Whether the public zone is made here.
    pub(crate) public_zone: bool,
    /// Whether images are built for the environment's apps.
    pub(crate) images: bool,
}

/// An App Cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) instance_type: String,
    /// How many App Servers it begins with.
    pub(crate) desired: usize,
    pub(crate) maximum: usize,
    pub(crate) spot_percent: u8,
    /// The volume of each App Server, in GB.
    pub(crate) volume_gb: f64,
    pub(crate) warm: usize,
}

/// The database cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Database {
    pub(crate) members: usize,
    pub(crate) capacity: Capacity,
    /// How many days backups stay in the vault, where there is one.
    pub(crate) vault_days: Option<u64>,
}

/// What each member of the database cluster has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Capacity {
    /// An instance of this class.
    Instance(String),
    /// At least and at most so many capacity units of Aurora Serverless v2.
    Units(f64, f64),
}

/// A Redis replication group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Redis {
    pub(crate) name: String,
    pub(crate) engine: RedisEngine,
    pub(crate) nodes: Nodes,
}

/// Nodes of one type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Nodes {
    pub(crate) count: usize,
    pub(crate) kind: String,
}

/// The search domain.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Search {
    pub(crate) nodes: Nodes,
    /// The volume of each node, in GB.
    pub(crate) volume_gb: f64,
}

/// The shared file system.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Media {
    pub(crate) is_elastic: bool,
    pub(crate) vault_days: Option<u64>,
}

/// A server with a volume.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Server {
    pub(crate) instance_type: String,
    /// In GB.
    pub(crate) volume_gb: f64,
}

/// The file system of Jenkins' home.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JenkinsHome {
    pub(crate) vault_days: Option<u64>,
}

/// Interface endpoints of AWS's services.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Endpoints {
    pub(crate) services: usize,
    pub(crate) zones: usize,
}

/// The load balancer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LoadBalancer {
    /// Its nodes: one a zone.
    pub(crate) nodes: usize,
}

/// The web ACL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WebAcl {
    /// Managed rule groups; the rate limit is one rule more.
    pub(crate) groups: usize,
    /// Whether it looks at what comes to the CDN, rather than to the load balancer.
    pub(crate) is_of_content_delivery: bool,
}

impl Inventory {
    /// Zones that tasks are in.
    pub(crate) fn zones(&self) -> usize {
        self.load_balancer.as_ref().map_or(0, |it| it.nodes)
    }
}
