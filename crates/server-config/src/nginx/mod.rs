//! nginx: the web server container of an app.
//!
//! One configuration file per task. nginx runs unprivileged in the foreground, writes its logs to
//! standard output and standard error, keeps its temporary files under `/tmp`, and answers two
//! ports: the site, and a second one for status and metrics that no load balancer forwards to.

mod sites;
mod writer;

use ipnet::IpNet;
use std::net::SocketAddr;

pub use sites::Site;
use writer::{ConfigWriter, quoted};

/// The signal that lets nginx finish the requests it has accepted (nginx(8), "QUIT").
pub const STOP_SIGNAL: &str = "SIGQUIT";

/// Port that a task's site answers on (the kit's `nginx` container port).
pub const DEFAULT_PORT: u16 = 80;

/// Port of `stub_status`, the php-fpm status page and its ping (the kit's metrics port).
pub const DEFAULT_STATUS_PORT: u16 = 8081;

/// Path of nginx's own counters on the status port.
pub const STUB_STATUS_PATH: &str = "/stub_status";

/// Everything that an nginx configuration file depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NginxConfig {
    /// Port of the site.
    pub port: u16,
    /// Port of the status pages.
    pub status_port: u16,
    /// Where php-fpm listens: the task's own loopback address.
    pub php_fpm: SocketAddr,
    /// Networks whose `X-Forwarded-*`, `X-Request-Id` headers are believed: the load balancer's
    /// subnets. With none, no such header is.
    pub trusted_proxies: Vec<IpNet>,
    /// Worker processes; one for each virtual CPU of the task.
    pub worker_processes: u16,
    /// Connections for each worker. Two of them serve one PHP request.
    pub worker_connections: u32,
    /// Largest request body in MiB. PHP's `post_max_size` should equal it.
    pub client_max_body_size_mib: u32,
    /// FastCGI buffers and time-outs.
    pub fastcgi: FastCgi,
    /// Seconds that an idle connection of the load balancer is kept. It must exceed the load
    /// balancer's own idle time-out (60 s for an Application Load Balancer by default), or
    /// requests meet a connection that is being closed.
    pub keepalive_timeout_seconds: u32,
    /// Seconds after `SIGQUIT` at which requests still running are cut off.
    pub worker_shutdown_timeout_seconds: u32,
    /// Folder with the release's `REVISION.txt`, which the site answers as `/REVISION.txt`.
    pub revision_directory: String,
    /// Path whose successful requests are left out of the access log.
    pub health_check_path: String,
    /// Further FastCGI parameters, such as `MAGE_MODE`. Never secrets.
    pub fastcgi_parameters: Vec<(String, String)>,
    /// What is served, and what is not.
    pub site: Site,
}

/// FastCGI buffers and time-outs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FastCgi {
    /// Number of response buffers for a request.
    pub buffers: u16,
    /// Size of each response buffer, in KiB.
    pub buffer_kib: u16,
    /// Size of the buffer that must hold all response headers, in KiB.
    pub header_buffer_kib: u16,
    /// Seconds between two reads of a response.
    pub read_timeout_seconds: u32,
    /// Seconds to reach php-fpm. It is on loopback, so a long wait means a full backlog.
    pub connect_timeout_seconds: u32,
}

impl Default for FastCgi {
    /// Magento 2.4's `nginx.conf.sample`, but for the time to connect, which is 600 s there.
    fn default() -> Self {
        Self {
            buffers: 16,
            buffer_kib: 16,
            header_buffer_kib: 32,
            read_timeout_seconds: 600,
            connect_timeout_seconds: 5,
        }
    }
}

impl NginxConfig {
    /// A configuration with production defaults for `site`.
    #[must_use]
    pub fn new(site: Site) -> Self {
        Self {
            port: DEFAULT_PORT,
            status_port: DEFAULT_STATUS_PORT,
            php_fpm: crate::php_fpm::DEFAULT_ADDRESS,
            trusted_proxies: Vec::new(),
            worker_processes: 2,
            worker_connections: 1024,
            client_max_body_size_mib: 64,
            fastcgi: FastCgi::default(),
            keepalive_timeout_seconds: 75,
            worker_shutdown_timeout_seconds: 30,
            revision_directory: crate::web_preset::CODE_DIRECTORY.to_owned(),
            health_check_path: "/health_check.php".to_owned(),
            fastcgi_parameters: Vec::new(),
            site,
        }
    }
}

/// The command that runs nginx in the foreground with the file at `config_path`.
#[must_use]
pub fn command(config_path: &str) -> Vec<String> {
    ["nginx", "-c", config_path].map(str::to_owned).to_vec()
}

