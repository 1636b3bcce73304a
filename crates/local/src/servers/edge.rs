//! The load balancer's nodes and the resolver.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mck_blueprint::model::{self, DnsRecord, DnsTarget, Node};
use mck_environment::settings::Algorithm;
use mck_server_config::{
    dnsmasq,
    haproxy::{
        self, Binding, DefaultAction, HealthCheck, HttpListener, HttpsListener, Rule, Stickiness,
        Target, TargetGroup,
    },
};

use crate::network::INTERNET_DNS;

use super::{CONTROL, Context, Readiness, ServerError, ServerPlan, private_file, root_file};

const HAPROXY_FILE: &str = "/etc/mck/haproxy.cfg";
const CERTIFICATE: &str = "/etc/mck/certificate.pem";
const DNSMASQ_FILE: &str = "/etc/mck/dnsmasq.conf";

/// The hosts file of the resolver, in its folder of control sockets, so that it can change.
pub const HOSTS_FILE: &str = "hosts";

/// The name of the resolver's network namespace and container.
pub const RESOLVER: &str = "resolver";

/// The secret that is hashed into stickiness cookies, the same on all nodes; only the local target
/// has one.
pub const STICKINESS_SECRET: &str = "local/stickiness-key";

/// A node of the load balancer. Descriptor 3 is its HTTP socket, 4 its HTTPS socket.
///
/// # Errors
/// When HAProxy's user is missing or a value does not fit its configuration.
pub fn load_balancer(
    context: &Context,
    node: &Node,
    https_port: u16,
    targets: &[(String, Vec<Target>)],
) -> Result<ServerPlan, ServerError> {
    let blueprint = &context.blueprint;
    let balancer = &blueprint.load_balancer;
    let binding = |descriptor, port| Binding {
        inherited_descriptor: Some(descriptor),
        address: Some(SocketAddr::new(node.address.into(), port)),
    };
    let groups = target_groups(context, targets);
    let longest_delay = blueprint
        .apps
        .iter()
        .filter_map(|app| app.target_group.as_ref())
        .map(|group| group.deregistration_delay.as_secs_ceil())
        .max()
        .unwrap_or_default();
    let haproxy = haproxy::Node {
        http: Some(HttpListener {
            binding: binding(3, balancer.http.port),
            redirect_to_https_port: balancer.http.redirect_to_https.then_some(https_port),
        }),
        https: Some(HttpsListener {
            binding: binding(4, balancer.https.port),
            certificate: CERTIFICATE.to_owned(),
        }),
        rules: rules(blueprint),
        default_action: DefaultAction::FixedResponse {
            status: 404,
            body: "No app of this environment has this host and path.".to_owned(),
        },
        target_groups: groups,
        idle_timeout_seconds: u32::try_from(balancer.idle_timeout.as_secs_ceil()).unwrap_or(60),
        hard_stop_after_seconds: u32::try_from(longest_delay.max(1)).unwrap_or(300),
        ..haproxy::Node::new(format!("{}/{}", blueprint.environment, node.name))
    };
    let command = haproxy::command_line(HAPROXY_FILE);
    let readiness = Readiness::Tcp(balancer.http.port);
    let mut plan = context.server(&node.name, "haproxy", command, readiness)?;
    let user = plan.container.user.clone();
    plan.container.files.push(private_file(
        HAPROXY_FILE,
        &haproxy::render(&haproxy)?,
        &user,
    ));
    plan.container
        .files
        .push(private_file(CERTIFICATE, &context.keys.certificate, &user));
    plan.container.stop_signal = haproxy::SOFT_STOP_SIGNAL.to_owned();
    plan.container.stop_timeout = Duration::from_secs(3);
    plan.container.stop_order = 0;
    Ok(plan)
}

/// The target groups as HAProxy has them, with the targets of each.
pub fn target_groups(context: &Context, targets: &[(String, Vec<Target>)]) -> Vec<TargetGroup> {
    let balancer = &context.blueprint.load_balancer;
    let algorithm = match balancer.algorithm {
        Algorithm::LeastOutstandingRequests => haproxy::Algorithm::LeastOutstandingRequests,
        Algorithm::RoundRobin => haproxy::Algorithm::RoundRobin,
    };
    let groups = context
        .blueprint
        .apps
        .iter()
        .filter_map(|app| app.target_group.as_ref());
    groups
        .map(|group| TargetGroup {
            name: group.name.clone(),
            algorithm,
            health_check: health_check(&group.health_check),
            stickiness: group.stickiness.enabled.then(|| Stickiness {
                cookie_name: "AWSALB".to_owned(),
                duration_seconds: u32::try_from(group.stickiness.duration.as_secs_ceil())
                    .unwrap_or(u32::MAX),
                key: context.secrets.value(STICKINESS_SECRET).to_owned(),
            }),
            targets: targets
                .iter()
                .find(|(name, _)| *name == group.name)
                .map_or_else(Vec::new, |(_, targets)| targets.clone()),
        })
        .collect()
}

