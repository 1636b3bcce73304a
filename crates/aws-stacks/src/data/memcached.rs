//! Memcached.

use mck_blueprint::model::{DnsTarget, MemcachedCluster};
use mck_cloudformation::resources::elasticache;

use super::{name_tag, redis, windows};
use crate::{names, security_groups, stack::Stack, synthesis::Scene};

/// The newest that ElastiCache has.
const VERSION: &str = "1.6.22";

/// Connections are not encrypted: clients would have to speak TLS, which PHP's extension `memcached`
/// does not. Nothing but cached entries is in it.
pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>, memcached: &MemcachedCluster) {
    let mode = if redis::in_several_zones(&memcached.members) {
        "cross-az"
    } else {
        "single-az"
    };
    let cluster = elasticache::CacheCluster {
        engine: "memcached".into(),
        engine_version: VERSION.into(),
        cache_node_type: memcached.node_type.as_str().into(),
        num_cache_nodes: i64::try_from(memcached.members.len())
            .unwrap_or(i64::MAX)
            .into(),
        az_mode: mode.into(),
        port: i64::from(memcached.port).into(),
        cache_subnet_group_name: redis::subnet_group().reference(),
        vpc_security_group_ids: vec![security_groups::id(stack, scene, &memcached.security_group)],
        auto_minor_version_upgrade: true.into(),
        preferred_maintenance_window: windows::CACHE_MAINTENANCE.into(),
        tags: name_tag(scene.blueprint, "memcached"),
        ..Default::default()
    };
    let id = stack
        .add("Memcached", "The nodes of Memcached", &cluster)
        .id();
    stack.hand_over(
        &names::data::cache("memcached"),
        "The cache cluster of Memcached",
        id.reference(),
    );
    stack.hand_over(
        &names::data::endpoint(&DnsTarget::Memcached),
        "The host of Memcached's nodes",
        id.attribute("ConfigurationEndpoint.Address"),
    );
}
