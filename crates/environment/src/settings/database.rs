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
    /// Backups. Aurora backs up continuously, so that a cluster can be restored to any second of the
    /// retention (point-in-time recovery), which is more than hourly backups; the window is when the
    /// daily snapshot is taken.
    pub backups: Backups,
    /// Refuse to delete the cluster (AWS). Default: true for `production`.
    pub deletion_protection: Option<bool>,
    /// Keep Performance Insights for 7 days (AWS). Default: where the instance class allows it, which
    /// burstable ones (`db.t…`) do not.
    pub performance_insights: Option<bool>,
    /// The time between samples of the operating system, 0 s for none, else 1, 5, 10, 15, 30 or 60
    /// s (RDS Enhanced Monitoring).
    pub monitoring_interval: Duration,
    /// Logs that are exported to CloudWatch Logs (AWS).
    pub log_exports: Vec<DatabaseLog>,
    /// Statements that take longer are in the slow-query log (`long_query_time`); 1 s to 1 h.
    pub slow_query_after: Duration,
    /// The memory of each local server.
    pub memory: Size,
    /// `max_connections` of each server.
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
            performance_insights: None,
            monitoring_interval: Duration::from_secs(60),
            log_exports: vec![DatabaseLog::Error, DatabaseLog::SlowQuery],
            slow_query_after: Duration::from_secs(2),
            memory: Size::from_mib(256),
            max_connections: 500,
        }
    }
}

/// A log of Aurora MySQL, as RDS names it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseLog {
    /// Who did what (Advanced Auditing).
    Audit,
    /// Errors, starts and stops.
    Error,
    /// Every statement: costly, for a short time only.
    General,
    /// Statements that took long.
    SlowQuery,
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
    /// Also keep daily snapshots in a backup vault for this long (AWS Backup), 1 d to 100 years, for
    /// longer than RDS keeps them. Default: none.
    pub vault_retention: Option<Duration>,
}

impl Default for Backups {
    fn default() -> Self {
        Self {
            retention: Duration::from_days(7),
            window: "01:00-02:00".to_owned(),
            vault_retention: None,
        }
    }
}

/// The shared file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Storage {
    /// Whether there is one.
    pub enabled: bool,
    /// Back it up (AWS Backup).
    pub backups: bool,
    /// How long its backups are kept, 1 d to 100 years (AWS Backup).
    pub backup_retention: Duration,
    /// When it is backed up: `cron(…)` in EventBridge's syntax, in UTC, at most once an hour.
    pub backup_schedule: String,
    /// How its throughput is given (AWS).
    pub throughput: Throughput,
    /// Files that nobody read or wrote for this long move to Infrequent Access: 1, 7, 14, 30, 60,
    /// 90, 180, 270 or 365 d (EFS), 0 d for never.
    pub infrequent_access_after: Duration,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            enabled: true,
            backups: true,
            backup_retention: Duration::from_days(35),
            backup_schedule: "cron(0 5 ? * * *)".to_owned(),
            throughput: Throughput::default(),
            infrequent_access_after: Duration::from_days(30),
        }
    }
}

/// A file system's throughput, as EFS names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Throughput {
    /// As much as is asked for, paid by use.
    #[default]
    Elastic,
    /// By the amount of data, with credits to burst.
    Bursting,
}
