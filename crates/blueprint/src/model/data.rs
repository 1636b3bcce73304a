//! Data stores.

use mck_environment::{
    settings::{AppendFsync, Backups, DatabaseLog, RedisEngine, ServerlessCapacity, Throughput},
    units::{Duration, Size},
};
use serde::Serialize;

use super::{Node, SecurityGroupName};

/// The database cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DatabaseCluster {
    /// The instance class (AWS).
    pub instance_class: String,
    /// Serverless v2 capacity (AWS).
    pub serverless: Option<ServerlessCapacity>,
    /// The engine's version.
    pub version: Option<String>,
    /// The members, each in another zone while zones last; the first starts as the writer.
    pub members: Vec<Node>,
    /// The port: 3306.
    pub port: u16,
    /// Schemas, each with a user that reaches it alone.
    pub schemas: Vec<DatabaseSchema>,
    /// The secret with the password of the master user.
    pub master_password_secret: String,
    /// Backups.
    pub backups: Backups,
    /// Snapshots in a backup vault beside the cluster's own backups (AWS).
    pub backup_plan: Option<BackupPlan>,
    /// Whether Performance Insights are kept, for 7 days (AWS).
    pub performance_insights: bool,
    /// The time between samples of the operating system; zero for none (AWS).
    pub monitoring_interval: Duration,
    /// Logs that are exported to CloudWatch Logs, in order (AWS).
    pub log_exports: Vec<DatabaseLog>,
    /// Statements that take longer are in the slow-query log (AWS).
    pub slow_query_after: Duration,
    /// Whether it refuses to be deleted (AWS).
    pub deletion_protection: bool,
    /// The memory of each local server.
    pub memory: Size,
    /// `max_connections`.
    pub max_connections: u16,
    /// The security group.
    pub security_group: SecurityGroupName,
}

/// An app's schema and its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DatabaseSchema {
    /// The schema's name.
    pub name: String,
    /// The user's name.
    pub user: String,
    /// The secret with the user's password.
    pub password_secret: String,
}

/// A Redis cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RedisCluster {
    /// `redis-cache` or `redis-session`; also its host name in the private zone.
    pub name: String,
    /// The engine (AWS).
    pub engine: RedisEngine,
    /// The engine's version.
    pub version: Option<String>,
    /// The node type (AWS).
    pub node_type: String,
    /// The members, each in another zone while zones last; the first starts as the primary.
    pub members: Vec<Node>,
    /// The port: 6379.
    pub port: u16,
    /// Memory for data on each local server.
    pub memory: Size,
    /// Whether connections are encrypted; the certificate is of AWS's own name for the cluster, so
    /// apps must call it by that (AWS).
    pub tls: bool,
    /// What happens to data.
    pub persistence: RedisPersistence,
    /// How long snapshots are kept (AWS); zero for none.
    pub snapshot_retention: Duration,
    /// The secret with the password.
    pub password_secret: String,
    /// The security group.
    pub security_group: SecurityGroupName,
}

/// What a Redis does with data when memory is full and when it restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "append-fsync")]
pub enum RedisPersistence {
    /// Evicts what was used least recently; keeps nothing on disk.
    Cache,
    /// Evicts nothing; keeps an append-only file.
    Durable(AppendFsync),
}

/// A Memcached cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MemcachedCluster {
    /// The node type (AWS).
    pub node_type: String,
    /// Its nodes.
    pub members: Vec<Node>,
    /// The port: 11211.
    pub port: u16,
    /// Memory for data on each local server.
    pub memory: Size,
    /// The security group.
    pub security_group: SecurityGroupName,
}

/// The shared file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileSystem {
    /// Its name: `media`.
    pub name: String,
    /// A mount target in each zone.
    pub mount_targets: Vec<Node>,
    /// The port: 2049 (NFS).
    pub port: u16,
    /// Its backups (AWS).
    pub backup_plan: Option<BackupPlan>,
    /// How its throughput is given (AWS).
    pub throughput: Throughput,
    /// Files that nobody touched for this long move to Infrequent Access; zero for never (AWS).
    pub infrequent_access_after: Duration,
    /// The security group.
    pub security_group: SecurityGroupName,
}

/// Backups in a backup vault (AWS Backup).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BackupPlan {
    /// When: `cron(…)` in EventBridge's syntax, UTC.
    pub schedule: String,
    /// How long each is kept, in whole days.
    pub retention: Duration,
}
