//! `[app.NAME]`

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container::Container;
use crate::units::{Duration, Size};

/// An app: a task definition, the ECS service that runs it, its route, jobs and hooks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// What the app is made of. Without a preset, `container` describes all of it.
    pub preset: Option<Preset>,
    /// The folder with the app's code, relative to this file. `wordpress` needs none.
    #[schemars(with = "Option<String>")]
    pub source: Option<PathBuf>,
    /// An OCI image that is the app's release, instead of `source`: `registry/name:tag`, or on the
    /// local target also `oci:FOLDER` or `docker-archive:FILE`, relative to this file. Containers
    /// without an image of their own run it. A preset's image holds nginx, php-fpm and the code in
    /// `/var/www/html`; the kit puts its configuration files into it.
    pub image: Option<String>,
    /// The App Cluster that the app runs on. Default: `app`, or the only one there is.
    pub cluster: Option<String>,
    /// How many tasks there are.
    pub tasks: Tasks,
    /// Which requests come to the app.
    pub routing: Routing,
    /// How the load balancer checks a task.
    pub health_check: HealthCheck,
    /// Keep a visitor on the same task. Default: off, since sessions are in Redis.
    pub stickiness: Stickiness,
    /// When tasks are added and removed.
    pub scaling: Scaling,
    /// The rules of a rolling deployment.
    pub deployment: Deployment,
    /// The php-fpm container of a preset.
    pub php: Php,
    /// The nginx container of a preset.
    pub nginx: Nginx,
    /// Containers by name: all of a free-form app's, or changes to a preset's.
    pub container: BTreeMap<String, Container>,
    /// Environment variables of all the app's containers.
    pub environment: BTreeMap<String, String>,
    /// Environment variables from secrets: variable name to secret name.
    pub secrets: BTreeMap<String, String>,
    /// The app's database schema and user. Default: the app's name; `database = ""` for none.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_]{0,32}$"))]
    pub database: Option<String>,
    /// Scheduled jobs by name. A preset brings its cron.
    pub job: BTreeMap<String, Job>,
    /// Commands run around deployments. A preset brings its own.
    pub hooks: Hooks,
    /// The store's first administrator.
    pub admin: Admin,
    /// The site's title, where the app has one.
    pub title: Option<String>,
}

/// A known kind of app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Magento Open Source or Adobe Commerce 2.4.
    Magento2,
    /// Magento 1.9 or OpenMage 19.4 and later.
    Magento1,
    /// WordPress from the distribution's packages.
    WordPress,
    /// The example shop of this project, or any PHP shop built to its contract.
    Storefront,
    /// Any other PHP app with a front controller.
    Php,
}

/// The number of tasks; `minimum <= desired <= maximum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tasks {
    /// Never fewer than this.
    #[schemars(range(min = 0, max = 5000))]
    pub minimum: u32,
    /// Never more than this.
    #[schemars(range(min = 1, max = 5000))]
    pub maximum: u32,
    /// How many at first. Default: the minimum.
    #[schemars(range(min = 0, max = 5000))]
    pub desired: Option<u32>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            minimum: 2,
            maximum: 4,
            desired: None,
        }
    }
}

/// The listener rule that sends requests to the app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Routing {
    /// Host names, exact or with `*`; at most 5 with `paths` together (ALB). Default: on the local
    /// target `<app>.localhost`, else every host.
    #[schemars(length(max = 5), inner(length(min = 1, max = 128)))]
    pub hosts: Option<Vec<String>>,
    /// Paths, with `*` and `?`. Default: every path.
    #[schemars(length(max = 5), inner(length(min = 1, max = 128)))]
    pub paths: Vec<String>,
    /// The rule's priority, 1 to 50000, lowest first (ALB). Default: the order of the apps' names,
    /// those with hosts and paths first.
    #[schemars(range(min = 1, max = 50000))]
    pub priority: Option<u16>,
    /// The container that gets the requests. Default: the only one with a port.
    pub container: Option<String>,
    /// The app takes no requests from the load balancer, like a queue worker.
    pub internal: bool,
}

