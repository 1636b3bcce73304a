//! Magento 2: its deployment configuration as environment variables.
//!
//! Names follow Adobe's "Override configuration settings" pages: `MAGENTO_DC_` and the path in
//! `env.php` with `__` between the levels; `CONFIG__DEFAULT__` and the path of a store setting.

/// `app/etc/env.php`: builds the arrays of the deployment configuration from the variables.
/// Magento reads database and cache settings as arrays, which variables alone do not reach.
pub const ENV_PHP: &str = include_str!("magento2/env.php");

/// PHP script that installs the store once; its argument is Magento's folder.
pub const INSTALL_SCRIPT: &str = include_str!("magento2/install.php");

/// A variable's value, or the name of the secret that holds it. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvironmentValue {
    /// A value that anyone may read.
    Plain(String),
    /// The name of a secret in the environment's secret store.
    Secret(String),
}

/// A variable with its value or secret.
pub type EnvironmentVariable = (&'static str, EnvironmentValue);

/// `MAGE_MODE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything is generated at build time.
    #[default]
    Production,
    /// Generates what is missing.
    Default,
    /// Regenerates, and shows errors.
    Developer,
}

impl Mode {
    /// Magento's own word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Default => "default",
            Self::Developer => "developer",
        }
    }
}

/// What a Magento 2 deployment depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Magento2Deployment {
    /// The mode.
    pub mode: Mode,
    /// The database's writer endpoint.
    pub database: Database,
    /// The LRU Redis for cache (database 0) and pages (database 1).
    pub redis_cache: Redis,
    /// The Redis without eviction for sessions (database 0).
    pub redis_session: Redis,
    /// Name of the secret with the encryption key, 32 characters, the same for all tasks for ever.
    pub crypt_key_secret: String,
    /// When the store was installed, RFC 2822; the same for all tasks. Magento takes a
    /// configuration without it for a store that is not installed.
    pub install_date: String,
    /// Prefix of all tables; may be empty.
    pub table_prefix: String,
    /// Prefix of all cache keys, so that releases share one cache.
    pub cache_prefix: String,
    /// URL of the shop, with scheme and port.
    pub base_url: String,
    /// First segment of the administration's path.
    pub admin_front_name: String,
    /// The catalog's search engine. Magento 2.4 needs one to be installed.
    pub opensearch: Option<OpenSearch>,
    /// The message broker; without one, queues are in the database.
    pub amqp: Option<Amqp>,
}

/// A MySQL database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Host name, with `:port` if it is not 3306.
    pub host: String,
    /// Database name.
    pub name: String,
    /// User name.
    pub user: String,
    /// Name of the secret with the password.
    pub password_secret: String,
}

/// A Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Name of the secret with the password, if it asks for one.
    pub password_secret: Option<String>,
}

/// An OpenSearch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSearch {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Prefix of all indices.
    pub index_prefix: String,
}

/// A RabbitMQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amqp {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User name.
    pub user: String,
    /// Name of the secret with the password.
    pub password_secret: String,
    /// Virtual host.
    pub virtual_host: String,
}

/// Database number of the default cache.
const CACHE_DATABASE: u8 = 0;
/// Database number of the page cache, apart so that one can be flushed without the other.
const PAGE_CACHE_DATABASE: u8 = 1;
/// Sessions have a server of their own.
const SESSION_DATABASE: u8 = 0;

const REDIS_BACKEND: &str = r"Magento\Framework\Cache\Backend\Redis";

/// The variables of `deployment`, in the order of `env.php`'s sections.
#[must_use]
pub fn deployment_environment(deployment: &Magento2Deployment) -> Vec<EnvironmentVariable> {
    let mut variables = Variables::default();
    variables.plain("MAGE_MODE", deployment.mode.name());
    variables.plain("MAGENTO_DC_INSTALL__DATE", &deployment.install_date);
    variables.secret("MAGENTO_DC_CRYPT__KEY", &deployment.crypt_key_secret);
    variables.plain(
        "MAGENTO_DC_BACKEND__FRONTNAME",
        &deployment.admin_front_name,
    );
    database(&mut variables, deployment);
    default_cache(&mut variables, deployment);
    page_cache(&mut variables, deployment);
    session(&mut variables, &deployment.redis_session);
    variables.plain("MAGENTO_DC_LOCK__PROVIDER", "db");
    if let Some(amqp) = &deployment.amqp {
        queue(&mut variables, amqp);
    }
    store_settings(&mut variables, deployment);
    variables.0
}

