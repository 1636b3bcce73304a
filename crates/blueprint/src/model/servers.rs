//! Server roles beside App Servers.

use serde::Serialize;

use super::{ListenerRule, Node};

/// The Bastion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Bastion {
    /// Its name, zone and address.
    pub node: Node,
    /// The instance type (AWS).
    pub instance_type: String,
    /// Ranges from which SSH is open.
    pub allow_ssh_from: Vec<String>,
}

/// Jenkins (AWS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Jenkins {
    /// Its name, zone and address.
    pub node: Node,
    /// The instance type.
    pub instance_type: String,
    /// The port on which it listens: 8080.
    pub port: u16,
    /// Its host behind the load balancer.
    pub host: Option<String>,
    /// Which requests come to it; none without a host.
    pub listener_rule: Option<ListenerRule>,
    /// Ranges that may reach it.
    pub allow_from: Vec<String>,
    /// Plugins to install.
    pub plugins: Vec<String>,
}
