//! The environment variables of apps: private DNS names, references to secrets, and nothing else
//! of the architecture.

use std::collections::BTreeMap;

use mck_environment::settings::{PhpMode, Preset, ProcessManager};
use mck_server_config::magento2::{self, EnvironmentValue, Magento2Deployment, Mode};

use super::{AppPlanner, endpoints};
use crate::{
    model::EndpointVariable,
    planning::{
        data::{REDIS_CACHE, REDIS_SESSION},
        dns::host,
        secrets::{PASSWORD_LENGTH, Secrets},
    },
};

/// When the store counts as installed. Magento wants a date, the same in all tasks for ever, and
/// takes a configuration without one for a store that is not installed; nothing else reads it.
const INSTALL_DATE: &str = "Thu, 01 Jan 2026 00:00:00 +0000";
/// The first segment of the administration's path.
pub(super) const ADMIN_FRONT_NAME: &str = "admin";
/// The Redis clusters and how their variables begin.
const REDIS_PREFIXES: [(&str, &str); 2] = [
    (REDIS_CACHE, "REDIS_CACHE"),
    (REDIS_SESSION, "REDIS_SESSION"),
];
/// The length of Magento's encryption key.
const CRYPT_KEY_LENGTH: u16 = 32;
/// The length of WordPress's keys and salts (api.wordpress.org/secret-key).
const WORDPRESS_KEY_LENGTH: u16 = 64;

/// Variables with their values, with the names of their secrets, and with endpoints.
#[derive(Default)]
pub(super) struct Variables {
    pub(super) plain: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) endpoints: BTreeMap<String, EndpointVariable>,
}

impl Variables {
    fn set(&mut self, name: &str, value: &(impl ToString + ?Sized)) {
        self.plain.insert(name.to_owned(), value.to_string());
    }

    fn secret(&mut self, name: &str, secret: &str) {
        self.secrets.insert(name.to_owned(), secret.to_owned());
    }

    /// Keeps the variables of these names.
    fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.plain.retain(|name, _| keep(name));
        self.secrets.retain(|name, _| keep(name));
        self.endpoints.retain(|name, _| keep(name));
    }
}

/// The variables of a preset's PHP container.
pub(super) fn of_preset(
    planner: &AppPlanner<'_>,
    preset: Preset,
    contract: &[&str],
    media_path: Option<&str>,
    secrets: &mut Secrets,
) -> Variables {
    let mut variables = of_data_stores(planner);
    if let Some(path) = media_path {
        variables.set("MEDIA_PATH", path);
    }
    match preset {
        Preset::Magento2 => {
            magento(planner, &mut variables, secrets);
            magento2_deployment(planner, &mut variables, secrets);
        }
        Preset::Magento1 | Preset::Storefront => magento(planner, &mut variables, secrets),
        Preset::WordPress => wordpress(planner, &mut variables, secrets),
        Preset::Php => {}
    }
    php(planner, &mut variables);
    endpoints::call_by_endpoint(planner, &mut variables);
    match preset {
        // What WordPress reads is fixed; more would only be more to leak.
        Preset::WordPress => {
            variables.retain(|name| contract.contains(&name) || name.starts_with("PHP_"));
        }
        // Secrets under the names that the preset does not read stay out.
        Preset::Magento1 => variables
            .secrets
            .retain(|name, _| contract.contains(&name.as_str())),
        Preset::Magento2 => variables
            .secrets
            .retain(|name, _| contract.contains(&name.as_str()) || is_magentos_own(name)),
        Preset::Storefront => variables
            .secrets
            .retain(|name, _| !name.starts_with("MAGE_")),
        Preset::Php => {}
    }
    variables
}

/// Whether Magento 2 reads the variable itself: a value of `env.php`, or a setting of the store.
fn is_magentos_own(name: &str) -> bool {
    name.starts_with("MAGENTO_DC_") || name.starts_with("CONFIG__")
}

/// The variables of a free-form app: where the data stores are.
pub(super) fn of_free_form(planner: &AppPlanner<'_>) -> Variables {
    let mut variables = of_data_stores(planner);
    for (name, prefix) in REDIS_PREFIXES {
        if planner.data.redis(name).is_some_and(|redis| redis.tls) {
            variables.set(&format!("{prefix}_TLS"), "true");
        }
    }
    endpoints::call_by_endpoint(planner, &mut variables);
    variables
}

