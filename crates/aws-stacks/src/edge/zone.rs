//! The public zone and the hosts in it.

use mck_blueprint::{
    Blueprint,
    model::{DnsProvider, PublicZone},
};
use mck_cloudformation::{
    Expression, LogicalId, Text,
    resources::route53::{self, hosted_zone::HostedZoneConfig, record_set::AliasTarget},
};

use super::{handed, hosts, load_balancer};
use crate::stack::Stack;

/// The zone of all distributions (Amazon Route 53 API reference, `AliasTarget`).
const CDN_ZONE: &str = "Z2FDTNDATAQYW2";

/// Makes the zone, where the file names one of Route 53 but not its id. Its registrar must be told of
/// its name servers before a certificate can be validated in it.
pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint) {
    let Some(zone) = blueprint.public_zone.as_ref().filter(|it| is_made(it)) else {
        return;
    };
    let properties = route53::HostedZone {
        name: zone.name.as_ref().map_or(Text::Absent, Text::from),
        hosted_zone_config: Some(HostedZoneConfig {
            comment: format!(
                "Public names of {} {}",
                blueprint.project, blueprint.environment
            )
            .into(),
        }),
        ..Default::default()
    };
    let description = "The public zone, to whose name servers the domain must be delegated";
    let id = stack
        .add("PublicZone", description, &properties)
        .retained()
        .id();
    stack.hand_over(
        &handed::public_zone(&stack.id),
        "The public zone",
        id.reference(),
    );
    let servers = Expression::join_list(",", &Expression::attribute(&id, "NameServers"));
    let description = "The name servers that the domain must be delegated to";
    stack
        .template
        .output("PublicZoneNameServers", description, servers);
}

fn is_made(zone: &PublicZone) -> bool {
    zone.provider == DnsProvider::Route53 && zone.id.is_none() && zone.name.is_some()
}

/// The id of a zone of Route 53; none for another provider's.
pub(super) fn id(stack: &mut Stack, blueprint: &Blueprint, zone: &PublicZone) -> Option<Text> {
    match zone.provider {
        DnsProvider::Cloudflare => None,
        DnsProvider::Route53 if is_made(zone) => {
            Some(stack.have_or_take(&handed::public_zone(&handed::home(blueprint))))
        }
        DnsProvider::Route53 => zone.id.as_ref().map(Text::from),
    }
}

/// What a host's name leads to.
struct Target {
    what: &'static str,
    name: Text,
    zone: Text,
    ipv6: bool,
}

/// Leads hosts to the front; Jenkins' to the load balancer.
pub(super) fn add_records(
    stack: &mut Stack,
    blueprint: &Blueprint,
    balancer: &LogicalId,
    distribution: Option<&LogicalId>,
) {
    let Some(public) = &blueprint.public_zone else {
        return;
    };
    let Some(zone) = id(stack, blueprint, public) else {
        return;
    };
    let balancer = Target {
        what: "load balancer",
        name: balancer.attribute("DNSName"),
        zone: balancer.attribute("CanonicalHostedZoneID"),
        ipv6: load_balancer::has_ipv6(blueprint),
    };
    let distribution = distribution.map(|id| Target {
        what: "CDN",
        name: id.attribute("DomainName"),
        zone: CDN_ZONE.into(),
        ipv6: true,
    });
    let front = distribution.as_ref().unwrap_or(&balancer);
    for host in hosts::by_front(blueprint, public) {
        add_record(stack, &zone, &host, front);
    }
    if let Some(host) = hosts::past_front(blueprint, public) {
        add_record(stack, &zone, host, &balancer);
    }
}

fn add_record(stack: &mut Stack, zone: &Text, host: &str, target: &Target) {
    // Hyphen, dot and star are not the same, though a logical id has none of them.
    let words = host.replace('*', "Star").replace('-', "Dash");
    for (kind, wanted) in [("A", true), ("AAAA", target.ipv6)] {
        if !wanted {
            continue;
        }
        let properties = route53::RecordSet {
            hosted_zone_id: zone.clone(),
            name: host.into(),
            type_: kind.into(),
            alias_target: Some(AliasTarget {
                dns_name: target.name.clone(),
                hosted_zone_id: target.zone.clone(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let id = LogicalId::of(&["public-record", &words, kind]);
        let description = format!("Leads {host} to the {}", target.what);
        stack.add(id, description, &properties);
    }
}
