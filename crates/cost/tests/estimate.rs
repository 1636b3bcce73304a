//! Estimates of whole environments.

use mck_blueprint::{Blueprint, instance_types};
use mck_cost::{Component, CostDifference, Estimate, Kind, Line, Money, PriceTable, Rate, Usage};
use mck_environment::{Environment, Settings};
use proptest::prelude::*;

fn blueprint(settings: &str) -> Blueprint {
    let settings: Settings = toml::from_str(settings).expect("the test's settings are well-formed");
    let environment = Environment {
        project: "shop".to_owned(),
        name: "production".to_owned(),
        settings,
    };
    Blueprint::plan(&environment).expect("the test's settings have a blueprint")
}

fn estimate(settings: &str) -> Estimate {
    Estimate::of(&blueprint(settings), &Usage::default())
}

const SHOP: &str = "target = 'aws'\napp.shop.preset = 'magento2'\n";

fn line<'a>(estimate: &'a Estimate, component: Component, what: &str) -> &'a Line {
    let mut lines = estimate.lines.iter();
    lines
        .find(|line| line.component == component && line.what == what)
        .unwrap_or_else(|| panic!("there is a line {what}: {estimate:#?}"))
}

#[test]
fn lines_are_what_a_hand_computes() {
    let settings = format!(
        "{SHOP}
        cluster.app = {{ instance-type = 'c6i.large', servers = {{ minimum = 2, desired = 4, maximum = 8 }}, volume-size = '50 GiB', spot-percent = 50, warm-servers = 2 }}
        database = {{ instance-class = 'db.r6g.large', readers = 1 }}
        cache.redis-cache = {{ node-type = 'cache.t4g.medium', replicas = 1 }}
        cache.redis-session = {{ node-type = 'cache.t4g.medium', replicas = 1, engine = 'valkey' }}
        cache.memcached = {{ node-type = 'cache.t4g.small', nodes = 2 }}
        search = {{ instance-type = 'm6g.large.search', nodes = 3, volume-size = '20 GiB' }}
        message-broker = {{ enabled = true, instance-type = 'mq.m5.large', deployment = 'cluster' }}"
    );
    let estimate = estimate(&settings);
    use Component::{AppServers, Caches, Database, Edge, MessageBroker, Network, Search};
    for (component, what, cents) in [
        // 2 × 0.085 × 730 = 124.10, the others at 40 % of it = 49.64
        (AppServers, "cluster app: instances", 12_410),
        (AppServers, "cluster app: spot instances", 4_964),
        // 4 × 50 × 0.08, and 2 × 50 × 0.08
        (AppServers, "cluster app: volumes", 1_600),
        (AppServers, "cluster app: volumes of warm servers", 800),
        // 2 × 0.26 × 730
        (Database, "instances", 37_960),
        // 50 × 0.10; 100 × 0.20; 50 × 0.021
        (Database, "storage", 500),
        (Database, "reads and writes of storage", 2_000),
        (Database, "backups beyond the free ones", 105),
        // 2 × 0.065 × 730, the same × 0.8; 2 × 0.032 × 730
        (Caches, "redis-cache", 9_490),
        (Caches, "redis-session", 7_592),
        (Caches, "memcached", 4_672),
        // 3 × 0.128 × 730; 3 × 20 × 0.122
        (Search, "instances", 28_032),
        (Search, "volumes", 732),
        // 3 × 0.288 × 730; 3 × 5 × 0.10
        (MessageBroker, "instances", 63_072),
        (MessageBroker, "queues", 150),
        // 3 × 0.045 × 730; 100 × 0.045; 2 × 250 × 0.01
        (Network, "NAT gateways", 9_855),
        (Network, "data through NAT gateways", 450),
        (Network, "traffic between zones", 500),
        // (3 + 3 + 1) × 0.005 × 730
        (Network, "public IPv4 addresses", 2_555),
        // 0.0225 × 730
        (Edge, "load balancer", 1_643),
    ] {
        let found = line(&estimate, component, what);
        assert_eq!(found.monthly, Some(Money::from_cents(cents)), "{found:#?}");
        assert!(!found.approximate, "{found:#?}");
    }
    let instances = line(&estimate, AppServers, "cluster app: instances");
    assert_eq!(instances.up_to, Some(Money::from_cents(24_820)));
    assert_eq!(estimate.unknown, [""; 0]);
}

