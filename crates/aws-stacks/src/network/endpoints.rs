//! Ways to AWS's services that do not leave the VPC.

use mck_blueprint::{Blueprint, model::Tier};
use mck_cloudformation::{LogicalId, pseudo, resources::ec2};

use super::{name_tag, vpc::Vpc};
use crate::{names, security_groups, stack::Stack, synthesis::Scene};

/// The gateway endpoint of S3: it costs nothing, and image layers, Amazon Linux's packages and
/// backups go through it rather than a NAT gateway.
pub(super) fn add_gateway(
    stack: &mut Stack,
    blueprint: &Blueprint,
    vpc: &Vpc,
    tables: &[LogicalId],
) {
    let endpoint = ec2::VpcEndpoint {
        vpc_id: vpc.id.reference(),
        vpc_endpoint_type: "Gateway".into(),
        service_name: mck_cloudformation::Text::concat([
            "com.amazonaws.".into(),
            pseudo::region(),
            ".s3".into(),
        ]),
        route_table_ids: tables.iter().map(LogicalId::reference).collect(),
        tags: name_tag(blueprint, "s3"),
        ..Default::default()
    };
    let description = "The way to S3 that costs nothing";
    stack.add("S3Endpoint", description, &endpoint);
}

/// Interface endpoints of the services that the blueprint names.
pub(super) fn add_interfaces(stack: &mut Stack, scene: &Scene<'_>) {
    let blueprint = scene.blueprint;
    let Some(endpoints) = &blueprint.network.endpoints else {
        return;
    };
    let vpc = stack.have_or_take(&names::network::vpc());
    let group = security_groups::id(stack, scene, &endpoints.security_group);
    let subnets: Vec<_> = names::network::subnets(blueprint, Tier::App)
        .iter()
        .map(|subnet| stack.have_or_take(subnet))
        .collect();
    for service in &endpoints.services {
        let endpoint = ec2::VpcEndpoint {
            vpc_id: vpc.clone(),
            vpc_endpoint_type: "Interface".into(),
            service_name: mck_cloudformation::Text::concat([
                "com.amazonaws.".into(),
                pseudo::region(),
                format!(".{service}").into(),
            ]),
            subnet_ids: subnets.clone(),
            security_group_ids: vec![group.clone()],
            private_dns_enabled: true.into(),
            tags: name_tag(blueprint, service),
            ..Default::default()
        };
        stack.add(
            LogicalId::of(&[service, "endpoint"]),
            format!("The way to {service} without the internet"),
            &endpoint,
        );
    }
}
