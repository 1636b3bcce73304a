//! Who may reach whom: the one list from which all security groups follow.

use mck_environment::settings::Nat;

use super::{context::Context, data::DataStores, dns::host, groups};
use crate::model::{
    AccessRule, App, AppCluster, Bastion, ContentDelivery, DnsTarget, Jenkins, MountSource, Peer,
    PortRange, Protocol, SecurityGroupName, ServiceEndpoints,
};

const HTTP: u16 = 80;
const HTTPS: u16 = 443;
const SSH: u16 = 22;

/// The whole IPv4 internet.
const WORLD: &str = "0.0.0.0/0";
/// The whole IPv6 internet.
const WORLD_IPV6: &str = "::/0";
/// The addresses from which CloudFront makes requests (Amazon CloudFront developer guide, "Use the
/// CloudFront managed prefix list").
const CLOUDFRONT_PREFIX_LIST: &str = "com.amazonaws.global.cloudfront.origin-facing";

/// What the rules are about.
pub(super) struct Parts<'a> {
    pub(super) apps: &'a [App],
    pub(super) clusters: &'a [AppCluster],
    pub(super) data: &'a DataStores,
    pub(super) bastion: Option<&'a Bastion>,
    pub(super) jenkins: Option<&'a Jenkins>,
    pub(super) content_delivery: Option<&'a ContentDelivery>,
    pub(super) front_ranges: Option<&'a [String]>,
    pub(super) endpoints: Option<&'a ServiceEndpoints>,
}

#[derive(Default)]
struct Rules(Vec<AccessRule>);

impl Rules {
    fn allow(&mut self, from: Peer, to: Peer, port: u16, reason: impl Into<String>) {
        self.0.push(AccessRule {
            from,
            to,
            protocol: Protocol::Tcp,
            ports: PortRange::single(port),
            reason: reason.into(),
        });
    }
}

fn group(name: SecurityGroupName) -> Peer {
    Peer::Group(name)
}

/// All rules, sorted, each once.
pub(super) fn plan(context: &Context<'_>, parts: &Parts<'_>) -> Vec<AccessRule> {
    let mut rules = Rules::default();
    public_entry(context, parts, &mut rules);
    bastion(context, parts, &mut rules);
    for app in parts.apps {
        app_rules(context, parts, app, &mut rules);
    }
    if let Some(jenkins) = parts.jenkins {
        jenkins_rules(context, parts, jenkins, &mut rules);
    }
    file_system_of_servers(parts, &mut rules);
    replication(parts, &mut rules);
    way_out(context, parts, &mut rules);
    ways_to_services(parts, &mut rules);
    rules.0.sort();
    rules.0.dedup_by(|left, right| {
        (&left.from, &left.to, left.protocol, left.ports)
            == (&right.from, &right.to, right.protocol, right.ports)
    });
    rules.0
}

/// Who may reach the load balancer. Reasons become descriptions of rules on AWS, so they keep to the
/// characters that EC2 takes there (`AuthorizeSecurityGroupIngress`): no backticks, no apostrophes.
fn public_entry(context: &Context<'_>, parts: &Parts<'_>, rules: &mut Rules) {
    let settings = &context.settings.load_balancer;
    let ranges = |list: &[String]| list.iter().cloned().map(Peer::Range).collect();
    let (sources, who): (Vec<Peer>, &str) = match (&settings.allow_from, parts.front_ranges) {
        (Some(list), _) => (ranges(list), "The listed ranges"),
        (None, Some(list)) => (ranges(list), "The published ranges of the front"),
        (None, None) if parts.content_delivery.is_some() => (
            vec![Peer::PrefixList(CLOUDFRONT_PREFIX_LIST.to_owned())],
            "CloudFront alone",
        ),
        (None, None) => (
            [WORLD]
                .into_iter()
                .chain(has_ipv6(context).then_some(WORLD_IPV6))
                .map(|range| Peer::Range(range.to_owned()))
                .collect(),
            "Visitors",
        ),
    };
    for source in sources {
        for (port, name) in [(HTTP, "HTTP"), (HTTPS, "HTTPS")] {
            if !comes_by(parts, &source, port) {
                continue;
            }
            rules.allow(
                source.clone(),
                group(groups::load_balancer()),
                port,
                format!("{who} may open {name} at the load balancer"),
            );
        }
    }
}

/// Whether the load balancer takes requests from everyone.
fn is_open_to_the_world(context: &Context<'_>, parts: &Parts<'_>) -> bool {
    context.settings.load_balancer.allow_from.is_none()
        && parts.front_ranges.is_none()
        && parts.content_delivery.is_none()
}

