//! Random environments that the environment crate's checks would pass.

use std::collections::BTreeMap;

use mck_environment::{
    Environment, Settings,
    settings::{
        Algolia, App, Architecture, Blackfire, Bugsnag, Cloudflare, Cluster, Container, Datadog,
        Memcached, Mount, Nat, NewRelic, Nosto, Pingdom, Preset, Servers, Target,
    },
};
use proptest::prelude::*;

const LETTERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const TYPES: [(&str, Architecture); 5] = [
    ("c6i.large", Architecture::X86_64),
    ("t3.medium", Architecture::X86_64),
    ("m7i.4xlarge", Architecture::X86_64),
    ("m6g.medium", Architecture::Arm64),
    ("r7g.xlarge", Architecture::Arm64),
];
const APPS: [&str; 5] = ["shop", "blog", "admin", "a-long-name-of-app", "worker"];

prop_compose! {
    fn cluster(zones: usize)(
        kind in prop::sample::select(&TYPES[..]),
        minimum in 0_u32..=4,
        extra in 0_u32..=4,
        first in 0..zones,
        everywhere: bool,
        spot_percent in 0_u8..=100,
    ) -> Cluster {
        Cluster {
            instance_type: kind.0.to_owned(),
            architecture: kind.1,
            servers: Servers { minimum, maximum: (minimum + extra).max(1), desired: Some(minimum + extra / 2) },
            zones: (!everywhere).then(|| LETTERS[first..zones].iter().map(|it| (*it).to_owned()).collect()),
            spot_percent,
            ..Cluster::default()
        }
    }
}

fn free_form(port: Option<u16>, media: bool) -> BTreeMap<String, Container> {
    let mounts = if media {
        vec![Mount::Media {
            path: "/media".to_owned(),
        }]
    } else {
        Vec::new()
    };
    let main = Container {
        command: Some(vec!["serve".to_owned()]),
        port,
        mounts,
        ..Container::default()
    };
    let side = Container {
        image: Some("example/side:1".to_owned()),
        secrets: BTreeMap::from([("TOKEN".to_owned(), "side-token".to_owned())]),
        ..Container::default()
    };
    BTreeMap::from([("main".to_owned(), main), ("side".to_owned(), side)])
}

fn preset() -> impl Strategy<Value = Option<Preset>> {
    prop::option::weighted(
        0.8,
        prop::sample::select(vec![
            Preset::Magento2,
            Preset::Magento1,
            Preset::WordPress,
            Preset::Storefront,
            Preset::Php,
        ]),
    )
}

prop_compose! {
    fn app()(
        preset in preset(),
        cluster in prop::option::of(prop::sample::select(vec!["app", "admin"])),
        hosts in prop::option::of(prop::collection::vec(
            prop::sample::select(vec!["www.example.com", "*.example.com", "b.example.com"]), 0..3)),
        paths in prop::collection::vec(prop::sample::select(vec!["/blog/*", "/admin"]), 0..2),
        internal in prop::bool::weighted(0.2),
        database in prop::option::of(prop::sample::select(vec!["", "store"])),
        port in 1_u16..60_000,
        media: bool,
        minimum in 0_u32..4,
    ) -> App {
        let mut app = App { preset, ..App::default() };
        app.cluster = cluster.map(str::to_owned);
        app.routing.hosts = hosts.map(|list| list.into_iter().map(str::to_owned).collect());
        app.routing.paths = paths.into_iter().map(str::to_owned).collect();
        app.routing.internal = internal;
        app.database = database.map(str::to_owned);
        app.tasks.minimum = minimum;
        if preset.is_none() {
            app.container = free_form((!internal).then_some(port), media);
        }
        app
    }
}

