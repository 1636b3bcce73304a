//! App Clusters and their capacity.

use mck_blueprint::{
    Blueprint, instance_types,
    model::{App, AppCluster},
};

use crate::{Check, Finding, Kind, is_aws, is_production};

pub(crate) const CHECKS: &[Check] = &[
    all_spot,
    one_zone,
    too_small_for_all_tasks,
    network_interfaces,
    no_servers,
    one_spot_pool,
    small_spot_types,
    burstable_servers,
];

fn each(blueprint: &Blueprint, check: impl Fn(&AppCluster) -> Option<Finding>) -> Vec<Finding> {
    blueprint.clusters.iter().filter_map(check).collect()
}

fn apps<'a>(blueprint: &'a Blueprint, cluster: &'a AppCluster) -> impl Iterator<Item = &'a App> {
    let apps = blueprint.apps.iter();
    apps.filter(|app| app.cluster == cluster.name)
}

fn all_spot(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-C001", "set `spot-percent` to 75 or less");
    each(blueprint, |cluster| {
        let all = is_production(blueprint) && is_aws(blueprint) && cluster.spot_percent > 75;
        all.then(|| {
            KIND.finding(
                format!("cluster.{}.spot-percent", cluster.name),
                format!(
                    "{} % of the App Servers of `{}` are spot instances, which AWS takes back at \
                     two minutes' notice, many at once",
                    cluster.spot_percent, cluster.name
                ),
            )
        })
    })
}

fn one_zone(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-C002", "give the cluster more zones");
    each(blueprint, |cluster| {
        let single = is_production(blueprint) && cluster.zones.len() < 2;
        single.then(|| {
            KIND.finding(
                format!("cluster.{}.zones", cluster.name),
                format!(
                    "all App Servers of `{}` are in one zone and are lost with it",
                    cluster.name
                ),
            )
        })
    })
}

/// How many servers the tasks of a cluster need at least, by CPU and by memory.
fn servers_for(cluster: &AppCluster, tasks: &[(&App, u64)]) -> u64 {
    let cpu: u64 = tasks
        .iter()
        .map(|(app, count)| u64::from(app.task_definition.cpu) * count)
        .sum();
    let memory: u64 = tasks
        .iter()
        .map(|(app, count)| app.task_definition.memory.as_mib() * count)
        .sum();
    let by_cpu = cpu.div_ceil(u64::from(cluster.capacity.cpu).max(1));
    let by_memory = memory.div_ceil(cluster.capacity.memory.as_mib().max(1));
    by_cpu.max(by_memory)
}

fn too_small_for_all_tasks(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-C003",
        "raise `servers.maximum`, take a larger `instance-type`, or lower the apps' `tasks.maximum`",
    );
    each(blueprint, |cluster| {
        let tasks: Vec<(&App, u64)> = apps(blueprint, cluster)
            .map(|app| (app, u64::from(app.tasks.maximum)))
            .collect();
        let needed = servers_for(cluster, &tasks);
        (needed > u64::from(cluster.maximum)).then(|| {
            KIND.finding(
                format!("cluster.{}.servers.maximum", cluster.name),
                format!(
                    "the apps on `{}` at their maximum need {needed} App Servers, and it may have {}",
                    cluster.name, cluster.maximum
                ),
            )
        })
    })
}

/// Each task has a network interface of its own (`awsvpc`), and instance types have few.
fn network_interfaces(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-C004",
        "take an instance type with more network interfaces (with trunking: not `t3`, `t3a`, \
         `t4g`), or raise `servers.maximum`",
    );
    each(blueprint, |cluster| {
        let kind = instance_types::find(&cluster.instance_type)?;
        let tasks: u64 = apps(blueprint, cluster)
            .map(|app| u64::from(app.tasks.maximum))
            .sum();
        let room = u64::from(kind.maximum_tasks()) * u64::from(cluster.maximum);
        (is_aws(blueprint) && tasks > room).then(|| {
            KIND.finding(
                format!("cluster.{}.instance-type", cluster.name),
                format!(
                    "the apps on `{}` may want {tasks} tasks, but {} servers of type {} have \
                     network interfaces for {room}",
                    cluster.name, cluster.maximum, cluster.instance_type
                ),
            )
        })
    })
}

/// The local target does not add servers by itself.
fn no_servers(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-C005", "set `servers.desired` or `servers.minimum`");
    each(blueprint, |cluster| {
        let tasks: Vec<(&App, u64)> = apps(blueprint, cluster)
            .map(|app| (app, u64::from(app.tasks.desired)))
            .collect();
        let needed = servers_for(cluster, &tasks);
        let there = cluster.servers.len() as u64;
        (needed > there).then(|| {
            KIND.finding(
                format!("cluster.{}.servers.desired", cluster.name),
                format!(
                    "the apps on `{}` need {needed} App Servers from the start, and it begins with \
                     {there}",
                    cluster.name
                ),
            )
        })
    })
}

fn one_spot_pool(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-C006",
        "name some types of like size in `spot-instance-types`",
    );
    each(blueprint, |cluster| {
        let single = is_aws(blueprint)
            && is_production(blueprint)
            && cluster.spot_percent > 0
            && cluster.spot_instance_types.is_empty();
        single.then(|| {
            KIND.finding(
                format!("cluster.{}.spot-instance-types", cluster.name),
                format!(
                    "all spot instances of `{}` are of one type: AWS takes them back together when \
                     it runs short of that",
                    cluster.name
                ),
            )
        })
    })
}

/// The scheduler counts on what `instance-type` has.
fn small_spot_types(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-C007",
        "name types with at least the CPU and memory of `instance-type`",
    );
    each(blueprint, |cluster| {
        let own = instance_types::find(&cluster.instance_type)?;
        let small: Vec<&str> = cluster
            .spot_instance_types
            .iter()
            .filter(|name| {
                instance_types::find(name).is_some_and(|other| {
                    other.virtual_cpus < own.virtual_cpus || other.memory < own.memory
                })
            })
            .map(String::as_str)
            .collect();
        (!small.is_empty()).then(|| {
            KIND.finding(
                format!("cluster.{}.spot-instance-types", cluster.name),
                format!(
                    "{} has less than {}, so that fewer tasks fit than the kit counts on",
                    small.join(", "),
                    cluster.instance_type
                ),
            )
        })
    })
}

fn burstable_servers(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-C008", "take a type such as `c6i.large`");
    each(blueprint, |cluster| {
        let kind = instance_types::find(&cluster.instance_type)?;
        let slows = is_aws(blueprint) && is_production(blueprint) && kind.burstable;
        slows.then(|| {
            KIND.finding(
                format!("cluster.{}.instance-type", cluster.name),
                format!(
                    "the CPU of `{}`'s App Servers ({}) is in credits: a long sale costs extra or \
                     slows down",
                    cluster.name, cluster.instance_type
                ),
            )
        })
    })
}
