//! `[local]`

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::formats;

/// Settings of the local target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Local {
    /// The host's address on which the load balancer listens.
    #[schemars(with = "formats::IpAddress")]
    pub listen: IpAddr,
    /// The host's port for HTTP.
    #[schemars(range(min = 1, max = 65535))]
    pub http_port: u16,
    /// The host's port for HTTPS.
    #[schemars(range(min = 1, max = 65535))]
    pub https_port: u16,
    /// The program that runs containers. Default: crun, else runc.
    pub runtime: Option<RuntimeProgram>,
    /// Give the NAT gateways a way to the internet.
    pub internet: bool,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            listen: IpAddr::from([127, 0, 0, 1]),
            http_port: 8080,
            https_port: 8443,
            runtime: None,
            internet: true,
        }
    }
}

/// An OCI runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeProgram {
    /// <https://github.com/containers/crun>
    Crun,
    /// <https://github.com/opencontainers/runc>
    Runc,
}