#[test]
fn serverless_is_counted_at_its_least_and_shown_up_to_its_most() {
    let settings = format!(
        "{SHOP}database = {{ serverless = {{ minimum = 0.5, maximum = 16.0 }}, readers = 1 }}"
    );
    let estimate = estimate(&settings);
    let capacity = line(&estimate, Component::Database, "capacity");
    // 2 × 0.5 × 0.12 × 730, and 2 × 16 × 0.12 × 730
    assert_eq!(capacity.monthly, Some(Money::from_cents(8_760)));
    assert_eq!(capacity.up_to, Some(Money::from_cents(280_320)));
    let more = Money::from_cents(280_320 - 8_760);
    assert!(estimate.up_to - estimate.total >= more);
}

#[test]
fn what_has_no_price_is_flagged_and_in_no_sum() {
    let settings = format!("{SHOP}database.instance-class = 'db.x9.mega'");
    let estimate = estimate(&settings);
    let instances = line(&estimate, Component::Database, "instances");
    assert_eq!((instances.kind, instances.monthly), (Kind::Unknown, None));
    assert_eq!(estimate.unknown, ["instances (2 × db.x9.mega)"]);
    let other = Estimate::of(
        &blueprint(&format!("{SHOP}database.instance-class = 'db.r6g.large'")),
        &Usage::default(),
    );
    assert_eq!(other.total - estimate.total, Money::from_cents(37_960));
    let difference = CostDifference::between(Some(&estimate), Some(&other));
    assert!(difference.incomplete);
}

/// All instance types that a blueprint can have, each family's by size.
fn instance_type_names() -> Vec<String> {
    let small = ["nano", "micro", "small", "medium", "large", "xlarge"].map(str::to_owned);
    let large = (2..=48).map(|times| format!("{times}xlarge"));
    let sizes: Vec<String> = small.into_iter().chain(large).collect();
    let families = instance_types::families();
    let names = families.split(", ").flat_map(|family| {
        let of_size = |size: &String| format!("{family}.{size}");
        sizes.iter().map(of_size).collect::<Vec<_>>()
    });
    names
        .filter(|name| instance_types::find(name).is_some())
        .collect()
}

#[test]
fn every_instance_type_of_app_servers_has_a_price_in_every_listed_american_region() {
    for region in ["us-east-1", "us-east-2", "us-west-2"] {
        let prices = PriceTable::embedded().in_region(region);
        let mut before = (String::new(), 0.0);
        assert!(instance_type_names().len() > 120);
        for name in instance_type_names() {
            let price = prices
                .instance(&name)
                .unwrap_or_else(|| panic!("{name} in {region}"));
            assert!(
                price.dollars > 0.0 && !price.approximate,
                "{name} in {region}"
            );
            let family = name.split('.').next().unwrap_or_default().to_owned();
            if family == before.0 {
                assert!(
                    price.dollars > before.1,
                    "{name} costs more than the size below it"
                );
            }
            before = (family, price.dollars);
        }
    }
}

/// Spot checks with what AWS's list says of single types.
#[test]
fn instances_cost_what_the_list_says() {
    for (region, name, dollars) in [
        ("us-east-1", "t3.nano", 0.0052),
        ("us-east-1", "c5.9xlarge", 1.53),
        ("us-east-1", "r6i.32xlarge", 8.064),
        ("us-east-1", "m7i.48xlarge", 9.6768),
        ("us-east-1", "c7g.16xlarge", 2.32),
        ("eu-west-1", "m5.xlarge", 0.214),
        ("eu-central-1", "t4g.medium", 0.0384),
        ("ap-southeast-1", "t3.small", 0.0264),
        ("ap-southeast-1", "c5.xlarge", 0.196),
        ("sa-east-1", "c6i.large", 0.131),
    ] {
        let price = PriceTable::embedded().in_region(region).instance(name);
        let price = price.unwrap_or_else(|| panic!("{name} in {region}"));
        assert!(
            (price.dollars / dollars - 1.0).abs() < 0.001,
            "{name} in {region}: {price:?}"
        );
    }
}

