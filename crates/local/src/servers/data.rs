//! Database, Redis and Memcached.

use std::time::Duration;

use mck_blueprint::model::{
    DatabaseCluster, MemcachedCluster, Node, RedisCluster, RedisPersistence,
};
use mck_environment::settings::AppendFsync;
use mck_server_config::{
    mariadb, memcached,
    redis::{self, Fsync, Instance, Purpose, Replication},
    secret::Secret,
};

use super::{Context, Readiness, ServerError, ServerPlan, position, private_file, root_file};
use crate::container::BindMount;

/// The redo log of a local database server: small, so that a new one is made quickly.
pub const REDO_LOG_MIB: u32 = 8;

const OPTION_FILE: &str = "/etc/mck/mariadb.cnf";
const REDIS_FILE: &str = "/etc/mck/redis.conf";
const DATABASE_FOLDER: &str = "/var/lib/mysql";

/// A member of the database cluster in the role that it now has.
///
/// # Errors
/// When MariaDB's user is missing or a value does not fit its option file.
pub fn database(
    context: &Context,
    cluster: &DatabaseCluster,
    node: &Node,
    role: mariadb::Role,
    start: mariadb::Start,
) -> Result<ServerPlan, ServerError> {
    let number = u32::try_from(position(&cluster.members, &node.name)).unwrap_or(0) + 1;
    let member = mariadb::Member {
        port: cluster.port,
        memory_mebibytes: u32::try_from(cluster.memory.as_mib()).unwrap_or(u32::MAX),
        log_file_mebibytes: REDO_LOG_MIB,
        max_connections: cluster.max_connections.into(),
        semi_sync_timeout_milliseconds: SEMI_SYNC_TIMEOUT
            .as_millis()
            .try_into()
            .unwrap_or(u64::MAX),
        ..mariadb::Member::new(number, role, node.address.into())
    };
    let command = mariadb::command_line(OPTION_FILE, start);
    let mut plan = context.server(&node.name, "mysql", command, Readiness::Tcp(cluster.port))?;
    plan.container
        .files
        .push(root_file(OPTION_FILE, mariadb::render(&member)?));
    plan.container.stop_signal = mariadb::STOP_SIGNAL.to_owned();
    plan.container.stop_timeout = Duration::from_secs(60);
    bind_data(context, &mut plan, &node.name, DATABASE_FOLDER);
    Ok(plan)
}

/// How long a commit waits for a reader to have received it. Longer than a failover or a reader's
/// restart takes, so that an acknowledged write is in two zones; then the writer goes on alone, as a
/// store that takes no orders is worth less than one with a single copy.
pub const SEMI_SYNC_TIMEOUT: Duration = Duration::from_secs(30);

/// A member of a Redis cluster, following `primary` unless it is that itself.
///
/// # Errors
/// When Redis' user is missing or a value does not fit its configuration.
pub fn redis(
    context: &Context,
    cluster: &RedisCluster,
    node: &Node,
    primary: &Node,
) -> Result<ServerPlan, ServerError> {
    let purpose = match cluster.persistence {
        RedisPersistence::Cache => Purpose::Cache,
        RedisPersistence::Durable(fsync) => Purpose::Session {
            fsync: match fsync {
                AppendFsync::Always => Fsync::Always,
                AppendFsync::Everysec => Fsync::EverySecond,
            },
            min_replicas_to_write: 0,
        },
    };
    let memory = u32::try_from(cluster.memory.as_mib()).unwrap_or(u32::MAX);
    let mut instance = Instance::new(purpose, node.address.into(), memory);
    instance.port = cluster.port;
    if node.name != primary.name {
        instance.replication = Replication::Replica {
            primary: primary.address.into(),
            port: cluster.port,
        };
    }
    let command = redis::command_line(REDIS_FILE);
    let mut plan = context.server(&node.name, "redis", command, Readiness::Tcp(cluster.port))?;
    let application = Secret::new(context.secrets.value(&cluster.password_secret).to_owned());
    let control = Secret::new(
        context
            .secrets
            .value(&control_secret(&cluster.name))
            .to_owned(),
    );
    let secrets = redis::render_secrets(&application, &control)?;
    let user = plan.container.user.clone();
    plan.container
        .files
        .push(root_file(REDIS_FILE, redis::render(&instance)?));
    plan.container.files.push(private_file(
        &instance.secrets_file,
        secrets.expose(),
        &user,
    ));
    plan.container.stop_signal = redis::STOP_SIGNAL.to_owned();
    plan.container.stop_timeout = Duration::from_secs(20);
    bind_data(context, &mut plan, &node.name, &instance.data_directory);
    Ok(plan)
}

/// The secret of the account by which the supervisor and the replicas reach a Redis cluster; only
/// the local target has one.
pub fn control_secret(cluster: &str) -> String {
    format!("local/{cluster}-control")
}

/// The secret of the account by which the readers follow the writer; only the local target has one.
pub fn replication_secret() -> &'static str {
    "local/database-replication"
}

/// A Memcached node.
///
/// # Errors
/// When its user is missing or a value does not fit its command line.
pub fn memcached(
    context: &Context,
    cluster: &MemcachedCluster,
    node: &Node,
) -> Result<ServerPlan, ServerError> {
    let memory = u32::try_from(cluster.memory.as_mib()).unwrap_or(u32::MAX);
    let mut options = memcached::Memcached::new(node.address.into(), memory);
    options.port = cluster.port;
    let command = memcached::command_line(&options)?;
    let mut plan = context.server(
        &node.name,
        "memcache",
        command,
        Readiness::Tcp(cluster.port),
    )?;
    plan.container.stop_signal = memcached::STOP_SIGNAL.to_owned();
    Ok(plan)
}

fn bind_data(context: &Context, plan: &mut ServerPlan, node: &str, path: &str) {
    let source = context.layout.data(node);
    plan.container
        .folders
        .push((source.clone(), plan.container.user.clone()));
    plan.container.binds.push(BindMount {
        source,
        path: path.to_owned(),
        read_only: false,
    });
}
