//! A blueprint with every role, and what tests of the network share.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

pub mod real;

use mck_blueprint::{
    Blueprint,
    model::{AccessRule, Peer, PortRange, Protocol, SecurityGroupName, Tier},
};
use mck_environment::Environment;
use mck_local::{
    id::EnvironmentId,
    network::{Attachment, NetworkPlan},
};

pub const ANYWHERE: &str = "0.0.0.0/0";

pub fn group(name: &str) -> SecurityGroupName {
    SecurityGroupName(name.to_owned())
}

pub fn allow(from: Peer, to: Peer, port: u16, reason: &str) -> AccessRule {
    AccessRule {
        from,
        to,
        protocol: Protocol::Tcp,
        ports: PortRange::single(port),
        reason: reason.to_owned(),
    }
}

pub fn members_of(name: &str) -> Peer {
    Peer::Group(group(name))
}

pub fn range(range: &str) -> Peer {
    Peer::Range(range.to_owned())
}

/// The reference architecture with every role in it.
const SETTINGS: &str = "
[app.shop]
preset = 'magento2'
source = '.'
[cache.memcached]
[bastion]
enabled = true
allow-ssh-from = ['203.0.113.0/28']
database-access = true
[jenkins]
enabled = true
";

pub fn blueprint() -> Blueprint {
    let environment = Environment {
        project: "shop".to_owned(),
        name: "local".to_owned(),
        settings: toml::from_str(SETTINGS).unwrap(),
    };
    Blueprint::plan(&environment).unwrap()
}

/// A task of the shop in each zone.
pub fn tasks(blueprint: &Blueprint) -> Vec<Attachment> {
    let group = &blueprint.apps[0].security_group;
    let zones = blueprint.network.zones.iter();
    zones
        .map(|zone| {
            let subnet = blueprint.network.subnet_in(Tier::App, &zone.name).unwrap();
            let (first, _) = subnet.task_addresses.unwrap();
            Attachment::member(format!("shop-{}", zone.letter), first, group.clone())
        })
        .collect()
}

pub fn plan(environment: &EnvironmentId) -> NetworkPlan {
    plan_of(&blueprint(), environment)
}

pub fn plan_of(blueprint: &Blueprint, environment: &EnvironmentId) -> NetworkPlan {
    NetworkPlan::new(blueprint, environment)
        .unwrap()
        .with(tasks(blueprint))
        .unwrap()
}
