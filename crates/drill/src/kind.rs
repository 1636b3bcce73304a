//! The drills there are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::DrillError;

/// What is broken, or done, under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrillKind {
    /// A whole availability zone is gone.
    ZoneLoss,
    /// An app server is gone, with its tasks.
    ServerLoss,
    /// One task is killed.
    TaskLoss,
    /// A node of the load balancer is killed.
    LbLoss,
    /// The writer of the database is killed.
    DbFailover,
    /// The primary of the session cache is killed.
    CacheFailover,
    /// A release that can't work is deployed.
    DeployBad,
    /// A good release is deployed.
    DeployGood,
}

impl DrillKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ZoneLoss,
        Self::ServerLoss,
        Self::TaskLoss,
        Self::LbLoss,
        Self::DbFailover,
        Self::CacheFailover,
        Self::DeployBad,
        Self::DeployGood,
    ];

    /// The name on the command line and in a report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ZoneLoss => "zone-loss",
            Self::ServerLoss => "server-loss",
            Self::TaskLoss => "task-loss",
            Self::LbLoss => "lb-loss",
            Self::DbFailover => "db-failover",
            Self::CacheFailover => "cache-failover",
            Self::DeployBad => "deploy-bad",
            Self::DeployGood => "deploy-good",
        }
    }

    /// The name for people who don't use the command line.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ZoneLoss => "Loss of an availability zone",
            Self::ServerLoss => "Loss of an app server",
            Self::TaskLoss => "Loss of a task",
            Self::LbLoss => "Loss of a load-balancer node",
            Self::DbFailover => "Failover of the database",
            Self::CacheFailover => "Failover of the session cache",
            Self::DeployBad => "Deployment of a broken release",
            Self::DeployGood => "Deployment of a good release",
        }
    }

    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for DrillKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for DrillKind {
    type Err = DrillError;

    fn from_str(name: &str) -> Result<Self, DrillError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| DrillError::UnknownKind {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drill_has_a_name_that_is_read_back() {
        for kind in DrillKind::ALL {
            assert_eq!(kind.name().parse::<DrillKind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let error = "db-loss".parse::<DrillKind>().unwrap_err();
        assert!(error.to_string().contains("db-failover"), "{error}");
    }
}
