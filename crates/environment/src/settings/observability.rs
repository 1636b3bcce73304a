//! `[logs]` and `[alarms]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Duration;

/// Logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Logs {
    /// How long logs are kept; on AWS one of the lengths that CloudWatch Logs offers.
    pub retention: Duration,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            retention: Duration::from_days(30),
        }
    }
}

/// Alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Alarms {
    /// Whether there are any.
    pub enabled: bool,
    /// E-mail addresses that hear them.
    #[schemars(inner(regex(pattern = r"^[^@\s]+@[^@\s]+$")))]
    pub emails: Vec<String>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            enabled: true,
            emails: Vec::new(),
        }
    }
}
