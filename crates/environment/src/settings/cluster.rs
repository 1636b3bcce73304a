//! `[cluster.NAME]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Duration, Size};

/// An App Cluster: an ECS cluster and its App Servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// The App Servers' EC2 instance type.
    #[schemars(regex(pattern = r"^[a-z0-9-]+\.[a-z0-9-]+$"))]
    pub instance_type: String,
    /// The processor architecture; must fit the instance type.
    pub architecture: Architecture,
    /// How many App Servers there are.
    pub servers: Servers,
    /// An image of your own instead of the newest ECS-optimised Amazon Linux, such as one hardened
    /// to a level that you need; it must have the ECS agent (AWS).
    #[schemars(regex(pattern = r"^ami-[0-9a-f]{8,17}$"))]
    pub image_id: Option<String>,
    /// The letters of the zones that the cluster uses. Default: all of `network.zones`.
    pub zones: Option<Vec<String>>,
    /// The size of each App Server's encrypted gp3 volume, 30 GiB to 16 TiB.
    pub volume_size: Size,
    /// The share of App Servers bought as spot instances, in percent.
    #[schemars(range(max = 100))]
    pub spot_percent: u8,
    /// Other instance types that spot instances may be of, of the same architecture and at least the
    /// size of `instance-type`: the more pools, the fewer are taken back at once. At most 19.
    #[schemars(length(max = 19), inner(regex(pattern = r"^[a-z0-9-]+\.[a-z0-9-]+$")))]
    pub spot_instance_types: Vec<String>,
    /// Keep this many stopped, already initialised instances ready (an ASG warm pool).
    #[schemars(range(max = 20))]
    pub warm_servers: u16,
    /// The share of the App Servers' capacity that tasks should use, in percent; below 100 there is
    /// room for a task that can't wait for a new server (the ECS capacity provider's target).
    #[schemars(range(min = 1, max = 100))]
    pub target_capacity_percent: u8,
    /// Replace App Servers, few at a time, when their image, type or configuration changes (an
    /// instance refresh). Without it only new servers have the change.
    pub instance_refresh: bool,
    /// When App Servers are added and removed.
    pub scaling: ClusterScaling,
    /// How long an App Server may take to drain its tasks before it stops, 1 s to 48 h.
    pub draining_timeout: Duration,
    /// Allow `mck exec` into the cluster's containers (ECS Exec).
    pub exec: bool,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            instance_type: "c6i.large".to_owned(),
            architecture: Architecture::default(),
            servers: Servers::default(),
            image_id: None,
            zones: None,
            volume_size: Size::from_gib(50),
            spot_percent: 0,
            spot_instance_types: Vec::new(),
            warm_servers: 0,
            target_capacity_percent: 100,
            instance_refresh: true,
            scaling: ClusterScaling::default(),
            draining_timeout: Duration::from_secs(900),
            exec: true,
        }
    }
}

/// A processor architecture, as ECS names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Architecture {
    /// Intel and AMD, 64-bit.
    #[default]
    #[serde(rename = "x86-64")]
    X86_64,
    /// AWS Graviton and other 64-bit Arm.
    #[serde(rename = "arm64")]
    Arm64,
}

/// The number of App Servers; `minimum <= desired <= maximum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Servers {
    /// Never fewer than this.
    #[schemars(range(min = 0, max = 1000))]
    pub minimum: u32,
    /// Never more than this.
    #[schemars(range(min = 1, max = 1000))]
    pub maximum: u32,
    /// How many at first. Default: the minimum.
    #[schemars(range(min = 0, max = 1000))]
    pub desired: Option<u32>,
}

impl Default for Servers {
    fn default() -> Self {
        Self {
            minimum: 2,
            maximum: 6,
            desired: None,
        }
    }
}

/// Scaling of App Servers by what their tasks reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClusterScaling {
    /// Add App Servers when this share of CPU is reserved, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub cpu_reservation_high: u8,
    /// Add App Servers when this share of memory is reserved, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub memory_reservation_high: u8,
    /// Remove App Servers when less than this share of both is reserved, in percent.
    #[schemars(range(max = 99))]
    pub reservation_low: u8,
    /// How long the reservation must stay high, and the pause after adding.
    pub scale_out_after: Duration,
    /// How long the reservation must stay low, and the pause after removing.
    pub scale_in_after: Duration,
}

impl Default for ClusterScaling {
    fn default() -> Self {
        Self {
            cpu_reservation_high: 89,
            memory_reservation_high: 50,
            reservation_low: 10,
            scale_out_after: Duration::from_secs(600),
            scale_in_after: Duration::from_secs(1_200),
        }
    }
}
