//! php-fpm: the PHP container of an app.
//!
//! One master with one pool, unprivileged, in the foreground, with its logs on standard error
//! (php-fpm points its standard output at `/dev/null`). The pool sees the container's environment.

pub mod php_ini;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The signal that lets php-fpm finish the requests it runs (php-fpm(8), "SIGQUIT").
pub const STOP_SIGNAL: &str = "SIGQUIT";

/// Where php-fpm listens inside its task.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9000);

/// Path of the pool's status page on nginx's status port.
pub const STATUS_PATH: &str = "/fpm-status";

/// Path of the pool's ping on nginx's status port. It stays 200 without a database: liveness.
pub const PING_PATH: &str = "/fpm-ping";

/// Everything that a php-fpm configuration file depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhpFpmConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// How many processes there are.
    pub pool: Pool,
    /// Seconds that a reload or stop waits for running requests. Without it a reload answers
    /// requests under way with 502.
    pub process_control_timeout_seconds: u32,
    /// Seconds after which a request's PHP stack is logged. It needs `ptrace`, which a container
    /// without capabilities has only for processes of its own user.
    pub slow_request_seconds: Option<u32>,
    /// Seconds after which a request is killed.
    pub request_terminate_timeout_seconds: Option<u32>,
}

/// The pool's processes (`pm`): the kit's `PHP_PM_*` variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `PHP_PM` with its numbers.
    pub process_manager: ProcessManager,
    /// `PHP_PM_MAX_CHILDREN`: most processes at once.
    pub max_children: u32,
    /// `PHP_PM_MAX_REQUESTS`: requests after which a process is replaced; 0 is never.
    pub max_requests: u32,
}

/// php-fpm's process managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessManager {
    /// Between `min_spare` and `max_spare` idle processes.
    Dynamic {
        /// Processes at the start, from `min_spare` to `max_spare`.
        start_servers: u32,
        /// Fewest idle processes, at least 1.
        min_spare_servers: u32,
        /// Most idle processes, at most `max_children`.
        max_spare_servers: u32,
    },
    /// Always `max_children`.
    Static,
    /// None until a request comes; idle ones end after the time-out in seconds.
    OnDemand {
        /// Seconds.
        idle_timeout_seconds: u32,
    },
}

impl Default for Pool {
    /// The defaults that the kit's users know: dynamic, 25 at most, 10 at the start and 10 to 15
    /// spare, 1,000 requests for each.
    fn default() -> Self {
        Self {
            process_manager: ProcessManager::Dynamic {
                start_servers: 10,
                min_spare_servers: 10,
                max_spare_servers: 15,
            },
            max_children: 25,
            max_requests: 1000,
        }
    }
}

impl Default for PhpFpmConfig {
    fn default() -> Self {
        Self {
            listen: DEFAULT_ADDRESS,
            pool: Pool::default(),
            process_control_timeout_seconds: 20,
            slow_request_seconds: None,
            request_terminate_timeout_seconds: None,
        }
    }
}

/// The command that runs php-fpm in the foreground with the file at `config_path`, as Debian 12
/// names it.
#[must_use]
pub fn command(config_path: &str) -> Vec<String> {
    ["php-fpm8.2", "--nodaemonize", "--fpm-config", config_path]
        .map(str::to_owned)
        .to_vec()
}

/// Renders the complete `php-fpm.conf`.
#[must_use]
pub fn render(config: &PhpFpmConfig) -> String {
    let mut out = String::new();
    let mut set = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a String does not fail.
        let _ = writeln!(out, "{name} = {value}");
    };
    set("pid", &"/tmp/php-fpm.pid");
    set("daemonize", &"no");
    set("error_log", &"/proc/self/fd/2");
    set("log_level", &"notice");
    set("log_limit", &8192);
    set(
        "process_control_timeout",
        &format_args!("{}s", config.process_control_timeout_seconds),
    );
    out.push_str("\n[www]\n");
    pool_settings(&mut out, config);
    out
}

fn pool_settings(out: &mut String, config: &PhpFpmConfig) {
    let mut set = |name: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(out, "{name} = {value}");
    };
    set("listen", &config.listen);
    set("listen.backlog", &511);
    set("clear_env", &"no");
    set("security.limit_extensions", &".php");
    set("catch_workers_output", &"yes");
    set("decorate_workers_output", &"no");
    let pool = config.pool;
    match pool.process_manager {
        ProcessManager::Dynamic {
            start_servers,
            min_spare_servers,
            max_spare_servers,
        } => {
            set("pm", &"dynamic");
            set("pm.start_servers", &start_servers);
            set("pm.min_spare_servers", &min_spare_servers);
            set("pm.max_spare_servers", &max_spare_servers);
        }
        ProcessManager::Static => set("pm", &"static"),
        ProcessManager::OnDemand {
            idle_timeout_seconds,
        } => {
            set("pm", &"ondemand");
            set(
                "pm.process_idle_timeout",
                &format_args!("{idle_timeout_seconds}s"),
            );
        }
    }
    set("pm.max_children", &pool.max_children);
    set("pm.max_requests", &pool.max_requests);
    set("pm.status_path", &STATUS_PATH);
    set("ping.path", &PING_PATH);
    set("ping.response", &"pong");
    set("access.log", &"/proc/self/fd/2");
    set("access.format", &format_args!("'{ACCESS_FORMAT}'"));
    for path in [STATUS_PATH, PING_PATH] {
        set("access.suppress_path[]", &path);
    }
    if let Some(seconds) = config.slow_request_seconds {
        set("request_slowlog_timeout", &format_args!("{seconds}s"));
        set("slowlog", &"/proc/self/fd/2");
    }
    if let Some(seconds) = config.request_terminate_timeout_seconds {
        set("request_terminate_timeout", &format_args!("{seconds}s"));
    }
}

/// A JSON line. It leaves out the URI, which php-fpm would not escape: nginx's line with the same
/// request id has it.
const ACCESS_FORMAT: &str = concat!(
    r#"{"time":"%{%Y-%m-%dT%H:%M:%S%z}t","request_id":"%{HTTP_X_REQUEST_ID}e","method":"%m","#,
    r#""script":"%f","status":%s,"milliseconds":%{milliseconds}d,"cpu_percent":%C,"#,
    r#""memory_bytes":%M,"pid":%p}"#
);
