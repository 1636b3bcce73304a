//! Apps.

use std::path::PathBuf;

use mck_environment::{
    settings::{Preset, Stickiness},
    units::{Duration, Size},
};
use serde::Serialize;

use super::{Container, SecurityGroupName};

/// An app: what ECS calls a service, with its task definition, route, jobs and hooks.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct App {
    /// Its name.
    pub name: String,
    /// The preset that it came from.
    pub preset: Option<Preset>,
    /// The folder with its code, relative to the environment file.
    pub source: Option<PathBuf>,
    /// Whether tasks see the source itself rather than a release made of it, so that a change is
    /// seen at the next request (the local target in developer mode).
    pub live_source: bool,
    /// The App Cluster that it runs on.
    pub cluster: String,
    /// The number of tasks.
    pub tasks: TaskCount,
    /// What a task is made of.
    pub task_definition: TaskDefinition,
    /// How requests come to its tasks; none for an internal app.
    pub target_group: Option<TargetGroup>,
    /// Which requests come to it.
    pub listener_rule: Option<ListenerRule>,
    /// Where a person finds it, without a slash at the end, such as `http://shop.localhost:8080`.
    /// None for an internal app and for one that answers every host.
    pub url: Option<String>,
    /// When tasks are added and removed.
    pub scaling: ScalingPolicy,
    /// The rules of a rolling deployment.
    pub deployment: DeploymentConfiguration,
    /// Scheduled jobs, by name.
    pub jobs: Vec<ScheduledJob>,
    /// Commands around deployments, in the order of their stages.
    pub hooks: Vec<Hook>,
    /// What any command in the app's PHP container must begin with, so that it finds the app's
    /// configuration; jobs and hooks have it already. Empty for most apps.
    pub command_prefix: Vec<String>,
    /// PHP extensions that the code needs; checked before the first start.
    pub php_extensions: Vec<String>,
    /// The tasks' security group.
    pub security_group: SecurityGroupName,
    /// The log group of all its containers.
    pub log_group: String,
    /// Its schema in the database cluster.
    pub database_schema: Option<String>,
    /// As whom to log in.
    pub admin_user: Option<String>,
    /// The secret with the administrator's password.
    pub admin_password_secret: Option<String>,
    /// The path of the administration pages.
    pub admin_path: Option<String>,
}

/// How many tasks an app has; `minimum <= desired <= maximum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskCount {
    /// Never fewer.
    pub minimum: u32,
    /// At first.
    pub desired: u32,
    /// Never more.
    pub maximum: u32,
}

/// What a task is made of; its containers share one network namespace and address (`awsvpc`).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskDefinition {
    /// The family: `<project>-<environment>-<app>`.
    pub family: String,
    /// Its containers in the order of their start.
    pub containers: Vec<Container>,
    /// CPU units that a server must have free.
    pub cpu: u32,
    /// Memory that a server must have free.
    pub memory: Size,
}

/// A target group of the load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TargetGroup {
    /// Its name, at most 32 characters (ALB).
    pub name: String,
    /// The container that gets the requests.
    pub container: String,
    /// The port of that container.
    pub port: u16,
    /// The check of a task.
    pub health_check: HealthCheck,
    /// How long a task that is taken out may finish its requests.
    pub deregistration_delay: Duration,
    /// Stickiness.
    pub stickiness: Stickiness,
}

/// A target group's health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HealthCheck {
    /// The path.
    pub path: String,
    /// The `Host` header: Magento and WordPress answer others with a redirect.
    pub host: Option<String>,
    /// The time between checks.
    pub interval: Duration,
    /// How long a check may take.
    pub timeout: Duration,
    /// Successes in a row that make a task healthy.
    pub healthy_threshold: u8,
    /// Failures in a row that make a task unhealthy.
    pub unhealthy_threshold: u8,
    /// Inclusive ranges of status codes of a healthy task.
    pub matcher: Vec<(u16, u16)>,
    /// Failed checks do not count for this long after a task's start.
    pub grace_period: Duration,
}

impl HealthCheck {
    /// The status codes of a healthy task as load balancers write them, such as `200,300-399`.
    pub fn status_codes(&self) -> String {
        let ranges: Vec<String> = self
            .matcher
            .iter()
            .map(|(first, last)| {
                if first == last {
                    first.to_string()
                } else {
                    format!("{first}-{last}")
                }
            })
            .collect();
        ranges.join(",")
    }
}

/// A listener rule: which requests go to an app's target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListenerRule {
    /// Lowest first, unique.
    pub priority: u16,
    /// Host patterns, any of which; empty for every host.
    pub hosts: Vec<String>,
    /// Path patterns, any of which; empty for every path.
    pub paths: Vec<String>,
}

/// When tasks are added and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScalingPolicy {
    /// Mean CPU use to keep, in percent of what is reserved.
    pub cpu_percent: Option<u8>,
    /// Mean memory use to keep, in percent of what is reserved.
    pub memory_percent: Option<u8>,
    /// Requests a minute and task to keep.
    pub requests_per_task: Option<u32>,
    /// The pause after adding.
    pub scale_out_cooldown: Duration,
    /// The pause after removing.
    pub scale_in_cooldown: Duration,
}

/// The rules of a rolling deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeploymentConfiguration {
    /// The share of the wanted tasks that stays healthy, in percent, rounded up (ECS).
    pub minimum_healthy_percent: u16,
    /// The share of the wanted tasks that runs at most, in percent, rounded down (ECS).
    pub maximum_percent: u16,
    /// Whether a deployment that can't succeed is given up.
    pub circuit_breaker: bool,
    /// Whether it then goes back to the last healthy release.
    pub rollback: bool,
    /// Failed tasks that make it give up.
    pub failure_threshold: u16,
}

/// A command on a schedule, in a task of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScheduledJob {
    /// Its name.
    pub name: String,
    /// `rate(…)` or `cron(…)` in EventBridge's syntax, UTC.
    pub schedule: String,
    /// The command.
    pub command: Vec<String>,
    /// The container whose image, environment and mounts it uses.
    pub container: String,
    /// Whether it starts though the run before has not ended.
    pub overlap: bool,
    /// A run is stopped after this long.
    pub timeout: Duration,
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookStage {
    /// Once, on an empty database, before any traffic.
    Install,
    /// Once per deployment, before new tasks take traffic.
    Upgrade,
    /// Once per deployment, after new tasks took over, and by `mck cache flush`.
    CacheFlush,
}

/// A command run in a one-off task around a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hook {
    /// When.
    pub stage: HookStage,
    /// The command.
    pub command: Vec<String>,
    /// The container whose image, environment and mounts it uses.
    pub container: String,
}
