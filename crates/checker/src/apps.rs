//! Apps and their deployments.

use mck_blueprint::{
    Blueprint,
    model::{App, MountSource},
};
use mck_environment::settings::Preset;

use crate::{Check, Finding, Kind, is_production};

pub(crate) const CHECKS: &[Check] = &[
    two_tasks,
    healthy_through_deployments,
    deployments_that_cannot_move,
    media_without_storage,
    missing_data_stores,
    no_url,
    tasks_that_fit_nowhere,
];

fn each(blueprint: &Blueprint, check: impl Fn(&App) -> Option<Finding>) -> Vec<Finding> {
    blueprint.apps.iter().filter_map(check).collect()
}

fn two_tasks(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-A001", "set `minimum = 2` or more");
    each(blueprint, |app| {
        let few = is_production(blueprint) && app.target_group.is_some() && app.tasks.minimum < 2;
        few.then(|| {
            KIND.finding(
                format!("app.{}.tasks.minimum", app.name),
                format!(
                    "`{}` may run as one task, and is gone while that is lost",
                    app.name
                ),
            )
        })
    })
}

fn healthy_through_deployments(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-A002", "set `minimum-healthy-percent` to 50 or more");
    each(blueprint, |app| {
        let none = app.target_group.is_some() && app.deployment.minimum_healthy_percent == 0;
        none.then(|| {
            KIND.finding(
                format!("app.{}.deployment.minimum-healthy-percent", app.name),
                format!(
                    "a deployment of `{}` may stop all tasks before it starts new ones",
                    app.name
                ),
            )
        })
    })
}

/// ECS rounds the minimum up and the maximum down (ECS developer guide, "Service definition
/// parameters"); where both meet at the wanted number, no task can be started nor stopped.
fn deployments_that_cannot_move(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::error(
        "MCK-A003",
        "lower `minimum-healthy-percent`, raise `maximum-percent`, or run more tasks",
    );
    each(blueprint, |app| {
        let tasks = u64::from(app.tasks.desired);
        let least = (tasks * u64::from(app.deployment.minimum_healthy_percent)).div_ceil(100);
        let most = tasks * u64::from(app.deployment.maximum_percent) / 100;
        let stuck = tasks > 0 && least == tasks && most == tasks;
        stuck.then(|| {
            KIND.finding(
                format!("app.{}.deployment", app.name),
                format!(
                    "a deployment of `{}` can neither stop one of its {tasks} tasks nor start \
                     another",
                    app.name
                ),
            )
        })
    })
}

fn media_without_storage(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-A004", "set `storage.enabled = true`");
    if blueprint.file_system.is_some() {
        return Vec::new();
    }
    let shares = |app: &App| {
        let containers = &app.task_definition.containers;
        let mut mounts = containers.iter().flat_map(|it| &it.mounts);
        mounts.any(|mount| matches!(mount.source, MountSource::TaskVolume(_)) && !mount.seeded)
    };
    each(blueprint, |app| {
        shares(app).then(|| {
            KIND.finding(
                "storage.enabled",
                format!(
                    "each task of `{}` keeps uploads for itself, and they are gone with it",
                    app.name
                ),
            )
        })
    })
}

fn missing_data_stores(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::error(
        "MCK-A005",
        "leave the app's `database` out, and `cache.redis-cache` and `cache.redis-session` enabled",
    );
    each(blueprint, |app| {
        let preset = app.preset.filter(|it| *it != Preset::Php)?;
        let mut missing = Vec::new();
        if app.database_schema.is_none() {
            missing.push("a database");
        }
        if preset != Preset::WordPress {
            for name in ["redis-cache", "redis-session"] {
                if !blueprint.redis.iter().any(|it| it.name == name) {
                    missing.push(name);
                }
            }
        }
        (!missing.is_empty()).then(|| {
            KIND.finding(
                format!("app.{}", app.name),
                format!("`{}` can't run without {}", app.name, missing.join(" and ")),
            )
        })
    })
}

fn no_url(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-A006",
        "set `routing.hosts`, or `dns.public-zone` for the zone's own name",
    );
    each(blueprint, |app| {
        let needs = app.preset.is_some_and(|it| it != Preset::Php);
        let nameless = needs && app.listener_rule.is_some() && app.url.is_none();
        nameless.then(|| {
            KIND.finding(
                format!("app.{}.routing.hosts", app.name),
                format!(
                    "nobody has said under which host `{}` is found, so it has no base URL",
                    app.name
                ),
            )
        })
    })
}

fn tasks_that_fit_nowhere(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::error(
        "MCK-A007",
        "take a larger `instance-type`, or reserve less for the app's containers",
    );
    each(blueprint, |app| {
        let cluster = blueprint
            .clusters
            .iter()
            .find(|it| it.name == app.cluster)?;
        let task = &app.task_definition;
        let fits = task.cpu <= cluster.capacity.cpu && task.memory <= cluster.capacity.memory;
        (!fits).then(|| {
            KIND.finding(
                format!("cluster.{}.instance-type", cluster.name),
                format!(
                    "a task of `{}` needs {} CPU units and {}; an App Server of type {} has {} and {}",
                    app.name,
                    task.cpu,
                    task.memory,
                    cluster.instance_type,
                    cluster.capacity.cpu,
                    cluster.capacity.memory
                ),
            )
        })
    })
}
