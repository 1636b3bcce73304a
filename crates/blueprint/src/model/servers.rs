//! Server roles beside App Servers.

use mck_environment::{
    settings::Architecture,
    units::{Duration, Size},
};
use serde::Serialize;

use super::{BackupPlan, HealthCheck, ListenerRule, Node, SecurityGroupName};

/// The Bastion: Ubuntu LTS, its security updates unattended, `fail2ban` before SSH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Bastion {
    /// Its name, zone and address.
    pub node: Node,
    /// The instance type (AWS).
    pub instance_type: String,
    /// The processor architecture, which follows from the type.
    pub architecture: Architecture,
    /// Its encrypted volume (AWS).
    pub volume_size: Size,
    /// Ranges from which SSH is open.
    pub allow_ssh_from: Vec<String>,
    /// OpenSSH public keys of the people who may log in as `ubuntu` (AWS).
    pub authorized_keys: Vec<String>,
    /// Its log group.
    pub log_group: String,
}

/// Jenkins (AWS): an Auto Scaling group of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Jenkins {
    /// The secret with the administrator's password.
    pub admin_password_secret: String,
    /// Its name, zone and address.
    pub node: Node,
    /// The instance type.
    pub instance_type: String,
    /// The processor architecture, which follows from the type.
    pub architecture: Architecture,
    /// Its encrypted volume, on which builds run.
    pub volume_size: Size,
    /// Jenkins' version; none for the newest long-term support release.
    pub version: Option<String>,
    /// The version of Java.
    pub java_version: u8,
    /// Where it keeps everything.
    pub home: JenkinsHome,
    /// The port on which it listens: 8080.
    pub port: u16,
    /// Its host behind the load balancer.
    pub host: Option<String>,
    /// The name of its target group, at most 32 characters (ALB).
    pub target_group: String,
    /// The load balancer's check of it.
    pub health_check: HealthCheck,
    /// How long it may finish its requests when it is taken out.
    pub deregistration_delay: Duration,
    /// Which requests come to it; none without a host.
    pub listener_rule: Option<ListenerRule>,
    /// Ranges that may reach it: `source-ip` of its listener rule.
    pub allow_from: Vec<String>,
    /// Plugins to install.
    pub plugins: Vec<String>,
    /// Its log group.
    pub log_group: String,
}

/// The file system of Jenkins, apart from the apps' (EFS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JenkinsHome {
    /// Where it is mounted: `/mnt/jenkins`.
    pub path: String,
    /// The names of the subnets with a mount target, one in each zone.
    pub subnets: Vec<String>,
    /// The port: 2049 (NFS).
    pub port: u16,
    /// Its backups.
    pub backup_plan: Option<BackupPlan>,
    /// The mount targets' security group.
    pub security_group: SecurityGroupName,
}
