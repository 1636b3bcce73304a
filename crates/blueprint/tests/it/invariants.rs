//! What holds for every blueprint.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use crate::support::{self, strategy};
use mck_blueprint::{
    Blueprint, PlanningError, difference,
    model::{AccessRule, GroupRule, Peer, Protocol, Route, SecurityGroupName, Subnet, Tier},
    views::View,
};
use proptest::prelude::*;

/// Addresses that AWS keeps in a subnet: the first four and the last.
fn is_reserved(subnet: &Subnet, address: Ipv4Addr) -> bool {
    let offset = u32::from(address) - u32::from(subnet.cidr.network());
    offset < 4 || address == subnet.cidr.broadcast()
}

fn subnets_are_apart(blueprint: &Blueprint) {
    let network = &blueprint.network;
    assert_eq!(network.subnets.len(), 3 * network.zones.len());
    for (index, subnet) in network.subnets.iter().enumerate() {
        assert!(network.cidr.contains(&subnet.cidr), "{subnet:?}");
        assert!(subnet.cidr.prefix_len() <= 28);
        for other in &network.subnets[index + 1..] {
            assert!(!subnet.cidr.contains(&other.cidr) && !other.cidr.contains(&subnet.cidr));
        }
    }
}

fn addresses_are_inside_and_unique(blueprint: &Blueprint) {
    let network = &blueprint.network;
    let mut seen = BTreeSet::new();
    let nats = network.nat_gateways.iter();
    let nats = nats.map(|nat| (&nat.name, &nat.subnet, &nat.zone, nat.address));
    let nodes = blueprint.nodes();
    let nodes = nodes.map(|node| (&node.name, &node.subnet, &node.zone, node.address));
    for (name, subnet, zone, address) in nodes.chain(nats) {
        let subnet = network.subnet(subnet).expect("the node's subnet exists");
        assert!(subnet.cidr.contains(&address), "{name}");
        assert!(!is_reserved(subnet, address), "{name}");
        assert_eq!(subnet.zone, *zone, "{name}");
        assert!(seen.insert(address), "{name}");
        assert_ne!(address, network.resolver);
        if let Some((first, last)) = subnet.task_addresses {
            assert!(
                !(first..=last).contains(&address),
                "{name} is where tasks are"
            );
        }
    }
    for subnet in network.subnets.iter().filter(|it| it.tier == Tier::App) {
        let servers = subnet
            .server_addresses
            .expect("app subnets have server addresses");
        let tasks = subnet
            .task_addresses
            .expect("app subnets have task addresses");
        for (first, last) in [servers, tasks] {
            assert!(first <= last && subnet.cidr.contains(&first) && subnet.cidr.contains(&last));
            assert!(!is_reserved(subnet, first) && !is_reserved(subnet, last));
        }
        assert!(servers.1 < tasks.0);
    }
}

fn persistence_groups(blueprint: &Blueprint) -> BTreeSet<SecurityGroupName> {
    let network = &blueprint.network;
    blueprint
        .nodes()
        .filter(|node| {
            network
                .subnet(&node.subnet)
                .is_some_and(|subnet| subnet.tier == Tier::Persistence)
        })
        .map(|node| node.security_group.clone())
        .collect()
}

fn persistence_is_closed(blueprint: &Blueprint) {
    let groups = persistence_groups(blueprint);
    let inside = |peer: &Peer| matches!(peer, Peer::Group(name) if groups.contains(name));
    for rule in &blueprint.access {
        let outside = |peer: &Peer| !matches!(peer, Peer::Group(_));
        assert!(!(inside(&rule.to) && outside(&rule.from)), "{rule:?}");
        assert!(!(inside(&rule.from) && outside(&rule.to)), "{rule:?}");
        if inside(&rule.to) {
            let load_balancer = Peer::Group(blueprint.load_balancer.security_group.clone());
            assert_ne!(rule.from, load_balancer);
        }
    }
    for subnet in blueprint
        .network
        .subnets
        .iter()
        .filter(|it| it.tier == Tier::Persistence)
    {
        assert_eq!(subnet.route, Route::None);
    }
    assert!(!blueprint.has_way_out(Tier::Persistence));
    for group in &groups {
        for port in [22, 80, 443, 2049, 3306, 6379, 11211] {
            let world = Peer::Range("198.51.100.7".to_owned());
            let to = Peer::Group(group.clone());
            assert!(!blueprint.allows(&world, &to, Protocol::Tcp, port));
        }
    }
}

