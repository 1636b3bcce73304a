//! Data stores.

use std::collections::BTreeSet;

use mck_blueprint::{
    Blueprint,
    model::{Node, RedisPersistence},
};
use mck_environment::units::Duration;

use crate::{Check, Finding, Kind, is_aws, is_production};

pub(crate) const CHECKS: &[Check] = &[
    readers,
    one_zone,
    replicas,
    short_backups,
    burstable_database,
    burstable_caches,
    deletion_protection,
    file_system_backups,
    session_snapshots,
    blind_database,
];

fn readers(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-D001", "set `readers = 1` or more");
    KIND.when(
        is_production(blueprint) && blueprint.database.members.len() < 2,
        "database.readers",
        "the database has no reader that could take over when the writer is lost",
    )
}

fn is_in_one_zone(members: &[Node]) -> bool {
    let zones: BTreeSet<&str> = members.iter().map(|it| it.zone.as_str()).collect();
    members.len() > 1 && zones.len() == 1
}

fn one_zone(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-D002", "name more than one zone in `network.zones`");
    let redis = blueprint.redis.iter().map(|it| &it.members);
    let mut all = redis.chain([&blueprint.database.members]);
    KIND.when(
        is_production(blueprint) && all.any(|members| is_in_one_zone(members)),
        "network.zones",
        "all members of a data store are in one zone and are lost with it",
    )
}

fn replicas(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-D003", "set `replicas = 1` or more");
    if !is_production(blueprint) {
        return Vec::new();
    }
    let alone = blueprint.redis.iter().filter(|it| it.members.len() < 2);
    alone
        .map(|redis| {
            KIND.finding(
                format!("cache.{}.replicas", redis.name),
                format!("`{}` has no replica that could take over", redis.name),
            )
        })
        .collect()
}

fn short_backups(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-D004", "keep backups for 7 days or longer");
    let retention = blueprint.database.backups.retention;
    KIND.when(
        is_production(blueprint) && retention < Duration::from_days(7),
        "database.backups.retention",
        &format!(
            "database backups are gone after {retention}: a mistake found later can't be undone"
        ),
    )
}

fn burstable_database(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-D005",
        "take a class such as `db.r6g.large`, or `serverless`",
    );
    let database = &blueprint.database;
    KIND.when(
        is_production(blueprint)
            && is_aws(blueprint)
            && database.serverless.is_none()
            && database.instance_class.starts_with("db.t"),
        "database.instance-class",
        "the database's CPU is in credits: under a long load it slows down to its baseline",
    )
}

fn burstable_caches(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note(
        "MCK-D006",
        "fine for most shops; take a type such as `cache.r7g.large` for a steady high load",
    );
    if !is_production(blueprint) || !is_aws(blueprint) {
        return Vec::new();
    }
    let redis = blueprint
        .redis
        .iter()
        .map(|it| (it.name.as_str(), &it.node_type));
    let memcached = blueprint
        .memcached
        .iter()
        .map(|it| ("memcached", &it.node_type));
    redis
        .chain(memcached)
        .filter(|(_, node_type)| node_type.starts_with("cache.t"))
        .map(|(name, node_type)| {
            KIND.finding(
                format!("cache.{name}.node-type"),
                format!("the CPU of `{name}` ({node_type}) is in credits"),
            )
        })
        .collect()
}

fn deletion_protection(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning(
        "MCK-D007",
        "leave `deletion-protection` out, or set it to true",
    );
    KIND.when(
        is_production(blueprint) && is_aws(blueprint) && !blueprint.database.deletion_protection,
        "database.deletion-protection",
        "the production database can be deleted by one call",
    )
}

fn file_system_backups(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::warning("MCK-D008", "set `backups = true`");
    let unsaved = blueprint
        .file_system
        .as_ref()
        .is_some_and(|it| it.backup_plan.is_none());
    KIND.when(
        is_production(blueprint) && is_aws(blueprint) && unsaved,
        "storage.backups",
        "media on the shared file system have no backup",
    )
}

fn session_snapshots(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note("MCK-D009", "set `snapshot-retention = \"7d\"`");
    let mut durable = blueprint
        .redis
        .iter()
        .filter(|it| matches!(it.persistence, RedisPersistence::Durable(_)));
    KIND.when(
        is_production(blueprint)
            && is_aws(blueprint)
            && durable.any(|it| it.snapshot_retention == Duration::from_days(0)),
        "cache.redis-session.snapshot-retention",
        "sessions and carts of visitors have no backup",
    )
}

fn blind_database(blueprint: &Blueprint) -> Vec<Finding> {
    const KIND: Kind = Kind::note(
        "MCK-D010",
        "leave `performance-insights`, `monitoring-interval` and `log-exports` out",
    );
    let database = &blueprint.database;
    let blind = !database.performance_insights
        && database.monitoring_interval == Duration::from_days(0)
        && database.log_exports.is_empty();
    KIND.when(
        is_production(blueprint) && is_aws(blueprint) && blind,
        "database.performance-insights",
        "nothing will say why the database is slow: it keeps no samples and no logs",
    )
}
