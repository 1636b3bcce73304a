//! Service discovery: the names of the private zone.

use super::{
    context::Context,
    data::{DataStores, REDIS_CACHE, REDIS_SESSION},
};
use crate::model::{DnsRecord, DnsTarget, PrivateZone};

/// Host names in the private zone, before the region.
pub(super) mod host {
    pub(in crate::planning) const DATABASE: &str = "db";
    pub(in crate::planning) const DATABASE_READERS: &str = "db-ro";
    pub(in crate::planning) const FILE_SYSTEM: &str = "media.efs";
    pub(in crate::planning) const MEMCACHED: &str = "memcached";
    pub(in crate::planning) const SEARCH: &str = "search";
    pub(in crate::planning) const MESSAGE_BROKER: &str = "message-broker";
}

pub(super) fn plan(context: &Context<'_>, data: &DataStores) -> PrivateZone {
    let record = |host: &str, description: &str, target: DnsTarget| DnsRecord {
        name: context.private_name(host),
        description: description.to_owned(),
        target,
    };
    let mut records = vec![
        record(host::DATABASE, "Aurora Database", DnsTarget::DatabaseWriter),
        record(
            host::DATABASE_READERS,
            "Aurora Database, readers",
            DnsTarget::DatabaseReaders,
        ),
    ];
    if data.file_system.is_some() {
        records.push(record(
            host::FILE_SYSTEM,
            "EFS Filesystem",
            DnsTarget::FileSystem,
        ));
    }
    for (name, description) in [
        (REDIS_CACHE, "Redis Cache Cluster"),
        (REDIS_SESSION, "Redis Session Cluster"),
    ] {
        if data.redis(name).is_some() {
            records.push(record(
                name,
                description,
                DnsTarget::RedisPrimary(name.to_owned()),
            ));
        }
    }
    if data.memcached.is_some() {
        records.push(record(
            host::MEMCACHED,
            "Memcached Cluster",
            DnsTarget::Memcached,
        ));
    }
    if data.search.is_some() {
        records.push(record(host::SEARCH, "OpenSearch Domain", DnsTarget::Search));
    }
    if data.message_broker.is_some() {
        records.push(record(
            host::MESSAGE_BROKER,
            "RabbitMQ Broker",
            DnsTarget::MessageBroker,
        ));
    }
    PrivateZone {
        name: context.settings.dns.private_zone.clone(),
        ttl: context.settings.dns.ttl,
        records,
    }
}
