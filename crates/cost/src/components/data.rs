//! Data stores.

use mck_blueprint::{
    Blueprint,
    model::{BackupPlan, DatabaseCluster, RedisCluster},
};

use mck_environment::settings::{RedisEngine, Throughput};

use super::{Bill, Item, gigabytes, many};
use crate::{
    Component::{Caches, Database, FileSystem, MessageBroker, Search},
    Rate,
};

pub(super) fn add(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    database(bill, &blueprint.database);
    for redis in &blueprint.redis {
        cache(bill, redis);
    }
    memcached(bill, blueprint);
    search(bill, blueprint);
    message_broker(bill, blueprint);
    file_system(bill, blueprint);
}

fn database(bill: &mut Bill<'_>, database: &DatabaseCluster) {
    let hours = bill.hours();
    let members = many(database.members.len());
    match &database.serverless {
        Some(capacity) => {
            let item = Item::new(
                Database,
                "capacity",
                format!(
                    "{} × Aurora Serverless v2 at its least, {} to {} capacity units",
                    database.members.len(),
                    capacity.minimum,
                    capacity.maximum
                ),
                (members * capacity.minimum * hours, "capacity-unit-hours"),
            );
            bill.rate(
                Rate::DatabaseCapacityUnitHour,
                item.up_to(members * capacity.maximum * hours),
            );
        }
        None => {
            let price = bill.prices.database(&database.instance_class);
            let detail = format!("{} × {}", database.members.len(), database.instance_class);
            let quantity = (members * hours, "instance-hours");
            bill.add(price, Item::new(Database, "instances", detail, quantity));
        }
    }
    let usage = bill.usage;
    for (rate, what, quantity, unit) in [
        (
            Rate::DatabaseGbMonth,
            "storage",
            usage.database_gb,
            "GB-months",
        ),
        (
            Rate::DatabaseMillionIo,
            "reads and writes of storage",
            usage.database_io_millions,
            "millions",
        ),
        (
            Rate::DatabaseBackupGbMonth,
            "backups beyond the free ones",
            usage.database_backup_gb,
            "GB-months",
        ),
    ] {
        let item = Item::new(Database, what, "Aurora Standard", (quantity, unit));
        bill.rate(rate, item.assumed());
    }
    if let Some(plan) = &database.backup_plan {
        vault(
            bill,
            Rate::VaultDatabaseGbMonth,
            Database,
            ("snapshots in the vault", plan),
            usage.database_gb,
        );
    }
}

/// Daily backups share what did not change. AWS does not say how much that is: counted is the data
/// once, and a twentieth of it again for each day that is kept, up to a month.
fn vault(
    bill: &mut Bill<'_>,
    rate: Rate,
    component: crate::Component,
    (what, plan): (&str, &BackupPlan),
    gigabytes: f64,
) {
    let days = plan.retention.as_secs_ceil() / 86_400;
    let changes = f64::from(u32::try_from(days.min(30)).unwrap_or(30)) / 20.0;
    let item = Item::new(
        component,
        what,
        format!("kept {days} days, a twentieth new each day"),
        (gigabytes * (1.0 + changes), "GB-months"),
    );
    bill.rate(rate, item.assumed());
}

fn cache(bill: &mut Bill<'_>, redis: &RedisCluster) {
    let hours = bill.hours();
    let price = bill.prices.redis(&redis.node_type, redis.engine);
    let nodes = redis.members.len();
    let engine = match redis.engine {
        RedisEngine::Redis => "Redis",
        RedisEngine::Valkey => "Valkey",
    };
    bill.add(
        price,
        Item::new(
            Caches,
            redis.name.clone(),
            format!("{nodes} × {}, {engine}", redis.node_type),
            (many(nodes) * hours, "node-hours"),
        ),
    );
}

fn memcached(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let Some(memcached) = &blueprint.memcached else {
        return;
    };
    let nodes = memcached.members.len();
    let item = Item::new(
        Caches,
        "memcached",
        format!("{nodes} × {}", memcached.node_type),
        (many(nodes) * bill.hours(), "node-hours"),
    );
    bill.add(bill.prices.memcached(&memcached.node_type), item);
}

fn search(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let Some(search) = &blueprint.search else {
        return;
    };
    let nodes = f64::from(search.nodes);
    let item = Item::new(
        Search,
        "instances",
        format!("{} × {}", search.nodes, search.instance_type),
        (nodes * bill.hours(), "instance-hours"),
    );
    bill.add(bill.prices.search(&search.instance_type), item);
    let size = gigabytes(search.volume_size);
    let detail = format!("{} × {size} GB gp3", search.nodes);
    bill.rate(
        Rate::SearchGbMonth,
        Item::new(Search, "volumes", detail, (nodes * size, "GB-months")),
    );
}

fn message_broker(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let Some(broker) = &blueprint.message_broker else {
        return;
    };
    let nodes = broker.subnets.len();
    let item = Item::new(
        MessageBroker,
        "instances",
        format!("{nodes} × {}, RabbitMQ", broker.instance_type),
        (many(nodes) * bill.hours(), "node-hours"),
    );
    bill.add(bill.prices.broker(&broker.instance_type), item);
    let item = Item::new(
        MessageBroker,
        "queues",
        format!("{} GB on each node", bill.usage.broker_gb),
        (many(nodes) * bill.usage.broker_gb, "GB-months"),
    );
    bill.rate(Rate::BrokerGbMonth, item.assumed());
}

fn file_system(bill: &mut Bill<'_>, blueprint: &Blueprint) {
    let Some(file_system) = &blueprint.file_system else {
        return;
    };
    let media = bill.usage.media_gb;
    let item = Item::new(FileSystem, "media", "EFS Standard", (media, "GB-months"));
    bill.rate(Rate::FileSystemGbMonth, item.assumed());
    if file_system.throughput == Throughput::Elastic {
        let (read, written) = (bill.usage.media_read_gb, bill.usage.media_written_gb);
        let item = Item::new(FileSystem, "media read", "elastic throughput", (read, "GB"));
        bill.rate(Rate::FileSystemReadGb, item.assumed());
        let item = Item::new(
            FileSystem,
            "media written",
            "elastic throughput",
            (written, "GB"),
        );
        bill.rate(Rate::FileSystemWrittenGb, item.assumed());
    }
    if let Some(plan) = &file_system.backup_plan {
        vault(
            bill,
            Rate::FileSystemBackupGbMonth,
            FileSystem,
            ("backups of media", plan),
            media,
        );
    }
}

/// A file system of Jenkins and its backups.
pub(super) fn jenkins_home(bill: &mut Bill<'_>, plan: Option<&BackupPlan>) {
    let size = bill.usage.jenkins_gb;
    let item = Item::new(
        FileSystem,
        "home of Jenkins",
        "EFS Standard",
        (size, "GB-months"),
    );
    bill.rate(Rate::FileSystemGbMonth, item.assumed());
    if let Some(plan) = plan {
        vault(
            bill,
            Rate::FileSystemBackupGbMonth,
            FileSystem,
            ("backups of Jenkins", plan),
            size,
        );
    }
}
