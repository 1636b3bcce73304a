//! The stack `network`: the VPC with its subnets and ways, or an adopted one; infrastructure's
//! security groups, the private zone, the Bastion.
//!
//! The VPC's default security group and network ACL stay as AWS makes them: CloudFormation can't
//! change what it did not make. Nothing here is in the default group.

mod adopted;
mod endpoints;
mod flow_logs;
mod routes;
mod subnets;
mod vpc;
mod zone;

use mck_blueprint::Blueprint;
use mck_cloudformation::Tag;

use crate::{
    bastion, security_groups, servers,
    stack::{Stack, StackId},
    synthesis::Scene,
};

pub(crate) fn stack(scene: &Scene<'_>) -> Stack {
    let blueprint = scene.blueprint;
    let mut stack = scene.stack(
        StackId::Network,
        "VPC, subnets, security groups, private zone, Bastion",
    );
    match &blueprint.network.existing {
        Some(existing) => adopted::hand_over(&mut stack, blueprint, existing),
        None => {
            let vpc = vpc::add(&mut stack, blueprint);
            subnets::add(&mut stack, blueprint, &vpc);
            let tables = routes::add(&mut stack, blueprint, &vpc);
            endpoints::add_gateway(&mut stack, blueprint, &vpc, &tables);
            if blueprint.network.flow_logs {
                flow_logs::add(&mut stack, blueprint, &vpc);
            }
        }
    }
    security_groups::add(&mut stack, scene);
    endpoints::add_interfaces(&mut stack, scene);
    zone::add(&mut stack, blueprint);
    if let Some(settings) = &blueprint.bastion {
        bastion::add(&mut stack, scene, settings);
    }
    stack
}

fn name_tag(blueprint: &Blueprint, name: &str) -> Vec<Tag> {
    vec![Tag::name(servers::full_name(blueprint, name))]
}

#[cfg(test)]
mod tests;
