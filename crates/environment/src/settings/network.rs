//! `[network]`

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::formats;

/// The VPC: one public, one app and one persistence subnet in each availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// The VPC's address range, `/16` to `/24`, in private address space (RFC 1918) or
    /// 100.64.0.0/10 (RFC 6598).
    #[schemars(with = "formats::Ipv4Network")]
    pub cidr: Ipv4Net,
    /// The letters of the availability zones, one to six. Default: `["a", "b", "c"]`.
    #[schemars(length(min = 1, max = 6), inner(regex(pattern = r"^[a-f]$")))]
    pub zones: Vec<String>,
    /// The public subnets' ranges, one per zone, `/16` to `/28`. Default: carved from `cidr`.
    #[schemars(with = "Option<Vec<formats::Ipv4Network>>")]
    pub public_subnets: Option<Vec<Ipv4Net>>,
    /// The app subnets' ranges, one per zone. Default: carved from `cidr`.
    #[schemars(with = "Option<Vec<formats::Ipv4Network>>")]
    pub app_subnets: Option<Vec<Ipv4Net>>,
    /// The persistence subnets' ranges, one per zone. Default: carved from `cidr`.
    #[schemars(with = "Option<Vec<formats::Ipv4Network>>")]
    pub persistence_subnets: Option<Vec<Ipv4Net>>,
    /// NAT gateways: one per zone (a zone's loss stays its own), a single one (cheaper) or none.
    pub nat: Nat,
    /// Give the VPC IPv6 with an egress-only gateway for the app subnets (AWS only).
    pub ipv6: bool,
    /// Keep VPC flow logs (AWS only).
    pub flow_logs: bool,
    /// Adopt a VPC that exists instead of making one (AWS only; the local target makes its own).
    pub existing: Option<ExistingVpc>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            cidr: Ipv4Net::new_assert(std::net::Ipv4Addr::new(172, 31, 0, 0), 16),
            zones: ["a", "b", "c"].map(str::to_owned).to_vec(),
            public_subnets: None,
            app_subnets: None,
            persistence_subnets: None,
            nat: Nat::default(),
            ipv6: true,
            flow_logs: true,
            existing: None,
        }
    }
}

/// How app subnets reach the internet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nat {
    /// A NAT gateway in each zone.
    #[default]
    PerZone,
    /// One NAT gateway, in the first zone, for all.
    Single,
    /// No way out for app subnets.
    None,
}

/// A VPC that exists, by the ids of its parts; each list has one subnet per zone, in the order of
/// `network.zones`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExistingVpc {
    /// The VPC's id.
    #[schemars(regex(pattern = r"^vpc-[0-9a-f]{8,17}$"))]
    pub vpc: String,
    /// Ids of subnets with a route to an internet gateway.
    #[schemars(inner(regex(pattern = r"^subnet-[0-9a-f]{8,17}$")))]
    pub public_subnets: Vec<String>,
    /// Ids of subnets for app servers.
    #[schemars(inner(regex(pattern = r"^subnet-[0-9a-f]{8,17}$")))]
    pub app_subnets: Vec<String>,
    /// Ids of subnets for the database, caches and file system.
    #[schemars(inner(regex(pattern = r"^subnet-[0-9a-f]{8,17}$")))]
    pub persistence_subnets: Vec<String>,
}
