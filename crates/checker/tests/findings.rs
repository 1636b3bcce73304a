//! Each finding: settings that bring it, and settings close by that do not.

use std::collections::BTreeSet;

use mck_blueprint::Blueprint;
use mck_checker::{Finding, Severity, check};
use mck_environment::{
    Environment, EnvironmentFile, Settings,
    init::{InitApp, template},
};

fn findings(environment: &str, settings: &str) -> Vec<Finding> {
    let settings: Settings = toml::from_str(settings).expect("the test's settings are well-formed");
    let environment = Environment {
        project: "shop".to_owned(),
        name: environment.to_owned(),
        settings,
    };
    check(&Blueprint::plan(&environment).expect("the test's settings have a blueprint"))
}

/// A code, and the environment and settings that bring it and that don't.
struct Case {
    code: &'static str,
    environment: &'static str,
    firing: &'static str,
    quiet: &'static str,
}

const fn case(
    code: &'static str,
    environment: &'static str,
    firing: &'static str,
    quiet: &'static str,
) -> Case {
    Case {
        code,
        environment,
        firing,
        quiet,
    }
}

const SHOP: &str = "app.shop.preset = 'magento2'";

const CASES: &[Case] = &[
    case(
        "MCK-N001",
        "production",
        "network.zones = ['a']",
        "network.zones = ['a', 'b']",
    ),
    case(
        "MCK-N002",
        "production",
        "network.nat = 'single'",
        "network.nat = 'per-zone'",
    ),
    case(
        "MCK-N003",
        "staging",
        "network.nat = 'none'",
        "network.nat = 'single'",
    ),
    case(
        "MCK-N004",
        "local",
        "bastion.allow-ssh-from = ['0.0.0.0/0']",
        "bastion.allow-ssh-from = ['192.0.2.0/24']",
    ),
    case(
        "MCK-N005",
        "production",
        "bastion = { database-access = true, cache-access = true }",
        "bastion = { database-access = false }",
    ),
    case(
        "MCK-N006",
        "staging",
        "network.cidr = '10.0.0.0/24'\ncluster.app.servers = { minimum = 2, maximum = 20 }",
        "network.cidr = '10.0.0.0/24'\ncluster.app.servers = { minimum = 2, maximum = 6 }",
    ),
    case(
        "MCK-N007",
        "staging",
        "network.cidr = '10.0.0.0/24'\napp.shop.tasks.maximum = 20",
        "network.cidr = '10.0.0.0/24'\napp.shop.tasks.maximum = 6",
    ),
    case(
        "MCK-D001",
        "production",
        "database.readers = 0",
        "database.readers = 1",
    ),
    case(
        "MCK-D002",
        "production",
        "network.zones = ['a']",
        "network.zones = ['a', 'b']",
    ),
    case(
        "MCK-D003",
        "production",
        "cache.redis-session.replicas = 0",
        "cache.redis-session.replicas = 1",
    ),
    case(
        "MCK-D004",
        "production",
        "database.backups.retention = '1d'",
        "database.backups.retention = '7d'",
    ),
    case(
        "MCK-D005",
        "production",
        "database.instance-class = 'db.t4g.medium'",
        "database.instance-class = 'db.r7g.large'",
    ),
    case(
        "MCK-D006",
        "production",
        "cache.redis-cache.node-type = 'cache.t4g.small'",
        "cache.redis-cache.node-type = 'cache.r7g.large'\n\
         cache.redis-session.node-type = 'cache.r7g.large'",
    ),
    case(
        "MCK-D007",
        "production",
        "database.deletion-protection = false",
        "database.deletion-protection = true",
    ),
    case(
        "MCK-D008",
        "production",
        "storage.backups = false",
        "storage.backups = true",
    ),
    case(
        "MCK-A001",
        "production",
        "app.shop.tasks.minimum = 1",
        "app.shop.tasks.minimum = 2",
    ),
    case(
        "MCK-A002",
        "staging",
        "app.shop.deployment.minimum-healthy-percent = 0",
        "app.shop.deployment.minimum-healthy-percent = 50",
    ),
    case(
        "MCK-A003",
        "local",
        "app.shop.deployment = { minimum-healthy-percent = 50, maximum-percent = 150 }\n\
         app.shop.tasks.minimum = 1",
        "app.shop.deployment = { minimum-healthy-percent = 50, maximum-percent = 150 }\n\
         app.shop.tasks.minimum = 2",
    ),
    case(
        "MCK-A004",
        "local",
        "storage.enabled = false",
        "storage.enabled = true",
    ),
    case(
        "MCK-A005",
        "local",
        "cache.redis-session.enabled = false",
        "cache.redis-session.enabled = true",
    ),
    case("MCK-A006", "staging", "", "dns.public-zone = 'example.com'"),
    case(
        "MCK-A007",
        "local",
        "cluster.app.instance-type = 't3.micro'",
        "cluster.app.instance-type = 't3.medium'",
    ),
    case(
        "MCK-C001",
        "production",
        "cluster.app.spot-percent = 100",
        "cluster.app.spot-percent = 50",
    ),
    case(
        "MCK-C002",
        "production",
        "cluster.app.zones = ['b']",
        "cluster.app.zones = ['b', 'c']",
    ),
    case(
        "MCK-C003",
        "staging",
        "app.shop.tasks.maximum = 100",
        "app.shop.tasks.maximum = 18",
    ),
    case(
        "MCK-C004",
        "staging",
        "cluster.app.instance-type = 't3.2xlarge'\napp.shop.tasks.maximum = 20",
        "cluster.app.instance-type = 'm6i.2xlarge'\napp.shop.tasks.maximum = 20",
    ),
    case(
        "MCK-C005",
        "local",
        "cluster.app.servers.minimum = 0",
        "cluster.app.servers.minimum = 1",
    ),
    case("MCK-E001", "staging", "", "dns.public-zone = 'example.com'"),
    case(
        "MCK-E002",
        "production",
        "load-balancer.redirect-to-https = false",
        "load-balancer.redirect-to-https = true",
    ),
    case(
        "MCK-E003",
        "production",
        "load-balancer.access-logs-retention = '0d'",
        "load-balancer.access-logs-retention = '1d'",
    ),
    case(
        "MCK-O001",
        "production",
        "alarms.enabled = false",
        "alarms.enabled = true",
    ),
    case(
        "MCK-O002",
        "production",
        "",
        "alarms.emails = ['ops@example.com']",
    ),
    case(
        "MCK-O003",
        "local",
        "jenkins = { enabled = true, allow-from = ['192.0.2.0/24'] }",
        "jenkins.enabled = false",
    ),
    case(
        "MCK-O004",
        "staging",
        "jenkins = { enabled = true, allow-from = ['0.0.0.0/0'] }",
        "jenkins = { enabled = true, allow-from = ['192.0.2.0/24'] }",
    ),
    case("MCK-N008", "staging", "SIXTY_APPS", ""),
    case(
        "MCK-N009",
        "staging",
        "bastion.allow-ssh-from = ['192.0.2.0/24']",
        "bastion.allow-ssh-from = ['192.0.2.0/24']\n\
         bastion.authorized-keys = ['ssh-ed25519 AAAA someone']",
    ),
    case(
        "MCK-D009",
        "production",
        "cache.redis-session.snapshot-retention = '0d'",
        "cache.redis-session.snapshot-retention = '1d'",
    ),
    case(
        "MCK-D010",
        "production",
        "database = { performance-insights = false, monitoring-interval = '0s', log-exports = [] }",
        "database = { performance-insights = false, monitoring-interval = '0s' }",
    ),
    case(
        "MCK-C006",
        "production",
        "cluster.app.spot-percent = 50",
        "cluster.app = { spot-percent = 50, spot-instance-types = ['m6i.large'] }",
    ),
    case(
        "MCK-C007",
        "staging",
        "cluster.app.spot-instance-types = ['t3.micro']",
        "cluster.app.spot-instance-types = ['m6i.large']",
    ),
    case(
        "MCK-C008",
        "production",
        "cluster.app.instance-type = 't3.large'",
        "cluster.app.instance-type = 'm6i.large'",
    ),
    case("MCK-E004", "staging", "HUNDRED_APPS", "SIXTY_APPS"),
    case(
        "MCK-E005",
        "production",
        "waf.enabled = false",
        "waf.enabled = false\nintegration.cloudflare = {}",
    ),
    case(
        "MCK-E007",
        "staging",
        "region = 'eu-west-1'\ncdn.enabled = true\nload-balancer.certificate.arns = ['arn:aws:acm:eu-west-1:123456789012:certificate/a']",
        "cdn.enabled = true\nload-balancer.certificate.arns = ['arn:aws:acm:us-east-1:123456789012:certificate/a']",
    ),
    case(
        "MCK-E008",
        "staging",
        "app.shop.routing.hosts = ['shop.another-example.com']\ndns.public-zone = 'example.com'",
        "app.shop.routing.hosts = ['shop.example.com', 'example.com']\ndns.public-zone = 'example.com'",
    ),
    case(
        "MCK-E006",
        "production",
        "waf.count-only = true",
        "waf.count-only = false",
    ),
    case(
        "MCK-O005",
        "staging",
        "jenkins = { enabled = true, allow-from = ['192.0.2.0/24'] }",
        "jenkins = { enabled = true, allow-from = ['192.0.2.0/24'], host = 'ci.example.com' }",
    ),
    case(
        "MCK-O006",
        "staging",
        "jenkins = { enabled = true, allow-from = ['192.0.2.0/24'], backups = false }",
        "jenkins = { enabled = true, allow-from = ['192.0.2.0/24'] }",
    ),
    case(
        "MCK-O007",
        "production",
        "ci.user = true",
        "ci.github.repository = 'example/shop'",
    ),
    case(
        "MCK-S001",
        "staging",
        "search.enabled = false",
        "search.enabled = false\n\
         app.shop.environment.CONFIG__DEFAULT__CATALOG__SEARCH__ENGINE = 'algolia'",
    ),
    case(
        "MCK-S002",
        "production",
        "search.nodes = 1",
        "search.nodes = 2",
    ),
    case(
        "MCK-S003",
        "production",
        "search.instance-type = 't3.medium.search'",
        "search.instance-type = 'r7g.large.search'",
    ),
    case(
        "MCK-S004",
        "production",
        "message-broker = { enabled = true, deployment = 'single-instance' }",
        "message-broker.enabled = true",
    ),
];

