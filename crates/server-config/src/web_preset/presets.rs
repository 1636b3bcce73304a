//! Each preset's data.

use super::{
    CODE_DIRECTORY, CONFIG_DIRECTORY, Code, Hooks, RenderedFile, ScheduledJob, ServerContainer,
    WebApp, WebPreset, WebPresetSpec, WritablePath, arguments, config_path, contracts, file,
    nginx_container, php_fpm_command, prepared,
};
use crate::magento2::Mode;
use crate::nginx::{NginxConfig, Site};
use crate::php_fpm::php_ini::{self, Opcache, PhpIni};
use crate::php_fpm::{self, PhpFpmConfig};
use crate::{magento1, magento2, wordpress};

/// Where a preset departs from the others.
struct Parts {
    code: Code,
    site: Site,
    writable_paths: Vec<WritablePath>,
    shared_paths: Vec<String>,
    health_check_path: String,
    fastcgi_parameters: Vec<(String, String)>,
    files: Vec<RenderedFile>,
    environment: Vec<(&'static str, String)>,
    php_command: Vec<String>,
    hooks: Hooks,
    jobs: Vec<ScheduledJob>,
    ini: PhpIni,
    cli_memory_limit_mib: Option<u32>,
}

pub(super) fn spec(app: &WebApp) -> WebPresetSpec {
    let parts = match app.preset {
        WebPreset::Magento2 => magento2_parts(app),
        WebPreset::Magento1 => magento1_parts(app),
        WebPreset::WordPress => wordpress_parts(app),
        WebPreset::Storefront => storefront_parts(app),
        WebPreset::Php => php_parts(app),
    };
    assemble(app, parts)
}

fn assemble(app: &WebApp, parts: Parts) -> WebPresetSpec {
    let nginx_config = NginxConfig {
        port: app.port,
        status_port: app.status_port,
        trusted_proxies: app.trusted_proxies.clone(),
        worker_processes: app.worker_processes,
        client_max_body_size_mib: parts.ini.upload_max_mib,
        revision_directory: match &parts.code {
            Code::Release { directory } => directory.clone(),
            Code::Packages { .. } => CONFIG_DIRECTORY.to_owned(),
        },
        health_check_path: parts.health_check_path.clone(),
        fastcgi_parameters: parts.fastcgi_parameters,
        ..NginxConfig::new(parts.site)
    };
    let php_fpm_config = PhpFpmConfig {
        pool: app.pool,
        ..PhpFpmConfig::default()
    };
    let cli_ini = PhpIni {
        memory_limit_mib: parts.cli_memory_limit_mib,
        max_execution_time_seconds: 0,
        opcache: Opcache::off(),
        ..parts.ini.clone()
    };
    let mut files = vec![
        file("php-fpm.conf", php_fpm::render(&php_fpm_config)),
        file("php.ini", php_ini::render(&parts.ini)),
        file("php-cli.ini", php_ini::render(&cli_ini)),
    ];
    files.extend(parts.files);
    let mut environment = vec![("PHPRC", CONFIG_DIRECTORY.to_owned())];
    environment.extend(parts.environment);
    let working_directory = match &parts.code {
        Code::Release { directory } => directory.clone(),
        Code::Packages { .. } => wordpress::CODE_DIRECTORY.to_owned(),
    };
    WebPresetSpec {
        document_root: nginx_config.site.document_root(),
        php_entry_points: nginx_config.site.php_entry_points(),
        code: parts.code,
        writable_paths: parts.writable_paths,
        shared_paths: parts.shared_paths,
        health_check_path: parts.health_check_path,
        environment: contracts::environment(app.preset),
        nginx: nginx_container(&nginx_config),
        php: ServerContainer {
            command: parts.php_command,
            stop_signal: php_fpm::STOP_SIGNAL,
            working_directory,
            files,
            environment,
        },
        hooks: parts.hooks,
        jobs: parts.jobs,
        nginx_config,
        php_fpm_config,
    }
}

fn release() -> Code {
    Code::Release {
        directory: CODE_DIRECTORY.to_owned(),
    }
}

fn in_code(path: &str) -> String {
    format!("{CODE_DIRECTORY}/{path}")
}

fn private(path: &str, size_mib: u32) -> WritablePath {
    WritablePath {
        path: in_code(path),
        seeded: false,
        in_nginx: false,
        size_mib,
    }
}

fn private_copy(path: &str, size_mib: u32) -> WritablePath {
    WritablePath {
        seeded: true,
        ..private(path, size_mib)
    }
}

fn ini(app: &WebApp, max_execution_time_seconds: u32, opcache: Opcache) -> PhpIni {
    PhpIni {
        memory_limit_mib: Some(app.memory_limit_mib),
        max_execution_time_seconds,
        upload_max_mib: 64,
        max_input_vars: 10_000,
        opcache,
    }
}

const OWN_SCRIPT: &str = "own.sh";

fn own_app_etc() -> String {
    format!("sh {} {}", config_path(OWN_SCRIPT), in_code("app/etc"))
}

fn magento2_parts(app: &WebApp) -> Parts {
    let production = app.mode == Mode::Production;
    let prepare = format!(
        "{}\ncp {} {}",
        own_app_etc(),
        config_path("env.php"),
        in_code(ENV_PHP)
    );
    let mut writable_paths = vec![private("var", 512), private_copy("app/etc", 16)];
    if !production {
        writable_paths.push(private("generated", 512));
        writable_paths.push(WritablePath {
            in_nginx: true,
            ..private("pub/static", 1024)
        });
    }
    let (hooks, jobs) = magento2_commands(&prepare);
    Parts {
        code: release(),
        site: Site::Magento2 {
            magento_root: CODE_DIRECTORY.to_owned(),
            production,
        },
        writable_paths,
        shared_paths: vec![in_code("pub/media")],
        health_check_path: "/health_check.php".to_owned(),
        fastcgi_parameters: vec![("MAGE_MODE".to_owned(), app.mode.name().to_owned())],
        files: vec![
            file(OWN_SCRIPT, include_str!("own.sh")),
            file("env.php", magento2::ENV_PHP),
            file("magento2-install.php", magento2::INSTALL_SCRIPT),
        ],
        environment: Vec::new(),
        php_command: prepared(&prepare, php_fpm_command()),
        hooks,
        jobs,
        ini: ini(app, 18_000, Opcache::magento(production)),
        cli_memory_limit_mib: Some(2048),
    }
}

const ENV_PHP: &str = "app/etc/env.php";

/// Every command finds the deployment's `env.php` but the installation, which must find none.
fn magento2_commands(prepare: &str) -> (Hooks, Vec<ScheduledJob>) {
    let script = config_path("magento2-install.php");
    let magento = |sub_command: &[&str]| {
        let mut command = arguments(["php", "bin/magento"]);
        command.extend(sub_command.iter().map(|&argument| argument.to_owned()));
        prepared(prepare, command)
    };
    let job = |name, sub_command| ScheduledJob {
        name,
        every_minutes: 5,
        command: magento(&[sub_command]),
    };
    let hooks = Hooks {
        install: Some(prepared(
            &format!("{}\nrm -f {}", own_app_etc(), in_code(ENV_PHP)),
            arguments(["php", &script, CODE_DIRECTORY]),
        )),
        upgrade: Some(magento(&[
            "setup:upgrade",
            "--keep-generated",
            "--no-interaction",
        ])),
        cache_flush: Some(magento(&["cache:flush"])),
    };
    let jobs = vec![job("cron", "cron:run"), job("indexer", "indexer:reindex")];
    (hooks, jobs)
}

fn magento1_parts(app: &WebApp) -> Parts {
    let local_xml = format!(
        "{}
php {} {CODE_DIRECTORY}",
        own_app_etc(),
        config_path("local-xml.php")
    );
    let install = config_path("magento1-install.php");
    let upgrade = config_path("magento1-upgrade.php");
    Parts {
        code: release(),
        site: Site::Magento1 {
            magento_root: CODE_DIRECTORY.to_owned(),
            health_check_directory: CONFIG_DIRECTORY.to_owned(),
        },
        writable_paths: vec![private("var", 512), private_copy("app/etc", 16)],
        shared_paths: vec![in_code("media")],
        health_check_path: "/health_check.php".to_owned(),
        fastcgi_parameters: Vec::new(),
        files: vec![
            file(OWN_SCRIPT, include_str!("own.sh")),
            file("local-xml.php", magento1::LOCAL_XML_SCRIPT),
            file("magento1-install.php", magento1::INSTALL_SCRIPT),
            file("magento1-upgrade.php", magento1::UPGRADE_SCRIPT),
            file("health_check.php", magento1::HEALTH_CHECK),
        ],
        environment: Vec::new(),
        php_command: prepared(&local_xml, php_fpm_command()),
        hooks: Hooks {
            install: Some(prepared(
                &format!("{local_xml} --only-modules"),
                arguments(["php", &install, CODE_DIRECTORY]),
            )),
            upgrade: Some(prepared(
                &local_xml,
                arguments(["php", &upgrade, CODE_DIRECTORY]),
            )),
            cache_flush: Some(prepared(
                &local_xml,
                arguments(["php", &upgrade, CODE_DIRECTORY, "--cache-only"]),
            )),
        },
        // Without a mode, cron.php starts itself once for each mode in the background, where the
        // end of the container would kill it.
        jobs: [("cron-always", "-malways"), ("cron-default", "-mdefault")]
            .map(|(name, mode)| ScheduledJob {
                name,
                every_minutes: 5,
                command: prepared(&local_xml, arguments(["php", "cron.php", mode])),
            })
            .to_vec(),
        ini: ini(app, 18_000, Opcache::magento(true)),
        cli_memory_limit_mib: Some(2048),
    }
}

fn wordpress_parts(app: &WebApp) -> Parts {
    let script = |name: &str| arguments(["php", &config_path(name)]);
    let upgrade = script("wordpress-upgrade.php");
    let mut cache_flush = upgrade.clone();
    cache_flush.push("--cache-only".to_owned());
    Parts {
        code: Code::Packages {
            packages: vec!["wordpress", "wordpress-theme-twentytwentythree"],
        },
        site: Site::WordPress {
            code: wordpress::CODE_DIRECTORY.to_owned(),
            content_parent: wordpress::CONTENT_PARENT.to_owned(),
            health_check_directory: CONFIG_DIRECTORY.to_owned(),
        },
        writable_paths: Vec::new(),
        shared_paths: vec![wordpress::UPLOADS_DIRECTORY.to_owned()],
        health_check_path: "/health_check.php".to_owned(),
        fastcgi_parameters: vec![(
            "WORDPRESS_CONFIG".to_owned(),
            wordpress::CONFIG_NAME.to_owned(),
        )],
        files: vec![
            RenderedFile {
                path: wordpress::CONFIG_PATH.to_owned(),
                content: wordpress::CONFIG.to_owned(),
            },
            file("wordpress-install.php", wordpress::INSTALL_SCRIPT),
            file("wordpress-upgrade.php", wordpress::UPGRADE_SCRIPT),
            file("wordpress-cron.php", wordpress::CRON_SCRIPT),
            file("health_check.php", wordpress::HEALTH_CHECK),
        ],
        environment: vec![("WORDPRESS_CONFIG", wordpress::CONFIG_NAME.to_owned())],
        php_command: php_fpm_command(),
        hooks: Hooks {
            install: Some(script("wordpress-install.php")),
            upgrade: Some(upgrade),
            cache_flush: Some(cache_flush),
        },
        jobs: vec![ScheduledJob {
            name: "cron",
            every_minutes: 1,
            command: script("wordpress-cron.php"),
        }],
        ini: ini(app, 60, Opcache::small()),
        cli_memory_limit_mib: Some(app.memory_limit_mib),
    }
}

fn storefront_parts(app: &WebApp) -> Parts {
    let magento = |sub_command: &str| arguments(["php", "bin/magento", sub_command]);
    Parts {
        code: release(),
        site: Site::Storefront {
            root: CODE_DIRECTORY.to_owned(),
        },
        writable_paths: vec![private("var", 64)],
        shared_paths: vec![in_code("pub/media")],
        health_check_path: "/health_check.php".to_owned(),
        fastcgi_parameters: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        php_command: php_fpm_command(),
        hooks: Hooks {
            install: Some(magento("setup:install")),
            upgrade: Some(magento("setup:upgrade")),
            cache_flush: Some(magento("cache:flush")),
        },
        jobs: vec![
            ScheduledJob {
                name: "cron",
                every_minutes: 5,
                command: magento("cron:run"),
            },
            ScheduledJob {
                name: "indexer",
                every_minutes: 5,
                command: magento("indexer:reindex"),
            },
        ],
        ini: ini(app, 60, Opcache::small()),
        cli_memory_limit_mib: Some(app.memory_limit_mib),
    }
}

fn php_parts(app: &WebApp) -> Parts {
    let shape = &app.plain_php;
    let document_root = match shape.document_root.trim_matches('/') {
        "" => CODE_DIRECTORY.to_owned(),
        folder => in_code(folder),
    };
    Parts {
        code: release(),
        site: Site::Php {
            document_root,
            front_controller: shape.front_controller.clone(),
            php_entry_points: shape.php_entry_points.clone(),
        },
        writable_paths: Vec::new(),
        shared_paths: Vec::new(),
        health_check_path: shape.health_check_path.clone(),
        fastcgi_parameters: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        php_command: php_fpm_command(),
        hooks: Hooks::default(),
        jobs: Vec::new(),
        ini: ini(app, 60, Opcache::small()),
        cli_memory_limit_mib: Some(app.memory_limit_mib),
    }
}