prop_compose! {
    fn toggles()(
        storage: bool, bastion: bool, jenkins: bool, memcached in prop::option::of(1_u8..4),
        redis_cache: bool, redis_session: bool, cdn: bool, alarms: bool, ssh: bool,
        vendors in any::<[bool; 8]>(), tunnels: bool, search in prop::option::of(any::<bool>()),
        nodes in prop::option::of(1_u8..=9), broker: bool, waf in prop::option::of(any::<bool>()),
    ) -> Settings {
        let mut settings = Settings::default();
        settings.search.enabled = search;
        settings.search.nodes = nodes;
        settings.message_broker.enabled = broker;
        settings.waf.enabled = waf;
        settings.storage.enabled = storage;
        settings.bastion.enabled = bastion;
        settings.bastion.database_access = tunnels;
        settings.bastion.cache_access = tunnels;
        if ssh {
            settings.bastion.allow_ssh_from = vec!["203.0.113.0/24".to_owned()];
        }
        settings.jenkins.enabled = jenkins;
        settings.jenkins.host = jenkins.then(|| "ci.example.com".to_owned());
        settings.cache.memcached = memcached.map(|nodes| Memcached { nodes, ..Memcached::default() });
        settings.cache.redis_cache.enabled = redis_cache;
        settings.cache.redis_session.enabled = redis_session;
        settings.cdn.enabled = cdn;
        settings.alarms.enabled = alarms;
        let vendor = &mut settings.integration;
        vendor.algolia = vendors[0].then(Algolia::default);
        vendor.blackfire = vendors[1].then(Blackfire::default);
        vendor.bugsnag = vendors[2].then(Bugsnag::default);
        vendor.cloudflare = vendors[3].then(Cloudflare::default);
        vendor.datadog = vendors[4].then(Datadog::default);
        vendor.new_relic = vendors[5].then(NewRelic::default);
        vendor.nosto = vendors[6].then(Nosto::default);
        vendor.pingdom = vendors[7].then(Pingdom::default);
        settings
    }
}

/// Environments in a VPC whose prefix is in the range.
pub fn environment(prefixes: std::ops::RangeInclusive<u8>) -> impl Strategy<Value = Environment> {
    (1_usize..=6).prop_flat_map(move |zones| {
        (
            toggles(),
            prefixes.clone(),
            any::<[u8; 2]>(),
            prop::sample::select(vec![Nat::PerZone, Nat::Single, Nat::None]),
            (cluster(zones), prop::option::of(cluster(zones))),
            prop::collection::btree_map(prop::sample::select(&APPS[..]), app(), 1..=5),
            (0_u8..=5, 0_u8..=3),
            any::<bool>(),
            prop::sample::select(vec!["production", "local", "x"]),
        )
            .prop_map(move |parts| assemble(zones, parts))
    })
}

type Parts = (
    Settings,
    u8,
    [u8; 2],
    Nat,
    (Cluster, Option<Cluster>),
    BTreeMap<&'static str, App>,
    (u8, u8),
    bool,
    &'static str,
);

fn assemble(zones: usize, parts: Parts) -> Environment {
    let (mut settings, prefix, base, nat, clusters, apps, members, local, name) = parts;
    let network = &mut settings.network;
    let address = std::net::Ipv4Addr::new(10, base[0], base[1], 77);
    network.cidr = ipnet::Ipv4Net::new(address, prefix).expect("the prefix is in range");
    network.zones = LETTERS[..zones].iter().map(|it| (*it).to_owned()).collect();
    network.nat = nat;
    settings.target = Some(if local { Target::Local } else { Target::Aws });
    settings.cluster = BTreeMap::from([("app".to_owned(), clusters.0)]);
    let has_admin = clusters.1.is_some();
    if let Some(admin) = clusters.1 {
        settings.cluster.insert("admin".to_owned(), admin);
    }
    settings.app = apps
        .into_iter()
        .map(|(name, mut app)| {
            if !has_admin {
                app.cluster = None;
            }
            (name.to_owned(), app)
        })
        .collect();
    (
        settings.database.readers,
        settings.cache.redis_cache.replicas,
    ) = members;
    Environment {
        project: "a-project-of-twenty1".to_owned(),
        name: name.to_owned(),
        settings,
    }
}
