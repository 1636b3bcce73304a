//! What holds for every blueprint.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use crate::support::{self, strategy};
use mck_blueprint::{
    Blueprint, PlanningError, difference,
    model::{
        AccessRule, DnsTarget, GroupRule, MountSource, Peer, Protocol, Route, SecretOrigin,
        SecurityGroupName, Subnet, Tier,
    },
    views::View,
};
use mck_environment::{settings::Target, units::Size};
use proptest::prelude::*;

/// Addresses that AWS keeps in a subnet: the first four and the last.
fn is_reserved(subnet: &Subnet, address: Ipv4Addr) -> bool {
    let offset = u32::from(address) - u32::from(subnet.cidr.network());
    offset < 4 || address == subnet.cidr.broadcast()
}

fn subnets_are_apart(blueprint: &Blueprint) {
    let network = &blueprint.network;
    assert_eq!(network.subnets.len(), 3 * network.zones.len());
    for (index, subnet) in network.subnets.iter().enumerate() {
        assert!(network.cidr.contains(&subnet.cidr), "{subnet:?}");
        assert!(subnet.cidr.prefix_len() <= 28);
        for other in &network.subnets[index + 1..] {
            assert!(!subnet.cidr.contains(&other.cidr) && !other.cidr.contains(&subnet.cidr));
        }
    }
}

fn addresses_are_inside_and_unique(blueprint: &Blueprint) {
    let network = &blueprint.network;
    let mut seen = BTreeSet::new();
    let nats = network.nat_gateways.iter();
    let nats = nats.map(|nat| (&nat.name, &nat.subnet, &nat.zone, nat.address));
    let nodes = blueprint.nodes();
    let nodes = nodes.map(|node| (&node.name, &node.subnet, &node.zone, node.address));
    for (name, subnet, zone, address) in nodes.chain(nats) {
        let subnet = network.subnet(subnet).expect("the node's subnet exists");
        assert!(subnet.cidr.contains(&address), "{name}");
        assert!(!is_reserved(subnet, address), "{name}");
        assert_eq!(subnet.zone, *zone, "{name}");
        assert!(seen.insert(address), "{name}");
        assert_ne!(address, network.resolver);
        if let Some((first, last)) = subnet.task_addresses {
            assert!(
                !(first..=last).contains(&address),
                "{name} is where tasks are"
            );
        }
    }
    for subnet in network.subnets.iter().filter(|it| it.tier == Tier::App) {
        let servers = subnet
            .server_addresses
            .expect("app subnets have server addresses");
        let tasks = subnet
            .task_addresses
            .expect("app subnets have task addresses");
        for (first, last) in [servers, tasks] {
            assert!(first <= last && subnet.cidr.contains(&first) && subnet.cidr.contains(&last));
            assert!(!is_reserved(subnet, first) && !is_reserved(subnet, last));
        }
        assert!(servers.1 < tasks.0);
    }
}

fn persistence_groups(blueprint: &Blueprint) -> BTreeSet<SecurityGroupName> {
    let network = &blueprint.network;
    blueprint
        .nodes()
        .filter(|node| {
            network
                .subnet(&node.subnet)
                .is_some_and(|subnet| subnet.tier == Tier::Persistence)
        })
        .map(|node| node.security_group.clone())
        .chain(blueprint.search.iter().map(|it| it.security_group.clone()))
        .chain(
            blueprint
                .message_broker
                .iter()
                .map(|it| it.security_group.clone()),
        )
        .chain(
            blueprint
                .jenkins
                .iter()
                .map(|it| it.home.security_group.clone()),
        )
        .collect()
}

fn persistence_is_closed(blueprint: &Blueprint) {
    let groups = persistence_groups(blueprint);
    let inside = |peer: &Peer| matches!(peer, Peer::Group(name) if groups.contains(name));
    for rule in &blueprint.access {
        let outside = |peer: &Peer| !matches!(peer, Peer::Group(_));
        assert!(!(inside(&rule.to) && outside(&rule.from)), "{rule:?}");
        assert!(!(inside(&rule.from) && outside(&rule.to)), "{rule:?}");
        if inside(&rule.to) {
            let load_balancer = Peer::Group(blueprint.load_balancer.security_group.clone());
            assert_ne!(rule.from, load_balancer);
        }
    }
    for subnet in blueprint
        .network
        .subnets
        .iter()
        .filter(|it| it.tier == Tier::Persistence)
    {
        assert_eq!(subnet.route, Route::None);
    }
    assert!(!blueprint.has_way_out(Tier::Persistence));
    for group in &groups {
        for port in [22, 80, 443, 2049, 3306, 5671, 6379, 11211] {
            let world = Peer::Range("198.51.100.7".to_owned());
            let to = Peer::Group(group.clone());
            assert!(!blueprint.allows(&world, &to, Protocol::Tcp, port));
        }
    }
}

