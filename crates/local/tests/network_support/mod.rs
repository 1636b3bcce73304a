//! A blueprint by hand, small but with every role, and what tests of the network share.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

pub mod real;

use std::{collections::BTreeMap, net::Ipv4Addr};

use mck_blueprint::{
    Blueprint,
    model::{
        AccessRule, Bastion, DatabaseCluster, FileSystem, Jenkins, Listener, LoadBalancer,
        MemcachedCluster, NatGateway, Network, Node, Peer, PortRange, PrivateZone, Protocol,
        RedisCluster, RedisPersistence, Route, SecurityGroupName, Subnet, Tier, Zone,
    },
};
use mck_environment::{
    settings::{Algorithm, Backups, RedisEngine, Target},
    units::{Duration, Size},
};
use mck_local::{
    id::EnvironmentId,
    network::{Attachment, NetworkPlan},
};

pub const ANYWHERE: &str = "0.0.0.0/0";
/// Where the Bastion may be reached from.
pub const OFFICE: &str = "203.0.113.0/28";

pub fn group(name: &str) -> SecurityGroupName {
    SecurityGroupName(name.to_owned())
}

pub fn allow(from: Peer, to: Peer, port: u16, reason: &str) -> AccessRule {
    AccessRule {
        from,
        to,
        protocol: Protocol::Tcp,
        ports: PortRange::single(port),
        reason: reason.to_owned(),
    }
}

pub fn members_of(name: &str) -> Peer {
    Peer::Group(group(name))
}

pub fn range(range: &str) -> Peer {
    Peer::Range(range.to_owned())
}

/// The access graph of the reference architecture.
pub fn access() -> Vec<AccessRule> {
    let mut rules = vec![
        allow(range(ANYWHERE), members_of("load-balancer"), 80, "Visitors"),
        allow(
            range(ANYWHERE),
            members_of("load-balancer"),
            443,
            "Visitors, encrypted",
        ),
        allow(range(OFFICE), members_of("bastion"), 22, "Operators log in"),
        allow(
            members_of("load-balancer"),
            members_of("app-shop"),
            8080,
            "Requests to the app",
        ),
        allow(
            members_of("load-balancer"),
            members_of("jenkins"),
            8080,
            "Requests to Jenkins",
        ),
        allow(
            members_of("bastion"),
            members_of("servers-app"),
            22,
            "Operators log in",
        ),
        allow(
            members_of("bastion"),
            members_of("database"),
            3306,
            "Operators' database shell",
        ),
        allow(
            members_of("app-shop"),
            members_of("database"),
            3306,
            "The app's \"schema\"\nand more",
        ),
        allow(
            members_of("app-shop"),
            members_of("redis-cache"),
            6379,
            "Magento's cache",
        ),
        allow(
            members_of("app-shop"),
            members_of("redis-session"),
            6379,
            "Magento's sessions",
        ),
        allow(
            members_of("app-shop"),
            members_of("memcached"),
            11211,
            "Memcached",
        ),
        allow(
            members_of("app-shop"),
            members_of("file-system"),
            2049,
            "Media",
        ),
        allow(
            members_of("database"),
            members_of("database"),
            3306,
            "Replication",
        ),
        allow(
            members_of("redis-cache"),
            members_of("redis-cache"),
            6379,
            "Replication",
        ),
    ];
    for source in ["app-shop", "servers-app", "jenkins"] {
        rules.push(allow(
            members_of(source),
            range(ANYWHERE),
            443,
            "Vendors and updates",
        ));
        rules.push(allow(members_of(source), range(ANYWHERE), 80, "Updates"));
    }
    rules
}

fn zone(letter: &str) -> String {
    format!("us-east-1{letter}")
}

/// A node with the last octet in the subnet of a tier; subnets as in `network`.
fn node(name: &str, tier: Tier, zone_index: u8, last: u8, security_group: &str) -> Node {
    let (letter, third) = place(tier, zone_index);
    let tier = match tier {
        Tier::Public => "public",
        Tier::App => "app",
        Tier::Persistence => "persistence",
    };
    Node {
        name: name.to_owned(),
        zone: zone(letter),
        subnet: format!("{tier}-{letter}"),
        address: Ipv4Addr::new(172, 31, third, last),
        security_group: group(security_group),
    }
}

fn place(tier: Tier, zone_index: u8) -> (&'static str, u8) {
    let first = match tier {
        Tier::Public => 0,
        Tier::App => 3,
        Tier::Persistence => 6,
    };
    (["a", "b", "c"][usize::from(zone_index)], first + zone_index)
}

pub fn network() -> Network {
    let subnets = [Tier::Public, Tier::App, Tier::Persistence]
        .into_iter()
        .flat_map(|tier| {
            (0..3).map(move |index| {
                let (letter, third) = place(tier, index);
                let (name, route) = match tier {
                    Tier::Public => ("public", Route::InternetGateway),
                    Tier::App => ("app", Route::NatGateway(format!("nat-{letter}"))),
                    Tier::Persistence => ("persistence", Route::None),
                };
                Subnet {
                    name: format!("{name}-{letter}"),
                    tier,
                    zone: zone(letter),
                    cidr: format!("172.31.{third}.0/24").parse().unwrap(),
                    route,
                    server_addresses: None,
                    task_addresses: None,
                }
            })
        });
    let letters = ["a", "b", "c"];
    Network {
        cidr: "172.31.0.0/16".parse().unwrap(),
        resolver: Ipv4Addr::new(172, 31, 0, 2),
        zones: letters
            .map(|letter| Zone {
                name: zone(letter),
                letter: letter.to_owned(),
            })
            .to_vec(),
        subnets: subnets.collect(),
        nat_gateways: letters
            .iter()
            .zip(0..)
            .map(|(letter, index)| NatGateway {
                name: format!("nat-{letter}"),
                zone: zone(letter),
                subnet: format!("public-{letter}"),
                address: Ipv4Addr::new(172, 31, index, 4),
            })
            .collect(),
        ipv6: false,
        flow_logs: false,
        existing: None,
    }
}