/// Where the data stores are: variables of every app.
fn of_data_stores(planner: &AppPlanner<'_>) -> Variables {
    let context = planner.context;
    let mut variables = Variables::default();
    if let Some(schema) = planner.schema {
        variables.set("MYSQL_HOST", &context.private_name(host::DATABASE));
        variables.set(
            "MYSQL_READER_HOST",
            &context.private_name(host::DATABASE_READERS),
        );
        variables.set("MYSQL_PORT", &planner.data.database.port);
        variables.set("MYSQL_DATABASE", &schema.name);
        variables.set("MYSQL_USER", &schema.user);
        variables.secret("MYSQL_PASSWORD", &schema.password_secret);
    }
    for (name, prefix) in REDIS_PREFIXES {
        if let Some(redis) = planner.data.redis(name) {
            variables.set(&format!("{prefix}_HOST"), &context.private_name(name));
            variables.set(&format!("{prefix}_PORT"), &redis.port);
            variables.secret(&format!("{prefix}_PASSWORD"), &redis.password_secret);
        }
    }
    if let Some(memcached) = &planner.data.memcached {
        variables.set("MEMCACHED_HOST", &context.private_name(host::MEMCACHED));
        variables.set("MEMCACHED_PORT", &memcached.port);
    }
    if let Some(url) = &planner.base_url {
        variables.set("BASE_URL", &format!("{url}/"));
    }
    variables
}

fn mode(mode: PhpMode) -> Mode {
    match mode {
        PhpMode::Production => Mode::Production,
        PhpMode::Developer => Mode::Developer,
    }
}

/// A prefix of cache keys: a store's, so that its releases share one cache.
fn cache_prefix(planner: &AppPlanner<'_>) -> String {
    format!("{}_", planner.store.replace('-', "_"))
}

fn crypt_key(planner: &AppPlanner<'_>, secrets: &mut Secrets) -> String {
    secrets.generated(
        format!("{}-crypt-key", planner.store),
        format!(
            "Encryption key of app `{}`, the same for ever",
            planner.store
        ),
        CRYPT_KEY_LENGTH,
    )
}

/// The name of the secret with the password of an app's administrator.
pub(super) fn admin_password(planner: &AppPlanner<'_>, secrets: &mut Secrets) -> String {
    secrets.generated(
        format!("{}-admin-password", planner.store),
        format!("Password of the administrator of app `{}`", planner.store),
        PASSWORD_LENGTH,
    )
}

fn magento(planner: &AppPlanner<'_>, variables: &mut Variables, secrets: &mut Secrets) {
    let admin = &planner.settings.admin;
    variables.set("MAGE_MODE", mode(planner.settings.php.mode).name());
    variables.set("CACHE_PREFIX", &cache_prefix(planner));
    variables.set("MAGE_TABLE_PREFIX", "");
    variables.set("MAGE_INSTALL_DATE", INSTALL_DATE);
    variables.set("MAGE_ADMIN_FRONTNAME", ADMIN_FRONT_NAME);
    if let Some(url) = &planner.base_url {
        variables.set("MAGE_BASE_URL", &format!("{url}/"));
    }
    let password = admin_password(planner, secrets);
    for prefix in ["", "MAGE_"] {
        variables.set(&format!("{prefix}ADMIN_USER"), &admin.user);
        variables.set(&format!("{prefix}ADMIN_EMAIL"), &admin.email);
        variables.secret(&format!("{prefix}ADMIN_PASSWORD"), &password);
    }
    let key = crypt_key(planner, secrets);
    variables.secret("CRYPT_KEY", &key);
    variables.secret("MAGE_CRYPT_KEY", &key);
    if let Some(title) = &planner.settings.title {
        variables.set("STORE_NAME", title);
    }
}

