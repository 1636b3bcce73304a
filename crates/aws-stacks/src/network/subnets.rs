//! Subnets.

use mck_blueprint::{
    Blueprint,
    model::{Subnet, Tier},
};
use mck_cloudformation::{Expression, LogicalId, Text, resources::ec2};

use super::{name_tag, vpc::Vpc};
use crate::{names, stack::Stack};

/// Host bits of an IPv6 subnet; AWS knows no other (Amazon VPC user guide, "Subnet sizing for IPv6").
const IPV6_HOST_BITS: u8 = 64;
/// The letters that a zone can have; each has its /64 in each tier, so that a zone more moves none.
const ZONE_LETTERS: usize = 6;

/// The logical id of a subnet.
pub(super) fn logical_id(subnet: &Subnet) -> LogicalId {
    LogicalId::of(&["subnet", &subnet.name])
}

pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint, vpc: &Vpc) {
    for subnet in &blueprint.network.subnets {
        let ipv6 = ipv6_range(vpc, subnet);
        let has_ipv6 = !ipv6.is_absent();
        let properties = ec2::Subnet {
            vpc_id: vpc.id.reference(),
            availability_zone: names::zone(blueprint, &subnet.zone),
            cidr_block: subnet.cidr.to_string().into(),
            ipv6_cidr_block: ipv6,
            assign_ipv6_address_on_creation: has_ipv6.into(),
            // What must be reached from outside has an address of its own that stays.
            map_public_ip_on_launch: false.into(),
            tags: name_tag(blueprint, &subnet.name),
            ..Default::default()
        };
        let added = stack.add(logical_id(subnet), description(subnet), &properties);
        let added = if has_ipv6 {
            added.after(&vpc.ipv6)
        } else {
            added
        };
        let id = added.id();
        stack.hand_over(
            &names::network::subnet(&subnet.name),
            &format!("Subnet {}", subnet.name),
            id.reference(),
        );
    }
}

fn description(subnet: &Subnet) -> String {
    let (tier, what) = match subnet.tier {
        Tier::Public => ("Public", "load balancer, NAT gateway, Bastion"),
        Tier::App => ("App", "App Servers and tasks"),
        Tier::Persistence => ("Persistence", "data stores, without a way out"),
    };
    format!("{tier} subnet in {}: {what}", subnet.zone)
}

/// The subnet's part of the VPC's IPv6 range; data stores have none.
fn ipv6_range(vpc: &Vpc, subnet: &Subnet) -> Text {
    let tier = match subnet.tier {
        Tier::Public => 0,
        Tier::App => 1,
        Tier::Persistence => return Text::Absent,
    };
    if vpc.ipv6.is_none() {
        return Text::Absent;
    }
    let letter = subnet.zone.bytes().last().unwrap_or(b'a');
    let index = tier * ZONE_LETTERS + usize::from(letter.saturating_sub(b'a'));
    let ranges = Expression::attribute(&vpc.id, "Ipv6CidrBlocks");
    let range = Expression::select(0, &ranges);
    Expression::select(
        index,
        &Expression::cidr(range, 2 * ZONE_LETTERS, IPV6_HOST_BITS),
    )
    .into()
}