fn only_the_edge_is_open(blueprint: &Blueprint) {
    let edge: BTreeSet<&SecurityGroupName> = [&blueprint.load_balancer.security_group]
        .into_iter()
        .chain(blueprint.bastion.iter().map(|it| &it.node.security_group))
        .collect();
    for rule in &blueprint.access {
        if let (Peer::Range(_) | Peer::PrefixList(_), Peer::Group(to)) = (&rule.from, &rule.to) {
            assert!(edge.contains(to), "{rule:?}");
        }
    }
}

fn references_exist(blueprint: &Blueprint) {
    let secrets: BTreeSet<&str> = blueprint
        .secrets
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let groups: BTreeSet<&SecurityGroupName> = blueprint
        .security_groups
        .iter()
        .map(|it| &it.name)
        .collect();
    let logs: BTreeSet<&str> = blueprint
        .log_groups
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    for app in &blueprint.apps {
        assert!(groups.contains(&app.security_group));
        assert!(logs.contains(app.log_group.as_str()));
        assert!(blueprint.clusters.iter().any(|it| it.name == app.cluster));
        let containers = &app.task_definition.containers;
        for container in containers {
            for secret in container.secrets.values() {
                assert!(secrets.contains(secret.as_str()), "{secret}");
            }
            for name in container
                .environment
                .keys()
                .chain(container.endpoints.keys())
            {
                assert!(!container.secrets.contains_key(name), "{name} is set twice");
            }
            for name in container.endpoints.keys() {
                assert!(
                    !container.environment.contains_key(name),
                    "{name} is set twice"
                );
            }
        }
        let names: BTreeSet<&str> = containers.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names.len(), containers.len());
        assert!(
            app.jobs
                .iter()
                .all(|it| names.contains(it.container.as_str()))
        );
        assert!(
            app.hooks
                .iter()
                .all(|it| names.contains(it.container.as_str()))
        );
        if let Some(secret) = &app.admin_password_secret {
            assert!(secrets.contains(secret.as_str()));
        }
    }
    for schema in &blueprint.database.schemas {
        assert!(secrets.contains(schema.password_secret.as_str()));
    }
    for redis in &blueprint.redis {
        assert!(secrets.contains(redis.password_secret.as_str()));
    }
    for node in blueprint.nodes() {
        assert!(groups.contains(&node.security_group), "{node:?}");
    }
    for rule in &blueprint.access {
        for peer in [&rule.from, &rule.to] {
            if let Peer::Group(name) = peer {
                assert!(groups.contains(name), "{name}");
            }
        }
    }
}

/// Whether an app may open what its variables name.
fn endpoints_are_reachable(blueprint: &Blueprint) {
    for app in &blueprint.apps {
        let from = Peer::Group(app.security_group.clone());
        let containers = app.task_definition.containers.iter();
        for variable in containers.flat_map(|it| it.endpoints.values()) {
            let (group, port) = match &variable.endpoint {
                DnsTarget::RedisPrimary(name) => {
                    let redis = blueprint.redis.iter().find(|it| it.name == *name);
                    let redis = redis.expect("an endpoint is of a Redis that there is");
                    assert!(redis.tls);
                    (&redis.security_group, redis.port)
                }
                DnsTarget::Search => {
                    let search = blueprint.search.as_ref().expect("there is a search engine");
                    (&search.security_group, search.port)
                }
                DnsTarget::MessageBroker => {
                    let broker = blueprint
                        .message_broker
                        .as_ref()
                        .expect("there is a broker");
                    (&broker.security_group, broker.port)
                }
                other => panic!("{other:?} has a name in the private zone"),
            };
            let to = Peer::Group(group.clone());
            assert!(
                blueprint.allows(&from, &to, Protocol::Tcp, port),
                "{variable:?}"
            );
        }
    }
}

