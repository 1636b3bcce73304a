//! Zones, subnets and routes.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use mck_environment::settings::Nat;

use super::{PlanningError, context::Context};
use crate::model::{NatGateway, Network, Route, Subnet, Tier, Zone};

/// Addresses at a subnet's start that AWS keeps: network, router, DNS, future use (Amazon VPC user
/// guide, "Subnet sizing"). The last one, the broadcast address, is kept too.
pub(super) const RESERVED_AT_START: u32 = 4;
/// The offset of a zone's NAT gateway in its public subnet.
const NAT_OFFSET: u32 = 4;
/// The longest prefix of a subnet (Amazon VPC user guide, "Subnet sizing").
const LONGEST_PREFIX: u8 = 28;
/// The prefix of a carved subnet where the VPC has room for it.
const USUAL_PREFIX: u8 = 24;

const TIERS: [(Tier, &str); 3] = [
    (Tier::Public, "public"),
    (Tier::App, "app"),
    (Tier::Persistence, "persistence"),
];

/// The address at `offset` from the start of a range.
pub(super) fn address_at(cidr: Ipv4Net, offset: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(cidr.network()).saturating_add(offset))
}

/// The number of addresses of a range less one: the offset of its last address.
pub(super) fn last_offset(cidr: Ipv4Net) -> u32 {
    u32::from(cidr.broadcast()) - u32::from(cidr.network())
}

/// Lays the network out.
pub(super) fn plan(context: &Context<'_>) -> Result<Network, PlanningError> {
    let settings = &context.settings.network;
    if settings.zones.is_empty() {
        return Err(PlanningError::NoZones);
    }
    let zones: Vec<Zone> = settings
        .zones
        .iter()
        .map(|letter| Zone {
            name: format!("{}{letter}", context.settings.region),
            letter: letter.clone(),
        })
        .collect();
    let ranges = ranges(context)?;
    let mut subnets = Vec::new();
    for ((tier, tier_name), tier_ranges) in TIERS.into_iter().zip(&ranges) {
        for (index, (zone, cidr)) in zones.iter().zip(tier_ranges).enumerate() {
            let keep_last = index == 0 && context.settings.jenkins.enabled;
            let (server_addresses, task_addresses) = if tier == Tier::App {
                let (servers, tasks) = split(*cidr, keep_last);
                (Some(servers), Some(tasks))
            } else {
                (None, None)
            };
            subnets.push(Subnet {
                name: format!("{tier_name}-{}", zone.letter),
                tier,
                zone: zone.name.clone(),
                cidr: *cidr,
                route: route(tier, settings.nat, zone, &zones[0]),
                server_addresses,
                task_addresses,
            });
        }
    }
    let with_nat = match settings.nat {
        Nat::PerZone => zones.len(),
        Nat::Single => 1,
        Nat::None => 0,
    };
    let nat_gateways = zones[..with_nat]
        .iter()
        .zip(&ranges[0])
        .map(|(zone, cidr)| NatGateway {
            name: nat_name(zone),
            zone: zone.name.clone(),
            subnet: format!("public-{}", zone.letter),
            address: address_at(*cidr, NAT_OFFSET),
        })
        .collect();
    Ok(Network {
        cidr: settings.cidr.trunc(),
        resolver: address_at(settings.cidr, 2),
        zones,
        subnets,
        nat_gateways,
        ipv6: settings.ipv6 && !context.is_local(),
        flow_logs: settings.flow_logs && !context.is_local(),
        existing: settings.existing.clone().filter(|_| !context.is_local()),
    })
}

fn nat_name(zone: &Zone) -> String {
    format!("nat-{}", zone.letter)
}

fn route(tier: Tier, nat: Nat, zone: &Zone, first: &Zone) -> Route {
    match (tier, nat) {
        (Tier::Public, _) => Route::InternetGateway,
        (Tier::App, Nat::PerZone) => Route::NatGateway(nat_name(zone)),
        (Tier::App, Nat::Single) => Route::NatGateway(nat_name(first)),
        (Tier::App, Nat::None) | (Tier::Persistence, _) => Route::None,
    }
}

type Span = (Ipv4Addr, Ipv4Addr);