#[derive(Default)]
struct Variables(Vec<EnvironmentVariable>);

impl Variables {
    fn plain(&mut self, name: &'static str, value: &(impl ToString + ?Sized)) {
        self.0
            .push((name, EnvironmentValue::Plain(value.to_string())));
    }

    fn secret(&mut self, name: &'static str, secret: &str) {
        self.0
            .push((name, EnvironmentValue::Secret(secret.to_owned())));
    }

    fn optional_secret(&mut self, name: &'static str, secret: Option<&String>) {
        if let Some(secret) = secret {
            self.secret(name, secret);
        }
    }
}

fn database(variables: &mut Variables, deployment: &Magento2Deployment) {
    let database = &deployment.database;
    variables.plain("MAGENTO_DC_DB__TABLE_PREFIX", &deployment.table_prefix);
    variables.plain("MAGENTO_DC_DB__CONNECTION__DEFAULT__HOST", &database.host);
    variables.plain("MAGENTO_DC_DB__CONNECTION__DEFAULT__DBNAME", &database.name);
    variables.plain(
        "MAGENTO_DC_DB__CONNECTION__DEFAULT__USERNAME",
        &database.user,
    );
    variables.secret(
        "MAGENTO_DC_DB__CONNECTION__DEFAULT__PASSWORD",
        &database.password_secret,
    );
    variables.plain("MAGENTO_DC_DB__CONNECTION__DEFAULT__MODEL", "mysql4");
    variables.plain("MAGENTO_DC_DB__CONNECTION__DEFAULT__ENGINE", "innodb");
    variables.plain(
        "MAGENTO_DC_DB__CONNECTION__DEFAULT__INITSTATEMENTS",
        "SET NAMES utf8;",
    );
    variables.plain("MAGENTO_DC_DB__CONNECTION__DEFAULT__ACTIVE", "1");
}

fn default_cache(variables: &mut Variables, deployment: &Magento2Deployment) {
    let redis = &deployment.redis_cache;
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__ID_PREFIX",
        &deployment.cache_prefix,
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND",
        REDIS_BACKEND,
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND_OPTIONS__SERVER",
        &redis.host,
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND_OPTIONS__PORT",
        &redis.port,
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND_OPTIONS__DATABASE",
        &CACHE_DATABASE,
    );
    variables.optional_secret(
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND_OPTIONS__PASSWORD",
        redis.password_secret.as_ref(),
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND_OPTIONS__COMPRESS_DATA",
        "1",
    );
}

fn page_cache(variables: &mut Variables, deployment: &Magento2Deployment) {
    let redis = &deployment.redis_cache;
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__ID_PREFIX",
        &deployment.cache_prefix,
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND",
        REDIS_BACKEND,
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND_OPTIONS__SERVER",
        &redis.host,
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND_OPTIONS__PORT",
        &redis.port,
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND_OPTIONS__DATABASE",
        &PAGE_CACHE_DATABASE,
    );
    variables.optional_secret(
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND_OPTIONS__PASSWORD",
        redis.password_secret.as_ref(),
    );
    variables.plain(
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND_OPTIONS__COMPRESS_DATA",
        "0",
    );
}

