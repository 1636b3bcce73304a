//! The containers, hooks and jobs of a preset: nginx and php-fpm in one task.

use mck_environment::{
    settings::{DependencyCondition, PhpMode, Preset, ProcessManager},
    units::{Duration, Size},
};
use mck_server_config::{
    magento2::Mode,
    nginx,
    php_extensions::required_php_extensions,
    php_fpm,
    web_preset::{Code, PlainPhp, ServerContainer, WebApp, WebPreset, WebPresetSpec},
};

use super::{AppPlanner, container, parts::Parts, variables};
use crate::{
    model::{
        ConfigurationFile, Container, Hook, HookStage, Image, MountPoint, MountSource,
        ScheduledJob, Tier,
    },
    planning::{integrations::Contribution, secrets::Secrets},
};

/// The name of the container that runs PHP.
pub(super) const PHP: &str = "php-fpm";
/// The name of the web server's container.
pub(super) const NGINX: &str = "nginx";
/// The user of both containers: Debian's web server user.
const USER: &str = "www-data";
/// The port below 1024 that nginx opens needs this.
const LOW_PORTS: &str = "CAP_NET_BIND_SERVICE";
/// Folders that both servers and PHP's libraries write to.
const SCRATCH: [(&str, Size); 3] = [
    ("/tmp", Size::from_mib(256)),
    ("/run", Size::from_mib(16)),
    ("/var/tmp", Size::from_mib(64)),
];
/// Folders that Debian's nginx opens before it reads its configuration.
const NGINX_SCRATCH: [(&str, Size); 2] = [
    ("/var/log/nginx", Size::from_mib(16)),
    ("/var/lib/nginx", Size::from_mib(64)),
];
/// A run of a job is stopped after this long.
pub(super) const JOB_TIMEOUT: Duration = Duration::from_secs(3_600);
/// Idle time after which an on-demand PHP process ends (php-fpm's default).
const IDLE_TIMEOUT_SECONDS: u32 = 10;

