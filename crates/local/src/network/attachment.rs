//! Something with an address in the VPC.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use mck_blueprint::model::SecurityGroupName;

/// The router's end of every veth pair, the gateway of every namespace. Link-local (RFC 3927), so
/// that it can't be an address of a VPC.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 1);

/// The internet gateway's address towards the router.
pub const INTERNET_GATEWAY: Ipv4Addr = Ipv4Addr::new(169, 254, 2, 2);

/// The name of the internet gateway's namespace and of the router's interface to it.
pub const INTERNET_GATEWAY_NAME: &str = "igw";

/// The name of the resolver's namespace.
pub const RESOLVER_NAME: &str = "resolver";

/// A namespace joined to the router by a veth pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachment {
    /// Its name in the environment, such as `db-0`; the namespace is named after it.
    pub name: String,
    /// The address of its `eth0`.
    pub address: Ipv4Addr,
    /// What it is in the VPC.
    pub role: Role,
}

/// What an attachment is in the VPC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A server or task, in this security group.
    Member(SecurityGroupName),
    /// The address that answers DNS; subject to no security group, as on AWS.
    Resolver,
    /// A NAT gateway: sends on what comes in, from its own address.
    NatGateway,
    /// The internet gateway of the VPC with this range.
    InternetGateway(Ipv4Net),
}

impl Attachment {
    /// A server or task.
    pub fn member(name: impl Into<String>, address: Ipv4Addr, group: SecurityGroupName) -> Self {
        Self {
            name: name.into(),
            address,
            role: Role::Member(group),
        }
    }

    /// The name of the router's end: the address itself, which at most fills the 15 characters
    /// that an interface's name can have, and tells a reader where it leads.
    pub fn interface(&self) -> String {
        match self.role {
            Role::InternetGateway(_) => INTERNET_GATEWAY_NAME.to_owned(),
            _ => self.address.to_string(),
        }
    }

    /// The number of the router's end. Linux numbers interfaces from 2 on in each namespace; but
    /// where both ends of a veth pair have the same number, it takes up to a second to see that
    /// the pair is connected (`linkwatch_urgent_event` of the kernel). The lower half of an
    /// address is unique in a VPC, which is a /16 at most.
    pub fn interface_index(&self) -> u32 {
        let half = self.address.to_bits() & 0xffff;
        match self.role {
            Role::InternetGateway(_) => 0x2_0000,
            _ => 0x1_0000 + half,
        }
    }

    /// What the namespace reaches through the router.
    pub fn reaches(&self) -> Ipv4Net {
        match self.role {
            Role::InternetGateway(vpc) => vpc,
            _ => Ipv4Net::default(),
        }
    }

    /// Whether it sends on packets of others.
    pub fn forwards(&self) -> bool {
        matches!(self.role, Role::NatGateway | Role::InternetGateway(_))
    }

    /// Its security group, if it is in one.
    pub fn security_group(&self) -> Option<&SecurityGroupName> {
        match &self.role {
            Role::Member(group) => Some(group),
            _ => None,
        }
    }
}
