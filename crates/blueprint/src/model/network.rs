//! The VPC, its zones, subnets and routes, and the addresses of what stays.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use mck_environment::settings::ExistingVpc;
use serde::Serialize;

use super::SecurityGroupName;

/// The VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Network {
    /// Its address range.
    pub cidr: Ipv4Net,
    /// The address that answers DNS: the range's base plus two (Amazon VPC user guide, "DNS
    /// attributes for your VPC").
    pub resolver: Ipv4Addr,
    /// Availability zones in order.
    pub zones: Vec<Zone>,
    /// Subnets: tier by tier, zone by zone.
    pub subnets: Vec<Subnet>,
    /// NAT gateways, in the public subnets.
    pub nat_gateways: Vec<NatGateway>,
    /// Whether there is IPv6 with an egress-only gateway (AWS).
    pub ipv6: bool,
    /// Whether flow logs are kept (AWS).
    pub flow_logs: bool,
    /// The VPC to adopt, if any (AWS).
    pub existing: Option<ExistingVpc>,
    /// Ways to AWS's services that do not leave the VPC (AWS), where app subnets have no other.
    pub endpoints: Option<ServiceEndpoints>,
}

/// Interface endpoints: AWS's services at addresses in the app subnets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ServiceEndpoints {
    /// The services, such as `ecr.api`: what follows `com.amazonaws.<region>.` in their names.
    pub services: Vec<String>,
    /// The endpoints' security group.
    pub security_group: SecurityGroupName,
}

impl Network {
    /// The subnet of that name.
    pub fn subnet(&self, name: &str) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| subnet.name == name)
    }

    /// The subnet of a tier in a zone.
    pub fn subnet_in(&self, tier: Tier, zone: &str) -> Option<&Subnet> {
        self.subnets
            .iter()
            .find(|subnet| subnet.tier == tier && subnet.zone == zone)
    }
}

/// An availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Zone {
    /// The full name, such as `us-east-1a`; everything refers to a zone by this.
    pub name: String,
    /// Its letter.
    pub letter: String,
}

/// What a subnet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Load balancer, Bastion, NAT gateway: reachable from the internet.
    Public,
    /// App Servers and tasks: a way out, none in.
    App,
    /// Database, caches, file system: no way out, none in.
    Persistence,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Subnet {
    /// Its name: tier and zone letter, such as `public-a`.
    pub name: String,
    /// What it is for.
    pub tier: Tier,
    /// Its zone's name.
    pub zone: String,
    /// Its address range.
    pub cidr: Ipv4Net,
    /// Where packets for outside the VPC go.
    pub route: Route,
    /// The first and last address that App Servers get (app tier only).
    pub server_addresses: Option<(Ipv4Addr, Ipv4Addr)>,
    /// The first and last address that tasks get (app tier only).
    pub task_addresses: Option<(Ipv4Addr, Ipv4Addr)>,
}

/// A subnet's default route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "to", content = "name")]
pub enum Route {
    /// The internet gateway.
    InternetGateway,
    /// A NAT gateway, by name.
    NatGateway(String),
    /// Nowhere: packets that leave the VPC are dropped.
    None,
}

/// A NAT gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NatGateway {
    /// Its name: `nat-` and the zone's letter.
    pub name: String,
    /// Its zone's name.
    pub zone: String,
    /// Its (public) subnet's name.
    pub subnet: String,
    /// Its private address.
    pub address: Ipv4Addr,
}

/// Something with an address of its own that stays: a server, a load-balancer node, a mount target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Node {
    /// Its name, unique in the environment, such as `db-0`.
    pub name: String,
    /// Its zone's name.
    pub zone: String,
    /// Its subnet's name.
    pub subnet: String,
    /// Its address, inside the subnet.
    pub address: Ipv4Addr,
    /// Its security group.
    pub security_group: SecurityGroupName,
}