pub(super) fn plan(
    planner: &AppPlanner<'_>,
    preset: Preset,
    vendors: &[(&'static str, Contribution)],
    secrets: &mut Secrets,
) -> Parts {
    let web_preset = web_preset(preset);
    let mut spec = web_app(planner, web_preset).spec();
    tune_nginx(planner, &mut spec);
    let has_admin = matches!(
        preset,
        Preset::Magento1 | Preset::Magento2 | Preset::WordPress | Preset::Storefront
    );
    Parts {
        containers: containers(planner, preset, &spec, vendors, secrets),
        hooks: hooks(&spec),
        command_prefix: command_prefix(&spec),
        // One cron per store: a second would do the same work twice.
        jobs: if planner.is_leader {
            jobs(&spec)
        } else {
            Vec::new()
        },
        php_extensions: required_php_extensions(web_preset)
            .iter()
            .map(|extension| extension.name.to_owned())
            .collect(),
        health_check_path: Some(spec.health_check_path.clone()),
        admin_path: admin_path(preset),
        admin_password_secret: has_admin.then(|| variables::admin_password(planner, secrets)),
    }
}

/// What stands before php-fpm's own command: the preparation that every other command in such a
/// container needs as well.
fn command_prefix(spec: &WebPresetSpec) -> Vec<String> {
    let whole = &spec.php.command;
    let own = whole.iter().position(|word| word.starts_with("php-fpm"));
    whole[..own.unwrap_or(0)].to_vec()
}

fn web_preset(preset: Preset) -> WebPreset {
    match preset {
        Preset::Magento2 => WebPreset::Magento2,
        Preset::Magento1 => WebPreset::Magento1,
        Preset::WordPress => WebPreset::WordPress,
        Preset::Storefront => WebPreset::Storefront,
        Preset::Php => WebPreset::Php,
    }
}

fn admin_path(preset: Preset) -> Option<String> {
    match preset {
        Preset::Php => None,
        Preset::WordPress => Some("/wp-admin/".to_owned()),
        Preset::Magento2 | Preset::Magento1 | Preset::Storefront => {
            Some(format!("/{}", variables::ADMIN_FRONT_NAME))
        }
    }
}

fn web_app(planner: &AppPlanner<'_>, preset: WebPreset) -> WebApp {
    let php = &planner.settings.php;
    let process_manager = match php.process_manager {
        ProcessManager::Dynamic => php_fpm::ProcessManager::Dynamic {
            start_servers: php.start_servers.into(),
            min_spare_servers: php.min_spare_servers.into(),
            max_spare_servers: php.max_spare_servers.into(),
        },
        ProcessManager::Static => php_fpm::ProcessManager::Static,
        ProcessManager::Ondemand => php_fpm::ProcessManager::OnDemand {
            idle_timeout_seconds: IDLE_TIMEOUT_SECONDS,
        },
    };
    let subnets = planner.network.subnets.iter();
    WebApp {
        mode: match php.mode {
            PhpMode::Production => Mode::Production,
            PhpMode::Developer => Mode::Developer,
        },
        plain_php: PlainPhp {
            document_root: php.document_root.clone(),
            front_controller: php.front_controller.clone(),
            health_check_path: planner
                .settings
                .health_check
                .path
                .clone()
                .unwrap_or_else(|| PlainPhp::default().health_check_path),
            ..PlainPhp::default()
        },
        trusted_proxies: subnets
            .filter(|subnet| subnet.tier == Tier::Public)
            .map(|subnet| subnet.cidr.into())
            .collect(),
        pool: php_fpm::Pool {
            process_manager,
            max_children: php.max_children.into(),
            max_requests: php.max_requests,
        },
        memory_limit_mib: mib(php.memory_limit),
        ..WebApp::new(preset)
    }
}

fn mib(size: Size) -> u32 {
    u32::try_from(size.as_mib()).unwrap_or(u32::MAX)
}

/// What the load balancer and the file say of nginx.
fn tune_nginx(planner: &AppPlanner<'_>, spec: &mut WebPresetSpec) {
    let idle_seconds = planner.context.settings.load_balancer.idle_timeout;
    let longer_than_idle = idle_seconds.as_secs_ceil().saturating_add(15);
    let config = &mut spec.nginx_config;
    let body_mib = mib(planner.settings.nginx.client_max_body_size);
    if config.client_max_body_size_mib != body_mib {
        config.client_max_body_size_mib = body_mib;
        // What nginx lets through, PHP must take: its own limits are in a file that does not know.
        config.fastcgi_parameters.push((
            "PHP_VALUE".to_owned(),
            format!("post_max_size={body_mib}M\nupload_max_filesize={body_mib}M"),
        ));
    }
    config.keepalive_timeout_seconds = config
        .keepalive_timeout_seconds
        .max(u32::try_from(longer_than_idle).unwrap_or(u32::MAX));
    if let Some(path) = &planner.settings.health_check.path {
        config.health_check_path.clone_from(path);
    }
    let rendered = nginx::render(config);
    if let [file] = spec.nginx.files.as_mut_slice() {
        file.content = rendered;
    }
}

fn containers(
    planner: &AppPlanner<'_>,
    preset: Preset,
    spec: &WebPresetSpec,
    vendors: &[(&'static str, Contribution)],
    secrets: &mut Secrets,
) -> Vec<Container> {
    let settings = planner.settings;
    // An app's image holds both servers and the code, at the paths of the kit's base images; the
    // rendered configuration files are put into it, and no release is mounted over its code.
    let image = |base: &str| match &settings.image {
        Some(image) => Image::Oci(image.clone()),
        None => Image::Base(base.to_owned()),
    };
    let mut php = server(
        container::blank(PHP, "PHP-FPM, which runs the app", image(PHP)),
        &spec.php,
    );
    php.cpu = settings.php.cpu;
    php.memory_reservation = settings.php.memory_reservation;
    php.memory = settings.php.memory;
    php.mounts = mounts(planner, spec, false);
    let contract: Vec<&str> = spec.environment.iter().map(|item| item.name).collect();
    let media_path = spec.shared_paths.first().map(String::as_str);
    let known = variables::of_preset(planner, preset, &contract, media_path, secrets);
    container::add_variables(&mut php, &known.plain, &known.secrets);
    container::add_endpoints(&mut php, &known.endpoints);

    let mut web = server(
        container::blank(
            NGINX,
            "Nginx, which serves static files and hands the rest to PHP-FPM",
            image(NGINX),
        ),
        &spec.nginx,
    );
    web.cpu = settings.nginx.cpu;
    web.memory_reservation = settings.nginx.memory_reservation;
    web.memory = settings.nginx.memory;
    web.port = Some(spec.nginx_config.port);
    web.capabilities = vec![LOW_PORTS.to_owned()];
    web.mounts = mounts(planner, spec, true);
    web.depends_on
        .insert(PHP.to_owned(), DependencyCondition::Start);

    let mut all = vec![php, web];
    for (_, contribution) in vendors {
        container::add_variables(
            &mut all[0],
            &contribution.environment,
            &contribution.environment_secrets,
        );
        all[0].mounts.extend(contribution.mounts.iter().cloned());
        all.extend(contribution.sidecars.iter().cloned());
    }
    all
}

fn server(blank: Container, spec: &ServerContainer) -> Container {
    Container {
        command: spec.command.clone(),
        working_directory: spec.working_directory.clone(),
        user: USER.to_owned(),
        environment: spec
            .environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        files: spec
            .files
            .iter()
            .map(|file| ConfigurationFile {
                path: file.path.clone(),
                content: file.content.clone(),
                executable: false,
            })
            .collect(),
        stop_signal: spec.stop_signal.to_owned(),
        ..blank
    }
}

/// The release, then what lies over it, then scratch space.
fn mounts(planner: &AppPlanner<'_>, spec: &WebPresetSpec, for_nginx: bool) -> Vec<MountPoint> {
    let mut mounts = Vec::new();
    if let Code::Release { directory } = &spec.code
        && planner.settings.image.is_none()
    {
        mounts.push(container::release(directory));
    }
    for path in &spec.shared_paths {
        let media = container::media(path, &planner.store, planner.data.file_system.is_some());
        mounts.push(MountPoint {
            read_only: for_nginx,
            ..media
        });
    }
    for writable in &spec.writable_paths {
        if for_nginx && !writable.in_nginx {
            continue;
        }
        let source = if writable.in_nginx {
            MountSource::TaskVolume(writable.path.trim_start_matches('/').replace('/', "-"))
        } else {
            MountSource::Temporary
        };
        mounts.push(MountPoint {
            path: writable.path.clone(),
            source,
            read_only: for_nginx,
            seeded: writable.seeded,
            size: Some(Size::from_mib(writable.size_mib.into())),
        });
    }
    let scratch = SCRATCH
        .iter()
        .chain(NGINX_SCRATCH.iter().filter(|_| for_nginx));
    mounts.extend(scratch.map(|(path, size)| container::temporary(path, Some(*size))));
    mounts
}

fn hooks(spec: &WebPresetSpec) -> Vec<Hook> {
    [
        (HookStage::Install, &spec.hooks.install),
        (HookStage::Upgrade, &spec.hooks.upgrade),
        (HookStage::CacheFlush, &spec.hooks.cache_flush),
    ]
    .into_iter()
    .filter_map(|(stage, command)| {
        Some(Hook {
            stage,
            command: command.clone()?,
            container: PHP.to_owned(),
        })
    })
    .collect()
}

fn jobs(spec: &WebPresetSpec) -> Vec<ScheduledJob> {
    spec.jobs
        .iter()
        .map(|job| ScheduledJob {
            name: job.name.to_owned(),
            // EventBridge wants the singular for one.
            schedule: match job.every_minutes {
                1 => "rate(1 minute)".to_owned(),
                minutes => format!("rate({minutes} minutes)"),
            },
            command: job.command.clone(),
            container: PHP.to_owned(),
            overlap: false,
            timeout: JOB_TIMEOUT,
        })
        .collect()
}
