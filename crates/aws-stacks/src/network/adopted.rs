//! A VPC that was there before: nothing of it is made or changed.

use mck_blueprint::{Blueprint, model::Tier};
use mck_environment::settings::ExistingVpc;

use crate::{names, stack::Stack};

/// Hands the ids over that other networks make.
pub(super) fn hand_over(stack: &mut Stack, blueprint: &Blueprint, existing: &ExistingVpc) {
    let vpc = existing.vpc.as_str();
    stack.hand_over(&names::network::vpc(), "The VPC", vpc);
    for (tier, ids) in [
        (Tier::Public, &existing.public_subnets),
        (Tier::App, &existing.app_subnets),
        (Tier::Persistence, &existing.persistence_subnets),
    ] {
        let subnets = blueprint.network.subnets.iter();
        for (subnet, id) in subnets.filter(|it| it.tier == tier).zip(ids) {
            stack.hand_over(
                &names::network::subnet(&subnet.name),
                &format!("Subnet {}", subnet.name),
                id.as_str(),
            );
        }
    }
}
