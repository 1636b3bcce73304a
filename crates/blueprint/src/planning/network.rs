//! Zones, subnets and routes.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use mck_environment::{settings::Nat, subnets};

use super::{PlanningError, context::Context, groups};
use crate::model::{NatGateway, Network, Route, ServiceEndpoints, Subnet, Tier, Zone};

/// Addresses at a subnet's start that AWS keeps: network, router, DNS, future use (Amazon VPC user
/// guide, "Subnet sizing"). The last one, the broadcast address, is kept too.
pub(super) const RESERVED_AT_START: u32 = 4;
/// The offset of a zone's NAT gateway in its public subnet.
const NAT_OFFSET: u32 = 4;

/// What App Servers, tasks and Session Manager call (ECS developer guide, "Amazon ECS interface VPC
/// endpoints"; Systems Manager user guide, "Create VPC endpoints").
const SERVICES: [&str; 13] = [
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "ecs-agent",
    "ecs-telemetry",
    "elasticfilesystem",
    "logs",
    "monitoring",
    "secretsmanager",
    "ssm",
    "ssmmessages",
    "sts",
];

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
    Ok(Network {
        cidr: settings.cidr.trunc(),
        resolver: address_at(settings.cidr, 2),
        nat_gateways: nat_gateways(settings.nat, &zones, &ranges[0]),
        zones,
        subnets,
        ipv6: settings.ipv6 && !context.is_local(),
        flow_logs: settings.flow_logs && !context.is_local(),
        existing: settings.existing.clone().filter(|_| !context.is_local()),
        endpoints: endpoints(context),
    })
}

/// Where app subnets have no way out. An endpoint costs about as much an hour and zone as a fifth of
/// a NAT gateway; beside one it would pay only from some 200 GB a month and service on, and image
/// layers, the bulk, go through S3's gateway endpoint for nothing.
fn endpoints(context: &Context<'_>) -> Option<ServiceEndpoints> {
    let settings = context.settings;
    let wanted = |service: &&str| *service != "elasticfilesystem" || settings.storage.enabled;
    (settings.network.nat == Nat::None && !context.is_local()).then(|| ServiceEndpoints {
        services: SERVICES
            .into_iter()
            .filter(wanted)
            .map(str::to_owned)
            .collect(),
        security_group: groups::endpoints(),
    })
}

fn nat_gateways(nat: Nat, zones: &[Zone], public: &[Ipv4Net]) -> Vec<NatGateway> {
    let count = match nat {
        Nat::PerZone => zones.len(),
        Nat::Single => 1,
        Nat::None => 0,
    };
    zones
        .iter()
        .zip(public)
        .take(count)
        .map(|(zone, cidr)| NatGateway {
            name: nat_name(zone),
            zone: zone.name.clone(),
            subnet: format!("public-{}", zone.letter),
            address: address_at(*cidr, NAT_OFFSET),
        })
        .collect()
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

/// The ranges of the tiers, in the order of [`TIERS`], each with one range per zone: the listed
/// ones, and those carved from the VPC for tiers without a list.
fn ranges(context: &Context<'_>) -> Result<[Vec<Ipv4Net>; 3], PlanningError> {
    let settings = &context.settings.network;
    let zones = settings.zones.len();
    let carved = subnets::carve(settings.cidr, zones);
    let carve = |tier: fn(subnets::Carved) -> Vec<Ipv4Net>| {
        carved.clone().map(tier).ok_or(PlanningError::VpcTooSmall {
            cidr: settings.cidr,
            wanted: 3 * zones,
        })
    };
    let list = |key, list: &Option<Vec<Ipv4Net>>, tier| match list {
        None => carve(tier),
        Some(list) if list.len() == zones => Ok(list.iter().map(Ipv4Net::trunc).collect()),
        Some(list) => Err(PlanningError::SubnetCount {
            key,
            found: list.len(),
            zones,
        }),
    };
    let all = [
        list("network.public-subnets", &settings.public_subnets, |it| {
            it.public
        })?,
        list("network.app-subnets", &settings.app_subnets, |it| it.app)?,
        list(
            "network.persistence-subnets",
            &settings.persistence_subnets,
            |it| it.persistence,
        )?,
    ];
    expect_apart(settings.cidr.trunc(), &all.concat())?;
    Ok(all)
}

/// Refuses ranges that overlap, lie outside the VPC, or have fewer than 16 addresses.
fn expect_apart(cidr: Ipv4Net, ranges: &[Ipv4Net]) -> Result<(), PlanningError> {
    for (index, range) in ranges.iter().enumerate() {
        if !cidr.contains(range) || range.prefix_len() > subnets::LONGEST_PREFIX {
            return Err(PlanningError::SubnetOutsideVpc {
                subnet: *range,
                cidr,
            });
        }
        let overlaps = |other: &&Ipv4Net| range.contains(*other) || other.contains(range);
        if let Some(other) = ranges[index + 1..].iter().find(overlaps) {
            return Err(PlanningError::SubnetOverlap {
                one: *range,
                other: *other,
            });
        }
    }
    Ok(())
}