/// Values of Adobe's "Use Redis for session storage".
fn session(variables: &mut Variables, redis: &Redis) {
    variables.plain("MAGENTO_DC_SESSION__SAVE", "redis");
    variables.plain("MAGENTO_DC_SESSION__REDIS__HOST", &redis.host);
    variables.plain("MAGENTO_DC_SESSION__REDIS__PORT", &redis.port);
    variables.optional_secret(
        "MAGENTO_DC_SESSION__REDIS__PASSWORD",
        redis.password_secret.as_ref(),
    );
    variables.plain("MAGENTO_DC_SESSION__REDIS__DATABASE", &SESSION_DATABASE);
    for (name, value) in [
        ("MAGENTO_DC_SESSION__REDIS__TIMEOUT", "2.5"),
        ("MAGENTO_DC_SESSION__REDIS__COMPRESSION_THRESHOLD", "2048"),
        ("MAGENTO_DC_SESSION__REDIS__COMPRESSION_LIBRARY", "gzip"),
        ("MAGENTO_DC_SESSION__REDIS__LOG_LEVEL", "4"),
        ("MAGENTO_DC_SESSION__REDIS__MAX_CONCURRENCY", "20"),
        ("MAGENTO_DC_SESSION__REDIS__BREAK_AFTER_FRONTEND", "5"),
        ("MAGENTO_DC_SESSION__REDIS__BREAK_AFTER_ADMINHTML", "30"),
        ("MAGENTO_DC_SESSION__REDIS__FIRST_LIFETIME", "600"),
        ("MAGENTO_DC_SESSION__REDIS__BOT_FIRST_LIFETIME", "60"),
        ("MAGENTO_DC_SESSION__REDIS__BOT_LIFETIME", "7200"),
        ("MAGENTO_DC_SESSION__REDIS__DISABLE_LOCKING", "0"),
        ("MAGENTO_DC_SESSION__REDIS__MIN_LIFETIME", "60"),
        ("MAGENTO_DC_SESSION__REDIS__MAX_LIFETIME", "2592000"),
    ] {
        variables.plain(name, value);
    }
}

fn queue(variables: &mut Variables, amqp: &Amqp) {
    variables.plain("MAGENTO_DC_QUEUE__AMQP__HOST", &amqp.host);
    variables.plain("MAGENTO_DC_QUEUE__AMQP__PORT", &amqp.port);
    variables.plain("MAGENTO_DC_QUEUE__AMQP__USER", &amqp.user);
    variables.secret("MAGENTO_DC_QUEUE__AMQP__PASSWORD", &amqp.password_secret);
    variables.plain("MAGENTO_DC_QUEUE__AMQP__VIRTUALHOST", &amqp.virtual_host);
}

fn store_settings(variables: &mut Variables, deployment: &Magento2Deployment) {
    let base_url = format!("{}/", deployment.base_url.trim_end_matches('/'));
    let secure = if base_url.starts_with("https:") {
        "1"
    } else {
        "0"
    };
    variables.plain("CONFIG__DEFAULT__WEB__UNSECURE__BASE_URL", &base_url);
    variables.plain("CONFIG__DEFAULT__WEB__SECURE__BASE_URL", &base_url);
    variables.plain("CONFIG__DEFAULT__WEB__SECURE__USE_IN_FRONTEND", secure);
    variables.plain("CONFIG__DEFAULT__WEB__SECURE__USE_IN_ADMINHTML", secure);
    variables.plain(
        "CONFIG__DEFAULT__WEB__SECURE__OFFLOADER_HEADER",
        "X-Forwarded-Proto",
    );
    variables.plain("CONFIG__DEFAULT__WEB__SEO__USE_REWRITES", "1");
    if let Some(search) = &deployment.opensearch {
        variables.plain("CONFIG__DEFAULT__CATALOG__SEARCH__ENGINE", "opensearch");
        variables.plain(
            "CONFIG__DEFAULT__CATALOG__SEARCH__OPENSEARCH_SERVER_HOSTNAME",
            &search.host,
        );
        variables.plain(
            "CONFIG__DEFAULT__CATALOG__SEARCH__OPENSEARCH_SERVER_PORT",
            &search.port,
        );
        variables.plain(
            "CONFIG__DEFAULT__CATALOG__SEARCH__OPENSEARCH_INDEX_PREFIX",
            &search.index_prefix,
        );
    }
}
