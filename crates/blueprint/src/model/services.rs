//! Services of AWS that Magento 2 uses: search engine and message broker.

use mck_environment::{settings::BrokerDeployment, units::Size};
use serde::Serialize;

use super::SecurityGroupName;

/// The search engine: an OpenSearch domain in the VPC, with fine-grained access control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SearchDomain {
    /// Its name, 3 to 28 characters (OpenSearch Service).
    pub name: String,
    /// OpenSearch's version, such as `2.19`.
    pub version: String,
    /// The instance type of the data nodes.
    pub instance_type: String,
    /// Data nodes, a multiple of the subnets.
    pub nodes: u8,
    /// The names of the persistence subnets over which the nodes are spread; with more than one the
    /// domain is zone-aware.
    pub subnets: Vec<String>,
    /// The encrypted gp3 volume of each node.
    pub volume_size: Size,
    /// The port: 443 (HTTPS).
    pub port: u16,
    /// The master user of the internal user database, as whom apps log in.
    pub user: String,
    /// The secret with the user's password.
    pub password_secret: String,
    /// The log group of its errors and slow queries.
    pub log_group: String,
    /// The security group.
    pub security_group: SecurityGroupName,
}

/// The message broker: RabbitMQ on Amazon MQ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MessageBroker {
    /// Its name, at most 50 characters (Amazon MQ).
    pub name: String,
    /// RabbitMQ's version, such as `3.13`.
    pub version: String,
    /// The instance type of each node.
    pub instance_type: String,
    /// One node or three.
    pub deployment: BrokerDeployment,
    /// The names of the persistence subnets of its nodes: one, or one for each zone of a cluster.
    pub subnets: Vec<String>,
    /// The port: 5671 (AMQP over TLS).
    pub port: u16,
    /// The user.
    pub user: String,
    /// The secret with the user's password.
    pub password_secret: String,
    /// The virtual host.
    pub virtual_host: String,
    /// The security group.
    pub security_group: SecurityGroupName,
}
