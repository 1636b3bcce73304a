//! `[app.NAME.container.NAME]`: a container of a task definition.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Duration, Size};

/// One container of a free-form app, or a change to a container of a preset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Container {
    /// The OCI image, as in the app's `image`. Without one and without the app's, the local target
    /// runs the machine's own programs.
    pub image: Option<String>,
    /// The command and its arguments; given to the image's entry point. Default: the image's.
    pub command: Option<Vec<String>>,
    /// The port that the container listens on, if any.
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<u16>,
    /// CPU units (1024 is one virtual CPU), 0 to 10240.
    #[schemars(range(max = 10240))]
    pub cpu: Option<u32>,
    /// Hard limit of memory: the container is killed above it; at least 6 MiB (ECS).
    pub memory: Option<Size>,
    /// Memory kept for the container when it is placed; at least 6 MiB (ECS).
    pub memory_reservation: Option<Size>,
    /// Environment variables of this container alone.
    pub environment: BTreeMap<String, String>,
    /// Environment variables from secrets: variable name to secret name.
    pub secrets: BTreeMap<String, String>,
    /// Stop the whole task when this container stops. Default: true.
    pub essential: Option<bool>,
    /// The user to run as, by name or number. Default: the image's, else `nobody`.
    pub user: Option<String>,
    /// Mount the root file system read-only. Default: true.
    pub read_only_root: Option<bool>,
    /// Linux capabilities that the container keeps; all others are dropped.
    pub capabilities: Vec<String>,
    /// The folder in which the command starts.
    pub working_directory: Option<String>,
    /// Places that the container can write to.
    pub mounts: Vec<Mount>,
    /// Containers of the same task that must be started first, and in what state.
    pub depends_on: BTreeMap<String, DependencyCondition>,
    /// How ECS or the supervisor checks the container from inside.
    pub health_check: Option<ContainerHealthCheck>,
    /// How long the container may take to stop before it is killed, 2 s to 120 s (ECS).
    pub stop_timeout: Option<Duration>,
}

/// A place that a container can write to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum Mount {
    /// The shared file system.
    Media {
        /// The absolute path in the container.
        path: String,
    },
    /// Memory of the task's own, gone with it.
    Temporary {
        /// The absolute path in the container.
        path: String,
    },
}

/// The state that another container must reach first, in ECS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DependencyCondition {
    /// The container has been started.
    Start,
    /// The container has run to its end.
    Complete,
    /// The container has run to its end with exit code 0.
    Success,
    /// The container's health check passes.
    Healthy,
}

/// A command run inside the container; exit code 0 is healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ContainerHealthCheck {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The time between checks, 5 s to 300 s (ECS).
    #[serde(default = "ContainerHealthCheck::default_interval")]
    pub interval: Duration,
    /// How long a check may take, 2 s to 60 s (ECS), below the interval.
    #[serde(default = "ContainerHealthCheck::default_timeout")]
    pub timeout: Duration,
    /// Failures in a row that make the container unhealthy, 1 to 10.
    #[serde(default = "ContainerHealthCheck::default_retries")]
    #[schemars(range(min = 1, max = 10))]
    pub retries: u8,
    /// Failures in this time after the start do not count, 0 s to 300 s.
    #[serde(default = "ContainerHealthCheck::default_start_period")]
    pub start_period: Duration,
}

impl ContainerHealthCheck {
    fn default_interval() -> Duration {
        Duration::from_secs(30)
    }
    fn default_timeout() -> Duration {
        Duration::from_secs(5)
    }
    fn default_retries() -> u8 {
        3
    }
    fn default_start_period() -> Duration {
        Duration::from_secs(0)
    }
}