/// Renders the complete `nginx.conf`.
#[must_use]
pub fn render(config: &NginxConfig) -> String {
    let mut out = ConfigWriter::default();
    out.line("daemon off;");
    out.line("pid /tmp/nginx.pid;");
    out.line("error_log stderr warn;");
    out.line(&format!("worker_processes {};", config.worker_processes));
    out.line(&format!(
        "worker_shutdown_timeout {}s;",
        config.worker_shutdown_timeout_seconds
    ));
    out.block("events", |out| {
        out.line(&format!(
            "worker_connections {};",
            config.worker_connections
        ));
    });
    out.block("http", |out| {
        http_basics(out, config);
        request_identity(out, config);
        access_log(out, config);
        compression(out);
        fastcgi(out, config);
        out.block("server", |out| site_server(out, config));
        out.block("server", |out| status_server(out, config));
    });
    out.finish()
}

fn http_basics(out: &mut ConfigWriter, config: &NginxConfig) {
    out.line("include /etc/nginx/mime.types;");
    out.line("default_type application/octet-stream;");
    out.line("server_tokens off;");
    out.line("absolute_redirect off;");
    out.line("sendfile on;");
    out.line("tcp_nopush on;");
    out.line("reset_timedout_connection on;");
    out.line(&format!(
        "keepalive_timeout {}s;",
        config.keepalive_timeout_seconds
    ));
    out.line("keepalive_requests 10000;");
    out.line(&format!(
        "client_max_body_size {}m;",
        config.client_max_body_size_mib
    ));
    out.comment("Cookies and referers of a shop outgrow the default of 8 KiB a line.");
    out.line("large_client_header_buffers 4 32k;");
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        out.line(&format!("{kind}_temp_path /tmp/nginx-{kind};"));
    }
}