fn only_the_edge_is_open(blueprint: &Blueprint) {
    let edge: BTreeSet<&SecurityGroupName> = [&blueprint.load_balancer.security_group]
        .into_iter()
        .chain(blueprint.bastion.iter().map(|it| &it.node.security_group))
        .collect();
    for rule in &blueprint.access {
        if let (Peer::Range(_) | Peer::PrefixList(_), Peer::Group(to)) = (&rule.from, &rule.to) {
            assert!(edge.contains(to), "{rule:?}");
        }
    }
}

fn references_exist(blueprint: &Blueprint) {
    let secrets: BTreeSet<&str> = blueprint
        .secrets
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let groups: BTreeSet<&SecurityGroupName> = blueprint
        .security_groups
        .iter()
        .map(|it| &it.name)
        .collect();
    let logs: BTreeSet<&str> = blueprint
        .log_groups
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    for app in &blueprint.apps {
        assert!(groups.contains(&app.security_group));
        assert!(logs.contains(app.log_group.as_str()));
        assert!(blueprint.clusters.iter().any(|it| it.name == app.cluster));
        let containers = &app.task_definition.containers;
        for container in containers {
            for secret in container.secrets.values() {
                assert!(secrets.contains(secret.as_str()), "{secret}");
            }
            for name in container.environment.keys() {
                assert!(!container.secrets.contains_key(name), "{name} is set twice");
            }
        }
        let names: BTreeSet<&str> = containers.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names.len(), containers.len());
        assert!(
            app.jobs
                .iter()
                .all(|it| names.contains(it.container.as_str()))
        );
        assert!(
            app.hooks
                .iter()
                .all(|it| names.contains(it.container.as_str()))
        );
        if let Some(secret) = &app.admin_password_secret {
            assert!(secrets.contains(secret.as_str()));
        }
    }
    for schema in &blueprint.database.schemas {
        assert!(secrets.contains(schema.password_secret.as_str()));
    }
    for redis in &blueprint.redis {
        assert!(secrets.contains(redis.password_secret.as_str()));
    }
    for node in blueprint.nodes() {
        assert!(groups.contains(&node.security_group), "{node:?}");
    }
    for rule in &blueprint.access {
        for peer in [&rule.from, &rule.to] {
            if let Peer::Group(name) = peer {
                assert!(groups.contains(name), "{name}");
            }
        }
    }
}

fn twin(rule: &AccessRule, rules: &[GroupRule], peer: &Peer) -> bool {
    rules
        .iter()
        .any(|it| it.peer == *peer && it.protocol == rule.protocol && it.ports == rule.ports)
}

fn every_egress_has_its_ingress(blueprint: &Blueprint) {
    let by_name: BTreeMap<&SecurityGroupName, _> = blueprint
        .security_groups
        .iter()
        .map(|it| (&it.name, it))
        .collect();
    let mut ends = 0;
    for rule in &blueprint.access {
        if let Peer::Group(to) = &rule.to {
            assert!(twin(rule, &by_name[to].ingress, &rule.from), "{rule:?}");
            ends += 1;
        }
        if let Peer::Group(from) = &rule.from {
            assert!(twin(rule, &by_name[from].egress, &rule.to), "{rule:?}");
            ends += 1;
        }
    }
    let groups = blueprint.security_groups.iter();
    let rules: usize = groups.map(|it| it.ingress.len() + it.egress.len()).sum();
    assert_eq!(rules, ends, "a group has no rule of its own");
}

fn unique<'a>(names: impl Iterator<Item = &'a str>, what: &str) {
    let mut seen = BTreeSet::new();
    for name in names {
        assert!(seen.insert(name), "{what} `{name}` twice");
    }
}

fn names_are_unique_and_short(blueprint: &Blueprint) {
    unique(blueprint.nodes().map(|it| it.name.as_str()), "node");
    unique(
        blueprint.secrets.iter().map(|it| it.name.as_str()),
        "secret",
    );
    unique(blueprint.alarms.iter().map(|it| it.name.as_str()), "alarm");
    unique(
        blueprint.log_groups.iter().map(|it| it.name.as_str()),
        "log group",
    );
    unique(
        blueprint
            .private_zone
            .records
            .iter()
            .map(|it| it.name.as_str()),
        "record",
    );
    let targets = || {
        blueprint
            .apps
            .iter()
            .filter_map(|app| app.target_group.as_ref())
    };
    unique(targets().map(|it| it.name.as_str()), "target group");
    let names = targets()
        .map(|it| &it.name)
        .chain([&blueprint.load_balancer.name]);
    for name in names {
        assert!(name.len() <= 32, "{name}");
        assert!(!name.starts_with('-') && !name.ends_with('-') && !name.starts_with("internal-"));
    }
    let apps = blueprint
        .apps
        .iter()
        .filter_map(|app| app.listener_rule.as_ref());
    let jenkins = blueprint
        .jenkins
        .iter()
        .filter_map(|it| it.listener_rule.as_ref());
    let priorities: Vec<u16> = apps.chain(jenkins).map(|it| it.priority).collect();
    let distinct: BTreeSet<u16> = priorities.iter().copied().collect();
    assert_eq!(distinct.len(), priorities.len(), "priorities");
    // What EC2 takes as the description of a rule.
    let taken = |it: char| it.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(it);
    for rule in &blueprint.access {
        assert!(
            rule.reason.chars().all(taken) && rule.reason.len() <= 255,
            "{}",
            rule.reason
        );
    }
}

