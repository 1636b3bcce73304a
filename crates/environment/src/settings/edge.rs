//! `[load-balancer]`, `[dns]` and `[cdn]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{schema::formats, units::Duration};

/// The load balancer in the public subnets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LoadBalancer {
    /// Answer HTTP with a redirect to HTTPS. Default: on AWS yes, locally no.
    pub redirect_to_https: Option<bool>,
    /// HTTP/2 to visitors.
    pub http2: bool,
    /// Close a connection that is idle for this long, 1 s to 4000 s (ALB).
    pub idle_timeout: Duration,
    /// How the next task is chosen.
    pub algorithm: Algorithm,
    /// The TLS certificate (AWS; the local target has a certificate authority of its own).
    pub certificate: Certificate,
    /// Keep access logs for this long, 0 d for none.
    pub access_logs_retention: Duration,
    /// Ranges that may reach it. Default: everyone.
    #[schemars(with = "Option<Vec<formats::IpNetwork>>")]
    pub allow_from: Option<Vec<String>>,
}

impl Default for LoadBalancer {
    fn default() -> Self {
        Self {
            redirect_to_https: None,
            http2: true,
            idle_timeout: Duration::from_secs(60),
            algorithm: Algorithm::default(),
            certificate: Certificate::default(),
            access_logs_retention: Duration::from_days(7),
            allow_from: None,
        }
    }
}

/// The load-balancing algorithm, as the ALB names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// To the task with the fewest requests in flight.
    #[default]
    LeastOutstandingRequests,
    /// To each in turn.
    RoundRobin,
}

/// Certificates of the HTTPS listener on AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Certificate {
    /// ARNs of certificates in ACM, the first one the default. Default: one is requested for the
    /// apps' hosts and validated in the public zone.
    #[schemars(inner(regex(
        pattern = r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$"
    )))]
    pub arns: Vec<String>,
}

/// DNS zones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dns {
    /// The private zone of service discovery: `db.<region>.<zone>` and so on.
    #[schemars(regex(pattern = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"))]
    pub private_zone: String,
    /// The time to live of the private zone's records on AWS.
    pub ttl: Duration,
    /// The public zone that gets the apps' hosts (AWS).
    #[schemars(regex(pattern = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"))]
    pub public_zone: Option<String>,
    /// The public zone's id in Route 53, where it exists already.
    #[schemars(regex(pattern = r"^Z[A-Z0-9]{1,31}$"))]
    pub public_zone_id: Option<String>,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            private_zone: "magecloudkit.internal".to_owned(),
            ttl: Duration::from_secs(300),
            public_zone: None,
            public_zone_id: None,
        }
    }
}

/// CloudFront in front of the load balancer, and a bucket for static files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cdn {
    /// Whether there is one.
    pub enabled: bool,
    /// Paths that are cached for long. Default: `/static/*` and `/media/*`.
    pub cached_paths: Option<Vec<String>>,
}
