//! NAT gateways, addresses, traffic. They surprise people.

use super::{Bill, Item, many};
use crate::{Component::Network, Rate, inventory::Inventory};

pub(super) fn add(bill: &mut Bill<'_>, inventory: &Inventory) {
    nat(bill, inventory);
    endpoints(bill, inventory);
    addresses(bill, inventory);
    traffic(bill, inventory);
}

fn nat(bill: &mut Bill<'_>, inventory: &Inventory) {
    let gateways = inventory.nat_gateways;
    let detail = format!("{gateways} of them");
    let hours = (many(gateways) * bill.hours(), "hours");
    let item = Item::new(Network, "NAT gateways", detail, hours);
    bill.rate(Rate::NatGatewayHour, item);
    // An adopted VPC's gateways are paid for what goes through them all the same.
    if inventory.through_nat {
        let detail = "images, packages, calls of vendors, in both directions";
        let data = (bill.usage.nat_gb, "GB");
        let item = Item::new(Network, "data through NAT gateways", detail, data);
        bill.rate(Rate::NatGatewayGb, item.assumed());
    }
}

/// AWS's services that App Servers and tasks call, each through an endpoint in every zone, where
/// app subnets have no way out.
fn endpoints(bill: &mut Bill<'_>, inventory: &Inventory) {
    let Some(endpoints) = &inventory.endpoints else {
        return;
    };
    let (services, zones) = (endpoints.services, endpoints.zones);
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
fn addresses(bill: &mut Bill<'_>, inventory: &Inventory) {
    let nat = inventory.nat_gateways;
    let load_balancer = inventory.load_balancer.as_ref().map_or(0, |it| it.nodes);
    let bastion = usize::from(inventory.bastion.is_some());
    let item = Item::new(
        Network,
        "public IPv4 addresses",
        format!("NAT gateways {nat}, load-balancer nodes {load_balancer}, Bastion {bastion}"),
        (many(nat + load_balancer + bastion) * bill.hours(), "hours"),
    );
    bill.rate(Rate::PublicIpv4Hour, item);
}

fn traffic(bill: &mut Bill<'_>, inventory: &Inventory) {
    if inventory.zones() > 1 {
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