fn request_identity(out: &mut ConfigWriter, config: &NginxConfig) {
    out.comment("Who speaks for the client: only the load balancer's networks.");
    out.block("geo $realip_remote_addr $from_load_balancer", |out| {
        out.line("default 0;");
        for network in &config.trusted_proxies {
            out.line(&format!("{network} 1;"));
        }
    });
    for network in &config.trusted_proxies {
        out.line(&format!("set_real_ip_from {network};"));
    }
    out.line("real_ip_header X-Forwarded-For;");
    out.line("real_ip_recursive on;");
    out.block(
        "map \"$from_load_balancer:$http_x_request_id\" $task_request_id",
        |out| {
            out.line("default $request_id;");
            out.line(r#""~^1:(?<given_request_id>[A-Za-z0-9._:=-]{1,128})$" $given_request_id;"#);
        },
    );
    out.block(
        "map \"$from_load_balancer:$http_x_forwarded_proto\" $forwarded_scheme",
        |out| {
            out.line("default http;");
            out.line("\"1:https\" https;");
        },
    );
    out.block("map $forwarded_scheme $forwarded_https", |out| {
        out.line("default \"\";");
        out.line("https on;");
    });
    out.block("map $forwarded_scheme $scheme_port", |out| {
        out.line("default $server_port;");
        out.line("https 443;");
    });
    out.block(
        "map \"$from_load_balancer:$http_x_forwarded_port\" $forwarded_port",
        |out| {
            out.line("default $scheme_port;");
            out.line(r#""~^1:(?<given_port>[0-9]{1,5})$" $given_port;"#);
        },
    );
}

fn access_log(out: &mut ConfigWriter, config: &NginxConfig) {
    const FIELDS: [(&str, &str); 18] = [
        ("time", "\"$time_iso8601\""),
        ("request_id", "\"$task_request_id\""),
        ("trace_id", "\"$http_x_amzn_trace_id\""),
        ("client", "\"$remote_addr\""),
        ("peer", "\"$realip_remote_addr\""),
        ("scheme", "\"$forwarded_scheme\""),
        ("host", "\"$host\""),
        ("method", "\"$request_method\""),
        ("uri", "\"$request_uri\""),
        ("protocol", "\"$server_protocol\""),
        ("status", "$status"),
        ("request_bytes", "$request_length"),
        ("response_bytes", "$bytes_sent"),
        ("seconds", "$request_time"),
        ("upstream_status", "\"$upstream_status\""),
        ("upstream_seconds", "\"$upstream_response_time\""),
        ("referer", "\"$http_referer\""),
        ("user_agent", "\"$http_user_agent\""),
    ];
    let fields: Vec<String> = FIELDS
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    out.line(&format!(
        "log_format access escape=json '{{{}}}';",
        fields.join(",")
    ));
    out.block("map \"$request_uri:$status\" $logged", |out| {
        out.line("default 1;");
        out.line(&format!(
            "{} 0;",
            quoted(&format!("{}:200", config.health_check_path))
        ));
    });
    out.line("access_log /dev/stdout access if=$logged;");
}

fn compression(out: &mut ConfigWriter) {
    const TYPES: [&str; 11] = [
        "text/plain",
        "text/css",
        "text/js",
        "text/xml",
        "text/javascript",
        "application/javascript",
        "application/x-javascript",
        "application/json",
        "application/xml",
        "application/xml+rss",
        "image/svg+xml",
    ];
    out.line("gzip on;");
    out.line("gzip_comp_level 6;");
    out.line("gzip_min_length 1100;");
    out.line("gzip_buffers 16 8k;");
    out.line("gzip_proxied any;");
    out.line("gzip_vary on;");
    out.line(&format!("gzip_types {};", TYPES.join(" ")));
}

fn fastcgi(out: &mut ConfigWriter, config: &NginxConfig) {
    let FastCgi {
        buffers,
        buffer_kib,
        header_buffer_kib,
        read_timeout_seconds,
        connect_timeout_seconds,
    } = config.fastcgi;
    out.block("upstream php_fpm", |out| {
        out.line(&format!("server {};", config.php_fpm));
    });
    out.line(&format!("fastcgi_buffers {buffers} {buffer_kib}k;"));
    out.line(&format!("fastcgi_buffer_size {header_buffer_kib}k;"));
    out.line(&format!("fastcgi_read_timeout {read_timeout_seconds}s;"));
    out.line(&format!(
        "fastcgi_connect_timeout {connect_timeout_seconds}s;"
    ));
    out.line("fastcgi_index index.php;");
    const PARAMETERS: [(&str, &str); 21] = [
        ("SCRIPT_FILENAME", "$document_root$fastcgi_script_name"),
        ("SCRIPT_NAME", "$fastcgi_script_name"),
        ("DOCUMENT_ROOT", "$document_root"),
        ("DOCUMENT_URI", "$document_uri"),
        ("REQUEST_URI", "$request_uri"),
        ("REQUEST_METHOD", "$request_method"),
        ("REQUEST_SCHEME", "$forwarded_scheme"),
        ("QUERY_STRING", "$query_string"),
        ("CONTENT_TYPE", "$content_type"),
        ("CONTENT_LENGTH", "$content_length"),
        ("SERVER_PROTOCOL", "$server_protocol"),
        ("SERVER_SOFTWARE", "nginx"),
        ("SERVER_ADDR", "$server_addr"),
        ("SERVER_NAME", "$host"),
        ("SERVER_PORT", "$forwarded_port"),
        ("REMOTE_ADDR", "$remote_addr"),
        ("REMOTE_PORT", "$remote_port"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("REDIRECT_STATUS", "200"),
        ("HTTP_X_REQUEST_ID", "$task_request_id"),
        ("HTTP_X_FORWARDED_PROTO", "$forwarded_scheme"),
    ];
    for (name, value) in PARAMETERS {
        out.line(&format!("fastcgi_param {name} {value};"));
    }
    out.line("fastcgi_param HTTPS $forwarded_https if_not_empty;");
    out.comment("A client's Proxy header must not become a proxy setting (CVE-2016-5385).");
    out.line("fastcgi_param HTTP_PROXY \"\";");
    for (name, value) in &config.fastcgi_parameters {
        out.line(&format!("fastcgi_param {name} {};", quoted(value)));
    }
}

fn site_server(out: &mut ConfigWriter, config: &NginxConfig) {
    out.line(&format!(
        "listen {} default_server backlog=511;",
        config.port
    ));
    out.line("server_name _;");
    out.block("location = /REVISION.txt", |out| {
        out.line(&format!("root {};", quoted(&config.revision_directory)));
        out.line("add_header Cache-Control \"no-store\";");
    });
    config.site.render(out);
}

fn status_server(out: &mut ConfigWriter, config: &NginxConfig) {
    out.line(&format!("listen {};", config.status_port));
    out.line("server_name _;");
    out.line("access_log off;");
    out.block(&format!("location = {STUB_STATUS_PATH}"), |out| {
        out.line("stub_status;");
    });
    for path in [crate::php_fpm::STATUS_PATH, crate::php_fpm::PING_PATH] {
        out.block(&format!("location = {path}"), |out| {
            out.line("fastcgi_pass php_fpm;");
        });
    }
    out.block("location /", |out| out.line("return 404;"));
}
