//! Redis clusters: ElastiCache replication groups.
//!
//! ElastiCache chooses the members' zones, each another one where there is more than one member:
//! named zones can't be changed (`PreferredCacheClusterAZs` is create-only), so that one replica more
//! would cost all sessions.

use mck_blueprint::{
    Blueprint,
    model::{DnsTarget, Node, RedisCluster, RedisPersistence},
};
use mck_cloudformation::{
    LogicalId, Text,
    resources::elasticache::{
        self,
        replication_group::{
            CloudWatchLogsDestinationDetails, DestinationDetails, LogDeliveryConfigurationRequest,
        },
    },
};
use mck_environment::settings::RedisEngine;

use super::{name_tag, subnets, windows};
use crate::{log_groups, names, secrets, security_groups, stack::Stack, synthesis::Scene, units};

/// Adds the clusters and what they share.
pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>, key: &LogicalId) {
    let blueprint = scene.blueprint;
    if blueprint.redis.is_empty() && blueprint.memcached.is_none() {
        return;
    }
    let group = elasticache::SubnetGroup {
        description: "Persistence subnets".into(),
        subnet_ids: subnets(stack, blueprint),
        tags: name_tag(blueprint, "cache"),
        ..Default::default()
    };
    let description = "The subnets that caches may be in";
    stack.add(subnet_group(), description, &group);
    for redis in &blueprint.redis {
        add_cluster(stack, scene, redis, key);
    }
}

/// The subnets of all caches.
pub(super) fn subnet_group() -> LogicalId {
    LogicalId::from("CacheSubnetGroup")
}

/// Whether members are in several zones.
pub(super) fn in_several_zones(members: &[Node]) -> bool {
    members.iter().any(|node| node.zone != members[0].zone)
}

fn add_cluster(stack: &mut Stack, scene: &Scene<'_>, redis: &RedisCluster, key: &LogicalId) {
    let blueprint = scene.blueprint;
    let parameters = add_parameters(stack, blueprint, redis);
    let log_group = add_log_group(stack, blueprint, redis);
    let replicated = redis.members.len() > 1;
    let engine = Engine::of(redis);
    let properties = elasticache::ReplicationGroup {
        replication_group_description: format!(
            "{} of {} {}",
            redis.name, blueprint.project, blueprint.environment
        )
        .into(),
        engine: engine.name.into(),
        engine_version: (&engine.version).into(),
        cache_node_type: redis.node_type.as_str().into(),
        num_cache_clusters: i64::try_from(redis.members.len())
            .unwrap_or(i64::MAX)
            .into(),
        automatic_failover_enabled: replicated.into(),
        multi_az_enabled: (replicated && in_several_zones(&redis.members)).into(),
        port: i64::from(redis.port).into(),
        cache_parameter_group_name: parameters.reference(),
        cache_subnet_group_name: subnet_group().reference(),
        security_group_ids: vec![security_groups::id(stack, scene, &redis.security_group)],
        at_rest_encryption_enabled: true.into(),
        kms_key_id: key.attribute("Arn"),
        transit_encryption_enabled: redis.tls.into(),
        transit_encryption_mode: if redis.tls {
            "required".into()
        } else {
            Text::Absent
        },
        auth_token: secrets::value(stack, scene, &redis.password_secret),
        auto_minor_version_upgrade: true.into(),
        preferred_maintenance_window: windows::CACHE_MAINTENANCE.into(),
        log_delivery_configurations: engine
            .logs()
            .iter()
            .map(|log| log_delivery(log, &log_group))
            .collect(),
        tags: name_tag(blueprint, &redis.name),
        ..snapshots(redis)
    };
    let description = format!("The {} with its replicas", redis.name);
    let added = stack.add(LogicalId::of(&[&redis.name]), description, &properties);
    let id = match redis.persistence {
        RedisPersistence::Durable(_) => added.snapshotted(),
        // Whatever is in it can be made again.
        RedisPersistence::Cache => added,
    }
    .id();
    hand_over(stack, redis, &id);
}

fn snapshots(redis: &RedisCluster) -> elasticache::ReplicationGroup {
    let days = units::days(redis.snapshot_retention);
    elasticache::ReplicationGroup {
        snapshot_retention_limit: days.into(),
        snapshot_window: if days == 0 {
            Text::Absent
        } else {
            windows::CACHE_SNAPSHOTS.into()
        },
        ..Default::default()
    }
}

