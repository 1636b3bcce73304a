//! How apps are told where data stores are that talk TLS by AWS's own names.

use mck_blueprint::{
    Blueprint,
    model::{App, Container, DnsTarget, Peer, Protocol},
};

use crate::support::blueprint;

fn app<'a>(blueprint: &'a Blueprint, name: &str) -> &'a App {
    let mut apps = blueprint.apps.iter();
    apps.find(|app| app.name == name).expect("there is the app")
}

fn container<'a>(blueprint: &'a Blueprint, app_name: &str, name: &str) -> &'a Container {
    let mut containers = app(blueprint, app_name).task_definition.containers.iter();
    containers
        .find(|container| container.name == name)
        .expect("there is the container")
}

/// A variable's value, with the kind of endpoint for the host.
fn endpoint(container: &Container, name: &str) -> Option<(String, DnsTarget)> {
    let variable = container.endpoints.get(name)?;
    Some((variable.prefix.clone(), variable.endpoint.clone()))
}

fn redis(prefix: &str, name: &str) -> Option<(String, DnsTarget)> {
    Some((prefix.to_owned(), DnsTarget::RedisPrimary(name.to_owned())))
}

#[test]
fn presets_on_aws_call_redis_by_its_endpoint_with_the_scheme() {
    for preset in ["magento1", "magento2", "storefront", "php"] {
        let blueprint = blueprint("production", &format!("app.shop.preset = '{preset}'"));
        let php = container(&blueprint, "shop", "php-fpm");
        assert_eq!(
            endpoint(php, "REDIS_CACHE_HOST"),
            redis("tls://", "redis-cache"),
            "{preset}"
        );
        assert_eq!(
            endpoint(php, "REDIS_SESSION_HOST"),
            redis("tls://", "redis-session"),
            "{preset}"
        );
        assert_eq!(php.environment.get("REDIS_CACHE_TLS"), None);
    }
}

#[test]
fn magento_2_reads_all_its_hosts_from_endpoints() {
    let settings = "app.shop.preset = 'magento2'\nmessage-broker.enabled = true";
    let blueprint = blueprint("production", settings);
    let php = container(&blueprint, "shop", "php-fpm");
    let cache = "MAGENTO_DC_CACHE__FRONTEND";
    for (name, expected) in [
        (
            format!("{cache}__DEFAULT__BACKEND_OPTIONS__SERVER"),
            redis("tls://", "redis-cache"),
        ),
        (
            format!("{cache}__PAGE_CACHE__BACKEND_OPTIONS__SERVER"),
            redis("tls://", "redis-cache"),
        ),
        (
            "MAGENTO_DC_SESSION__REDIS__HOST".to_owned(),
            redis("tls://", "redis-session"),
        ),
        (
            "CONFIG__DEFAULT__CATALOG__SEARCH__OPENSEARCH_SERVER_HOSTNAME".to_owned(),
            Some(("https://".to_owned(), DnsTarget::Search)),
        ),
        (
            "MAGENTO_DC_QUEUE__AMQP__HOST".to_owned(),
            Some((String::new(), DnsTarget::MessageBroker)),
        ),
    ] {
        assert_eq!(endpoint(php, &name), expected, "{name}");
    }
    assert_eq!(php.environment["MAGENTO_DC_QUEUE__AMQP__SSL"], "true");
    assert_eq!(
        php.secrets["CONFIG__DEFAULT__CATALOG__SEARCH__OPENSEARCH_PASSWORD"],
        "search-password"
    );
    assert_eq!(
        php.secrets["MAGENTO_DC_QUEUE__AMQP__PASSWORD"],
        "message-broker-password"
    );
}

#[test]
fn a_free_form_app_gets_the_bare_host_and_is_told_of_tls() {
    let settings = "app.api = { image = 'api:1', container.web.port = 80 }";
    let blueprint = blueprint("production", settings);
    let web = container(&blueprint, "api", "web");
    assert_eq!(endpoint(web, "REDIS_CACHE_HOST"), redis("", "redis-cache"));
    assert_eq!(web.environment["REDIS_CACHE_TLS"], "true");
    assert_eq!(
        web.environment["MYSQL_HOST"],
        "db.us-east-1.magecloudkit.internal"
    );
}

#[test]
fn what_the_file_says_of_a_variable_wins_and_closes_the_way() {
    let settings = "[app.shop]\npreset = 'php'\n\
                    environment = { REDIS_SESSION_HOST = 'redis.example.com' }";
    let blueprint = blueprint("production", settings);
    let php = container(&blueprint, "shop", "php-fpm");
    assert_eq!(endpoint(php, "REDIS_SESSION_HOST"), None);
    assert_eq!(php.environment["REDIS_SESSION_HOST"], "redis.example.com");
    let from = Peer::Group(app(&blueprint, "shop").security_group.clone());
    let allowed = |name: &str| {
        let mut all = blueprint.redis.iter();
        let redis = all.find(|it| it.name == name).expect("there is the Redis");
        let to = Peer::Group(redis.security_group.clone());
        blueprint.allows(&from, &to, Protocol::Tcp, redis.port)
    };
    assert!(allowed("redis-cache"));
    assert!(!allowed("redis-session"));
}

#[test]
fn only_magento_2_has_a_search_engine_by_default() {
    let has = |environment: &str, preset: &str| {
        let settings = format!("app.shop.preset = '{preset}'");
        blueprint(environment, &settings).search.is_some()
    };
    assert!(has("production", "magento2"));
    assert!(!has("production", "magento1"));
    assert!(!has("local", "magento2"));
    let off = "app.shop.preset = 'magento2'\nsearch.enabled = false";
    assert_eq!(blueprint("production", off).search, None);
}

#[test]
fn datadog_watches_each_server_once_and_takes_no_part_of_a_task() {
    let with = "app.shop.preset = 'php'\n[integration.datadog]";
    let without = "app.shop.preset = 'php'";
    let (with, without) = (blueprint("staging", with), blueprint("staging", without));
    let containers = |it: &Blueprint| app(it, "shop").task_definition.containers.len();
    assert_eq!(containers(&with), containers(&without));
    let (cluster, alone) = (&with.clusters[0], &without.clusters[0]);
    let daemon = &cluster.daemons[0].task_definition;
    assert_eq!(cluster.capacity.cpu + daemon.cpu, alone.capacity.cpu);
    let memory = cluster.capacity.memory.as_mib() + daemon.memory.as_mib();
    assert_eq!(memory, alone.capacity.memory.as_mib());
}
