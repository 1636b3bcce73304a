//! Presets: everything that running a kind of PHP app takes, as data.
//!
//! A preset says which files its containers need, which paths they may write, which variables
//! they read, and the commands that install, upgrade and maintain the app. Whoever runs it makes
//! no choice of its own.

mod contracts;
mod presets;

use crate::magento2::Mode;
use crate::nginx::{self, NginxConfig};
use crate::php_fpm::{self, PhpFpmConfig, Pool};
use ipnet::IpNet;

/// Folder, in every container of an app, of the rendered files.
pub const CONFIG_DIRECTORY: &str = "/etc/magecloudkit";

/// Folder of a release in its containers.
pub const CODE_DIRECTORY: &str = "/var/www/html";

/// The kinds of PHP app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WebPreset {
    /// Magento Open Source or Adobe Commerce 2.4.
    Magento2,
    /// Magento 1, OpenMage 19.4.
    Magento1,
    /// WordPress from Debian's packages.
    WordPress,
    /// The storefront example.
    Storefront,
    /// Any other PHP app.
    Php,
}

impl WebPreset {
    /// All presets.
    pub const ALL: [Self; 5] = [
        Self::Magento2,
        Self::Magento1,
        Self::WordPress,
        Self::Storefront,
        Self::Php,
    ];
}

/// What a preset leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebApp {
    /// The kind of app.
    pub preset: WebPreset,
    /// Magento 2's mode; other presets have production only.
    pub mode: Mode,
    /// The shape of an app of the preset [`WebPreset::Php`]; others ignore it.
    pub plain_php: PlainPhp,
    /// Port of the site.
    pub port: u16,
    /// Port of the status pages.
    pub status_port: u16,
    /// Networks of the load balancer.
    pub trusted_proxies: Vec<IpNet>,
    /// nginx's worker processes.
    pub worker_processes: u16,
    /// php-fpm's processes.
    pub pool: Pool,
    /// `memory_limit` of a request in MiB (`PHP_MEMORY_LIMIT`).
    pub memory_limit_mib: u32,
}

/// The shape of an app without a preset of its own. No path may hold a `$`, which nginx takes for
/// the beginning of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainPhp {
    /// The served folder, relative to the code; empty for the code's root.
    pub document_root: String,
    /// The PHP file that answers whatever is not a file.
    pub front_controller: String,
    /// Further PHP files that may be requested.
    pub php_entry_points: Vec<String>,
    /// Path of the health check.
    pub health_check_path: String,
}

impl Default for PlainPhp {
    fn default() -> Self {
        Self {
            document_root: "public".to_owned(),
            front_controller: "index.php".to_owned(),
            php_entry_points: Vec::new(),
            health_check_path: "/".to_owned(),
        }
    }
}

impl WebApp {
    /// An app of `preset` with the defaults that the kit's users know.
    #[must_use]
    pub fn new(preset: WebPreset) -> Self {
        Self {
            preset,
            mode: Mode::Production,
            plain_php: PlainPhp::default(),
            port: nginx::DEFAULT_PORT,
            status_port: nginx::DEFAULT_STATUS_PORT,
            trusted_proxies: Vec::new(),
            worker_processes: 2,
            pool: Pool::default(),
            memory_limit_mib: 768,
        }
    }

    /// Everything that running this app takes.
    #[must_use]
    pub fn spec(&self) -> WebPresetSpec {
        presets::spec(self)
    }
}

/// Everything that running an app takes. Paths are absolute, inside the containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPresetSpec {
    /// Where the code comes from.
    pub code: Code,
    /// The folder that nginx serves.
    pub document_root: String,
    /// The PHP files that a request may run, relative to the document root; empty where rules
    /// name the forbidden ones instead.
    pub php_entry_points: Vec<String>,
    /// Private writable folders of each task: a tmpfs.
    pub writable_paths: Vec<WritablePath>,
    /// Folders of the shared file system, in both containers.
    pub shared_paths: Vec<String>,
    /// Path that answers 200 when a task can serve.
    pub health_check_path: String,
    /// The variables that the PHP container, its hooks and its jobs read.
    pub environment: Vec<VariableContract>,
    /// The web server container.
    pub nginx: ServerContainer,
    /// The PHP container. Hooks and jobs run in one like it with another command.
    pub php: ServerContainer,
    /// One-off commands.
    pub hooks: Hooks,
    /// Commands on a schedule, each on one task at a time.
    pub jobs: Vec<ScheduledJob>,
    /// The rendered configuration of nginx, as values.
    pub nginx_config: NginxConfig,
    /// The rendered configuration of php-fpm, as values.
    pub php_fpm_config: PhpFpmConfig,
}

