//! The stack `global`: what all environments of a project in a region share. Image repositories, and
//! how continuous integration comes in.
//!
//! Continuous integration deploys; it does not change stacks. Whoever may change them can give
//! himself every right, since the templates hold IAM roles, so that is left to people.

mod doors;
mod permissions;
mod repositories;

use std::collections::BTreeMap;

use mck_blueprint::model::{Blueprint, Global};

use crate::{
    stack::{Stack, StackId},
    synthesis::Scene,
};

/// The stack of the environment's region; none where there would be nothing in it. It is the same,
/// byte for byte, whichever of the region's environments asks.
pub(crate) fn stack(scene: &Scene<'_>, siblings: &[&Blueprint]) -> Option<Stack> {
    let globals = Global::plan(&scene.blueprint.project, siblings);
    let mut globals = globals.into_iter();
    let global = globals.find(|global| global.region == scene.blueprint.region)?;
    let mut neighbours: Vec<&Blueprint> = siblings
        .iter()
        .copied()
        .filter(|it| it.target == scene.blueprint.target && it.region == global.region)
        .collect();
    neighbours.sort_by(|one, other| one.environment.cmp(&other.environment));

    let description = "Image repositories and the doors of continuous integration";
    let mut stack = scene.shared_stack(StackId::Global, description);
    stack.tags = shared_tags(&neighbours);
    repositories::add(&mut stack, &global);
    doors::add(&mut stack, &global, &neighbours);
    (!stack.template.resources().is_empty()).then_some(stack)
}

/// The tags that all environments have alike; `Environment` says nothing of what they share.
fn shared_tags(blueprints: &[&Blueprint]) -> BTreeMap<String, String> {
    let Some((first, others)) = blueprints.split_first() else {
        return BTreeMap::new();
    };
    let alike = |(name, value): &(&String, &String)| {
        name.as_str() != "Environment" && others.iter().all(|it| it.tags.get(*name) == Some(value))
    };
    let tags = first.tags.iter().filter(alike);
    tags.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
