//! Ways between subnets and the world: route tables and NAT gateways.

use mck_blueprint::{
    Blueprint,
    model::{NatGateway, Route, Subnet, Tier},
};
use mck_cloudformation::{LogicalId, resources::ec2};

use super::{name_tag, subnets, vpc::Vpc};
use crate::{names, stack::Stack};

const WORLD: &str = "0.0.0.0/0";
const WORLD_IPV6: &str = "::/0";

/// Adds NAT gateways and route tables; gives the tables from which AWS's services may be reached:
/// all but that of the persistence subnets, which have no way to anything.
pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint, vpc: &Vpc) -> Vec<LogicalId> {
    for gateway in &blueprint.network.nat_gateways {
        add_nat_gateway(stack, blueprint, vpc, gateway);
    }
    let subnets = &blueprint.network.subnets;
    let of = |tier: Tier| subnets.iter().filter(move |it| it.tier == tier);

    let public = add_table(
        stack,
        blueprint,
        vpc,
        "public",
        "Routes of the public subnets",
    );
    add_public_routes(stack, vpc, &public);
    for subnet in of(Tier::Public) {
        associate(stack, subnet, &public);
    }
    let mut tables = vec![public];
    for subnet in of(Tier::App) {
        let description = format!("Routes of the app subnet in {}", subnet.zone);
        let table = add_table(stack, blueprint, vpc, &subnet.name, &description);
        add_app_routes(stack, vpc, subnet, &table);
        associate(stack, subnet, &table);
        tables.push(table);
    }
    let description = "Routes of the persistence subnets: only within the VPC";
    let persistence = add_table(stack, blueprint, vpc, "persistence", description);
    for subnet in of(Tier::Persistence) {
        associate(stack, subnet, &persistence);
    }
    tables
}

fn add_nat_gateway(stack: &mut Stack, blueprint: &Blueprint, vpc: &Vpc, gateway: &NatGateway) {
    let address = ec2::Eip {
        domain: "vpc".into(),
        tags: name_tag(blueprint, &gateway.name),
        ..Default::default()
    };
    let description = format!("The address of the NAT gateway in {}", gateway.zone);
    let address = stack
        .add(
            LogicalId::of(&[&gateway.name, "address"]),
            description,
            &address,
        )
        .after([&vpc.attachment])
        .id();
    let properties = ec2::NatGateway {
        allocation_id: address.attribute("AllocationId"),
        subnet_id: LogicalId::of(&["subnet", &gateway.subnet]).reference(),
        tags: name_tag(blueprint, &gateway.name),
        ..Default::default()
    };
    let description = format!("The way out for app subnets, in {}", gateway.zone);
    let id = stack
        .add(nat_gateway_id(&gateway.name), description, &properties)
        .after([&vpc.attachment])
        .id();
    stack.hand_over(
        &names::network::nat_gateway(&gateway.name),
        &format!("NAT gateway {}", gateway.name),
        id.reference(),
    );
}

/// `NatGatewayA` of `nat-a`.
fn nat_gateway_id(name: &str) -> LogicalId {
    LogicalId::of(&["nat-gateway", name.strip_prefix("nat-").unwrap_or(name)])
}

fn add_table(
    stack: &mut Stack,
    blueprint: &Blueprint,
    vpc: &Vpc,
    name: &str,
    description: &str,
) -> LogicalId {
    let table = ec2::RouteTable {
        vpc_id: vpc.id.reference(),
        tags: name_tag(blueprint, name),
    };
    let id = LogicalId::of(&["route-table", name]);
    stack.add(id, description, &table).id()
}

fn associate(stack: &mut Stack, subnet: &Subnet, table: &LogicalId) {
    let association = ec2::SubnetRouteTableAssociation {
        route_table_id: table.reference(),
        subnet_id: subnets::logical_id(subnet).reference(),
    };
    stack.add(
        LogicalId::of(&["route-table-association", &subnet.name]),
        format!("Gives the subnet {} its routes", subnet.name),
        &association,
    );
}

fn add_public_routes(stack: &mut Stack, vpc: &Vpc, table: &LogicalId) {
    let route = ec2::Route {
        route_table_id: table.reference(),
        destination_cidr_block: WORLD.into(),
        gateway_id: vpc.internet_gateway.reference(),
        ..Default::default()
    };
    stack
        .add("RoutePublic", "From public subnets to the internet", &route)
        .after([&vpc.attachment]);
    if let Some(range) = &vpc.ipv6 {
        let route = ec2::Route {
            route_table_id: table.reference(),
            destination_ipv6_cidr_block: WORLD_IPV6.into(),
            gateway_id: vpc.internet_gateway.reference(),
            ..Default::default()
        };
        let description = "From public subnets to the internet by IPv6";
        stack
            .add("RoutePublicIpv6", description, &route)
            .after([&vpc.attachment, range]);
    }
}

/// An app subnet without a NAT gateway has no way out by IPv6 either: that is what was asked for.
fn add_app_routes(stack: &mut Stack, vpc: &Vpc, subnet: &Subnet, table: &LogicalId) {
    let Route::NatGateway(gateway) = &subnet.route else {
        return;
    };
    let route = ec2::Route {
        route_table_id: table.reference(),
        destination_cidr_block: WORLD.into(),
        nat_gateway_id: nat_gateway_id(gateway).reference(),
        ..Default::default()
    };
    stack.add(
        LogicalId::of(&["route", &subnet.name]),
        format!("From the app subnet in {} to the internet", subnet.zone),
        &route,
    );
    if let Some(gateway) = &vpc.egress_only_gateway {
        let route = ec2::Route {
            route_table_id: table.reference(),
            destination_ipv6_cidr_block: WORLD_IPV6.into(),
            egress_only_internet_gateway_id: gateway.reference(),
            ..Default::default()
        };
        let id = LogicalId::of(&["route", &subnet.name, "ipv6"]);
        let description = format!(
            "From the app subnet in {} to the internet by IPv6",
            subnet.zone
        );
        stack.add(id, description, &route).after(&vpc.ipv6);
    }
}
