//! Who may reach whom.

use std::fmt;

use serde::Serialize;

/// The name of a security group, such as `load-balancer` or `app-shop`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SecurityGroupName(pub String);

impl fmt::Display for SecurityGroupName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One allowed way: from a peer to a peer on some ports. What no rule allows is dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AccessRule {
    /// Who opens the connection.
    pub from: Peer,
    /// Who accepts it.
    pub to: Peer,
    /// The protocol.
    pub protocol: Protocol,
    /// The ports at `to`.
    pub ports: PortRange,
    /// Why, in one sentence for a person.
    pub reason: String,
}

/// One end of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Peer {
    /// Members of a security group.
    Group(SecurityGroupName),
    /// Addresses outside the VPC, in this range; `0.0.0.0/0` is the internet.
    Range(String),
    /// Addresses outside the VPC that AWS keeps a list of, such as CloudFront's (AWS only).
    PrefixList(String),
}

/// An IP protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// An inclusive range of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port, not below the first.
    pub last: u16,
}

impl PortRange {
    /// A single port.
    pub const fn single(port: u16) -> Self {
        Self {
            first: port,
            last: port,
        }
    }
}

/// A security group: what its members accept, and what they may open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SecurityGroup {
    /// Its name.
    pub name: SecurityGroupName,
    /// Who its members are, in one sentence.
    pub description: String,
    /// Connections that its members accept.
    pub ingress: Vec<GroupRule>,
    /// Connections that its members may open.
    pub egress: Vec<GroupRule>,
}

/// One rule of a security group; `peer` is the other end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GroupRule {
    /// The other end.
    pub peer: Peer,
    /// The protocol.
    pub protocol: Protocol,
    /// The ports at the accepting end.
    pub ports: PortRange,
    /// Why, in one sentence.
    pub reason: String,
}