/// What only AWS offers is in no local blueprint; there, all hosts are names of the private zone.
fn local_is_local(blueprint: &Blueprint) {
    if blueprint.target == Target::Aws {
        return;
    }
    assert!(blueprint.search.is_none() && blueprint.message_broker.is_none());
    assert!(blueprint.web_acl.is_none() && blueprint.ci.is_none());
    assert!(blueprint.redis.iter().all(|it| !it.tls));
    assert!(blueprint.clusters.iter().all(|it| it.daemons.is_empty()));
    for app in &blueprint.apps {
        for container in &app.task_definition.containers {
            assert!(container.endpoints.is_empty());
            let mut mounts = container.mounts.iter();
            assert!(!mounts.any(|it| matches!(it.source, MountSource::Host(_))));
        }
    }
}

fn daemons_are_whole(blueprint: &Blueprint) {
    for cluster in &blueprint.clusters {
        unique(cluster.daemons.iter().map(|it| it.name.as_str()), "daemon");
        let logs = &blueprint.log_groups;
        assert!(logs.iter().any(|it| it.name == cluster.log_group));
        for container in cluster
            .daemons
            .iter()
            .flat_map(|it| &it.task_definition.containers)
        {
            for secret in container.secrets.values() {
                assert!(blueprint.secrets.iter().any(|it| it.name == *secret));
            }
        }
    }
}

fn services_are_in_their_subnets(blueprint: &Blueprint) {
    let search = blueprint.search.iter().map(|it| &it.subnets);
    let broker = blueprint.message_broker.iter().map(|it| &it.subnets);
    for subnets in search.chain(broker) {
        assert!(!subnets.is_empty());
        unique(subnets.iter().map(String::as_str), "subnet");
        for name in subnets {
            let subnet = blueprint.network.subnet(name).expect("it exists");
            assert_eq!(subnet.tier, Tier::Persistence);
        }
    }
    if let Some(search) = &blueprint.search {
        assert!(usize::from(search.nodes).is_multiple_of(search.subnets.len()));
        assert!((3..=28).contains(&search.name.len()), "{}", search.name);
        assert!(
            blueprint
                .log_groups
                .iter()
                .any(|it| it.name == search.log_group)
        );
    }
    if let Some(broker) = &blueprint.message_broker {
        assert!(broker.name.len() <= 50, "{}", broker.name);
    }
}

fn twin(rule: &AccessRule, rules: &[GroupRule], peer: &Peer) -> bool {
    rules
        .iter()
        .any(|it| it.peer == *peer && it.protocol == rule.protocol && it.ports == rule.ports)
}

fn every_egress_has_its_ingress(blueprint: &Blueprint) {
    let by_name: BTreeMap<&SecurityGroupName, _> = blueprint
        .security_groups
        .iter()
        .map(|it| (&it.name, it))
        .collect();
    let mut ends = 0;
    for rule in &blueprint.access {
        if let Peer::Group(to) = &rule.to {
            assert!(twin(rule, &by_name[to].ingress, &rule.from), "{rule:?}");
            ends += 1;
        }
        if let Peer::Group(from) = &rule.from {
            assert!(twin(rule, &by_name[from].egress, &rule.to), "{rule:?}");
            ends += 1;
        }
    }
    let groups = blueprint.security_groups.iter();
    let rules: usize = groups.map(|it| it.ingress.len() + it.egress.len()).sum();
    assert_eq!(rules, ends, "a group has no rule of its own");
}

fn unique<'a>(names: impl Iterator<Item = &'a str>, what: &str) {
    let mut seen = BTreeSet::new();
    for name in names {
        assert!(seen.insert(name), "{what} `{name}` twice");
    }
}

fn names_are_unique_and_short(blueprint: &Blueprint) {
    unique(blueprint.nodes().map(|it| it.name.as_str()), "node");
    unique(
        blueprint.secrets.iter().map(|it| it.name.as_str()),
        "secret",
    );
    unique(blueprint.alarms.iter().map(|it| it.name.as_str()), "alarm");
    unique(
        blueprint.log_groups.iter().map(|it| it.name.as_str()),
        "log group",
    );
    unique(
        blueprint
            .private_zone
            .records
            .iter()
            .map(|it| it.name.as_str()),
        "record",
    );
    let targets = || {
        blueprint
            .apps
            .iter()
            .filter_map(|app| app.target_group.as_ref())
    };
    unique(targets().map(|it| it.name.as_str()), "target group");
    let names = targets()
        .map(|it| &it.name)
        .chain([&blueprint.load_balancer.name]);
    for name in names {
        assert!(name.len() <= 32, "{name}");
        assert!(!name.starts_with('-') && !name.ends_with('-') && !name.starts_with("internal-"));
    }
    let apps = blueprint
        .apps
        .iter()
        .filter_map(|app| app.listener_rule.as_ref());
    let jenkins = blueprint
        .jenkins
        .iter()
        .filter_map(|it| it.listener_rule.as_ref());
    let priorities: Vec<u16> = apps.chain(jenkins).map(|it| it.priority).collect();
    let distinct: BTreeSet<u16> = priorities.iter().copied().collect();
    assert_eq!(distinct.len(), priorities.len(), "priorities");
    // What EC2 takes as the description of a rule.
    let taken = |it: char| it.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(it);
    for rule in &blueprint.access {
        assert!(
            rule.reason.chars().all(taken) && rule.reason.len() <= 255,
            "{}",
            rule.reason
        );
    }
}