fn health_check(check: &model::HealthCheck) -> HealthCheck {
    let millis = |duration: mck_environment::units::Duration| {
        u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
    };
    let interval = millis(check.interval);
    HealthCheck {
        path: check.path.clone(),
        host: check.host.clone().unwrap_or_else(|| "localhost".to_owned()),
        interval_milliseconds: interval,
        // A target that was just registered is looked at more often, so that a start or a
        // deployment does not wait for whole intervals; the thresholds stay what they are.
        changing_interval_milliseconds: Some((interval / 20).max(50).min(interval)),
        timeout_milliseconds: millis(check.timeout),
        healthy_threshold: check.healthy_threshold,
        unhealthy_threshold: check.unhealthy_threshold,
        matcher: check.status_codes(),
    }
}

fn rules(blueprint: &model::Blueprint) -> Vec<Rule> {
    let routed = blueprint.apps.iter().filter_map(|app| {
        let group = app.target_group.as_ref()?;
        let rule = app.listener_rule.as_ref()?;
        Some(Rule {
            priority: rule.priority.into(),
            hosts: rule.hosts.clone(),
            paths: rule.paths.clone(),
            target_group: group.name.clone(),
        })
    });
    routed.collect()
}

/// The resolver at the VPC's `.2` address.
///
/// # Errors
/// When its user is missing or a value does not fit its configuration.
pub fn resolver(context: &Context, internet: bool) -> Result<ServerPlan, ServerError> {
    let zone = &context.blueprint.private_zone.name;
    let address = context.blueprint.network.resolver;
    let mut options = dnsmasq::Resolver::new(
        address.into(),
        zone.clone(),
        format!("{CONTROL}/{HOSTS_FILE}"),
    );
    if internet {
        options.upstreams.push(IpAddr::from(INTERNET_DNS));
    }
    let command = dnsmasq::command_line(DNSMASQ_FILE);
    let mut plan = context.server(RESOLVER, "nobody", command, Readiness::Udp(options.port))?;
    plan.container
        .files
        .push(root_file(DNSMASQ_FILE, dnsmasq::render(&options)?));
    Ok(plan)
}

/// Who is what at the moment: what the records of the private zone point at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// The database's writer.
    pub writer: Option<IpAddr>,
    /// The database's readers that can be read from.
    pub readers: Vec<IpAddr>,
    /// The primaries of the Redis clusters, by the clusters' names.
    pub primaries: Vec<(String, IpAddr)>,
}

/// The text of the resolver's hosts file.
///
/// # Errors
/// When a name is no host name.
pub fn hosts(context: &Context, endpoints: &Endpoints) -> Result<String, ServerError> {
    let records: Vec<dnsmasq::Record> = context
        .blueprint
        .private_zone
        .records
        .iter()
        .map(|record| dnsmasq::Record {
            name: record.name.clone(),
            addresses: addresses(context, record, endpoints),
        })
        .collect();
    Ok(dnsmasq::render_hosts(&records)?)
}

fn addresses(context: &Context, record: &DnsRecord, endpoints: &Endpoints) -> Vec<IpAddr> {
    let of = |nodes: &[Node]| nodes.iter().map(|node| node.address.into()).collect();
    let writer = || endpoints.writer.into_iter().collect::<Vec<_>>();
    match &record.target {
        DnsTarget::DatabaseWriter => writer(),
        DnsTarget::DatabaseReaders if endpoints.readers.is_empty() => writer(),
        DnsTarget::DatabaseReaders => endpoints.readers.clone(),
        DnsTarget::RedisPrimary(cluster) => endpoints
            .primaries
            .iter()
            .filter(|(name, _)| name == cluster)
            .map(|(_, address)| *address)
            .collect(),
        DnsTarget::Memcached => context
            .blueprint
            .memcached
            .as_ref()
            .map_or_else(Vec::new, |cluster| of(&cluster.members)),
        DnsTarget::FileSystem => context
            .blueprint
            .file_system
            .as_ref()
            .map_or_else(Vec::new, |system| of(&system.mount_targets)),
        // AWS alone has these, and no local blueprint does.
        DnsTarget::Search | DnsTarget::MessageBroker => Vec::new(),
    }
}
