//! NAT gateways, addresses, traffic. They surprise people.

use mck_blueprint::Blueprint;

use super::{Bill, Item, many};
use crate::{Component::Network, Rate};

pub(super) fn add(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    nat(bill, blueprint);
    endpoints(bill, blueprint);
    addresses(bill, blueprint);
    traffic(bill, blueprint);
}

/// NAT gateways of an adopted VPC are its owner's.
fn nat_gateways(blueprint: &Blueprint) -> usize {
    match blueprint.network.existing {
        Some(_) => 0,
        None => blueprint.network.nat_gateways.len(),
    }
}

fn nat(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let gateways = nat_gateways(blueprint);
    let detail = format!("{gateways} of them");
    let hours = (many(gateways) * bill.hours(), "hours");
    let item = Item::new(Network, "NAT gateways", detail, hours);
    bill.rate(Rate::NatGatewayHour, item);
    // An adopted VPC's gateways are paid for what goes through them all the same.
    if !blueprint.network.nat_gateways.is_empty() {
        let detail = "images, packages, calls of vendors, in both directions";
        let data = (bill.usage.nat_gb, "GB");
        let item = Item::new(Network, "data through NAT gateways", detail, data);
        bill.rate(Rate::NatGatewayGb, item.assumed());
    }
}

/// AWS's services that App Servers and tasks call, each through an endpoint in every zone, where
/// app subnets have no way out.
fn endpoints(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let Some(endpoints) = &blueprint.network.endpoints else {
        return;
    };
    let services = endpoints.services.len();
    let zones = blueprint.network.zones.len();
    let item = Item::new(
        Network,
        "interface endpoints",
        format!("{services} services in {zones} zones"),
        (many(services * zones) * bill.hours(), "hours"),
    );
    bill.rate(Rate::InterfaceEndpointHour, item);
    let gigabytes = many(services) * bill.usage.endpoint_gb;
    let detail = format!("{services} services");
    let data = (gigabytes, "GB");
    let item = Item::new(Network, "data through interface endpoints", detail, data);
    bill.rate(Rate::InterfaceEndpointGb, item.assumed());
}

/// Every public IPv4 address costs, whether something uses it or not.
fn addresses(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let nat = nat_gateways(blueprint);
    let load_balancer = blueprint.load_balancer.nodes.len();
    let bastion = usize::from(blueprint.bastion.is_some());
    let item = Item::new(
        Network,
        "public IPv4 addresses",
        format!("NAT gateways {nat}, load-balancer nodes {load_balancer}, Bastion {bastion}"),
        (many(nat + load_balancer + bastion) * bill.hours(), "hours"),
    );
    bill.rate(Rate::PublicIpv4Hour, item);
}

fn traffic(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    if blueprint.network.zones.len() > 1 {
        let gigabytes = bill.usage.cross_zone_gb;
        let item = Item::new(
            Network,
            "traffic between zones",
            "load balancer, tasks, database and caches; paid at both ends",
            (2.0 * gigabytes, "GB"),
        );
        bill.rate(Rate::CrossZoneGb, item.assumed());
    }
}