/// The load balancer's check of a task (a target group's health check).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthCheck {
    /// The path. Default: the preset's, `/health_check.php`.
    #[schemars(regex(pattern = r"^/[^\s]*$"), length(max = 1024))]
    pub path: Option<String>,
    /// The time between checks; on AWS 5 s to 300 s (ALB). Default: 10 s, locally 1 s.
    pub interval: Option<Duration>,
    /// How long a check may take, below the interval; on AWS 2 s to 120 s. Default: 5 s, locally
    /// 900 ms.
    pub timeout: Option<Duration>,
    /// Successes in a row that make a task healthy, 2 to 10. Default: 3, locally 2.
    #[schemars(range(min = 2, max = 10))]
    pub healthy_threshold: Option<u8>,
    /// Failures in a row that make a task unhealthy, 2 to 10. Default: 2.
    #[schemars(range(min = 2, max = 10))]
    pub unhealthy_threshold: Option<u8>,
    /// The HTTP status codes of a healthy task, such as `"200"` or `"200-399"` or `"200,301"`.
    /// Default: `"200"`.
    #[schemars(regex(pattern = r"^[0-9]{3}(-[0-9]{3})?(,[0-9]{3}(-[0-9]{3})?)*$"))]
    pub matcher: Option<String>,
    /// After a task's start, failed checks do not count for this long, up to 2,147,483,647 s
    /// (ECS). Default: 60 s, locally 10 s.
    pub grace_period: Option<Duration>,
}

/// Stickiness by a cookie of the load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stickiness {
    /// Whether a visitor stays on the same task.
    pub enabled: bool,
    /// For how long, 1 s to 7 d (ALB).
    pub duration: Duration,
}

impl Default for Stickiness {
    fn default() -> Self {
        Self {
            enabled: false,
            duration: Duration::from_days(1),
        }
    }
}

/// Target tracking of the number of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scaling {
    /// Keep the tasks' mean CPU use at this share of what they reserve, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub cpu_percent: Option<u8>,
    /// Keep the tasks' mean memory use at this share of what they reserve, in percent.
    #[schemars(range(min = 1, max = 100))]
    pub memory_percent: Option<u8>,
    /// Keep the requests a minute and task at this number.
    #[schemars(range(min = 1))]
    pub requests_per_task: Option<u32>,
    /// The pause after adding tasks, 0 s to 1 h.
    pub scale_out_cooldown: Duration,
    /// The pause after removing tasks, 0 s to 1 h.
    pub scale_in_cooldown: Duration,
}

impl Default for Scaling {
    fn default() -> Self {
        Self {
            cpu_percent: Some(60),
            memory_percent: None,
            requests_per_task: None,
            scale_out_cooldown: Duration::from_secs(60),
            scale_in_cooldown: Duration::from_secs(300),
        }
    }
}

/// The rules of a rolling deployment, as ECS has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Deployment {
    /// The share of the wanted tasks that stays healthy throughout, in percent.
    #[schemars(range(max = 100))]
    pub minimum_healthy_percent: u16,
    /// The share of the wanted tasks that runs at most, in percent.
    #[schemars(range(min = 100, max = 200))]
    pub maximum_percent: u16,
    /// How long a task that is taken out may finish its requests, 0 s to 1 h (ALB). Default:
    /// 300 s, locally 5 s.
    pub deregistration_delay: Option<Duration>,
    /// What happens when a release can't become healthy.
    pub circuit_breaker: CircuitBreaker,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            deregistration_delay: None,
            circuit_breaker: CircuitBreaker::default(),
        }
    }
}

/// ECS's deployment circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CircuitBreaker {
    /// Give a deployment up when its tasks can't become healthy.
    pub enabled: bool,
    /// Go back to the last release that was healthy.
    pub rollback: bool,
    /// Failed tasks that make it give up, 1 to 200. Default: half the wanted tasks, at least 3, at
    /// most 200 (ECS).
    #[schemars(range(min = 1, max = 200))]
    pub failure_threshold: Option<u16>,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            enabled: true,
            rollback: true,
            failure_threshold: None,
        }
    }
}

