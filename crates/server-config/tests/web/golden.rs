//! Golden files: every rendered file, and every preset's data.

use mck_server_config::magento2::{
    Amqp, Database, Magento2Deployment, Mode, OpenSearch, Redis, deployment_environment,
};
use mck_server_config::php_fpm::{self, PhpFpmConfig, Pool, ProcessManager};
use mck_server_config::web_preset::{PlainPhp, WebApp, WebPreset, WebPresetSpec};
use std::fmt::Write as _;

fn app(preset: WebPreset) -> WebApp {
    let mut app = WebApp::new(preset);
    app.trusted_proxies = vec![
        "172.31.0.0/24".parse().unwrap(),
        "172.31.1.0/24".parse().unwrap(),
    ];
    app
}

/// The preset without its rendered files, one value a line.
fn described(spec: &WebPresetSpec) -> String {
    let mut text = String::new();
    writeln!(text, "code: {:?}", spec.code).unwrap();
    writeln!(text, "document root: {}", spec.document_root).unwrap();
    writeln!(text, "entry points: {:?}", spec.php_entry_points).unwrap();
    for path in &spec.writable_paths {
        writeln!(text, "writable: {path:?}").unwrap();
    }
    writeln!(text, "shared: {:?}", spec.shared_paths).unwrap();
    writeln!(text, "mount points: {:?}", spec.release_mount_points()).unwrap();
    writeln!(text, "health check: {}", spec.health_check_path).unwrap();
    for (name, server) in [("nginx", &spec.nginx), ("php", &spec.php)] {
        writeln!(text, "{name}: {:?}", server.command).unwrap();
        writeln!(
            text,
            "  in {} until {}",
            server.working_directory, server.stop_signal
        )
        .unwrap();
        writeln!(text, "  environment {:?}", server.environment).unwrap();
        for file in &server.files {
            writeln!(text, "  {}", file.path).unwrap();
        }
    }
    writeln!(text, "install: {:?}", spec.hooks.install).unwrap();
    writeln!(text, "upgrade: {:?}", spec.hooks.upgrade).unwrap();
    writeln!(text, "cache flush: {:?}", spec.hooks.cache_flush).unwrap();
    for job in &spec.jobs {
        writeln!(text, "job: {job:?}").unwrap();
    }
    for variable in &spec.environment {
        writeln!(text, "reads: {variable:?}").unwrap();
    }
    text
}

fn file<'a>(spec: &'a WebPresetSpec, path: &str) -> &'a str {
    spec.nginx
        .files
        .iter()
        .chain(&spec.php.files)
        .find(|file| file.path == path)
        .map(|file| file.content.as_str())
        .unwrap()
}

#[test]
fn every_preset() {
    for preset in WebPreset::ALL {
        let spec = app(preset).spec();
        let name = format!("{preset:?}").to_lowercase();
        insta::assert_snapshot!(format!("{name}-preset"), described(&spec));
        insta::assert_snapshot!(
            format!("{name}-nginx.conf"),
            file(&spec, "/etc/magecloudkit/nginx.conf")
        );
        for kind in ["php-fpm.conf", "php.ini", "php-cli.ini"] {
            insta::assert_snapshot!(
                format!("{name}-{kind}"),
                file(&spec, &format!("/etc/magecloudkit/{kind}"))
            );
        }
    }
}

#[test]
fn magento2_in_developer_mode() {
    let mut app = app(WebPreset::Magento2);
    app.mode = Mode::Developer;
    let spec = app.spec();
    insta::assert_snapshot!("magento2-developer-preset", described(&spec));
    insta::assert_snapshot!(
        "magento2-developer-nginx.conf",
        file(&spec, "/etc/magecloudkit/nginx.conf")
    );
}

#[test]
fn plain_php_of_another_shape() {
    let mut app = app(WebPreset::Php);
    app.plain_php = PlainPhp {
        document_root: String::new(),
        front_controller: "app.php".to_owned(),
        php_entry_points: vec!["app.php".to_owned(), "admin/index.php".to_owned()],
        health_check_path: "/up".to_owned(),
    };
    app.port = 8000;
    app.status_port = 8001;
    insta::assert_snapshot!(
        "php-shaped-nginx.conf",
        file(&app.spec(), "/etc/magecloudkit/nginx.conf")
    );
}

#[test]
fn php_fpm_with_every_option() {
    let config = PhpFpmConfig {
        listen: "127.0.0.1:9001".parse().unwrap(),
        pool: Pool {
            process_manager: ProcessManager::OnDemand {
                idle_timeout_seconds: 10,
            },
            ..Pool::default()
        },
        slow_request_seconds: Some(5),
        request_terminate_timeout_seconds: Some(600),
        ..PhpFpmConfig::default()
    };
    insta::assert_snapshot!("php-fpm-options", php_fpm::render(&config));
}

fn magento2_deployment() -> Magento2Deployment {
    Magento2Deployment {
        mode: Mode::Production,
        database: Database {
            host: "db.us-east-1.magecloudkit.internal".to_owned(),
            name: "magento".to_owned(),
            user: "magento".to_owned(),
            password_secret: "database-password".to_owned(),
        },
        redis_cache: Redis {
            host: "redis-cache.us-east-1.magecloudkit.internal".to_owned(),
            port: 6379,
            password_secret: None,
        },
        redis_session: Redis {
            host: "redis-session.us-east-1.magecloudkit.internal".to_owned(),
            port: 6379,
            password_secret: Some("session-password".to_owned()),
        },
        crypt_key_secret: "crypt-key".to_owned(),
        install_date: "Tue, 24 Nov 2026 11:00:00 +0000".to_owned(),
        table_prefix: String::new(),
        cache_prefix: "shop_".to_owned(),
        base_url: "https://shop.example.com".to_owned(),
        admin_front_name: "backoffice".to_owned(),
        opensearch: Some(OpenSearch {
            host: "search.us-east-1.magecloudkit.internal".to_owned(),
            port: 9200,
            index_prefix: "shop".to_owned(),
        }),
        amqp: Some(Amqp {
            host: "queue.us-east-1.magecloudkit.internal".to_owned(),
            port: 5672,
            user: "magento".to_owned(),
            password_secret: "queue-password".to_owned(),
            virtual_host: "/".to_owned(),
        }),
    }
}

#[test]
fn magento2_environment() {
    let lines: Vec<String> = deployment_environment(&magento2_deployment())
        .iter()
        .map(|(name, value)| format!("{name} = {value:?}"))
        .collect();
    insta::assert_snapshot!("magento2-environment", lines.join("\n"));
}

#[test]
fn magento2_environment_names_each_variable_once() {
    let variables = deployment_environment(&magento2_deployment());
    let mut names: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), variables.len());
}
