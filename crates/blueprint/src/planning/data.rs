//! Data stores in the persistence tier.

use std::collections::BTreeSet;

use mck_environment::{
    settings::{Database, DatabaseLog, Redis, Target},
    units::Duration,
};

use super::{
    PlanningError,
    addresses::Addresses,
    context::Context,
    groups,
    secrets::{PASSWORD_LENGTH, Secrets},
    services,
};
use crate::model::{
    BackupPlan, DatabaseCluster, DatabaseSchema, FileSystem, MemcachedCluster, MessageBroker,
    Network, Node, RedisCluster, RedisPersistence, SearchDomain, SecurityGroupName, Tier,
};

/// The offset of a zone's mount target; kept free where there is no file system, so that switching
/// it on moves nothing.
const MOUNT_TARGET_OFFSET: u32 = 4;
/// The offset from which other data stores get addresses.
const STORE_OFFSET: u32 = 5;

/// When the database's snapshots in a backup vault are taken: daily.
const DATABASE_BACKUP_SCHEDULE: &str = "cron(0 4 ? * * *)";

/// The name of the Redis cluster for caches.
pub(super) const REDIS_CACHE: &str = "redis-cache";
/// The name of the Redis cluster for sessions.
pub(super) const REDIS_SESSION: &str = "redis-session";

/// All data stores.
pub(super) struct DataStores {
    pub(super) database: DatabaseCluster,
    pub(super) redis: Vec<RedisCluster>,
    pub(super) memcached: Option<MemcachedCluster>,
    pub(super) file_system: Option<FileSystem>,
    pub(super) search: Option<SearchDomain>,
    pub(super) message_broker: Option<MessageBroker>,
}

impl DataStores {
    pub(super) fn redis(&self, name: &str) -> Option<&RedisCluster> {
        self.redis.iter().find(|cluster| cluster.name == name)
    }
}

pub(super) fn plan(
    context: &Context<'_>,
    network: &Network,
    addresses: &mut Addresses<'_>,
    secrets: &mut Secrets,
) -> Result<DataStores, PlanningError> {
    let file_system = plan_file_system(context, network, addresses)?;
    let database = plan_database(context, addresses, secrets)?;
    let cache = &context.settings.cache;
    let mut redis = Vec::new();
    // Primaries start in different zones, so that losing one zone loses one primary.
    for (name, settings, first_zone) in [
        (REDIS_CACHE, &cache.redis_cache, 1),
        (REDIS_SESSION, &cache.redis_session, 2),
    ] {
        if settings.enabled {
            redis.push(plan_redis(
                context, name, settings, first_zone, addresses, secrets,
            )?);
        }
    }
    let memcached = match &cache.memcached {
        None => None,
        Some(settings) => {
            let group = groups::memcached();
            Some(MemcachedCluster {
                node_type: settings.node_type.clone(),
                members: members("memcached", settings.nodes.into(), 0, &group, addresses)?,
                port: 11_211,
                memory: settings.memory,
                security_group: group,
            })
        }
    };
    Ok(DataStores {
        database,
        redis,
        memcached,
        file_system,
        search: services::plan_search(context, network, secrets),
        message_broker: services::plan_message_broker(context, network, secrets),
    })
}

/// Members of a cluster, one zone after the other.
fn members(
    name: &str,
    count: usize,
    first_zone: usize,
    group: &SecurityGroupName,
    addresses: &mut Addresses<'_>,
) -> Result<Vec<Node>, PlanningError> {
    (0..count)
        .map(|index| {
            addresses.node(
                format!("{name}-{index}"),
                Tier::Persistence,
                first_zone + index,
                STORE_OFFSET,
                group,
            )
        })
        .collect()
}

fn plan_file_system(
    context: &Context<'_>,
    network: &Network,
    addresses: &mut Addresses<'_>,
) -> Result<Option<FileSystem>, PlanningError> {
    let settings = &context.settings.storage;
    if !settings.enabled {
        return Ok(None);
    }
    let group = groups::file_system();
    let mount_targets = network
        .zones
        .iter()
        .enumerate()
        .map(|(index, zone)| {
            addresses.node(
                format!("media-{}", zone.letter),
                Tier::Persistence,
                index,
                MOUNT_TARGET_OFFSET,
                &group,
            )
        })
        .collect::<Result<_, _>>()?;
    Ok(Some(FileSystem {
        name: "media".to_owned(),
        mount_targets,
        port: 2_049,
        backup_plan: settings.backups.then(|| storage_backup_plan(context)),
        throughput: settings.throughput,
        infrequent_access_after: settings.infrequent_access_after,
        security_group: group,
    }))
}

/// When file systems are backed up, and for how long.
pub(super) fn storage_backup_plan(context: &Context<'_>) -> BackupPlan {
    let settings = &context.settings.storage;
    BackupPlan {
        schedule: settings.backup_schedule.clone(),
        retention: settings.backup_retention,
    }
}

/// Aurora has Performance Insights for all classes but burstable ones (Amazon Aurora user guide,
/// "Amazon RDS Performance Insights").
fn performance_insights(settings: &Database) -> bool {
    let burstable = settings.serverless.is_none() && settings.instance_class.starts_with("db.t");
    settings.performance_insights.unwrap_or(!burstable)
}

/// The logs to export, each once and in order.
fn log_exports(settings: &Database) -> Vec<DatabaseLog> {
    let logs: BTreeSet<DatabaseLog> = settings.log_exports.iter().copied().collect();
    logs.into_iter().collect()
}