impl WebPresetSpec {
    /// Folders inside a release that must exist there, for they are mounted over while the
    /// release itself is read-only. Relative to the release.
    #[must_use]
    pub fn release_mount_points(&self) -> Vec<&str> {
        let Code::Release { directory } = &self.code else {
            return Vec::new();
        };
        self.writable_paths
            .iter()
            .map(|path| path.path.as_str())
            .chain(self.shared_paths.iter().map(String::as_str))
            .filter_map(|path| path.strip_prefix(directory.as_str())?.strip_prefix('/'))
            .collect()
    }
}

/// Where an app's code comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// A release, mounted read-only at `directory` in both containers.
    Release {
        /// The mount point.
        directory: String,
    },
    /// Packages of the root file system.
    Packages {
        /// Debian package names.
        packages: Vec<&'static str>,
    },
}

/// A private writable folder of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritablePath {
    /// Its path.
    pub path: String,
    /// Whether it begins as a copy of what the release has there: a tmpfs with `tmpcopyup`
    /// where crun or runc mounts it, an empty volume where Docker does. The folder itself is the
    /// container user's; what is in it may be another's.
    pub seeded: bool,
    /// Whether nginx serves from it, so that it is one volume in both containers.
    pub in_nginx: bool,
    /// Most it may hold, in MiB. It counts as the task's memory.
    pub size_mib: u32,
}

/// A variable that an app reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariableContract {
    /// Its name.
    pub name: &'static str,
    /// Whether it holds a secret.
    pub secret: bool,
    /// Whether the app refuses to start without it.
    pub required: bool,
}

/// How a server's container is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerContainer {
    /// The command; where the app needs it, it prepares the container first.
    pub command: Vec<String>,
    /// The signal that ends it when its requests are answered.
    pub stop_signal: &'static str,
    /// Folder that the command runs in.
    pub working_directory: String,
    /// Read-only files by absolute path. They hold no secret.
    pub files: Vec<RenderedFile>,
    /// Variables with fixed values.
    pub environment: Vec<(&'static str, String)>,
}

/// A file that a container finds at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFile {
    /// Absolute path.
    pub path: String,
    /// The text.
    pub content: String,
}

/// One-off commands, run in a container like the PHP container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Before any traffic; harmless when repeated or run twice at once.
    pub install: Option<Vec<String>>,
    /// With a new release's code, before its tasks take traffic.
    pub upgrade: Option<Vec<String>>,
    /// When the new release's tasks serve.
    pub cache_flush: Option<Vec<String>>,
}

/// A command on a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledJob {
    /// Its name.
    pub name: &'static str,
    /// Minutes between two starts.
    pub every_minutes: u32,
    /// The command.
    pub command: Vec<String>,
}

fn config_path(name: &str) -> String {
    format!("{CONFIG_DIRECTORY}/{name}")
}

fn file(name: &str, content: impl Into<String>) -> RenderedFile {
    RenderedFile {
        path: config_path(name),
        content: content.into(),
    }
}

fn arguments<const N: usize>(arguments: [&str; N]) -> Vec<String> {
    arguments.map(str::to_owned).to_vec()
}

/// `command` after the shell line `preparation` has succeeded, as the same process.
fn prepared(preparation: &str, command: Vec<String>) -> Vec<String> {
    let mut all = arguments(["/bin/sh", "-euc"]);
    all.push(format!("{preparation}\nexec \"$@\""));
    all.push("start".to_owned());
    all.extend(command);
    all
}

fn nginx_container(config: &NginxConfig) -> ServerContainer {
    let path = config_path("nginx.conf");
    ServerContainer {
        command: nginx::command(&path),
        stop_signal: nginx::STOP_SIGNAL,
        working_directory: "/".to_owned(),
        files: vec![RenderedFile {
            path,
            content: nginx::render(config),
        }],
        environment: Vec::new(),
    }
}

fn php_fpm_command() -> Vec<String> {
    php_fpm::command(&config_path("php-fpm.conf"))
}
