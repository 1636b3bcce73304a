//! Routes and policy rules of the router, in the words of `ip`.

use std::{fmt, net::Ipv4Addr};

use ipnet::Ipv4Net;

use super::Attachment;

/// The number of the table `main`, with the way to each attachment (`/etc/iproute2/rt_tables`).
pub const MAIN: u32 = 254;

/// A route of the router.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouterRoute {
    /// The routing table.
    pub table: u32,
    /// Where packets want to go.
    pub destination: Ipv4Net,
    /// Where they are sent.
    pub target: RouteTarget,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteTarget {
    /// To what is at the other end of this interface.
    Interface(String),
    /// To a gateway at the other end of an interface.
    Gateway {
        /// The gateway's address.
        address: Ipv4Addr,
        /// The interface.
        interface: String,
    },
    /// Nowhere, without a word to the sender, as in a VPC.
    Blackhole,
}

impl RouterRoute {
    /// The way to an attachment.
    pub fn to(attachment: &Attachment) -> Self {
        Self {
            table: MAIN,
            destination: attachment.address.into(),
            target: RouteTarget::Interface(attachment.interface()),
        }
    }
}

impl RouteTarget {
    /// The interface that the route goes away with.
    pub fn interface(&self) -> Option<&str> {
        match self {
            Self::Interface(interface) | Self::Gateway { interface, .. } => Some(interface),
            Self::Blackhole => None,
        }
    }
}

impl fmt::Display for RouterRoute {
    /// The route as `ip route replace` wants it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, destination) = (self.table, self.destination);
        match &self.target {
            RouteTarget::Interface(interface) => {
                write!(
                    out,
                    "{destination} dev {interface} scope link table {table}"
                )
            }
            RouteTarget::Gateway { address, interface } => {
                write!(
                    out,
                    "{destination} via {address} dev {interface} onlink table {table}"
                )
            }
            RouteTarget::Blackhole => write!(out, "blackhole {destination} table {table}"),
        }
    }
}

/// A policy rule of the router: which table decides about packets from a range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyRule {
    /// Rules are asked from the lowest priority on.
    pub priority: u32,
    /// The range; none for all packets.
    pub from: Option<Ipv4Net>,
    /// The table; none to drop the packet.
    pub table: Option<u32>,
}

impl fmt::Display for PolicyRule {
    /// The rule as `ip rule add` wants it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "priority {}", self.priority)?;
        match self.from {
            Some(from) => write!(out, " from {from}")?,
            None => out.write_str(" from all")?,
        }
        match self.table {
            Some(table) => write!(out, " lookup {table}"),
            None => out.write_str(" blackhole"),
        }
    }
}