fn magento2_deployment(planner: &AppPlanner<'_>, variables: &mut Variables, secrets: &mut Secrets) {
    let context = planner.context;
    let (Some(schema), Some(cache), Some(session)) = (
        planner.schema,
        planner.data.redis(REDIS_CACHE),
        planner.data.redis(REDIS_SESSION),
    ) else {
        return;
    };
    let redis = |name: &str, port: u16, password: &str| magento2::Redis {
        host: context.private_name(name),
        port,
        password_secret: Some(password.to_owned()),
    };
    let deployment = Magento2Deployment {
        mode: mode(planner.settings.php.mode),
        database: magento2::Database {
            host: context.private_name(host::DATABASE),
            name: schema.name.clone(),
            user: schema.user.clone(),
            password_secret: schema.password_secret.clone(),
        },
        redis_cache: redis(REDIS_CACHE, cache.port, &cache.password_secret),
        redis_session: redis(REDIS_SESSION, session.port, &session.password_secret),
        crypt_key_secret: crypt_key(planner, secrets),
        install_date: INSTALL_DATE.to_owned(),
        table_prefix: String::new(),
        cache_prefix: cache_prefix(planner),
        base_url: planner
            .base_url
            .as_ref()
            .map(|url| format!("{url}/"))
            .unwrap_or_default(),
        admin_front_name: ADMIN_FRONT_NAME.to_owned(),
        opensearch: planner
            .data
            .search
            .as_ref()
            .map(|search| magento2::OpenSearch {
                host: context.private_name(host::SEARCH),
                port: search.port,
                index_prefix: planner.store.clone(),
            }),
        amqp: planner
            .data
            .message_broker
            .as_ref()
            .map(|broker| magento2::Amqp {
                host: context.private_name(host::MESSAGE_BROKER),
                port: broker.port,
                user: broker.user.clone(),
                password_secret: broker.password_secret.clone(),
                virtual_host: broker.virtual_host.clone(),
            }),
    };
    for (name, value) in magento2::deployment_environment(&deployment) {
        match value {
            EnvironmentValue::Plain(value) => variables.set(name, &value),
            EnvironmentValue::Secret(secret) => variables.secret(name, &secret),
        }
    }
    if let Some(search) = &planner.data.search {
        let name = |key: &str| format!("CONFIG__DEFAULT__CATALOG__SEARCH__OPENSEARCH_{key}");
        variables.set(&name("ENABLE_AUTH"), "1");
        variables.set(&name("USERNAME"), &search.user);
        variables.secret(&name("PASSWORD"), &search.password_secret);
    }
    if planner.data.message_broker.is_some() {
        variables.set("MAGENTO_DC_QUEUE__AMQP__SSL", "true");
    }
}

fn wordpress(planner: &AppPlanner<'_>, variables: &mut Variables, secrets: &mut Secrets) {
    let admin = &planner.settings.admin;
    if let Some(schema) = planner.schema {
        variables.set("DB_HOST", &planner.context.private_name(host::DATABASE));
        variables.set("DB_NAME", &schema.name);
        variables.set("DB_USER", &schema.user);
        variables.secret("DB_PASSWORD", &schema.password_secret);
    }
    if let Some(url) = &planner.base_url {
        variables.set("WP_HOME", url);
    }
    let title = planner.settings.title.as_deref().unwrap_or(planner.name);
    variables.set("WP_TITLE", title);
    variables.set("WP_ADMIN_USER", &admin.user);
    variables.set("WP_ADMIN_EMAIL", &admin.email);
    variables.secret("WP_ADMIN_PASSWORD", &admin_password(planner, secrets));
    for usage in ["AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"] {
        for kind in ["KEY", "SALT"] {
            let variable = format!("{usage}_{kind}");
            let secret = secrets.generated(
                format!(
                    "{}-wordpress-{}",
                    planner.store,
                    variable.to_lowercase().replace('_', "-")
                ),
                format!("WordPress's {variable} of app `{}`", planner.store),
                WORDPRESS_KEY_LENGTH,
            );
            variables.secret(&variable, &secret);
        }
    }
}

/// php-fpm's settings, in the kit's own names: the configuration is rendered from the same values.
fn php(planner: &AppPlanner<'_>, variables: &mut Variables) {
    let php = &planner.settings.php;
    let process_manager = match php.process_manager {
        ProcessManager::Dynamic => "dynamic",
        ProcessManager::Static => "static",
        ProcessManager::Ondemand => "ondemand",
    };
    variables.set(
        "PHP_MEMORY_LIMIT",
        &format!("{}M", php.memory_limit.as_mib()),
    );
    variables.set("PHP_PM", process_manager);
    variables.set("PHP_PM_MAX_CHILDREN", &php.max_children);
    variables.set("START_SERVERS", &php.start_servers);
    variables.set("MIN_SPARE", &php.min_spare_servers);
    variables.set("MAX_SPARE", &php.max_spare_servers);
    variables.set("MAX_REQUESTS", &php.max_requests);
}
