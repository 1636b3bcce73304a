//! `[bastion]` and `[jenkins]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{schema::formats, units::Size};

/// The Bastion in a public subnet, through which people reach the App Servers: Ubuntu LTS, its
/// security updates unattended, `fail2ban` before SSH. Its architecture is its instance type's.
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
    /// OpenSSH public keys of the people who may log in as `ubuntu` over SSH (AWS; locally `mck ssh`
    /// has a key of its own). Session Manager needs none.
    pub authorized_keys: Vec<String>,
    /// The size of its encrypted gp3 volume, 8 GiB to 1 TiB.
    pub volume_size: Size,
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
            authorized_keys: Vec::new(),
            volume_size: Size::from_gib(16),
            database_access: false,
            cache_access: false,
        }
    }
}

/// The Jenkins server (AWS): an Auto Scaling group of one, its home `/mnt/jenkins` on a file system
/// of its own, so that a lost server takes nothing with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Jenkins {
    /// Whether there is one.
    pub enabled: bool,
    /// The instance type.
    #[schemars(regex(pattern = r"^[a-z0-9-]+\.[a-z0-9-]+$"))]
    pub instance_type: String,
    /// Jenkins' version, such as `2.516.3`. Default: the newest long-term support release when the
    /// server starts.
    #[schemars(regex(pattern = r"^[0-9]+\.[0-9]+(\.[0-9]+)?$"))]
    pub version: Option<String>,
    /// The version of Java: 21 or 25 (jenkins.io, "Java Support Policy").
    #[schemars(range(min = 21, max = 25))]
    pub java_version: u8,
    /// The size of its encrypted gp3 volume, on which builds run, 8 GiB to 16 TiB.
    pub volume_size: Size,
    /// Back its home up, when and for how long `storage` says (AWS Backup).
    pub backups: bool,
    /// Its host name behind the load balancer.
    pub host: Option<String>,
    /// Ranges that may reach it; at least one when it is enabled, at most four (a listener rule of
    /// the load balancer takes five values, of which the host is one).
    #[schemars(with = "Vec<formats::IpNetwork>")]
    pub allow_from: Vec<String>,
    /// Plugins to install, by their ids, such as `git`; with `:` and a version for that one.
    #[schemars(inner(regex(pattern = r"^[A-Za-z0-9._-]+(:[A-Za-z0-9._+-]+)?$")))]
    pub plugins: Vec<String>,
}

impl Default for Jenkins {
    fn default() -> Self {
        Self {
            enabled: false,
            instance_type: "t3.medium".to_owned(),
            version: None,
            java_version: 21,
            volume_size: Size::from_gib(50),
            backups: true,
            host: None,
            allow_from: Vec::new(),
            plugins: ["git", "workflow-aggregator", "job-dsl", "amazon-ecr"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}
