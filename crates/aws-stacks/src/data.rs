//! The stack `data`: everything that an environment must not lose, and the names by which it is
//! found. CloudFormation refuses to delete it.

mod backups;
mod database;
mod file_system;
mod key;
mod memcached;
mod message_broker;
mod records;
mod redis;
mod search;
mod windows;

use mck_blueprint::model::{Blueprint, Tier};
use mck_cloudformation::{Tag, Text};

use crate::{
    names, secrets, servers,
    stack::{Stack, StackId},
    synthesis::Scene,
};

pub(crate) fn stack(scene: &Scene<'_>) -> Stack {
    let blueprint = scene.blueprint;
    let mut stack = scene.stack(
        StackId::Data,
        "database, caches, search engine, message broker, file system",
    );
    stack.termination_protection = true;
    let key = key::add(&mut stack, blueprint);
    let names = secrets::add(&mut stack, scene);
    secrets::hand_over(&mut stack, &names);
    let database = database::add(&mut stack, scene, &key);
    redis::add(&mut stack, scene, &key);
    if let Some(memcached) = &blueprint.memcached {
        memcached::add(&mut stack, scene, memcached);
    }
    if let Some(search) = &blueprint.search {
        search::add(&mut stack, scene, search, &key);
    }
    if let Some(broker) = &blueprint.message_broker {
        message_broker::add(&mut stack, scene, broker);
    }
    let files = blueprint.file_system.as_ref();
    let files = files.map(|it| file_system::add(&mut stack, scene, it, &key));
    backups::add(&mut stack, blueprint, &database, files.as_ref(), &key);
    records::add(&mut stack, blueprint);
    stack
}

/// The persistence subnets, in the order of the zones.
fn subnets(stack: &mut Stack, blueprint: &Blueprint) -> Vec<Text> {
    let subnets = names::network::subnets(blueprint, Tier::Persistence);
    subnets.iter().map(|it| stack.take(it)).collect()
}

fn name_tag(blueprint: &Blueprint, name: &str) -> Vec<Tag> {
    vec![Tag::name(servers::full_name(blueprint, name))]
}

#[cfg(test)]
mod tests;