fn plan_database(
    context: &Context<'_>,
    addresses: &mut Addresses<'_>,
    secrets: &mut Secrets,
) -> Result<DatabaseCluster, PlanningError> {
    let settings = &context.settings.database;
    let group = groups::database();
    Ok(DatabaseCluster {
        instance_class: settings.instance_class.clone(),
        serverless: settings.serverless,
        version: settings.version.clone(),
        members: members(
            "db",
            usize::from(settings.readers) + 1,
            0,
            &group,
            addresses,
        )?,
        port: 3_306,
        schemas: schemas(context, secrets),
        master_password_secret: secrets.generated(
            "database-master-password".to_owned(),
            "Password of the database's master user".to_owned(),
            PASSWORD_LENGTH,
        ),
        backups: settings.backups.clone(),
        backup_plan: settings
            .backups
            .vault_retention
            .map(|retention| BackupPlan {
                schedule: DATABASE_BACKUP_SCHEDULE.to_owned(),
                retention,
            }),
        performance_insights: performance_insights(settings),
        monitoring_interval: settings.monitoring_interval,
        log_exports: log_exports(settings),
        slow_query_after: settings.slow_query_after,
        deletion_protection: settings
            .deletion_protection
            .unwrap_or(context.is_production() && context.target == Target::Aws),
        memory: settings.memory,
        max_connections: settings.max_connections,
        security_group: group,
    })
}

/// The name of an app's schema; none where it has none. A schema can't have the app's hyphens
/// without quotes in every statement.
pub(super) fn schema_name(context: &Context<'_>, app: &str) -> Option<String> {
    match context.settings.app.get(app)?.database.as_deref() {
        None => Some(app.replace('-', "_")),
        Some("") => None,
        Some(name) => Some(name.to_owned()),
    }
}

/// Whether a schema has the name that it gets where the file says nothing, as [`schema_name`] makes
/// it; without a copy, since every app is compared with every other.
fn is_named_after(schema: &str, app: &str) -> bool {
    let bytes = app.bytes();
    bytes
        .map(|byte| if byte == b'-' { b'_' } else { byte })
        .eq(schema.bytes())
}

/// The name of the store that an app belongs to. Apps of one schema are one store, such as a shop and
/// its administration on a cluster of its own: they share keys, caches and media under this name.
/// It is that of the app whose own schema it is, else the schema's, so that it stays the same
/// when apps join.
pub(super) fn store(context: &Context<'_>, app: &str) -> String {
    let Some(schema) = schema_name(context, app) else {
        return app.to_owned();
    };
    owner(context, &schema).map_or_else(
        || schema.to_lowercase().replace('_', "-"),
        ToOwned::to_owned,
    )
}

/// The app that a schema is named after without having been told so.
fn owner<'a>(context: &Context<'a>, schema: &str) -> Option<&'a str> {
    let mut apps = context.settings.app.iter();
    apps.find(|(name, settings)| settings.database.is_none() && is_named_after(schema, name))
        .map(|(name, _)| name.as_str())
}

/// The app that does what a store needs once, such as cron: the owner of the schema, else the first
/// app with a preset, else the first.
pub(super) fn leader<'a>(context: &Context<'a>, app: &'a str) -> &'a str {
    let Some(schema) = schema_name(context, app) else {
        return app;
    };
    let mut members =
        context
            .settings
            .app
            .iter()
            .filter(|(name, settings)| match &settings.database {
                None => is_named_after(&schema, name),
                Some(named) => *named == schema,
            });
    let first = members.clone().next();
    owner(context, &schema).unwrap_or_else(|| {
        members
            .find(|(_, settings)| settings.preset.is_some())
            .or(first)
            .map_or(app, |(name, _)| name)
    })
}

/// One schema for each store.
fn schemas(context: &Context<'_>, secrets: &mut Secrets) -> Vec<DatabaseSchema> {
    let mut schemas: Vec<DatabaseSchema> = Vec::new();
    for app in context.settings.app.keys() {
        let Some(name) = schema_name(context, app) else {
            continue;
        };
        if schemas.iter().any(|schema| schema.name == name) {
            continue;
        }
        let password_secret = secrets.generated(
            format!("{}-database-password", store(context, app)),
            format!("Password of the database user `{name}`"),
            PASSWORD_LENGTH,
        );
        schemas.push(DatabaseSchema {
            user: name.clone(),
            name,
            password_secret,
        });
    }
    schemas
}

fn plan_redis(
    context: &Context<'_>,
    name: &str,
    settings: &Redis,
    first_zone: usize,
    addresses: &mut Addresses<'_>,
    secrets: &mut Secrets,
) -> Result<RedisCluster, PlanningError> {
    let group = groups::redis(name);
    let durable = name == REDIS_SESSION;
    let default_retention = Duration::from_days(if durable { 7 } else { 0 });
    Ok(RedisCluster {
        name: name.to_owned(),
        engine: settings.engine,
        version: settings.version.clone(),
        node_type: settings.node_type.clone(),
        members: members(
            name,
            usize::from(settings.replicas) + 1,
            first_zone,
            &group,
            addresses,
        )?,
        port: 6_379,
        memory: settings.memory,
        tls: !context.is_local(),
        persistence: if durable {
            RedisPersistence::Durable(settings.append_fsync)
        } else {
            RedisPersistence::Cache
        },
        snapshot_retention: settings.snapshot_retention.unwrap_or(default_retention),
        password_secret: secrets.generated(
            format!("{name}-password"),
            format!("Password of `{name}`"),
            PASSWORD_LENGTH,
        ),
        security_group: group,
    })
}
