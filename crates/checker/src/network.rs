//! The VPC and who gets in.

use std::net::Ipv4Addr;

use mck_blueprint::{
    Blueprint,
    model::{GroupRule, Peer, SecurityGroupName, Subnet, Tier},
};

use crate::{Check, Finding, Kind, is_aws, is_production};

pub(crate) const CHECKS: &[Check] = &[
    two_zones,
    single_nat,
    no_nat,
    ssh_open_to_the_world,
    tunnels_in_production,
    room_for_servers,
    room_for_tasks,
    rules_of_a_group,
    no_key_for_ssh,
];

/// An Application Load Balancer needs subnets in two zones (ELB user guide, "Availability Zone
/// subnets"), and so does a subnet group of RDS.
fn two_zones(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::error("MCK-N001", "name at least two zones, better three");
    KIND.when(
        is_aws(blueprint) && blueprint.network.zones.len() < 2,
        "network.zones",
        "a load balancer and a database on AWS need subnets in two zones, and there is one",
    )
}

fn single_nat(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note(
        "MCK-N002",
        "`nat = \"per-zone\"` costs one NAT gateway more for each further zone and keeps a zone's \
         loss to itself",
    );
    let network = &blueprint.network;
    KIND.when(
        is_production(blueprint) && network.nat_gateways.len() == 1 && network.zones.len() > 1,
        "network.nat",
        "all zones share one NAT gateway: with its zone, all lose their way out",
    )
}

fn no_nat(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-N003", "use `nat = \"single\"` or `\"per-zone\"`");
    KIND.when(
        is_aws(blueprint) && blueprint.network.nat_gateways.is_empty(),
        "network.nat",
        "App Servers have no way out but endpoints of AWS: payment providers, mail and vendors are out \
         of reach, and so are images from elsewhere",
    )
}

fn ssh_open_to_the_world(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-N004",
        "name the ranges of your offices, or none: Session Manager (`mck ssh`) needs no open port",
    );
    let open = |range: &String| range.ends_with("/0");
    let bastion = blueprint.bastion.iter();
    KIND.when(
        bastion.flat_map(|it| &it.allow_ssh_from).any(open),
        "bastion.allow-ssh-from",
        "SSH at the Bastion is open to the whole internet",
    )
}

fn tunnels_in_production(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note("MCK-N005", "switch it on for the time that you need it");
    if !is_production(blueprint) {
        return Vec::new();
    }
    let Some(bastion) = &blueprint.bastion else {
        return Vec::new();
    };
    let from = Peer::Group(bastion.node.security_group.clone());
    let reaches = |group: &SecurityGroupName| {
        let to = Peer::Group(group.clone());
        blueprint
            .access
            .iter()
            .any(|rule| rule.from == from && rule.to == to)
    };
    let database = KIND.when(
        reaches(&blueprint.database.security_group),
        "bastion.database-access",
        "whoever is on the Bastion reaches the production database",
    );
    let cache = KIND.when(
        blueprint.redis.iter().any(|it| reaches(&it.security_group)),
        "bastion.cache-access",
        "whoever is on the Bastion reaches the production caches and sessions",
    );
    database.into_iter().chain(cache).collect()
}

fn count((first, last): (Ipv4Addr, Ipv4Addr)) -> u64 {
    u64::from(u32::from(last)) - u64::from(u32::from(first)) + 1
}

/// Addresses of the app tier by what they are for.
fn addresses(
    blueprint: &Blueprint,
    range: impl Fn(&Subnet) -> Option<(Ipv4Addr, Ipv4Addr)>,
) -> u64 {
    let subnets = blueprint.network.subnets.iter();
    subnets
        .filter(|subnet| subnet.tier == Tier::App)
        .filter_map(range)
        .map(count)
        .sum()
}

fn room_for_servers(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-N006",
        "take larger app subnets, or lower the clusters' `servers.maximum`",
    );
    let wanted: u64 = blueprint
        .clusters
        .iter()
        .map(|it| u64::from(it.maximum))
        .sum();
    let there = addresses(blueprint, |subnet| subnet.server_addresses);
    KIND.when(
        wanted > there,
        "network.app-subnets",
        &format!("clusters may grow to {wanted} App Servers, but there are {there} addresses"),
    )
}

fn room_for_tasks(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-N007",
        "take larger app subnets, or lower the apps' `tasks.maximum`",
    );
    let wanted: u64 = blueprint
        .apps
        .iter()
        .map(|app| {
            let percent = u64::from(app.deployment.maximum_percent);
            u64::from(app.tasks.maximum) * percent / 100
        })
        .sum();
    let there = addresses(blueprint, |subnet| subnet.task_addresses);
    KIND.when(
        wanted > there,
        "network.app-subnets",
        &format!("deployments may run {wanted} tasks at once, but there are {there} addresses"),
    )
}

/// Rules of one direction that AWS allows a security group by default (Amazon VPC user guide,
/// "Quotas").
const RULES_OF_A_GROUP: u64 = 60;

/// What a rule counts as: CloudFront's list as many (Amazon CloudFront developer guide, "Use the
/// CloudFront managed prefix list").
fn weight(rule: &GroupRule) -> u64 {
    match rule.peer {
        Peer::PrefixList(_) => 55,
        Peer::Group(_) | Peer::Range(_) => 1,
    }
}

fn rules_of_a_group(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-N008",
        "ask AWS for a higher quota of rules per security group, or let fewer apps use it",
    );
    if !is_aws(blueprint) {
        return Vec::new();
    }
    let all = |rules: &[GroupRule]| rules.iter().map(weight).sum::<u64>();
    let groups = blueprint.security_groups.iter();
    groups
        .map(|group| (group, all(&group.ingress).max(all(&group.egress))))
        .filter(|(_, rules)| *rules > RULES_OF_A_GROUP)
        .map(|(group, rules)| {
            KIND.finding(
                "app",
                format!(
                    "security group `{}` has {rules} rules of one direction, and AWS allows \
                     {RULES_OF_A_GROUP} by default",
                    group.name
                ),
            )
        })
        .collect()
}

fn no_key_for_ssh(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note(
        "MCK-N009",
        "name people's public keys in `bastion.authorized-keys`, or take the ranges out",
    );
    let useless = blueprint
        .bastion
        .as_ref()
        .is_some_and(|it| !it.allow_ssh_from.is_empty() && it.authorized_keys.is_empty());
    KIND.when(
        is_aws(blueprint) && useless,
        "bastion.authorized-keys",
        "SSH at the Bastion is open to ranges, but nobody's key may log in",
    )
}
