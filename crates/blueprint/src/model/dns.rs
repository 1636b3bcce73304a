//! Service discovery.

use mck_environment::units::Duration;
use serde::Serialize;

/// The private zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PrivateZone {
    /// Its name, such as `magecloudkit.internal`.
    pub name: String,
    /// The records' time to live on AWS.
    pub ttl: Duration,
    /// Its records.
    pub records: Vec<DnsRecord>,
}

/// A record of the private zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DnsRecord {
    /// The full name, such as `db.us-east-1.magecloudkit.internal`.
    pub name: String,
    /// What it is, for a person.
    pub description: String,
    /// What it points at.
    pub target: DnsTarget,
}

/// What a record points at; the target follows it through failovers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum DnsTarget {
    /// The database cluster's writer (the cluster endpoint).
    DatabaseWriter,
    /// The database cluster's readers (the reader endpoint); the writer where there is none.
    DatabaseReaders,
    /// The primary of a Redis cluster.
    RedisPrimary(String),
    /// The Memcached nodes.
    Memcached,
    /// The file system's mount targets.
    FileSystem,
    /// The search engine's endpoint in the VPC (AWS).
    Search,
    /// The message broker's host (AWS).
    MessageBroker,
}

/// The public names of the apps' hosts (AWS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PublicZone {
    /// Who answers for it.
    pub provider: DnsProvider,
    /// Its name, such as `example.com`.
    pub name: Option<String>,
    /// Its id at the provider, where it exists already.
    pub id: Option<String>,
    /// Hosts that get a record to the front: the CDN where there is one, else the load balancer.
    pub hosts: Vec<String>,
}

/// Who answers for a public zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsProvider {
    /// Amazon Route 53.
    Route53,
    /// Cloudflare.
    Cloudflare,
}
