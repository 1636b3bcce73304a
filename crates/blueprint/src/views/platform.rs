//! Everything but apps as tables.

use super::{Table, dns_target, list, peer, ports, table, yes};
use crate::model::{Blueprint, DnsProvider, Node, Protocol, RedisPersistence, Route, SecretOrigin};

pub(super) fn network(blueprint: &Blueprint) -> Vec<Table> {
    let network = &blueprint.network;
    vec![
        table(
            "Subnets",
            ["Subnet", "Zone", "Range", "Way out", "Servers", "Tasks"],
            network.subnets.iter().map(|subnet| {
                [
                    subnet.name.clone(),
                    subnet.zone.clone(),
                    subnet.cidr.to_string(),
                    match &subnet.route {
                        Route::InternetGateway => "internet gateway".to_owned(),
                        Route::NatGateway(name) => name.clone(),
                        Route::None => "none".to_owned(),
                    },
                    span(subnet.server_addresses),
                    span(subnet.task_addresses),
                ]
            }),
        ),
        table(
            "Addresses",
            ["Name", "Subnet", "Address", "Security group"],
            blueprint.nodes().map(|node| {
                [
                    node.name.clone(),
                    node.subnet.clone(),
                    node.address.to_string(),
                    node.security_group.to_string(),
                ]
            }),
        ),
        table(
            "NAT gateways",
            ["Name", "Subnet", "Address"],
            network.nat_gateways.iter().map(|nat| {
                [
                    nat.name.clone(),
                    nat.subnet.clone(),
                    nat.address.to_string(),
                ]
            }),
        ),
    ]
}

fn span(addresses: Option<(std::net::Ipv4Addr, std::net::Ipv4Addr)>) -> String {
    addresses
        .map(|(first, last)| format!("{first} to {last}"))
        .unwrap_or_default()
}

pub(super) fn access(blueprint: &Blueprint) -> Vec<Table> {
    vec![table(
        "Who may reach whom",
        ["From", "To", "Port", "Why"],
        blueprint.access.iter().map(|rule| {
            let protocol = match rule.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
            };
            [
                peer(&rule.from),
                peer(&rule.to),
                format!("{protocol} {}", ports(rule.ports)),
                rule.reason.clone(),
            ]
        }),
    )]
}

pub(super) fn clusters(blueprint: &Blueprint) -> Vec<Table> {
    let clusters = &blueprint.clusters;
    let bastion = blueprint
        .bastion
        .iter()
        .map(|bastion| ("Bastion", &bastion.node, &bastion.instance_type));
    let jenkins = blueprint
        .jenkins
        .iter()
        .map(|jenkins| ("Jenkins", &jenkins.node, &jenkins.instance_type));
    vec![
        table(
            "App Clusters",
            [
                "Cluster",
                "Instance type",
                "Servers",
                "CPU",
                "Memory",
                "Zones",
            ],
            clusters.iter().map(|cluster| {
                [
                    cluster.name.clone(),
                    cluster.instance_type.clone(),
                    format!(
                        "{} ({} to {})",
                        cluster.servers.len(),
                        cluster.minimum,
                        cluster.maximum
                    ),
                    cluster.capacity.cpu.to_string(),
                    cluster.capacity.memory.to_string(),
                    cluster.zones.join(", "),
                ]
            }),
        ),
        table(
            "Servers",
            ["Server", "Role", "Zone", "Address", "Instance type"],
            clusters
                .iter()
                .flat_map(|cluster| {
                    let servers = cluster.servers.iter();
                    servers.map(|server| ("App Server", &server.node, &cluster.instance_type))
                })
                .chain(bastion)
                .chain(jenkins)
                .map(|(role, node, instance_type)| {
                    [
                        node.name.clone(),
                        role.to_owned(),
                        node.zone.clone(),
                        node.address.to_string(),
                        instance_type.clone(),
                    ]
                }),
        ),
    ]
}

pub(super) fn data(blueprint: &Blueprint) -> Vec<Table> {
    vec![
        table(
            "Data stores",
            ["Member", "Role", "Zone", "Address"],
            data_members(blueprint).into_iter().map(|(role, node)| {
                [
                    node.name.clone(),
                    role,
                    node.zone.clone(),
                    node.address.to_string(),
                ]
            }),
        ),
        table(
            "Schemas",
            ["Schema", "User", "Password in secret", "Apps"],
            blueprint.database.schemas.iter().map(|schema| {
                let apps: Vec<String> = blueprint
                    .apps
                    .iter()
                    .filter(|app| app.database_schema.as_ref() == Some(&schema.name))
                    .map(|app| app.name.clone())
                    .collect();
                [
                    schema.name.clone(),
                    schema.user.clone(),
                    schema.password_secret.clone(),
                    apps.join(", "),
                ]
            }),
        ),
    ]
}

/// The members of data stores with their roles at first.
fn data_members(blueprint: &Blueprint) -> Vec<(String, &Node)> {
    let database = &blueprint.database.members;
    let mut all = roles(database, "database writer", "database reader");
    for redis in &blueprint.redis {
        let kind = match redis.persistence {
            RedisPersistence::Cache => "cache",
            RedisPersistence::Durable(_) => "sessions",
        };
        let (primary, replica) = (
            format!("Redis primary, {kind}"),
            format!("Redis replica, {kind}"),
        );
        all.extend(roles(&redis.members, &primary, &replica));
    }
    if let Some(memcached) = &blueprint.memcached {
        all.extend(roles(&memcached.members, "Memcached", "Memcached"));
    }
    if let Some(files) = &blueprint.file_system {
        all.extend(roles(&files.mount_targets, "mount target", "mount target"));
    }
    all
}

