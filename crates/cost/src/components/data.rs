//! Data stores.

use mck_environment::settings::RedisEngine;

use super::{Bill, Item, many};
use crate::{
    Component::{Caches, Database, FileSystem, MessageBroker, Search},
    Rate,
    inventory::{self, Capacity, Inventory, JenkinsHome, Redis},
};

pub(super) fn add(bill: &mut Bill<'_>, inventory: &Inventory) {
    if let Some(cluster) = &inventory.database {
        database(bill, cluster);
    }
    for redis in &inventory.redis {
        cache(bill, redis);
    }
    memcached(bill, inventory);
    search(bill, inventory);
    message_broker(bill, inventory);
    file_system(bill, inventory);
}

fn database(bill: &mut Bill<'_>, database: &inventory::Database) {
    let hours = bill.hours();
    let members = many(database.members);
    match &database.capacity {
        Capacity::Units(minimum, maximum) => {
            let item = Item::new(
                Database,
                "capacity",
                format!(
                    "{} × Aurora Serverless v2 at its least, {minimum} to {maximum} capacity units",
                    database.members
                ),
                (members * minimum * hours, "capacity-unit-hours"),
            );
            bill.rate(
                Rate::DatabaseCapacityUnitHour,
                item.up_to(members * maximum * hours),
            );
        }
        Capacity::Instance(class) => {
            let price = bill.prices.database(class);
            let detail = format!("{} × {class}", database.members);
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
    if let Some(days) = database.vault_days {
        vault(
            bill,
            Rate::VaultDatabaseGbMonth,
            Database,
            ("snapshots in the vault", days),
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
    (what, days): (&str, u64),
    gigabytes: f64,
) {
    let changes = f64::from(u32::try_from(days.min(30)).unwrap_or(30)) / 20.0;
    let item = Item::new(
        component,
        what,
        format!("kept {days} days, a twentieth new each day"),
        (gigabytes * (1.0 + changes), "GB-months"),
    );
    bill.rate(rate, item.assumed());
}

fn cache(bill: &mut Bill<'_>, redis: &Redis) {
    let hours = bill.hours();
    let price = bill.prices.redis(&redis.nodes.kind, redis.engine);
    let nodes = redis.nodes.count;
    let engine = match redis.engine {
        RedisEngine::Redis => "Redis",
        RedisEngine::Valkey => "Valkey",
    };
    bill.add(
        price,
        Item::new(
            Caches,
            redis.name.clone(),
            format!("{nodes} × {}, {engine}", redis.nodes.kind),
            (many(nodes) * hours, "node-hours"),
        ),
    );
}

fn memcached(bill: &mut Bill<'_>, inventory: &Inventory) {
    let Some(memcached) = &inventory.memcached else {
        return;
    };
    let nodes = memcached.count;
    let item = Item::new(
        Caches,
        "memcached",
        format!("{nodes} × {}", memcached.kind),
        (many(nodes) * bill.hours(), "node-hours"),
    );
    bill.add(bill.prices.memcached(&memcached.kind), item);
}

fn search(bill: &mut Bill<'_>, inventory: &Inventory) {
    let Some(search) = &inventory.search else {
        return;
    };
    let nodes = many(search.nodes.count);
    let item = Item::new(
        Search,
        "instances",
        format!("{} × {}", search.nodes.count, search.nodes.kind),
        (nodes * bill.hours(), "instance-hours"),
    );
    bill.add(bill.prices.search(&search.nodes.kind), item);
    let size = search.volume_gb;
    let detail = format!("{} × {size} GB gp3", search.nodes.count);
    bill.rate(
        Rate::SearchGbMonth,
        Item::new(Search, "volumes", detail, (nodes * size, "GB-months")),
    );
}

fn message_broker(bill: &mut Bill<'_>, inventory: &Inventory) {
    let Some(broker) = &inventory.message_broker else {
        return;
    };
    let nodes = broker.count;
    let item = Item::new(
        MessageBroker,
        "instances",
        format!("{nodes} × {}, RabbitMQ", broker.kind),
        (many(nodes) * bill.hours(), "node-hours"),
    );
    bill.add(bill.prices.broker(&broker.kind), item);
    let item = Item::new(
        MessageBroker,
        "queues",
        format!("{} GB on each node", bill.usage.broker_gb),
        (many(nodes) * bill.usage.broker_gb, "GB-months"),
    );
    bill.rate(Rate::BrokerGbMonth, item.assumed());
}

fn file_system(bill: &mut Bill<'_>, inventory: &Inventory) {
    let Some(file_system) = &inventory.media else {
        return;
    };
    let media = bill.usage.media_gb;
    let item = Item::new(FileSystem, "media", "EFS Standard", (media, "GB-months"));
    bill.rate(Rate::FileSystemGbMonth, item.assumed());
    if file_system.is_elastic {
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
    if let Some(days) = file_system.vault_days {
        vault(
            bill,
            Rate::FileSystemBackupGbMonth,
            FileSystem,
            ("backups of media", days),
            media,
        );
    }
}

/// A file system of Jenkins and its backups.
pub(super) fn jenkins_home(bill: &mut Bill<'_>, home: &JenkinsHome) {
    let size = bill.usage.jenkins_gb;
    let item = Item::new(
        FileSystem,
        "home of Jenkins",
        "EFS Standard",
        (size, "GB-months"),
    );
    bill.rate(Rate::FileSystemGbMonth, item.assumed());
    if let Some(days) = home.vault_days {
        vault(
            bill,
            Rate::FileSystemBackupGbMonth,
            FileSystem,
            ("backups of Jenkins", days),
            size,
        );
    }
}
