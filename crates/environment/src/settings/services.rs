//! `[search]` and `[message-broker]`: services of AWS that Magento 2 uses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Size;

/// The search engine of Magento 2's catalog, an Amazon OpenSearch Service domain (AWS only: the
/// local target has no search engine). Magento 2.4 can't be installed without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Search {
    /// Whether there is one. Default: on AWS, where an app has the preset `magento2`.
    pub enabled: Option<bool>,
    /// OpenSearch's version. Magento 2.4.7 and 2.4.8 support 2.x (Adobe, "System requirements").
    #[schemars(regex(pattern = r"^[1-9]\.[0-9]{1,2}$"))]
    pub version: String,
    /// The instance type of the data nodes.
    #[schemars(regex(pattern = r"^[a-z0-9-]+\.[a-z0-9-]+\.search$"))]
    pub instance_type: String,
    /// Data nodes, 1 to 80 (OpenSearch Service); a multiple of the zones. Default: 3 for
    /// `production`, so that two of them still are a majority, else 1.
    #[schemars(range(min = 1, max = 80))]
    pub nodes: Option<u8>,
    /// The zones over which the nodes are spread, 1 to 3. Default: as many as divide `nodes` evenly.
    #[schemars(range(min = 1, max = 3))]
    pub zones: Option<u8>,
    /// The size of each node's encrypted gp3 volume, 10 GiB to 3 TiB.
    pub volume_size: Size,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            enabled: None,
            version: "2.19".to_owned(),
            instance_type: "m6g.large.search".to_owned(),
            nodes: None,
            zones: None,
            volume_size: Size::from_gib(20),
        }
    }
}

/// RabbitMQ on Amazon MQ for Magento 2's queues (AWS only). Without it the queues are in the
/// database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MessageBroker {
    /// Whether there is one.
    pub enabled: bool,
    /// RabbitMQ's version.
    #[schemars(regex(pattern = r"^[3-9]\.[0-9]{1,2}$"))]
    pub version: String,
    /// The instance type of each node.
    #[schemars(regex(pattern = r"^mq\.[a-z0-9-]+\.[a-z0-9-]+$"))]
    pub instance_type: String,
    /// One node, or three in three zones. Default: `cluster` for `production`, else
    /// `single-instance`.
    pub deployment: Option<BrokerDeployment>,
}

impl Default for MessageBroker {
    fn default() -> Self {
        Self {
            enabled: false,
            version: "3.13".to_owned(),
            instance_type: "mq.m5.large".to_owned(),
            deployment: None,
        }
    }
}

/// How a message broker is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BrokerDeployment {
    /// One node in one zone.
    SingleInstance,
    /// Three nodes in three zones, with mirrored queues.
    Cluster,
}
