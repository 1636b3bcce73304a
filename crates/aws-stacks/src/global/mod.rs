//! The stacks `global`: what all environments of a project in a region share. Image repositories, and
//! how continuous integration comes in, which is in the first of them.
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

/// The stacks of the environment's region; none where there would be nothing in them. They are the
/// same, byte for byte, whichever of the region's environments asks.
pub(crate) fn stacks(scene: &Scene<'_>, siblings: &[&Blueprint]) -> Vec<Stack> {
    let globals = Global::plan(&scene.blueprint.project, siblings);
    let mut globals = globals.into_iter();
    let Some(global) = globals.find(|global| global.region == scene.blueprint.region) else {
        return Vec::new();
    };
    let mut neighbours: Vec<&Blueprint> = siblings
        .iter()
        .copied()
        .filter(|it| it.target == scene.blueprint.target && it.region == global.region)
        .collect();
    neighbours.sort_by(|one, other| one.environment.cmp(&other.environment));

    let tags = shared_tags(&neighbours);
    let parts = repositories::parts(&global.repositories);
    let mut stacks = Vec::with_capacity(parts.len());
    for (part, number) in parts.iter().zip(1..) {
        let description = match number {
            1 => "Image repositories and the doors of continuous integration",
            _ => "Image repositories",
        };
        let mut stack = scene.shared_stack(StackId::Global(number), description);
        stack.tags.clone_from(&tags);
        // A repository goes from a stack to a later one only: the first gives it up before the
        // other takes it.
        stack.after.extend((1..number).map(StackId::Global));
        repositories::add(&mut stack, part);
        if number == 1 {
            doors::add(&mut stack, &global, &neighbours, parts.len());
        }
        stacks.push(stack);
    }
    stacks.retain(|stack| !stack.template.resources().is_empty());
    stacks
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
