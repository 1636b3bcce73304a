//! HAProxy as one node of an Application Load Balancer: one node per zone.
//!
//! What an ALB does and how it is done here:
//!
//! - *Fail open*: when every target of a group is unhealthy, an ALB routes to all of them. HAProxy
//!   would answer 503, so each group has a second backend, `<group>:fail-open`, with the same servers
//!   and no health checks, used while the first has no usable server. Servers are let into it once
//!   they have been healthy ([`commands::admit_to_fail_open`]), so that a starting task gets nothing.
//! - *Deregistration*: a drained server is put into maintenance, not into HAProxy's `drain`: the
//!   latter still accepts requests with a stickiness cookie, while an ALB sends none. Requests in
//!   flight finish, since nothing shuts sessions down when a server is marked down.
//! - *Retries*: any request is tried on another server when its connection is refused; only an
//!   idempotent one (RFC 9110 §9.2.2) when the connection breaks before an answer.

pub mod commands;
mod error;
mod groups;
mod quote;
mod render;
mod rules;
pub mod status;

use std::net::{IpAddr, SocketAddr};

pub use error::RenderError;
pub use groups::{Algorithm, HealthCheck, Stickiness, Target, TargetGroup, fail_open_backend};
pub use render::render;
pub use rules::Rule;

/// The program, as Debian installs it.
pub const PROGRAM: &str = "/usr/sbin/haproxy";

/// The signal for a soft stop: no new connections, those in flight finish (up to
/// [`Node::hard_stop_after_seconds`]). SIGTERM stops at once.
pub const SOFT_STOP_SIGNAL: &str = "SIGUSR1";

/// One load-balancer node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Name in access logs and statistics, e.g. `shop-local/us-east-1a`.
    pub name: String,
    /// Plain HTTP.
    pub http: Option<HttpListener>,
    /// HTTP over TLS, with HTTP/2.
    pub https: Option<HttpsListener>,
    /// Listener rules, in any order: the lowest priority number is tried first.
    pub rules: Vec<Rule>,
    /// What is done with a request that no rule takes.
    pub default_action: DefaultAction,
    /// Every target group that a rule may name.
    pub target_groups: Vec<TargetGroup>,
    /// Idle timeout in seconds: 1 to 4000, 60 by default (ALB `idle_timeout.timeout_seconds`).
    pub idle_timeout_seconds: u32,
    /// Networks (CIDR) of proxies in front, such as a CDN, whose `X-Forwarded-For` is believed and
    /// extended. From anyone else the header is replaced.
    pub trusted_proxies: Vec<String>,
    /// Where `/metrics` (Prometheus) and `/` (statistics page) are served, without access control:
    /// loopback or an address inside the VPC.
    pub metrics: SocketAddr,
    /// Path of the runtime socket.
    pub control_socket: String,
    /// Concurrent client connections. Each takes two file descriptors, and HAProxy refuses to start
    /// when the hard limit of open files does not allow that.
    pub max_connections: u32,
    /// Threads, 1 to 64.
    pub threads: u8,
    /// Longest soft stop, in seconds; the deregistration delay is a good value.
    pub hard_stop_after_seconds: u32,
}

/// Where a listener accepts connections. Both may be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Number of an inherited descriptor of a listening TCP socket.
    pub inherited_descriptor: Option<u32>,
    /// The node's own address in the VPC.
    pub address: Option<SocketAddr>,
}

/// The plain listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpListener {
    /// Where it accepts connections.
    pub binding: Binding,
    /// Redirect (301) everything to this HTTPS port as the client sees it, 443 being left out of the
    /// URL.
    pub redirect_to_https_port: Option<u16>,
}

/// The TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpsListener {
    /// Where it accepts connections.
    pub binding: Binding,
    /// Path of a PEM file: certificate chain and private key.
    pub certificate: String,
}

/// What is done with a request that no rule takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultAction {
    /// Send it to a target group.
    Forward(String),
    /// Answer with this status and plain text.
    FixedResponse {
        /// 2xx, 4xx or 5xx (the ALB's rule).
        status: u16,
        /// One line of text.
        body: String,
    },
}

impl Node {
    /// A node with the defaults of an ALB and no listeners, rules or target groups.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            http: None,
            https: None,
            rules: Vec::new(),
            default_action: DefaultAction::FixedResponse {
                status: 404,
                body: "No rule of the load balancer matches this host and path.".to_owned(),
            },
            target_groups: Vec::new(),
            idle_timeout_seconds: 60,
            trusted_proxies: Vec::new(),
            metrics: SocketAddr::new(IpAddr::from([127, 0, 0, 1]), 8404),
            control_socket: "/run/control/haproxy.sock".to_owned(),
            max_connections: 2000,
            threads: 1,
            hard_stop_after_seconds: 300,
        }
    }
}

/// The command line: in the foreground, warnings and access log on the standard streams.
pub fn command_line(config_file: &str) -> Vec<String> {
    [PROGRAM, "-db", "-f", config_file]
        .map(str::to_owned)
        .to_vec()
}

/// The command line that checks a configuration file and ends. It needs the inherited descriptors
/// too: HAProxy looks at each of them.
pub fn check_command_line(config_file: &str) -> Vec<String> {
    [PROGRAM, "-c", "-f", config_file]
        .map(str::to_owned)
        .to_vec()
}