fn clusters_of_data_stores_are_spread(blueprint: &Blueprint) {
    let zones = blueprint.network.zones.len();
    let redis = blueprint.redis.iter().map(|it| &it.members);
    for members in redis.chain([&blueprint.database.members]) {
        let used: BTreeSet<&str> = members.iter().map(|it| it.zone.as_str()).collect();
        assert_eq!(used.len(), members.len().min(zones));
    }
}

fn all(blueprint: &Blueprint) {
    subnets_are_apart(blueprint);
    addresses_are_inside_and_unique(blueprint);
    persistence_is_closed(blueprint);
    only_the_edge_is_open(blueprint);
    references_exist(blueprint);
    every_egress_has_its_ingress(blueprint);
    names_are_unique_and_short(blueprint);
    clusters_of_data_stores_are_spread(blueprint);
    endpoints_are_reachable(blueprint);
    local_is_local(blueprint);
    daemons_are_whole(blueprint);
    services_are_in_their_subnets(blueprint);
    for table in View::ALL
        .into_iter()
        .flat_map(|view| blueprint.tables(view))
    {
        assert!(
            table
                .rows
                .iter()
                .all(|row| row.len() == table.columns.len())
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_environment_in_a_roomy_vpc_has_a_sound_blueprint(
        environment in strategy::environment(16..=19)
    ) {
        let blueprint = Blueprint::plan(&environment).expect("there is room");
        all(&blueprint);
        let again = Blueprint::plan(&environment.clone()).expect("there was room");
        prop_assert_eq!(
            serde_json::to_string(&blueprint).unwrap(),
            serde_json::to_string(&again).unwrap()
        );
        prop_assert_eq!(difference::difference(&blueprint.to_json(), &again.to_json()), []);
    }

    #[test]
    fn a_small_vpc_gives_a_sound_blueprint_or_says_that_it_is_full(
        environment in strategy::environment(20..=24)
    ) {
        match Blueprint::plan(&environment) {
            Ok(blueprint) => all(&blueprint),
            Err(PlanningError::SubnetFull { .. } | PlanningError::VpcTooSmall { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_small_vpc_of_three_zones_has_room_for_the_defaults() {
    let blueprint = support::blueprint(
        "production",
        "network.cidr = '10.0.0.0/24'\n[app.shop]\npreset = 'magento2'",
    );
    all(&blueprint);
    assert_eq!(blueprint.network.subnets[0].cidr.prefix_len(), 28);
}

#[test]
fn listed_subnets_win() {
    let settings =
        "network.public-subnets = ['172.31.100.0/24', '172.31.200.0/22', '172.31.9.0/26']
                    [app.shop]\npreset = 'magento2'";
    let blueprint = support::blueprint("production", settings);
    all(&blueprint);
    let range = |name: &str| {
        let subnet = blueprint.network.subnet(name);
        subnet
            .map(|subnet| subnet.cidr.to_string())
            .unwrap_or_default()
    };
    assert_eq!(range("public-b"), "172.31.200.0/22");
    assert_eq!(range("app-a"), "172.31.3.0/24");
}

fn error(settings: &str) -> PlanningError {
    let environment = support::environment("local", settings);
    Blueprint::plan(&environment).expect_err("the settings have no blueprint")
}

#[test]
fn what_can_not_be_laid_out_is_refused_by_name() {
    let shop = "app.shop.preset = 'php'\n";
    let cases = [
        ("network.zones = []", "`network.zones` is empty"),
        ("network.cidr = '10.0.0.0/25'", "no room for 9 subnets"),
        (
            "network.zones = ['a']\nnetwork.app-subnets = []",
            "lists 0 subnets for 1 zones",
        ),
        (
            "network.zones = ['a']\nnetwork.app-subnets = ['172.31.0.0/20']",
            "172.31.0.0/24 and 172.31.0.0/20 overlap",
        ),
        (
            "network.zones = ['a']\nnetwork.app-subnets = ['10.0.0.0/24']",
            "10.0.0.0/24 is not a part",
        ),
        (
            "network.cidr = '10.0.0.0/24'\ncluster.app.servers = { minimum = 30, maximum = 30 }",
            "no address left for `app-7`",
        ),
        (
            "cluster.app.instance-type = 'z9.large'",
            "known are the types of the families t3, t3a, t4g, m5",
        ),
        (
            "cluster.app.architecture = 'arm64'",
            "`c6i.large` is an x86-64 type",
        ),
        ("cluster.app.zones = ['d']", "in zone `d`"),
        ("app.shop.cluster = 'none'", "on cluster `none`"),
        (
            "app.x.routing.internal = true",
            "neither a preset nor a container",
        ),
        (
            "app.x.container.y.port = 80",
            "neither an image nor a command",
        ),
        (
            "app.x.container.y.image = 'z'",
            "`routing.container` must name",
        ),
        (
            "app.shop.job.x = { schedule = 'rate(1 day)', command = ['x'], container = 'y' }",
            "job `x` names container `y`",
        ),
        (
            "app.shop.container.a = { image = 'i', depends-on = { b = 'START' } }\n\
             app.shop.container.b = { image = 'i', depends-on = { a = 'START' } }",
            "containers a, b wait for each other",
        ),
        (
            "app.shop.container.a = { image = 'i', depends-on = { c = 'START' } }",
            "names container `c`",
        ),
        (
            "cluster.db = {}\napp.shop.cluster = 'db'",
            "two things are named `db-1`",
        ),
    ];
    for (settings, said) in cases {
        let error = error(&format!("{shop}{settings}")).to_string();
        assert!(error.contains(said), "{settings}: {error}");
    }
}

#[test]
fn a_vendors_container_may_be_changed_though_it_is_not_there_locally() {
    let settings = "integration.blackfire = {}\n\
                    app.shop.preset = 'magento2'\n\
                    app.shop.container.blackfire.memory = '128MiB'\n\
                    app.shop.container.php-fpm.depends-on = { blackfire = 'START' }";
    let containers = |name| {
        let app = support::blueprint(name, settings).apps.remove(0);
        app.task_definition.containers
    };
    let names = |name| -> Vec<String> { containers(name).into_iter().map(|it| it.name).collect() };
    assert_eq!(names("local"), ["php-fpm", "nginx"]);
    assert_eq!(names("production"), ["blackfire", "php-fpm", "nginx"]);
    let memory = containers("production")[0].memory;
    assert_eq!(memory, Some(Size::from_mib(128)));
}

#[test]
fn the_apps_of_one_schema_are_one_store() {
    let settings = include_str!("settings/two-clusters.toml");
    let blueprint = support::blueprint("production", settings);
    let php = |app: usize| {
        let containers = &blueprint.apps[app].task_definition.containers;
        containers
            .iter()
            .find(|it| it.name == "php-fpm")
            .expect("a preset has php-fpm")
    };
    assert_eq!(php(0).secrets, php(1).secrets);
    assert_eq!(php(0).mounts, php(1).mounts);
    assert_eq!(
        php(0).environment["CACHE_PREFIX"],
        php(1).environment["CACHE_PREFIX"]
    );
    assert_eq!(
        php(0).secrets["MAGENTO_DC_CRYPT__KEY"],
        "shop-crypt-key",
        "as without `admin`"
    );
    let with_cron = blueprint.apps.iter().filter(|app| !app.jobs.is_empty());
    assert_eq!(with_cron.count(), 1, "cron runs once for a store");
}

#[test]
fn commands_of_the_files_own_run_prepared_as_the_presets_do() {
    let settings = "app.shop.preset = 'magento2'\n\
                    app.shop.job.sitemap = { schedule = 'rate(1 day)', command = ['php', 'x'] }\n\
                    app.shop.secrets = { TOKEN = 'token' }\nsecret.token = {}";
    let app = support::blueprint("local", settings).apps.remove(0);
    let command = |name: &str| {
        let job = app.jobs.iter().find(|job| job.name == name);
        job.map(|job| job.command.clone()).unwrap_or_default()
    };
    let length = app.command_prefix.len();
    assert!(length > 0);
    assert_eq!(command("sitemap")[..length], app.command_prefix);
    assert_eq!(command("cron")[..length], app.command_prefix);
    assert_eq!(command("sitemap")[length..], ["php", "x"]);
    let with_secret: Vec<&str> = app
        .task_definition
        .containers
        .iter()
        .filter(|container| container.secrets.contains_key("TOKEN"))
        .map(|container| container.name.as_str())
        .collect();
    assert_eq!(with_secret, ["php-fpm"]);
}

#[test]
fn a_reference_to_a_secret_of_the_kits_own_leaves_it_generated() {
    let settings = "app.blog.preset = 'wordpress'\napp.shop.preset = 'storefront'\n\
                    app.blog.secrets.SHOP_PASSWORD = 'shop-admin-password'";
    let blueprint = support::blueprint("local", settings);
    let secret = blueprint
        .secrets
        .iter()
        .find(|it| it.name == "shop-admin-password");
    assert_eq!(
        secret.map(|it| it.origin),
        Some(SecretOrigin::Generated(32))
    );
}

#[test]
fn php_takes_what_nginx_lets_through() {
    let nginx_conf = |size: &str| {
        let settings =
            format!("app.shop.preset = 'php'\napp.shop.nginx.client-max-body-size = '{size}'");
        let app = support::blueprint("local", &settings).apps.remove(0);
        let nginx = app
            .task_definition
            .containers
            .into_iter()
            .find(|it| it.name == "nginx");
        nginx
            .map(|it| it.files[0].content.clone())
            .unwrap_or_default()
    };
    assert!(!nginx_conf("64MiB").contains("post_max_size"));
    let larger = nginx_conf("200MiB");
    assert!(larger.contains("client_max_body_size 200m"), "{larger}");
    assert!(larger.contains("post_max_size=200M\nupload_max_filesize=200M"));
}

#[test]
fn a_cache_is_reachable_for_those_who_know_its_name() {
    let settings = "app.blog.preset = 'wordpress'\napp.shop.preset = 'magento1'";
    let blueprint = support::blueprint("local", settings);
    let group = |name: &str| Peer::Group(SecurityGroupName(name.to_owned()));
    let allows = |blueprint: &Blueprint, from| {
        blueprint.allows(&group(from), &group("redis-cache"), Protocol::Tcp, 6379)
    };
    assert!(allows(&blueprint, "app-shop"));
    assert!(!allows(&blueprint, "app-blog"));
    let told = format!(
        "{settings}\napp.blog.environment.WP_REDIS_HOST = \
         'redis-cache.us-east-1.magecloudkit.internal'"
    );
    assert!(allows(&support::blueprint("local", &told), "app-blog"));
}

#[test]
fn what_the_file_says_of_a_container_wins() {
    let settings = "app.shop.preset = 'storefront'\n\
                    app.shop.environment = { CACHE_PREFIX = 'mine', CRYPT_KEY = 'x' }\n\
                    app.shop.secrets = { BASE_URL = 'url' }\n\
                    app.shop.container.nginx = { capabilities = ['NET_RAW'], cpu = 7 }\n\
                    app.shop.job.cron = { enabled = false }\n\
                    app.shop.hooks.upgrade = []";
    let app = support::blueprint("local", settings).apps.remove(0);
    let [php, nginx] = app.task_definition.containers.as_slice() else {
        panic!("two containers");
    };
    assert_eq!(php.environment["CACHE_PREFIX"], "mine");
    assert!(!php.secrets.contains_key("CRYPT_KEY"));
    assert!(!php.environment.contains_key("BASE_URL"));
    assert_eq!(php.secrets["BASE_URL"], "url");
    assert_eq!(
        (nginx.cpu, nginx.capabilities.as_slice()),
        (7, &["CAP_NET_RAW".to_owned()][..])
    );
    let jobs: Vec<&str> = app.jobs.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(jobs, ["indexer"]);
    assert_eq!(app.hooks.len(), 2);
}

#[test]
fn the_access_graph_answers_for_pairs() {
    let blueprint = support::blueprint("local", "[app.shop]\npreset = 'storefront'");
    let group = |name: &str| Peer::Group(SecurityGroupName(name.to_owned()));
    let allows = |from: &str, to: &str, port| {
        blueprint.allows(&group(from), &group(to), Protocol::Tcp, port)
    };
    assert!(allows("load-balancer", "app-shop", 80));
    assert!(!allows("load-balancer", "app-shop", 8081));
    assert!(allows("app-shop", "database", 3306));
    assert!(!allows("bastion", "database", 3306));
    assert!(!allows("load-balancer", "database", 3306));
    assert!(!allows("app-shop", "app-shop", 80));
    assert!(!blueprint.allows(&group("app-shop"), &group("database"), Protocol::Udp, 3306));
}