/// A case's settings; a name in upper case stands for that many apps beside the shop.
fn settings_of(text: &str) -> String {
    let count = match text {
        "SIXTY_APPS" => 60,
        "HUNDRED_APPS" => 100,
        _ => return format!("{text}\n{SHOP}"),
    };
    let apps = (0..count).map(|number| {
        format!("app.a{number} = {{ preset = 'php', routing.hosts = ['a{number}.example.com'] }}\n")
    });
    format!("{SHOP}\n{}", apps.collect::<String>())
}

#[test]
fn each_finding_comes_when_it_should_and_only_then() {
    for case in CASES {
        let has = |settings: &str| {
            findings(case.environment, &settings_of(settings))
                .iter()
                .any(|finding| finding.code == case.code)
        };
        assert!(has(case.firing), "{} for {}", case.code, case.firing);
        assert!(!has(case.quiet), "no {} for {}", case.code, case.quiet);
    }
}

/// Codes are found in the sources, so that none can be added without a case.
#[test]
fn each_code_has_a_case() {
    let sources = [
        include_str!("../src/network.rs"),
        include_str!("../src/data.rs"),
        include_str!("../src/apps.rs"),
        include_str!("../src/clusters.rs"),
        include_str!("../src/edge.rs"),
        include_str!("../src/operations.rs"),
        include_str!("../src/services.rs"),
    ];
    let codes: Vec<&str> = sources
        .iter()
        .flat_map(|source| source.split('"'))
        .filter(|text| text.starts_with("MCK-") && text.len() == 8)
        .collect();
    let distinct: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(distinct.len(), codes.len(), "a code means one thing");
    let tested: BTreeSet<&str> = CASES.iter().map(|case| case.code).collect();
    assert_eq!(distinct, tested);
}

