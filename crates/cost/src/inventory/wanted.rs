//! What a blueprint wants.

use mck_blueprint::{
    Blueprint,
    model::{BackupPlan, DnsProvider, Front},
};
use mck_environment::{settings::Throughput, units::Size};

use super::{
    Capacity, Cluster, Database, Endpoints, Inventory, JenkinsHome, LoadBalancer, Media, Nodes,
    Redis, Search, Server, WebAcl,
};

const SECONDS_OF_A_DAY: u64 = 86_400;

impl Inventory {
    /// What of a blueprint costs something.
    pub(crate) fn of(blueprint: &Blueprint) -> Self {
        let network = &blueprint.network;
        let database = &blueprint.database;
        // NAT gateways of an adopted VPC are its owner's.
        let nat_gateways = match network.existing {
            Some(_) => 0,
            None => network.nat_gateways.len(),
        };
        let mut containers = blueprint
            .apps
            .iter()
            .flat_map(|app| &app.task_definition.containers);
        // Of its data, of each cluster's sessions in containers, and of the topic of alarms, to which
        // with AWS's own key no service could publish.
        let sessions = blueprint.clusters.iter().filter(|it| it.exec).count();
        let keys = 1 + sessions + usize::from(!blueprint.alarms.is_empty());
        Self {
            clusters: clusters(blueprint),
            database: Some(Database {
                members: database.members.len(),
                capacity: match &database.serverless {
                    Some(units) => Capacity::Units(units.minimum, units.maximum),
                    None => Capacity::Instance(database.instance_class.clone()),
                },
                vault_days: database.backup_plan.as_ref().map(days),
            }),
            redis: redis(blueprint),
            memcached: blueprint.memcached.as_ref().map(|it| Nodes {
                count: it.members.len(),
                kind: it.node_type.clone(),
            }),
            search: blueprint.search.as_ref().map(|it| Search {
                nodes: Nodes {
                    count: usize::from(it.nodes),
                    kind: it.instance_type.clone(),
                },
                volume_gb: gigabytes(it.volume_size),
            }),
            message_broker: blueprint.message_broker.as_ref().map(|it| Nodes {
                count: it.subnets.len(),
                kind: it.instance_type.clone(),
            }),
            media: blueprint.file_system.as_ref().map(|it| Media {
                is_elastic: it.throughput == Throughput::Elastic,
                vault_days: it.backup_plan.as_ref().map(days),
            }),
            bastion: blueprint.bastion.as_ref().map(|it| Server {
                instance_type: it.instance_type.clone(),
                volume_gb: gigabytes(it.volume_size),
            }),
            jenkins: blueprint.jenkins.as_ref().map(|it| Server {
                instance_type: it.instance_type.clone(),
                volume_gb: gigabytes(it.volume_size),
            }),
            jenkins_home: blueprint.jenkins.as_ref().map(|it| JenkinsHome {
                vault_days: it.home.backup_plan.as_ref().map(days),
            }),
            nat_gateways,
            through_nat: !network.nat_gateways.is_empty(),
            endpoints: network.endpoints.as_ref().map(|it| Endpoints {
                services: it.services.len(),
                zones: network.zones.len(),
            }),
            load_balancer: Some(LoadBalancer {
                nodes: blueprint.load_balancer.nodes.len(),
            }),
            content_delivery: blueprint.content_delivery.is_some(),
            web_acl: blueprint.web_acl.as_ref().map(|it| WebAcl {
                groups: it.rule_groups.len(),
                is_of_content_delivery: it.front == Front::ContentDelivery,
            }),
            logs: true,
            flow_logs: network.flow_logs && network.existing.is_none(),
            alarms: blueprint.alarms.len(),
            dashboard: true,
            secrets: blueprint.secrets.len(),
            keys,
            private_zone: true,
            public_zone: blueprint
                .public_zone
                .as_ref()
                .is_some_and(|zone| zone.provider == DnsProvider::Route53 && zone.id.is_none()),
            images: containers.any(|container| container.made_image().is_some()),
        }
    }
}

fn clusters(blueprint: &Blueprint) -> Vec<Cluster> {
    let clusters = blueprint.clusters.iter().map(|it| Cluster {
        name: it.name.clone(),
        instance_type: it.instance_type.clone(),
        desired: it.servers.len(),
        maximum: usize::try_from(it.maximum).unwrap_or(usize::MAX),
        spot_percent: it.spot_percent,
        volume_gb: gigabytes(it.volume_size),
        warm: usize::from(it.warm_servers),
    });
    clusters.collect()
}

fn redis(blueprint: &Blueprint) -> Vec<Redis> {
    let groups = blueprint.redis.iter().map(|it| Redis {
        name: it.name.clone(),
        engine: it.engine,
        nodes: Nodes {
            count: it.members.len(),
            kind: it.node_type.clone(),
        },
    });
    groups.collect()
}

fn days(plan: &BackupPlan) -> u64 {
    plan.retention.as_secs_ceil() / SECONDS_OF_A_DAY
}

/// A size in GB as AWS bills it: GiB, in fact.
fn gigabytes(size: Size) -> f64 {
    let mib = u32::try_from(size.as_mib()).unwrap_or(u32::MAX);
    f64::from(mib) / 1024.0
}