/// Splits an app subnet's usable addresses: the first quarter to App Servers, the rest to tasks.
/// `keep_last` keeps the last usable address back, for Jenkins.
fn split(cidr: Ipv4Net, keep_last: bool) -> (Span, Span) {
    let last = last_offset(cidr) - 1;
    let usable = last - RESERVED_AT_START + 1;
    let first_task = RESERVED_AT_START + usable / 4;
    let last_task = last - u32::from(keep_last);
    (
        (
            address_at(cidr, RESERVED_AT_START),
            address_at(cidr, first_task - 1),
        ),
        (address_at(cidr, first_task), address_at(cidr, last_task)),
    )
}

/// The ranges of the tiers, in the order of [`TIERS`], each with one range per zone.
///
/// With `N` zones, tier number `t` has blocks `tN..(t+1)N` of the VPC. A block that a listed subnet
/// takes is replaced by the next free one after all tiers.
fn ranges(context: &Context<'_>) -> Result<[Vec<Ipv4Net>; 3], PlanningError> {
    let settings = &context.settings.network;
    let zones = settings.zones.len();
    let lists = [
        ("network.public-subnets", &settings.public_subnets),
        ("network.app-subnets", &settings.app_subnets),
        ("network.persistence-subnets", &settings.persistence_subnets),
    ];
    let mut listed: Vec<Ipv4Net> = Vec::new();
    for (key, list) in lists {
        let Some(list) = list else { continue };
        if list.len() != zones {
            return Err(PlanningError::SubnetCount {
                key,
                found: list.len(),
                zones,
            });
        }
        listed.extend(list.iter().map(Ipv4Net::trunc));
    }
    let carved: usize = lists.iter().filter(|(_, list)| list.is_none()).count() * zones;
    let mut blocks = Blocks::new(settings.cidr.trunc(), zones, carved, &listed)?;
    let mut tier = |index: usize| match lists[index].1 {
        Some(list) => Ok(list.iter().map(Ipv4Net::trunc).collect()),
        None => (0..zones)
            .map(|zone| blocks.take(index * zones + zone))
            .collect::<Result<Vec<_>, _>>(),
    };
    Ok([tier(0)?, tier(1)?, tier(2)?])
}

/// Blocks of one size in the VPC.
struct Blocks<'a> {
    cidr: Ipv4Net,
    prefix: u8,
    tiers_end: usize,
    next_spare: usize,
    listed: &'a [Ipv4Net],
}

impl<'a> Blocks<'a> {
    /// Three blocks per zone, rounded up to at least 16: `/24` in a `/16` to `/20`, smaller in a
    /// smaller VPC.
    fn new(
        cidr: Ipv4Net,
        zones: usize,
        carved: usize,
        listed: &'a [Ipv4Net],
    ) -> Result<Self, PlanningError> {
        let tiers_end = 3 * zones;
        let count = tiers_end.next_power_of_two().max(16);
        let bits = u8::try_from(count.trailing_zeros()).unwrap_or(u8::MAX);
        let prefix = cidr.prefix_len().saturating_add(bits).max(USUAL_PREFIX);
        if prefix > LONGEST_PREFIX && carved > 0 {
            return Err(PlanningError::VpcTooSmall {
                cidr,
                wanted: tiers_end,
                suggested: LONGEST_PREFIX.saturating_sub(bits),
            });
        }
        Ok(Self {
            cidr,
            prefix,
            tiers_end,
            next_spare: tiers_end,
            listed,
        })
    }

    fn take(&mut self, index: usize) -> Result<Ipv4Net, PlanningError> {
        if let Some(block) = self.free(index) {
            return Ok(block);
        }
        let count = 1_usize << (self.prefix - self.cidr.prefix_len());
        while self.next_spare < count {
            self.next_spare += 1;
            if let Some(block) = self.free(self.next_spare - 1) {
                return Ok(block);
            }
        }
        Err(PlanningError::VpcTooSmall {
            cidr: self.cidr,
            wanted: self.tiers_end,
            suggested: self.cidr.prefix_len().saturating_sub(1),
        })
    }

    /// The block at an index, unless a listed subnet overlaps it.
    fn free(&self, index: usize) -> Option<Ipv4Net> {
        let size = 1_u32 << (32 - self.prefix);
        let offset = u32::try_from(index).ok()?.checked_mul(size)?;
        let block = Ipv4Net::new(address_at(self.cidr, offset), self.prefix).ok()?;
        let overlaps = |other: &Ipv4Net| other.contains(&block) || block.contains(other);
        (self.cidr.contains(&block) && !self.listed.iter().any(overlaps)).then_some(block)
    }
}
