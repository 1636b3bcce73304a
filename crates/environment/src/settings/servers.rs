//! `[bastion]` and `[jenkins]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::formats;

/// The Bastion in a public subnet, through which people reach the App Servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bastion {
    /// Whether there is one.
    pub enabled: bool,
    /// The instance type (AWS).
    #[schemars(regex(pattern = r"^[a-z0-9-]+\.[a-z0-9-]+$"))]
    pub instance_type: String,
    /// Ranges from which SSH is open. Default: none; the door is Session Manager, locally `mck
    /// ssh`.
    #[schemars(with = "Vec<formats::IpNetwork>")]
    pub allow_ssh_from: Vec<String>,
    /// Let the Bastion reach the database, for tunnels.
    pub database_access: bool,
    /// Let the Bastion reach Redis and Memcached, for tunnels.
    pub cache_access: bool,
}

impl Default for Bastion {
    fn default() -> Self {
        Self {
            enabled: true,
            instance_type: "t3.micro".to_owned(),
            allow_ssh_from: Vec::new(),
            database_access: false,
            cache_access: false,
        }
    }
}

/// The Jenkins server, its home on the shared file system (AWS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Jenkins {
    /// Whether there is one.
    pub enabled: bool,
    /// The instance type.
    #[schemars(regex(pattern = r"^[a-z0-9-]+\.[a-z0-9-]+$"))]
    pub instance_type: String,
    /// Its host name behind the load balancer.
    pub host: Option<String>,
    /// Ranges that may reach it; at least one when it is enabled.
    #[schemars(with = "Vec<formats::IpNetwork>")]
    pub allow_from: Vec<String>,
    /// Plugins to install.
    pub plugins: Vec<String>,
}

impl Default for Jenkins {
    fn default() -> Self {
        Self {
            enabled: false,
            instance_type: "t3.medium".to_owned(),
            host: None,
            allow_from: Vec::new(),
            plugins: ["git", "workflow-aggregator", "job-dsl", "amazon-ecr"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}