#[test]
fn every_rate_has_a_price_everywhere_and_every_source_an_address() {
    let table = PriceTable::embedded();
    for region in ["us-east-1", "eu-central-1", "mars-north-1"] {
        for rate in Rate::ALL {
            assert!(table.in_region(region).rate(rate).dollars > 0.0, "{rate:?}");
        }
    }
    assert_eq!(table.currency, "USD");
    assert!(table.date.len() == 10 && table.sources.len() > 10);
    for source in &table.sources {
        assert!(
            source.url.starts_with("https://aws.amazon.com/"),
            "{source:?}"
        );
    }
}

#[test]
fn a_region_that_is_not_listed_is_dearer_and_said_to_be_a_guess() {
    let (known, guess) = (
        estimate(&format!("region = 'us-east-1'\n{SHOP}")),
        estimate(&format!("region = 'eu-south-2'\n{SHOP}")),
    );
    assert!(!known.approximate && guess.approximate);
    assert!(guess.total > known.total);
    insta::assert_snapshot!(guess.approximation.unwrap_or_default());
}

#[test]
fn an_adopted_vpc_brings_its_own_nat_gateways() {
    let adopted = "network.existing = { vpc = 'vpc-01234567', public-subnets = ['subnet-0000000a', 'subnet-0000000b', 'subnet-0000000c'], app-subnets = ['subnet-0000000d', 'subnet-0000000e', 'subnet-0000000f'], persistence-subnets = ['subnet-00000001', 'subnet-00000002', 'subnet-00000003'] }";
    let estimate = estimate(&format!("{SHOP}{adopted}"));
    assert!(
        estimate
            .lines
            .iter()
            .all(|line| line.what != "NAT gateways")
    );
    assert!(estimate.lines.iter().all(|line| line.what != "flow logs"));
}

#[test]
fn without_a_way_out_services_are_reached_through_endpoints() {
    let estimate = estimate(&format!("{SHOP}network.nat = 'none'"));
    let line = line(&estimate, Component::Network, "interface endpoints");
    // 13 services × 3 zones × 0.01 × 730
    assert_eq!(line.monthly, Some(Money::from_cents(28_470)));
    let nat = |line: &Line| line.what.contains("NAT gateways");
    assert!(estimate.lines.iter().filter(|line| nat(line)).count() == 0);
}

#[test]
fn the_full_environment_is_as_it_was() {
    let settings = format!(
        "region = 'eu-central-1'\n{SHOP}
        cluster.app = {{ servers = {{ minimum = 2, maximum = 6 }} }}
        cache.memcached = {{}}
        jenkins = {{ enabled = true, host = 'jenkins.example.com', allow-from = ['203.0.113.0/24'] }}
        cdn.enabled = true
        message-broker.enabled = true"
    );
    insta::assert_snapshot!(text(&estimate(&settings)));
}

fn text(estimate: &Estimate) -> String {
    let line = |line: &Line| {
        let price = line
            .unit_price
            .map_or("?".to_owned(), |it| format!("{it:.5}"));
        let monthly = line.monthly.map_or("?".to_owned(), |it| it.to_string());
        let up_to = line
            .up_to
            .map(|it| format!(" up to {it}"))
            .unwrap_or_default();
        let close = if line.approximate { "~" } else { " " };
        format!(
            "{:<15} {:<36} {:>9.2} {:<20} {price:>9} {monthly:>9} {close} {:?}{up_to}  [{}]",
            line.component.title(),
            line.what,
            line.quantity,
            line.unit,
            line.kind,
            line.detail
        )
    };
    let mut lines: Vec<String> = estimate.lines.iter().map(line).collect();
    for component in Component::ALL {
        lines.push(format!(
            "{}: {}",
            component.title(),
            estimate.subtotal(component)
        ));
    }
    lines.push(format!(
        "fixed {}, assumed {}, total {}, up to {}",
        estimate.fixed, estimate.assumed, estimate.total, estimate.up_to
    ));
    lines.extend(estimate.approximation.clone());
    lines.join("\n")
}

