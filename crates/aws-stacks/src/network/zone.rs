//! The private zone; its records are the data stack's.

use mck_blueprint::Blueprint;
use mck_cloudformation::resources::route53::{self, hosted_zone};

use crate::{names, stack::Stack};

pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint) {
    let zone = route53::HostedZone {
        name: blueprint.private_zone.name.as_str().into(),
        hosted_zone_config: Some(hosted_zone::HostedZoneConfig {
            comment: format!(
                "Service discovery of {} {}",
                blueprint.project, blueprint.environment
            )
            .into(),
        }),
        vp_cs: vec![hosted_zone::Vpc {
            vpc_id: stack.have_or_take(&names::network::vpc()),
            vpc_region: blueprint.region.as_str().into(),
        }],
        ..Default::default()
    };
    let description = "The names of the data stores, known in the VPC alone";
    let id = stack.add("PrivateZone", description, &zone).id();
    stack.hand_over(
        &names::network::private_zone(),
        "The private zone",
        id.reference(),
    );
}
