//! What a snapshot is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a snapshot was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A person asked for it. It is kept until a person removes it.
    Manual,
    /// It is of the daily ones, kept for the retention period.
    Automatic,
}

/// A snapshot's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Snapshot {
    /// Its name: time and kind.
    pub id: String,
    /// Why it was made.
    pub kind: Kind,
    /// When: all that was acknowledged before it began is in it, nothing from after this time is.
    pub time: Timestamp,
    /// The history that it belongs to.
    pub timeline: u32,
    /// The last transaction in it, as MariaDB writes a GTID position.
    pub gtid: String,
    /// The member that it was taken from.
    pub server: String,
    /// That one's version.
    pub server_version: String,
    /// Bytes on the disk.
    pub size: u64,
    /// The schemas in it.
    pub schemas: Vec<String>,
}