#[test]
fn a_difference_names_what_changed_and_what_it_costs() {
    let before = estimate(&format!(
        "{SHOP}jenkins = {{ enabled = true, host = 'ci.example.com', allow-from = ['10.0.0.0/8'] }}"
    ));
    let after = estimate(&format!(
        "{SHOP}database.instance-class = 'db.r6g.xlarge'\nnetwork.nat = 'single'\nmessage-broker.enabled = true"
    ));
    let difference = CostDifference::between(Some(&before), Some(&after));
    assert_eq!(difference.change, after.total - before.total);
    let changes: Money = difference
        .lines
        .iter()
        .map(mck_cost::LineDifference::change)
        .sum();
    assert_eq!(changes, difference.change);
    let told: Vec<String> = difference
        .lines
        .iter()
        .map(|line| {
            format!(
                "{} {}: {:?} -> {:?}",
                line.component.title(),
                line.what,
                line.detail_before,
                line.detail_after
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn nothing_differs_from_itself_and_all_is_new_where_nothing_was() {
    let shop = estimate(SHOP);
    let same = CostDifference::between(Some(&shop), Some(&shop));
    assert!(same.lines.is_empty() && same.change == Money::ZERO);
    let all = CostDifference::between(None, Some(&shop));
    assert_eq!(all.lines.len(), shop.lines.len());
    assert_eq!((all.before, all.after), (Money::ZERO, shop.total));
}

fn settings() -> impl Strategy<Value = String> {
    let regions = prop::sample::select(vec!["us-east-1", "eu-west-1", "sa-east-1", "eu-south-2"]);
    let types = prop::sample::select(vec!["c6i.large", "t3.medium", "m7i.4xlarge"]);
    let nats = prop::sample::select(vec!["per-zone", "single", "none"]);
    (regions, types, nats, 1_u32..20, 0_u32..=100, 0_u32..5, 0_u32..10).prop_map(
        |(region, kind, nat, servers, spot, warm, readers)| {
            format!(
                "region = '{region}'\n{SHOP}network.nat = '{nat}'\ndatabase.readers = {readers}\n\
                 cluster.app = {{ instance-type = '{kind}', servers = {{ minimum = {servers}, maximum = 40 }}, spot-percent = {spot}, warm-servers = {warm} }}\n"
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn totals_are_the_sums_of_their_lines(settings in settings()) {
        let estimate = estimate(&settings);
        let sum: Money = estimate.lines.iter().filter_map(|line| line.monthly).sum();
        prop_assert_eq!(sum, estimate.total);
        prop_assert_eq!(estimate.fixed + estimate.assumed, estimate.total);
        let components: Money = Component::ALL.into_iter().map(|it| estimate.subtotal(it)).sum();
        prop_assert_eq!(components, estimate.total);
        prop_assert!(estimate.up_to >= estimate.total);
    }

    #[test]
    fn more_is_never_cheaper(settings in settings(), more in 1_u32..20) {
        let before = blueprint(&settings);
        let total = |blueprint: &Blueprint| Estimate::of(blueprint, &Usage::default()).total;
        let mut after = before.clone();
        let node = after.clusters[0].servers[0].clone();
        after.clusters[0].servers.extend((0..more).map(|_| node.clone()));
        after.clusters[0].maximum += more;
        prop_assert!(total(&after) > total(&before));
        let mut after = before.clone();
        let member = after.database.members[0].clone();
        after.database.members.push(member);
        prop_assert!(total(&after) > total(&before));
        for key in Usage::keys() {
            let mut usage = Usage::default();
            let value = (usage.get(key) * f64::from(more + 1)).min(100.0_f64.max(usage.get(key)));
            usage.set(&format!("{}={value}", key.name)).expect("the value is allowed");
            if key.name != "cached-percent" {
                prop_assert!(Estimate::of(&before, &usage).total >= total(&before), "{}", key.name);
            }
        }
    }
}