fn roles<'a>(nodes: &'a [Node], first: &str, others: &str) -> Vec<(String, &'a Node)> {
    let role = |index: usize| if index == 0 { first } else { others };
    nodes
        .iter()
        .enumerate()
        .map(|(index, node)| (role(index).to_owned(), node))
        .collect()
}

pub(super) fn dns(blueprint: &Blueprint) -> Vec<Table> {
    let public = blueprint.public_zone.iter().flat_map(|zone| {
        let provider = match zone.provider {
            DnsProvider::Route53 => "Route 53",
            DnsProvider::Cloudflare => "Cloudflare",
        };
        zone.hosts
            .iter()
            .map(move |host| [host.clone(), provider.to_owned()])
    });
    vec![
        table(
            "Private zone",
            ["Name", "Points at", "Description"],
            blueprint.private_zone.records.iter().map(|record| {
                [
                    record.name.clone(),
                    dns_target(&record.target),
                    record.description.clone(),
                ]
            }),
        ),
        table("Public zone", ["Name", "At"], public),
    ]
}

pub(super) fn secrets(blueprint: &Blueprint) -> Vec<Table> {
    vec![table(
        "Secrets",
        ["Secret", "Value", "What for"],
        blueprint.secrets.iter().map(|secret| {
            [
                secret.name.clone(),
                match secret.origin {
                    SecretOrigin::Generated(length) => format!("generated, {length} characters"),
                    SecretOrigin::Provided => "set with `mck secret set`".to_owned(),
                },
                secret.description.clone(),
            ]
        }),
    )]
}

pub(super) fn alarms(blueprint: &Blueprint) -> Vec<Table> {
    vec![table(
        "Alarms",
        ["Alarm", "When", "What it means"],
        blueprint.alarms.iter().map(|alarm| {
            let periods = match alarm.evaluation_periods {
                1 => "a period".to_owned(),
                several => format!("{several} periods"),
            };
            let sign = match alarm.comparison.as_str() {
                "GreaterThanThreshold" => ">",
                "GreaterThanOrEqualToThreshold" => "≥",
                _ => "<",
            };
            [
                alarm.name.clone(),
                format!(
                    "{} of {} {sign} {} in {} of {}",
                    alarm.statistic, alarm.metric, alarm.threshold, periods, alarm.period
                ),
                alarm.description.clone(),
            ]
        }),
    )]
}

pub(super) fn integrations(blueprint: &Blueprint) -> Vec<Table> {
    vec![table(
        "Integrations",
        ["Vendor", "What it adds", "Secrets"],
        blueprint.integrations.iter().map(|vendor| {
            [
                vendor.name.clone(),
                vendor.contributions.join("; "),
                vendor.secrets.join(", "),
            ]
        }),
    )]
}

pub(super) fn summary(blueprint: &Blueprint) -> Table {
    let network = &blueprint.network;
    let zones: Vec<String> = network.zones.iter().map(|it| it.name.clone()).collect();
    let clusters: Vec<String> = blueprint
        .clusters
        .iter()
        .map(|it| it.name.clone())
        .collect();
    let servers: usize = blueprint.clusters.iter().map(|it| it.servers.len()).sum();
    let caches: Vec<String> = blueprint
        .redis
        .iter()
        .map(|redis| format!("{} ({} nodes)", redis.name, redis.members.len()))
        .chain(blueprint.memcached.iter().map(|_| "memcached".to_owned()))
        .collect();
    let urls: Vec<String> = blueprint
        .apps
        .iter()
        .map(|app| match &app.url {
            Some(url) => format!("{} at {url}", app.name),
            None => app.name.clone(),
        })
        .collect();
    let search = blueprint.search.iter();
    let search = search.map(|it| {
        let nodes = format!("OpenSearch {}, {} nodes", it.version, it.nodes);
        ("Search engine", nodes)
    });
    let broker = blueprint.message_broker.iter();
    let broker = broker.map(|it| ("Message broker", format!("RabbitMQ {}", it.version)));
    let firewall = blueprint.web_acl.iter().map(|it| {
        let groups = it.rule_groups.len();
        (
            "Firewall",
            format!("{groups} rule groups, rate limit {}", it.rate_limit),
        )
    });
    let rows = [
        ("VPC", format!("{} in {}", network.cidr, zones.join(", "))),
        ("NAT gateways", network.nat_gateways.len().to_string()),
        (
            "App Clusters",
            format!("{}, {servers} servers", clusters.join(", ")),
        ),
        ("Apps", list(&urls, "none")),
        (
            "Database",
            format!(
                "1 writer, {} readers, {} schemas",
                blueprint.database.members.len() - 1,
                blueprint.database.schemas.len()
            ),
        ),
        ("Caches", list(&caches, "none")),
        ("Shared file system", yes(blueprint.file_system.is_some())),
        ("Bastion", yes(blueprint.bastion.is_some())),
        ("Jenkins", yes(blueprint.jenkins.is_some())),
        ("Secrets", blueprint.secrets.len().to_string()),
        ("Alarms", blueprint.alarms.len().to_string()),
    ];
    table(
        &format!("{} ({})", blueprint.project, blueprint.environment),
        ["Part", "What"],
        rows.into_iter()
            .chain(search)
            .chain(broker)
            .chain(firewall)
            .map(|(part, what)| [part.to_owned(), what]),
    )
}