/// Whether a source comes to the load balancer by that port. CloudFront comes by one alone; and its
/// list counts for 55 of the 60 rules that a security group may have (Amazon CloudFront developer
/// guide, "Use the CloudFront managed prefix list"), so a second rule with it would be refused.
fn comes_by(parts: &Parts<'_>, source: &Peer, port: u16) -> bool {
    match source {
        Peer::Group(_) | Peer::Range(_) => true,
        Peer::PrefixList(_) => parts
            .content_delivery
            .is_some_and(|delivery| delivery.origin_port == port),
    }
}

fn bastion(context: &Context<'_>, parts: &Parts<'_>, rules: &mut Rules) {
    let Some(bastion) = parts.bastion else { return };
    let from = || group(groups::bastion());
    for range in &bastion.allow_ssh_from {
        rules.allow(
            Peer::Range(range.clone()),
            from(),
            SSH,
            "People come in by SSH from the listed ranges",
        );
    }
    for cluster in parts.clusters {
        rules.allow(
            from(),
            group(cluster.security_group.clone()),
            SSH,
            "People reach App Servers through the Bastion",
        );
    }
    let settings = &context.settings.bastion;
    if settings.database_access {
        rules.allow(
            from(),
            group(parts.data.database.security_group.clone()),
            parts.data.database.port,
            "People tunnel to the database through the Bastion",
        );
    }
    if settings.cache_access {
        for redis in &parts.data.redis {
            rules.allow(
                from(),
                group(redis.security_group.clone()),
                redis.port,
                "People tunnel to Redis through the Bastion",
            );
        }
        if let Some(memcached) = &parts.data.memcached {
            rules.allow(
                from(),
                group(memcached.security_group.clone()),
                memcached.port,
                "People tunnel to Memcached through the Bastion",
            );
        }
    }
}

fn app_rules(context: &Context<'_>, parts: &Parts<'_>, app: &App, rules: &mut Rules) {
    let from = || group(app.security_group.clone());
    if let Some(target) = &app.target_group {
        rules.allow(
            group(groups::load_balancer()),
            from(),
            target.port,
            format!("The load balancer hands requests to {}", app.name),
        );
    }
    let data = parts.data;
    if app.database_schema.is_some() {
        rules.allow(
            from(),
            group(data.database.security_group.clone()),
            data.database.port,
            format!("{} uses its schema in the database", app.name),
        );
    }
    for redis in &data.redis {
        let endpoint = DnsTarget::RedisPrimary(redis.name.clone());
        if !knows(context, app, &redis.name, &endpoint) {
            continue;
        }
        rules.allow(
            from(),
            group(redis.security_group.clone()),
            redis.port,
            format!("{} uses {}", app.name, redis.name),
        );
    }
    if let Some(memcached) = &data.memcached
        && knows(context, app, host::MEMCACHED, &DnsTarget::Memcached)
    {
        rules.allow(
            from(),
            group(memcached.security_group.clone()),
            memcached.port,
            format!("{} uses Memcached", app.name),
        );
    }
    if let Some(search) = &data.search
        && knows(context, app, host::SEARCH, &DnsTarget::Search)
    {
        rules.allow(
            from(),
            group(search.security_group.clone()),
            search.port,
            format!("{} searches its catalog", app.name),
        );
    }
    if let Some(broker) = &data.message_broker
        && knows(
            context,
            app,
            host::MESSAGE_BROKER,
            &DnsTarget::MessageBroker,
        )
    {
        rules.allow(
            from(),
            group(broker.security_group.clone()),
            broker.port,
            format!("{} uses its queues", app.name),
        );
    }
    let mounts_media = app
        .task_definition
        .containers
        .iter()
        .flat_map(|container| &container.mounts)
        .any(|mount| matches!(mount.source, MountSource::Media(_)));
    if let Some(file_system) = data.file_system.as_ref().filter(|_| mounts_media) {
        rules.allow(
            from(),
            group(file_system.security_group.clone()),
            file_system.port,
            format!("{} mounts its media folder", app.name),
        );
    }
}

/// Whether any variable of an app has the private name of a host, or its endpoint: who is not told
/// where a data store is has no way to it either.
fn knows(context: &Context<'_>, app: &App, host: &str, endpoint: &DnsTarget) -> bool {
    let name = context.private_name(host);
    let mut containers = app.task_definition.containers.iter();
    containers.any(|it| {
        it.environment.values().any(|value| value.contains(&name))
            || it
                .endpoints
                .values()
                .any(|known| known.endpoint == *endpoint)
    })
}