fn clusters_of_data_stores_are_spread(blueprint: &Blueprint) {
    let zones = blueprint.network.zones.len();
    let redis = blueprint.redis.iter().map(|it| &it.members);
    for members in redis.chain([&blueprint.database.members]) {
        let used: BTreeSet<&str> = members.iter().map(|it| it.zone.as_str()).collect();
        assert_eq!(used.len(), members.len().min(zones));
    }
}

fn all(blueprint: &Blueprint) {
    subnets_are_apart(blueprint);
    addresses_are_inside_and_unique(blueprint);
    persistence_is_closed(blueprint);
    only_the_edge_is_open(blueprint);
    references_exist(blueprint);
    every_egress_has_its_ingress(blueprint);
    names_are_unique_and_short(blueprint);
    clusters_of_data_stores_are_spread(blueprint);
    for table in View::ALL
        .into_iter()
        .flat_map(|view| blueprint.tables(view))
    {
        assert!(
            table
                .rows
                .iter()
                .all(|row| row.len() == table.columns.len())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_environment_in_a_roomy_vpc_has_a_sound_blueprint(
        environment in strategy::environment(16..=19)
    ) {
        let blueprint = Blueprint::plan(&environment).expect("there is room");
        all(&blueprint);
        let again = Blueprint::plan(&environment.clone()).expect("there was room");
        prop_assert_eq!(
            serde_json::to_string(&blueprint).unwrap(),
            serde_json::to_string(&again).unwrap()
        );
        prop_assert_eq!(difference::difference(&blueprint.to_json(), &again.to_json()), []);
    }

    #[test]
    fn a_small_vpc_gives_a_sound_blueprint_or_says_that_it_is_full(
        environment in strategy::environment(20..=24)
    ) {
        match Blueprint::plan(&environment) {
            Ok(blueprint) => all(&blueprint),
            Err(PlanningError::SubnetFull { .. } | PlanningError::VpcTooSmall { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_small_vpc_of_three_zones_has_room_for_the_defaults() {
    let blueprint = support::blueprint(
        "production",
        "network.cidr = '10.0.0.0/24'\n[app.shop]\npreset = 'magento2'",
    );
    all(&blueprint);
    assert_eq!(blueprint.network.subnets[0].cidr.prefix_len(), 28);
}

#[test]
fn listed_subnets_win_and_the_others_keep_clear_of_them() {
    let settings = "network.public-subnets = ['172.31.3.0/24', '172.31.200.0/22', '172.31.9.0/26']
                    [app.shop]\npreset = 'magento2'";
    let blueprint = support::blueprint("production", settings);
    all(&blueprint);
    let range = |name: &str| blueprint.network.subnet(name).unwrap().cidr.to_string();
    assert_eq!(range("public-b"), "172.31.200.0/22");
    assert_eq!(
        range("app-a"),
        "172.31.10.0/24",
        "block 3 is taken, so is block 9"
    );
    assert_eq!(range("app-b"), "172.31.4.0/24");
}

#[test]
fn the_access_graph_answers_for_pairs() {
    let blueprint = support::blueprint("local", "[app.shop]\npreset = 'storefront'");
    let group = |name: &str| Peer::Group(SecurityGroupName(name.to_owned()));
    let allows = |from: &str, to: &str, port| {
        blueprint.allows(&group(from), &group(to), Protocol::Tcp, port)
    };
    assert!(allows("load-balancer", "app-shop", 80));
    assert!(!allows("load-balancer", "app-shop", 8081));
    assert!(allows("app-shop", "database", 3306));
    assert!(!allows("bastion", "database", 3306));
    assert!(!allows("load-balancer", "database", 3306));
    assert!(!allows("app-shop", "app-shop", 80));
    assert!(!blueprint.allows(&group("app-shop"), &group("database"), Protocol::Udp, 3306));
}
