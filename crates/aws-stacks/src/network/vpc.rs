//! The VPC itself and its gateways.

use mck_blueprint::Blueprint;
use mck_cloudformation::{LogicalId, resources::ec2};

use super::name_tag;
use crate::{names, stack::Stack};

/// The clock of every EC2 instance (EC2 user guide, "Amazon Time Sync Service").
const TIME_SYNC: &str = "169.254.169.123";

/// The VPC's resources that others refer to.
pub(super) struct Vpc {
    /// The VPC.
    pub(super) id: LogicalId,
    /// The VPC's IPv6 range, where there is one.
    pub(super) ipv6: Option<LogicalId>,
    /// The internet gateway.
    pub(super) internet_gateway: LogicalId,
    /// The internet gateway's attachment, without which it leads nowhere.
    pub(super) attachment: LogicalId,
    /// The way out for IPv6, where there is one.
    pub(super) egress_only_gateway: Option<LogicalId>,
}

pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint) -> Vpc {
    let network = &blueprint.network;
    let vpc = ec2::Vpc {
        cidr_block: network.cidr.to_string().into(),
        enable_dns_support: true.into(),
        enable_dns_hostnames: true.into(),
        tags: name_tag(blueprint, "vpc"),
        ..Default::default()
    };
    let id = stack.add("Vpc", "The VPC, a network of its own", &vpc).id();
    stack.hand_over(&names::network::vpc(), "The VPC", id.reference());
    dhcp_options(stack, blueprint, &id);
    let ipv6 = network.ipv6.then(|| {
        let range = ec2::VpcCidrBlock {
            vpc_id: id.reference(),
            amazon_provided_ipv6_cidr_block: true.into(),
            ..Default::default()
        };
        let description = "A range of IPv6 addresses from Amazon";
        stack.add("Ipv6Range", description, &range).id()
    });
    let egress_only_gateway = network.ipv6.then(|| {
        let gateway = ec2::EgressOnlyInternetGateway {
            vpc_id: id.reference(),
            tags: name_tag(blueprint, "ipv6-egress"),
        };
        let description = "The way out for IPv6; nobody comes in by it";
        stack
            .add("EgressOnlyInternetGateway", description, &gateway)
            .id()
    });
    let gateway = ec2::InternetGateway {
        tags: name_tag(blueprint, "internet"),
    };
    let description = "The way between public subnets and the internet";
    let internet_gateway = stack.add("InternetGateway", description, &gateway).id();
    let attachment = ec2::VpcGatewayAttachment {
        vpc_id: id.reference(),
        internet_gateway_id: internet_gateway.reference(),
        ..Default::default()
    };
    let description = "Ties the internet gateway to the VPC";
    let attachment = stack
        .add("InternetGatewayAttachment", description, &attachment)
        .id();
    Vpc {
        id,
        ipv6,
        internet_gateway,
        attachment,
        egress_only_gateway,
    }
}

/// What servers are told of the network (Amazon VPC user guide, "DHCP option sets"): the domain is
/// the one of AWS's own names for instances.
fn dhcp_options(stack: &mut Stack, blueprint: &Blueprint, vpc: &LogicalId) {
    let region = blueprint.region.as_str();
    let domain = match region {
        "us-east-1" => "ec2.internal".to_owned(),
        _ if region.starts_with("cn-") => format!("{region}.compute.amazonaws.com.cn"),
        _ => format!("{region}.compute.internal"),
    };
    let options = ec2::DhcpOptions {
        domain_name: domain.into(),
        domain_name_servers: vec!["AmazonProvidedDNS".into()],
        ntp_servers: vec![TIME_SYNC.into()],
        tags: name_tag(blueprint, "dhcp"),
        ..Default::default()
    };
    let description = "Name servers and clock of the servers";
    let options = stack.add("DhcpOptions", description, &options).id();
    let association = ec2::VpcdhcpOptionsAssociation {
        dhcp_options_id: options.reference(),
        vpc_id: vpc.reference(),
    };
    stack.add(
        "DhcpOptionsAssociation",
        "Gives the VPC its DHCP options",
        &association,
    );
}