fn jenkins_rules(context: &Context<'_>, parts: &Parts<'_>, jenkins: &Jenkins, rules: &mut Rules) {
    // Its ranges are compared with the address that opens the connection, which a front would hide.
    if jenkins.listener_rule.is_some() && !is_open_to_the_world(context, parts) {
        for range in &jenkins.allow_from {
            rules.allow(
                Peer::Range(range.clone()),
                group(groups::load_balancer()),
                HTTPS,
                "People reach Jenkins from the listed ranges, past the front",
            );
        }
    }
    let (port, home) = (jenkins.port, &jenkins.home);
    let jenkins = || group(jenkins.node.security_group.clone());
    rules.allow(
        group(groups::load_balancer()),
        jenkins(),
        port,
        "The load balancer hands requests to Jenkins",
    );
    rules.allow(
        jenkins(),
        group(home.security_group.clone()),
        home.port,
        "Jenkins keeps its home on a file system of its own",
    );
}

fn file_system_of_servers(parts: &Parts<'_>, rules: &mut Rules) {
    let Some(file_system) = &parts.data.file_system else {
        return;
    };
    for cluster in parts.clusters {
        rules.allow(
            group(cluster.security_group.clone()),
            group(file_system.security_group.clone()),
            file_system.port,
            "App Servers mount the shared file system for their tasks",
        );
    }
}

/// Members of a data store among themselves.
fn replication(parts: &Parts<'_>, rules: &mut Rules) {
    let database = &parts.data.database;
    let redis = parts.data.redis.iter().map(|redis| {
        let reason = "Redis replicas follow their primary";
        (&redis.security_group, redis.port, reason)
    });
    let database = (
        &database.security_group,
        database.port,
        "Database readers follow the writer",
    );
    for (name, port, reason) in redis.chain([database]) {
        rules.allow(group(name.clone()), group(name.clone()), port, reason);
    }
}

/// What may open connections to the internet; the persistence tier never.
fn has_ipv6(context: &Context<'_>) -> bool {
    context.settings.network.ipv6 && !context.is_local()
}

/// How members of app subnets reach AWS's services where they have no way out. S3's gateway endpoint
/// has no group: it is reached by S3's public addresses, to which no other route leads.
fn ways_to_services(parts: &Parts<'_>, rules: &mut Rules) {
    let Some(endpoints) = parts.endpoints else {
        return;
    };
    let clusters = parts.clusters.iter().map(|it| &it.security_group);
    let apps = parts.apps.iter().map(|it| &it.security_group);
    let jenkins = parts.jenkins.iter().map(|it| &it.node.security_group);
    for source in clusters.chain(apps).chain(jenkins) {
        rules.allow(
            group(source.clone()),
            group(endpoints.security_group.clone()),
            HTTPS,
            "AWS services are reached through endpoints in the VPC",
        );
        rules.allow(
            group(source.clone()),
            Peer::Range(WORLD.to_owned()),
            HTTPS,
            "S3 is reached through its gateway endpoint; there is no other route",
        );
    }
}

fn way_out(context: &Context<'_>, parts: &Parts<'_>, rules: &mut Rules) {
    let mut sources: Vec<(SecurityGroupName, String)> = Vec::new();
    if context.settings.network.nat != Nat::None {
        for app in parts.apps {
            let reason = format!("{} uses services on the internet", app.name);
            sources.push((app.security_group.clone(), reason));
        }
        for cluster in parts.clusters {
            let reason = "App Servers fetch images and updates".to_owned();
            sources.push((cluster.security_group.clone(), reason));
        }
        if let Some(jenkins) = parts.jenkins {
            let reason = "Jenkins fetches sources and plugins".to_owned();
            sources.push((jenkins.node.security_group.clone(), reason));
        }
    }
    for (source, reason) in sources {
        for range in [WORLD]
            .into_iter()
            .chain(has_ipv6(context).then_some(WORLD_IPV6))
        {
            for port in [HTTP, HTTPS] {
                let to = Peer::Range(range.to_owned());
                rules.allow(group(source.clone()), to, port, reason.clone());
            }
        }
    }
    if parts.bastion.is_some() {
        for port in [HTTP, HTTPS] {
            rules.allow(
                group(groups::bastion()),
                Peer::Range(WORLD.to_owned()),
                port,
                "The Bastion fetches security updates",
            );
        }
    }
}