fn add_parameters(stack: &mut Stack, blueprint: &Blueprint, redis: &RedisCluster) -> LogicalId {
    let policy = match redis.persistence {
        RedisPersistence::Cache => "allkeys-lru",
        RedisPersistence::Durable(_) => "noeviction",
    };
    let group = elasticache::ParameterGroup {
        cache_parameter_group_family: Engine::of(redis).family().into(),
        description: format!("{} of {}", redis.name, blueprint.project).into(),
        properties: [("maxmemory-policy".to_owned(), policy.into())].into(),
        tags: name_tag(blueprint, &redis.name),
    };
    let description = format!(
        "Settings of {}: what it does when memory is full",
        redis.name
    );
    let id = LogicalId::of(&[&redis.name, "parameters"]);
    stack.add(id, description, &group).id()
}

fn add_log_group(stack: &mut Stack, blueprint: &Blueprint, redis: &RedisCluster) -> LogicalId {
    let mut groups = blueprint.log_groups.iter();
    let suffix = format!("/{}", redis.name);
    let group = groups.find(|group| group.name.ends_with(&suffix));
    let group = group.expect("the blueprint has a log group for each Redis");
    let description = format!("Keeps the logs of {}", redis.name);
    log_groups::add(stack, blueprint, &group.name, &description)
}

fn log_delivery(log: &str, group: &LogicalId) -> LogDeliveryConfigurationRequest {
    LogDeliveryConfigurationRequest {
        log_type: log.into(),
        log_format: "json".into(),
        destination_type: "cloudwatch-logs".into(),
        destination_details: Some(DestinationDetails {
            cloud_watch_logs_details: Some(CloudWatchLogsDestinationDetails {
                log_group: group.reference(),
            }),
            ..Default::default()
        }),
    }
}

fn hand_over(stack: &mut Stack, redis: &RedisCluster, id: &LogicalId) {
    stack.hand_over(
        &names::data::cache(&redis.name),
        &format!("The replication group of {}", redis.name),
        id.reference(),
    );
    stack.hand_over(
        &names::data::endpoint(&DnsTarget::RedisPrimary(redis.name.clone())),
        &format!("The host of the primary of {}", redis.name),
        id.attribute("PrimaryEndPoint.Address"),
    );
}

/// An engine with its version.
struct Engine {
    name: &'static str,
    version: String,
}

impl Engine {
    /// What the blueprint says, else the newest that Magento 2.4 supports (Adobe, "System
    /// requirements") and ElastiCache has.
    fn of(redis: &RedisCluster) -> Self {
        let (name, newest) = match redis.engine {
            RedisEngine::Redis => ("redis", "7.1"),
            RedisEngine::Valkey => ("valkey", "8.1"),
        };
        let version = redis.version.as_deref().unwrap_or(newest);
        Self {
            name,
            version: version.to_owned(),
        }
    }

    fn numbers(&self) -> (u32, u32) {
        let mut numbers = self
            .version
            .split('.')
            .map(|part| part.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    /// The family of its parameter groups (ElastiCache user guide, "Engine specific parameters").
    fn family(&self) -> String {
        match (self.name, self.numbers().0) {
            ("redis", 6) => "redis6.x".to_owned(),
            ("redis", major) if major < 6 => format!("redis{major}.0"),
            (name, major) => format!("{name}{major}"),
        }
    }

    /// The logs that it delivers (ElastiCache user guide, "Log delivery").
    fn logs(&self) -> &'static [&'static str] {
        match self.numbers() {
            version if version >= (6, 2) => &["slow-log", "engine-log"],
            version if version >= (6, 0) => &["slow-log"],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Engine;

    #[test]
    fn a_version_has_its_family_and_its_logs() {
        let cases = [
            ("redis", "7.1", "redis7", 2),
            ("redis", "6.2", "redis6.x", 2),
            ("redis", "6.0", "redis6.x", 1),
            ("redis", "5.0.6", "redis5.0", 0),
            ("valkey", "8.1", "valkey8", 2),
        ];
        for (name, version, family, logs) in cases {
            let engine = Engine {
                name,
                version: version.to_owned(),
            };
            assert_eq!(engine.family(), family);
            assert_eq!(engine.logs().len(), logs, "{name} {version}");
        }
    }
}
