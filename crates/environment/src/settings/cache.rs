//! `[cache]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Duration, Size};

/// The caches: two Redis clusters, and Memcached where it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cache {
    /// The Redis for Magento's cache: evicts what was used least recently.
    pub redis_cache: Redis,
    /// The Redis for sessions: evicts nothing.
    pub redis_session: Redis,
    /// Memcached. Default: none.
    pub memcached: Option<Memcached>,
}

/// A Redis cluster: a primary and its replicas (an ElastiCache replication group).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Redis {
    /// Whether there is one.
    pub enabled: bool,
    /// Redis or Valkey (AWS; the local target runs the machine's Redis).
    pub engine: RedisEngine,
    /// The engine's version.
    pub version: Option<String>,
    /// The node type (AWS).
    #[schemars(regex(pattern = r"^cache\.[a-z0-9-]+\.[a-z0-9-]+$"))]
    pub node_type: String,
    /// Replicas, each in another zone, 0 to 5 (ElastiCache).
    #[schemars(range(max = 5))]
    pub replicas: u8,
    /// Memory for data on the local target.
    pub memory: Size,
    /// How often the append-only file is forced to disk (`redis-session`, local target). With
    /// `"everysec"` a killed Redis can lose acknowledged sessions of the last moments.
    pub append_fsync: AppendFsync,
    /// How long snapshots are kept, 0 d to 35 d (ElastiCache). Default: 0 d for `redis-cache`, 7 d
    /// for `redis-session`.
    pub snapshot_retention: Option<Duration>,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            enabled: true,
            engine: RedisEngine::default(),
            version: None,
            node_type: "cache.t4g.medium".to_owned(),
            replicas: 1,
            memory: Size::from_mib(128),
            append_fsync: AppendFsync::default(),
            snapshot_retention: None,
        }
    }
}

/// The engine of a Redis cluster on AWS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RedisEngine {
    /// Redis OSS.
    #[default]
    Redis,
    /// Valkey.
    Valkey,
}

/// Redis' `appendfsync`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AppendFsync {
    /// Before each answer.
    #[default]
    Always,
    /// Each second.
    Everysec,
}

/// A Memcached cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Memcached {
    /// The node type (AWS).
    #[schemars(regex(pattern = r"^cache\.[a-z0-9-]+\.[a-z0-9-]+$"))]
    pub node_type: String,
    /// Nodes, 1 to 40 (ElastiCache).
    #[schemars(range(min = 1, max = 40))]
    pub nodes: u8,
    /// Memory for data on the local target.
    pub memory: Size,
}

impl Default for Memcached {
    fn default() -> Self {
        Self {
            node_type: "cache.t4g.small".to_owned(),
            nodes: 1,
            memory: Size::from_mib(64),
        }
    }
}