fn redis(name: &str, last: u8) -> RedisCluster {
    RedisCluster {
        name: name.to_owned(),
        engine: RedisEngine::Redis,
        version: None,
        node_type: "cache.t4g.small".to_owned(),
        members: (0..2)
            .map(|index| {
                node(
                    &format!("{name}-{index}"),
                    Tier::Persistence,
                    index,
                    last,
                    name,
                )
            })
            .collect(),
        port: 6379,
        memory: Size::from_mib(64),
        persistence: RedisPersistence::Cache,
        snapshot_retention: Duration::from_days(0),
        password_secret: format!("{name}-password"),
        security_group: group(name),
    }
}

fn database() -> DatabaseCluster {
    DatabaseCluster {
        instance_class: "db.r6g.large".to_owned(),
        serverless: None,
        version: None,
        members: (0..2)
            .map(|index| {
                node(
                    &format!("db-{index}"),
                    Tier::Persistence,
                    index,
                    10,
                    "database",
                )
            })
            .collect(),
        port: 3306,
        schemas: Vec::new(),
        master_password_secret: "database-master".to_owned(),
        backups: Backups::default(),
        deletion_protection: false,
        memory: Size::from_mib(256),
        max_connections: 100,
        security_group: group("database"),
    }
}

fn load_balancer() -> LoadBalancer {
    let listener = |port| Listener {
        port,
        redirect_to_https: false,
    };
    LoadBalancer {
        name: "shop-local".to_owned(),
        nodes: (0..3)
            .map(|index| {
                let letter = place(Tier::Public, index).0;
                node(
                    &format!("lb-{letter}"),
                    Tier::Public,
                    index,
                    10,
                    "load-balancer",
                )
            })
            .collect(),
        http: listener(80),
        https: listener(443),
        http2: true,
        idle_timeout: Duration::from_secs(60),
        algorithm: Algorithm::LeastOutstandingRequests,
        certificate_arns: Vec::new(),
        access_logs_retention: Duration::from_days(0),
        security_group: group("load-balancer"),
    }
}

/// A blueprint with every role; clusters' servers are added as attachments, as tasks are.
pub fn blueprint() -> Blueprint {
    let mounts = |index| {
        node(
            &format!("media-{}", place(Tier::Persistence, index).0),
            Tier::Persistence,
            index,
            40,
            "file-system",
        )
    };
    Blueprint {
        project: "shop".to_owned(),
        environment: "local".to_owned(),
        target: Target::Local,
        region: "us-east-1".to_owned(),
        tags: BTreeMap::new(),
        network: network(),
        access: access(),
        security_groups: Vec::new(),
        load_balancer: load_balancer(),
        content_delivery: None,
        clusters: Vec::new(),
        apps: Vec::new(),
        database: database(),
        redis: vec![redis("redis-cache", 20), redis("redis-session", 21)],
        memcached: Some(MemcachedCluster {
            node_type: "cache.t4g.small".to_owned(),
            members: vec![node("memcached-0", Tier::Persistence, 0, 30, "memcached")],
            port: 11211,
            memory: Size::from_mib(64),
            security_group: group("memcached"),
        }),
        file_system: Some(FileSystem {
            name: "media".to_owned(),
            mount_targets: (0..3).map(mounts).collect(),
            port: 2049,
            backups: false,
            security_group: group("file-system"),
        }),
        bastion: Some(Bastion {
            node: node("bastion", Tier::Public, 0, 11, "bastion"),
            instance_type: "t3.micro".to_owned(),
            allow_ssh_from: vec![OFFICE.to_owned()],
        }),
        jenkins: Some(Jenkins {
            node: node("jenkins", Tier::App, 0, 12, "jenkins"),
            instance_type: "t3.small".to_owned(),
            host: None,
            listener_rule: None,
            allow_from: Vec::new(),
            plugins: Vec::new(),
        }),
        private_zone: PrivateZone {
            name: "magecloudkit.internal".to_owned(),
            ttl: Duration::from_secs(5),
            records: Vec::new(),
        },
        public_zone: None,
        alarm_receivers: Vec::new(),
        secrets: Vec::new(),
        log_groups: Vec::new(),
        alarms: Vec::new(),
        integrations: Vec::new(),
    }
}

/// A task of the shop in each zone, and an App Server.
pub fn tasks() -> Vec<Attachment> {
    let task = |index: u8| {
        let (letter, third) = place(Tier::App, index);
        let address = Ipv4Addr::new(172, 31, third, 100);
        Attachment::member(format!("shop-{letter}"), address, group("app-shop"))
    };
    let server = Attachment::member("app-0", Ipv4Addr::new(172, 31, 3, 20), group("servers-app"));
    (0..3).map(task).chain([server]).collect()
}

pub fn plan(environment: &EnvironmentId) -> NetworkPlan {
    plan_of(&blueprint(), environment)
}

pub fn plan_of(blueprint: &Blueprint, environment: &EnvironmentId) -> NetworkPlan {
    NetworkPlan::new(blueprint, environment)
        .unwrap()
        .with(tasks())
        .unwrap()
}
