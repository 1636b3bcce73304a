//! `[database]` and `[storage]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Duration, Size};

/// The database cluster: one writer and its readers, each in another zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Database {
    /// The instance class (AWS).
    #[schemars(regex(pattern = r"^db\.[a-z0-9-]+(\.[a-z0-9-]+)?$"))]
    pub instance_class: String,
    /// Aurora Serverless v2 instead of an instance class.
    pub serverless: Option<ServerlessCapacity>,
    /// Aurora MySQL's version.
    pub version: Option<String>,
    /// Readers, 0 to 15 (Aurora).
    #[schemars(range(max = 15))]
    pub readers: u8,
    /// Backups.
    pub backups: Backups,
    /// Refuse to delete the cluster (AWS). Default: true for `production`.
    pub deletion_protection: Option<bool>,
    /// The memory of each local server.
    pub memory: Size,
    /// `max_connections` of each local server.
    #[schemars(range(min = 10, max = 16000))]
    pub max_connections: u16,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            instance_class: "db.r6g.large".to_owned(),
            serverless: None,
            version: None,
            readers: 1,
            backups: Backups::default(),
            deletion_protection: None,
            memory: Size::from_mib(256),
            max_connections: 500,
        }
    }
}

/// Capacity of Aurora Serverless v2, in capacity units of about 2 GiB; `minimum <= maximum`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerlessCapacity {
    /// The least, 0 to 256 in steps of 0.5.
    #[schemars(range(min = 0.0, max = 256.0))]
    pub minimum: f64,
    /// The most, 1 to 256 in steps of 0.5.
    #[schemars(range(min = 1.0, max = 256.0))]
    pub maximum: f64,
}

impl Eq for ServerlessCapacity {}

/// When backups are made and how long they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Backups {
    /// How long, 1 d to 35 d (RDS).
    pub retention: Duration,
    /// The window in UTC, `HH:MM-HH:MM`, at least 30 minutes (RDS).
    #[schemars(regex(pattern = r"^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"))]
    pub window: String,
}

impl Default for Backups {
    fn default() -> Self {
        Self {
            retention: Duration::from_days(7),
            window: "01:00-02:00".to_owned(),
        }
    }
}

/// The shared file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Storage {
    /// Whether there is one.
    pub enabled: bool,
    /// Back it up daily (AWS Backup).
    pub backups: bool,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            enabled: true,
            backups: true,
        }
    }
}