/// The php-fpm container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Php {
    /// PHP's `memory_limit`.
    pub memory_limit: Size,
    /// `production` or `developer`: Magento's `MAGE_MODE`; also whether OPcache looks for changes.
    pub mode: PhpMode,
    /// php-fpm's process manager.
    pub process_manager: ProcessManager,
    /// `pm.max_children`.
    #[schemars(range(min = 1, max = 1000))]
    pub max_children: u16,
    /// `pm.start_servers`.
    #[schemars(range(min = 1, max = 1000))]
    pub start_servers: u16,
    /// `pm.min_spare_servers`.
    #[schemars(range(min = 1, max = 1000))]
    pub min_spare_servers: u16,
    /// `pm.max_spare_servers`.
    #[schemars(range(min = 1, max = 1000))]
    pub max_spare_servers: u16,
    /// `pm.max_requests`: a worker is replaced after this many, 0 for never.
    pub max_requests: u32,
    /// Memory that is kept for the container when it is placed.
    pub memory_reservation: Size,
    /// Memory above which the container is killed. Default: no limit but the App Server's.
    pub memory: Option<Size>,
    /// CPU units, 1024 for one virtual CPU.
    #[schemars(range(max = 10240))]
    pub cpu: u32,
    /// The front controller of the `php` preset, relative to the document root.
    pub front_controller: String,
    /// The document root of the `php` preset, relative to the app's source.
    pub document_root: String,
}

impl Default for Php {
    fn default() -> Self {
        Self {
            memory_limit: Size::from_mib(768),
            mode: PhpMode::default(),
            process_manager: ProcessManager::default(),
            max_children: 25,
            start_servers: 10,
            min_spare_servers: 10,
            max_spare_servers: 15,
            max_requests: 1_000,
            memory_reservation: Size::from_mib(768),
            memory: None,
            cpu: 512,
            front_controller: "index.php".to_owned(),
            document_root: String::new(),
        }
    }
}

/// Magento's application mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PhpMode {
    /// Code never changes under a running task.
    #[default]
    Production,
    /// Code is looked at again on each request.
    Developer,
}

/// php-fpm's `pm`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProcessManager {
    /// Between the spare limits.
    #[default]
    Dynamic,
    /// Always `max-children`.
    Static,
    /// None until a request comes.
    Ondemand,
}

/// The nginx container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Nginx {
    /// Memory that is kept for the container when it is placed.
    pub memory_reservation: Size,
    /// Memory above which the container is killed.
    pub memory: Option<Size>,
    /// CPU units, 1024 for one virtual CPU.
    #[schemars(range(max = 10240))]
    pub cpu: u32,
    /// The largest request body (`client_max_body_size`).
    pub client_max_body_size: Size,
}

impl Default for Nginx {
    fn default() -> Self {
        Self {
            memory_reservation: Size::from_mib(128),
            memory: None,
            cpu: 128,
            client_max_body_size: Size::from_mib(64),
        }
    }
}

/// A command run on a schedule, in one task of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Job {
    /// When: `rate(5 minutes)` or `cron(0 3 * * ? *)`, in EventBridge's syntax, in UTC. May be
    /// left out only where `enabled = false`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub schedule: String,
    /// The command and its arguments. May be left out only where `enabled = false`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The container whose image and environment it uses. Default: php-fpm's.
    #[serde(default)]
    pub container: Option<String>,
    /// Start even though the run before has not ended.
    #[serde(default)]
    pub overlap: bool,
    /// Stop a run after this long. Default: 1 h.
    #[serde(default)]
    pub timeout: Option<Duration>,
    /// Switch a preset's job off.
    #[serde(default = "Job::default_enabled")]
    pub enabled: bool,
}

impl Job {
    fn default_enabled() -> bool {
        true
    }
}

/// Commands run around deployments, each in a one-off task of the new release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hooks {
    /// Once, on an empty database, before any traffic.
    pub install: Option<Vec<String>>,
    /// Once per deployment, before new tasks take traffic.
    pub upgrade: Option<Vec<String>>,
    /// Once per deployment, after new tasks took over, and by `mck cache flush`.
    pub cache_flush: Option<Vec<String>>,
}

/// The store's first administrator; the password is a secret that the kit makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Admin {
    /// The user's name.
    #[schemars(length(min = 1, max = 40))]
    pub user: String,
    /// The user's e-mail address.
    #[schemars(regex(pattern = r"^[^@\s]+@[^@\s]+$"))]
    pub email: String,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            user: "admin".to_owned(),
            email: "admin@example.com".to_owned(),
        }
    }
}
