//! Alarms on the database, caches and the shared file system.

use mck_environment::settings::Throughput;

use super::{FIVE_MINUTES, GIB, GREATER, LESS, MIB, MINUTE, Metric, Watched, credits, metric};
use crate::{
    model::{DatabaseCluster, FileSystem, MemcachedCluster, RedisCluster, RedisPersistence},
    planning::data::DataStores,
};

const RDS: &str = "AWS/RDS";
const ELASTICACHE: &str = "AWS/ElastiCache";
/// The most clients of a node (ElastiCache, "Quotas").
const MOST_CLIENTS: f64 = 65_000.0;

pub(super) fn watch(data: &DataStores) -> Vec<Watched> {
    let mut all = database(&data.database);
    all.extend(data.redis.iter().flat_map(redis));
    all.extend(data.memcached.iter().flat_map(memcached));
    all.extend(data.file_system.as_ref().map(file_system));
    all
}

fn database(database: &DatabaseCluster) -> Vec<Watched> {
    let most = f64::from(database.max_connections);
    let mut all: Vec<(Metric, &str, &str)> = vec![
        (
            metric(
                RDS,
                "CPUUtilization",
                "Average",
                GREATER,
                80.0,
                (FIVE_MINUTES, 3),
            ),
            "cpu",
            "The database's processors are busy",
        ),
        (
            metric(
                RDS,
                "FreeableMemory",
                "Minimum",
                LESS,
                200.0 * MIB,
                (FIVE_MINUTES, 3),
            ),
            "memory",
            "The database runs out of memory",
        ),
        (
            metric(
                RDS,
                "FreeLocalStorage",
                "Minimum",
                LESS,
                2.0 * GIB,
                (FIVE_MINUTES, 2),
            ),
            "free-storage",
            "The database runs out of local storage",
        ),
        (
            metric(
                RDS,
                "DatabaseConnections",
                "Maximum",
                GREATER,
                most * 0.8,
                (MINUTE, 5),
            ),
            "connections",
            "The database is close to its greatest number of connections",
        ),
    ];
    if database.members.len() > 1 {
        all.push((
            metric(
                RDS,
                "AuroraReplicaLagMaximum",
                "Maximum",
                GREATER,
                1_000.0,
                (MINUTE, 5),
            ),
            "replica-lag",
            "Database readers are more than a second behind",
        ));
    }
    if database.serverless.is_none() && database.instance_class.starts_with("db.t") {
        all.push((
            credits(RDS),
            "cpu-credits",
            "The database has used up its CPU credits and slows down to its baseline",
        ));
    }
    if database.serverless.is_some() {
        all.push((
            metric(
                RDS,
                "ACUUtilization",
                "Maximum",
                GREATER,
                95.0,
                (FIVE_MINUTES, 3),
            ),
            "capacity",
            "The database has come to its greatest serverless capacity",
        ));
    }
    all.into_iter()
        .map(|(metric, suffix, text)| metric.of("database", format!("database-{suffix}"), text))
        .collect()
}

fn redis(redis: &RedisCluster) -> Vec<Watched> {
    // A cache is there to evict; only a flood of evictions says that it is too small.
    let tolerated = match redis.persistence {
        RedisPersistence::Durable(_) => 0.0,
        RedisPersistence::Cache => 10_000.0,
    };
    let mut all = vec![
        (
            metric(
                ELASTICACHE,
                "EngineCPUUtilization",
                "Average",
                GREATER,
                80.0,
                (MINUTE, 5),
            ),
            "cpu",
            "'s processor is busy",
        ),
        (
            metric(
                ELASTICACHE,
                "DatabaseMemoryUsagePercentage",
                "Maximum",
                GREATER,
                80.0,
                (MINUTE, 5),
            ),
            "memory",
            " is almost full",
        ),
        (
            metric(
                ELASTICACHE,
                "Evictions",
                "Sum",
                GREATER,
                tolerated,
                (FIVE_MINUTES, 3),
            ),
            "evictions",
            " throws data away for lack of memory",
        ),
        (
            metric(
                ELASTICACHE,
                "CurrConnections",
                "Maximum",
                GREATER,
                MOST_CLIENTS * 0.8,
                (MINUTE, 5),
            ),
            "connections",
            " is close to its greatest number of connections",
        ),
    ];
    if redis.members.len() > 1 {
        all.push((
            metric(
                ELASTICACHE,
                "ReplicationLag",
                "Maximum",
                GREATER,
                10.0,
                (MINUTE, 5),
            ),
            "replica-lag",
            " has replicas that are more than 10 s behind",
        ));
    }
    if redis.node_type.starts_with("cache.t") {
        all.push((
            credits(ELASTICACHE),
            "cpu-credits",
            " has used up its CPU credits",
        ));
    }
    of_cache(&redis.name, all)
}

fn memcached(memcached: &MemcachedCluster) -> Vec<Watched> {
    let mut all = vec![(
        metric(
            ELASTICACHE,
            "CPUUtilization",
            "Average",
            GREATER,
            80.0,
            (MINUTE, 5),
        ),
        "cpu",
        "'s processor is busy",
    )];
    if memcached.node_type.starts_with("cache.t") {
        all.push((
            credits(ELASTICACHE),
            "cpu-credits",
            " has used up its CPU credits",
        ));
    }
    of_cache("memcached", all)
}

fn of_cache(name: &str, all: Vec<(Metric, &str, &str)>) -> Vec<Watched> {
    all.into_iter()
        .map(|(metric, suffix, text)| {
            metric.of(name, format!("{name}-{suffix}"), format!("`{name}`{text}"))
        })
        .collect()
}

/// A file system that bursts runs out of credits; one of elastic throughput can only come to the
/// limit of its operations.
fn file_system(file_system: &FileSystem) -> Watched {
    let (metric, suffix, text) = match file_system.throughput {
        Throughput::Bursting => (
            metric(
                "AWS/EFS",
                "BurstCreditBalance",
                "Minimum",
                LESS,
                192.0 * GIB,
                (FIVE_MINUTES, 3),
            ),
            "burst-credits",
            "The shared file system runs out of burst credits and will slow down",
        ),
        Throughput::Elastic => (
            metric(
                "AWS/EFS",
                "PercentIOLimit",
                "Maximum",
                GREATER,
                95.0,
                (FIVE_MINUTES, 3),
            ),
            "io-limit",
            "The shared file system is at the limit of its operations and slows down",
        ),
    };
    metric.of(
        &file_system.name,
        format!("{}-{suffix}", file_system.name),
        text,
    )
}