/// The file that `mck init` writes must not be scolded.
#[test]
fn the_defaults_are_what_production_should_have() {
    let settings = "dns.public-zone = 'example.com'\nalarms.emails = ['ops@example.com']\n\
                    [app.shop]\npreset = 'magento2'\nrouting.hosts = ['www.example.com']";
    let all = findings("production", settings);
    let bad: Vec<&Finding> = all
        .iter()
        .filter(|finding| finding.severity < Severity::Note)
        .collect();
    assert_eq!(bad, Vec::<&Finding>::new());
    let local = findings("local", "[app.shop]\npreset = 'storefront'");
    assert_eq!(local, []);
}

#[test]
fn findings_come_worst_first_with_help() {
    let settings = "network.zones = ['a']\ndatabase.readers = 0\n[app.shop]\npreset = 'wordpress'";
    let all = findings("production", settings);
    let text: Vec<String> = all
        .iter()
        .map(|it| {
            format!(
                "{:?} {} at {}: {}; {}",
                it.severity, it.code, it.setting, it.message, it.help
            )
        })
        .collect();
    insta::assert_snapshot!("worst-first", text.join("\n"));
}

/// What `mck init` writes has a blueprint in each of its environments, and none that can't work.
#[test]
fn the_files_that_init_writes_can_work() {
    for app in InitApp::ALL {
        let text = template(app, "shop");
        let file =
            EnvironmentFile::parse("magecloudkit.toml", text.as_bytes()).expect("a good file");
        let environments = file.check().expect("good environments");
        assert!(!environments.is_empty());
        for environment in environments {
            let blueprint = Blueprint::plan(&environment).expect("it has a blueprint");
            let errors: Vec<Finding> = check(&blueprint)
                .into_iter()
                .filter(|finding| finding.severity == Severity::Error)
                .collect();
            assert_eq!(errors, [], "{} {}", app.name(), environment.name);
        }
    }
}
