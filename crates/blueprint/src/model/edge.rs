//! The load balancer and the CDN.

use mck_environment::{settings::Algorithm, units::Duration};
use serde::Serialize;

use super::{Node, SecurityGroupName};

/// The load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LoadBalancer {
    /// Its name, at most 32 characters (ALB).
    pub name: String,
    /// One node in each zone's public subnet.
    pub nodes: Vec<Node>,
    /// Port 80.
    pub http: Listener,
    /// Port 443.
    pub https: Listener,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// A connection idle for this long is closed.
    pub idle_timeout: Duration,
    /// How the next task is chosen.
    pub algorithm: Algorithm,
    /// ARNs of certificates (AWS); empty to request one.
    pub certificate_arns: Vec<String>,
    /// How long access logs are kept; zero for none.
    pub access_logs_retention: Duration,
    /// The security group.
    pub security_group: SecurityGroupName,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Listener {
    /// Its port.
    pub port: u16,
    /// Whether every request is answered with a redirect to HTTPS.
    pub redirect_to_https: bool,
}

/// The CDN and the static bucket (AWS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ContentDelivery {
    /// Paths cached for long.
    pub cached_paths: Vec<String>,
    /// The load balancer's port that CloudFront calls: 443, or 80 where there can be no certificate.
    pub origin_port: u16,
}

/// The web application firewall (AWS WAF).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct WebAcl {
    /// Its name.
    pub name: String,
    /// What it stands before.
    pub front: Front,
    /// Requests that an address may make in `rate_window` before it is blocked.
    pub rate_limit: u32,
    /// The time in which requests are counted: 5 minutes.
    pub rate_window: Duration,
    /// The header with the visitor's address, where another front's address is all that a connection
    /// shows.
    pub client_address_header: Option<String>,
    /// AWS's managed rule groups, in the order in which they are tried.
    pub rule_groups: Vec<ManagedRuleGroup>,
    /// Whether nothing is blocked, and only counted.
    pub count_only: bool,
}

/// What visitors meet first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Front {
    /// CloudFront; its web ACL is in us-east-1, with the scope `CLOUDFRONT`.
    ContentDelivery,
    /// The load balancer.
    LoadBalancer,
}

/// A managed rule group of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ManagedRuleGroup {
    /// Its name, such as `AWSManagedRulesCommonRuleSet`.
    pub name: String,
    /// Its rules that only count.
    pub counted_rules: Vec<String>,
}
