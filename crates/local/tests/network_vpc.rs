//! The network for real: namespaces, packets, rules of the kernel.

#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod network_support;

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use mck_blueprint::model::{AccessRule, Peer, Protocol, SecurityGroupName};
use mck_local::{
    command::Command,
    network::{
        Attachment, Changes, NetworkError, NetworkPlan, apply, attach, detach, difference,
        in_namespace, internet_processes, isolate, list, namespace_path, observe, rejoin,
        start_internet, stop_internet, teardown,
    },
};
use network_support::{
    ANYWHERE, allow, blueprint, members_of, plan, range,
    real::{OFFICE_CLIENT, OTHER_CLIENT, Vpc, WEBSITE, environment},
};

/// The ports that anything in the architecture listens on, and one that nothing does.
const PORTS: [u16; 10] = [22, 53, 80, 443, 2049, 3306, 6379, 8080, 9999, 11211];

/// What the host sees of networks, but for namespaces of other tests.
fn host(environment: &str) -> (String, Vec<String>) {
    let links = Command::new("ip")
        .args(["-json", "address"])
        .run()
        .unwrap()
        .text();
    let names = std::fs::read_dir("/run/netns").into_iter().flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    (
        links,
        names.filter(|name| name.contains(environment)).collect(),
    )
}

#[test]
fn made_once_and_gone_without_a_trace() {
    let environment = environment("whole");
    let before = host(environment.as_str());
    let vpc = Vpc {
        plan: plan(&environment),
    };

    let started = Instant::now();
    let changes = apply(&vpc.plan).unwrap();
    let first = started.elapsed();
    assert_eq!(changes.configured.len(), vpc.plan.attachments.len());

    let started = Instant::now();
    let again = apply(&vpc.plan).unwrap();
    let second = started.elapsed();
    assert_eq!(
        again,
        Changes::default(),
        "the second time changed something:\n{again}"
    );
    println!("from nothing {first:?}, nothing to do {second:?}");

    assert_eq!(
        host(environment.as_str()).0,
        before.0,
        "something shows in the host's namespace"
    );
    assert_eq!(
        list(&environment).unwrap().len(),
        vpc.plan.attachments.len() + 1
    );
    teardown(&environment).unwrap();
    assert_eq!(host(environment.as_str()), before);
    assert_eq!(list(&environment).unwrap(), Vec::<String>::new());
    teardown(&environment).expect("what is gone can be torn down again");
}

/// One end of a connection: a namespace, an address in it, and its group, if it is in one.
struct End {
    part: String,
    address: Ipv4Addr,
    group: Option<SecurityGroupName>,
}

impl End {
    fn is_outside(&self) -> bool {
        self.part == "igw"
    }
}

/// Everything in the VPC, two visitors and a website.
fn ends(vpc: &Vpc) -> Vec<End> {
    let inside = vpc
        .plan
        .attachments
        .values()
        .filter(|attachment| attachment.name != "igw");
    let outside = |address| End {
        part: "igw".to_owned(),
        address,
        group: None,
    };
    inside
        .map(|attachment| End {
            part: attachment.name.clone(),
            address: attachment.address,
            group: attachment.security_group().cloned(),
        })
        .chain([OFFICE_CLIENT, OTHER_CLIENT, WEBSITE].map(outside))
        .collect()
}

/// What the access graph says, worked out without the code under test.
fn allowed(rules: &[AccessRule], from: &End, to: &End, port: u16) -> bool {
    if from.is_outside() && to.is_outside() || from.address == to.address {
        return true;
    }
    let asks = to.part == "resolver" && !from.is_outside();
    let dns = port == 53 && (asks || from.part == "resolver" && to.is_outside());
    // A NAT gateway sends whatever it is given; nothing in it opens a connection of its own.
    let nat = from.part.starts_with("nat-") && to.is_outside();
    let is = |end: &End, peer: &Peer| match peer {
        Peer::Group(group) => end.group.as_ref() == Some(group),
        Peer::Range(range) => {
            end.is_outside()
                && range
                    .parse::<ipnet::Ipv4Net>()
                    .is_ok_and(|range| range.contains(&end.address))
        }
        Peer::PrefixList(_) => false,
    };
    let rule = |rule: &AccessRule| {
        let ports = rule.ports.first..=rule.ports.last;
        let tcp = rule.protocol == Protocol::Tcp;
        tcp && is(from, &rule.from) && is(to, &rule.to) && ports.contains(&port)
    };
    dns || nat || rules.iter().any(rule)
}

#[test]
fn exactly_what_the_access_graph_allows_passes_between_every_pair_of_roles() {
    let blueprint = blueprint();
    let vpc = Vpc::new("pairs", &blueprint).with_internet();
    let ends = ends(&vpc);
    let parts: BTreeSet<&str> = ends.iter().map(|end| end.part.as_str()).collect();
    let _listeners: Vec<TcpListener> = parts
        .iter()
        .flat_map(|part| PORTS.map(|port| vpc.listen(part, port)))
        .collect();
    let targets: Vec<(&End, u16)> = ends
        .iter()
        .flat_map(|end| PORTS.map(|port| (end, port)))
        .collect();
    let addresses: Vec<(Ipv4Addr, u16)> = targets
        .iter()
        .map(|(end, port)| (end.address, *port))
        .collect();
    let rules = &blueprint.access;
    let wrong: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = ends
            .iter()
            .map(|from| {
                let (vpc, addresses) = (&vpc, &addresses);
                (
                    from,
                    scope.spawn(move || vpc.reached(&from.part, Some(from.address), addresses)),
                )
            })
            .collect();
        let mut wrong = Vec::new();
        for (from, worker) in workers {
            for ((to, port), reached) in targets.iter().zip(worker.join().unwrap()) {
                if reached != allowed(rules, from, to, *port) {
                    let verb = if reached { "reaches" } else { "does not reach" };
                    wrong.push(format!("{} {verb} {}:{port}", from.address, to.address));
                }
            }
        }
        wrong
    });
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        targets.len() * ends.len(),
        wrong.join("\n")
    );
}

#[test]
fn no_rule_opens_the_persistence_tier_to_the_world() {
    let mut blueprint = blueprint();
    blueprint.access.push(allow(
        range(ANYWHERE),
        members_of("database"),
        3306,
        "a mistake",
    ));
    blueprint.access.push(allow(
        members_of("database"),
        range(ANYWHERE),
        443,
        "a mistake",
    ));
    let vpc = Vpc::new("walled", &blueprint).with_internet();
    let _listeners = [vpc.listen("db-0", 3306), vpc.listen("igw", 443)];
    assert!(vpc.reaches("shop-a", vpc.address("db-0"), 3306));
    assert!(!vpc.reached("igw", Some(OFFICE_CLIENT), &[(vpc.address("db-0"), 3306)])[0]);
    assert!(!vpc.reaches("db-0", WEBSITE, 443));
    // Nor by routes: with all rules gone there is no way yet.
    let open = "table inet mck\ndelete table inet mck\n";
    let nft = || Command::new("nft").args(["-f", "-"]).stdin(open).run();
    in_namespace(&vpc.namespace("router"), nft)
        .unwrap()
        .unwrap();
    assert!(!vpc.reaches("db-0", WEBSITE, 443));
}

#[test]
fn each_zone_goes_out_through_its_own_nat_gateway_and_loses_only_its_own() {
    let vpc = Vpc::new("nat", &blueprint()).with_internet();
    let website = vpc.listen("igw", 443);
    let seen = |part: &str| vpc.seen_from(part, &website, WEBSITE);
    for zone in ["a", "b", "c"] {
        let nat = vpc.address(&format!("nat-{zone}"));
        assert_eq!(
            seen(&format!("shop-{zone}")),
            Some(nat.into()),
            "zone {zone}"
        );
    }
    let mut broken = vpc.plan.clone();
    broken.attachments.remove("nat-b");
    let interface = vpc.plan.attachments["nat-b"].interface();
    broken
        .routes
        .retain(|route| route.target.interface() != Some(&interface));
    apply(&broken).unwrap();
    assert_eq!(seen("shop-b"), None, "zone b lost its way out");
    for zone in ["a", "c"] {
        let nat = vpc.address(&format!("nat-{zone}"));
        assert_eq!(
            seen(&format!("shop-{zone}")),
            Some(nat.into()),
            "zone {zone}"
        );
    }
    apply(&vpc.plan).unwrap();
    assert_eq!(seen("shop-b"), Some(vpc.address("nat-b").into()));
}

#[test]
fn a_source_address_that_is_not_ones_own_is_dropped() {
    let vpc = Vpc::new("spoof", &blueprint());
    let _database = vpc.listen("db-0", 3306);
    let target = [(vpc.address("db-0"), 3306)];
    let task = vpc.address("shop-a");
    let nft = |arguments: &[&str], text: &str| {
        let command = Command::new("nft").args(arguments).stdin(text);
        in_namespace(&vpc.namespace("db-0"), || command.run())
            .unwrap()
            .unwrap()
            .text()
    };
    // The answer goes to whose address it is; so count what arrives.
    let arrived = |from: &str| {
        let counter = format!(
            "table ip probe\ndelete table ip probe\ntable ip probe {{\nchain input {{\n\
             type filter hook input priority 0;\nip saddr {task} counter\n}}\n}}\n"
        );
        nft(&["-f", "-"], &counter);
        vpc.reached(from, Some(task), &target);
        !nft(&["list", "table", "ip", "probe"], "").contains("packets 0 ")
    };
    assert!(arrived("shop-a"));
    vpc.ip("jenkins", &format!("address add {task}/32 dev eth0\n"));
    assert!(!arrived("jenkins"));
}

#[test]
fn the_metadata_service_of_the_machine_is_out_of_reach() {
    let vpc = Vpc::new("metadata", &blueprint()).with_internet();
    vpc.ip("igw", "address add 169.254.169.254/32 dev lo\n");
    let _service = vpc.listen("igw", 80);
    assert!(vpc.reaches("shop-a", WEBSITE, 80));
    assert!(!vpc.reaches("shop-a", Ipv4Addr::new(169, 254, 169, 254), 80));
}

#[test]
fn two_environments_with_the_same_addresses_share_nothing() {
    let (one, two) = (Vpc::new("one", &blueprint()), Vpc::new("two", &blueprint()));
    let _only_in_one = one.listen("db-0", 3306);
    let database = one.address("db-0");
    assert!(one.reaches("shop-a", database, 3306));
    assert!(!two.reaches("shop-a", database, 3306));
    teardown(&one.plan.environment).unwrap();
    assert!(
        apply(&two.plan).unwrap().is_empty(),
        "the other one was disturbed"
    );
}

#[test]
fn whatever_is_damaged_is_repaired() {
    let vpc = Vpc::new("repair", &blueprint());
    let _database = vpc.listen("db-1", 3306);
    let task = vpc.address("shop-a");
    let damage: [(&str, &dyn Fn()); 9] = [
        ("a veth pair", &|| {
            vpc.ip("router", &format!("link delete {task}\n"));
        }),
        ("an inner end", &|| vpc.ip("db-0", "link delete eth0\n")),
        ("a namespace", &|| {
            Command::new("ip")
                .args(["netns", "delete", &vpc.namespace("lb-a")])
                .run()
                .map(drop)
                .unwrap();
        }),
        ("the router", &|| {
            Command::new("ip")
                .args(["netns", "delete", &vpc.namespace("router")])
                .run()
                .map(drop)
                .unwrap();
        }),
        ("an address", &|| {
            vpc.ip("shop-a", "address flush dev eth0\n");
        }),
        ("an interface that is down", &|| {
            vpc.ip("db-1", "link set eth0 down\n");
        }),
        ("routes and rules", &|| {
            let database = vpc.address("db-0");
            let lines = format!(
                "route delete {database}\nrule delete priority 40004\n\
                 rule add priority 7 from {database} lookup 100\n"
            );
            vpc.ip("router", &lines);
        }),
        ("the ruleset", &|| {
            let text = format!(
                "flush chain inet mck forward\n\
                 add element inet mck group-database {{ {task} }}\n"
            );
            let nft = || {
                Command::new("nft")
                    .args(["-f", "-"])
                    .stdin(text.clone())
                    .run()
            };
            in_namespace(&vpc.namespace("router"), nft)
                .unwrap()
                .map(drop)
                .unwrap();
        }),
        ("a half-made namespace", &|| {
            let namespace = vpc.namespace("media-a");
            Command::new("ip")
                .args(["netns", "delete", &namespace])
                .run()
                .map(drop)
                .unwrap();
            std::fs::write(namespace_path(&namespace), "").unwrap();
        }),
    ];
    for (what, damage) in damage {
        damage();
        let changes = apply(&vpc.plan).unwrap();
        assert!(!changes.is_empty(), "{what}: nothing was noticed");
        let left = difference(&vpc.plan, &observe(&vpc.plan.environment).unwrap());
        assert!(left.is_empty(), "{what} is still damaged:\n{left}");
        assert!(vpc.reaches("shop-a", vpc.address("db-1"), 3306), "{what}");
    }
}

/// What a start leaves that was killed right after it had made the router's namespace.
#[test]
fn a_router_that_was_only_named_is_made_whole() {
    let environment = environment("named");
    let vpc = Vpc {
        plan: plan(&environment),
    };
    let namespace = vpc.namespace("router");
    let add = Command::new("ip").args(["netns", "add", &namespace]);
    add.run().unwrap();
    apply(&vpc.plan).unwrap();
    let forwards = in_namespace(&namespace, || {
        std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap()
    });
    assert_eq!(forwards.unwrap(), "1\n");
}

#[test]
fn tasks_come_and_go_while_others_run() {
    let vpc = Vpc::new("tasks", &blueprint());
    let environment = &vpc.plan.environment;
    let _database = vpc.listen("db-0", 3306);
    let neighbour = &vpc.plan.attachments["shop-b"];
    let address = Ipv4Addr::from_bits(neighbour.address.to_bits() + 1);
    let task = Attachment {
        name: "shop-1f2e3d".to_owned(),
        address,
        ..neighbour.clone()
    };
    for _ in 0..2 {
        let started = Instant::now();
        attach(environment, &task).unwrap();
        println!("attached in {:?}", started.elapsed());
        attach(environment, &task).expect("attached twice");
        assert!(vpc.reaches(&task.name, vpc.address("db-0"), 3306));
        let with_task = vpc.plan.clone().with([task.clone()]).unwrap();
        let changes = apply(&with_task).unwrap();
        assert!(
            changes.is_empty(),
            "an attached task is not as planned:\n{changes}"
        );
        let started = Instant::now();
        detach(environment, &task).unwrap();
        println!("detached in {:?}", started.elapsed());
        detach(environment, &task).expect("detached twice");
        assert!(
            apply(&vpc.plan).unwrap().is_empty(),
            "a detached task left something"
        );
    }
    attach(environment, &task).unwrap();
    let changes = apply(&vpc.plan).unwrap();
    assert_eq!(
        changes.removed_namespaces,
        std::slice::from_ref(&task.name),
        "it is not in the plan any more"
    );
    assert!(apply(&vpc.plan).unwrap().is_empty());
}

#[test]
fn an_isolated_address_is_cut_off_and_comes_back() {
    let vpc = Vpc::new("isolated", &blueprint());
    let environment = &vpc.plan.environment;
    let database = vpc.listen("db-0", 3306);
    let address = vpc.address("db-0");
    let mut client: TcpStream = in_namespace(&vpc.namespace("shop-a"), || {
        TcpStream::connect((address, 3306)).unwrap()
    })
    .unwrap();
    let mut server = database.accept().unwrap().0;
    server
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut byte = [0];
    isolate(environment, &[address]).unwrap();
    isolate(environment, &[address]).expect("isolated twice");
    client.write_all(b"x").unwrap();
    assert!(
        server.read(&mut byte).is_err(),
        "a running connection was not cut"
    );
    assert!(!vpc.reaches("shop-b", address, 3306));
    assert!(
        vpc.plan != observed_plan(&vpc),
        "the isolation does not show"
    );
    rejoin(environment, &[address]).unwrap();
    rejoin(environment, &[address]).expect("joined twice");
    server
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    server
        .read_exact(&mut byte)
        .expect("the connection goes on");
    assert!(vpc.reaches("shop-b", address, 3306));
}

/// The plan with what is isolated now.
fn observed_plan(vpc: &Vpc) -> NetworkPlan {
    let mut plan = vpc.plan.clone();
    let router = observe(&plan.environment).unwrap().router.unwrap();
    plan.isolated = router.sets["isolated"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    plan
}

#[test]
fn a_failed_start_leaves_nothing() {
    let environment = environment("undo");
    let mut plan = plan(&environment);
    // An interface's name that Linux does not take: the last step fails.
    let route = mck_local::network::RouterRoute {
        table: 100,
        destination: "192.0.2.0/24".parse().unwrap(),
        target: mck_local::network::RouteTarget::Interface("nowhere".to_owned()),
    };
    plan.routes.insert(route);
    let error = apply(&plan).unwrap_err();
    assert!(matches!(error, NetworkError::Command { .. }), "{error}");
    assert_eq!(list(&environment).unwrap(), Vec::<String>::new());
}

#[test]
fn the_way_to_the_internet_opens_closes_and_is_torn_down() {
    let vpc = Vpc::new("internet", &blueprint());
    let environment = &vpc.plan.environment;
    assert!(!vpc.reaches("shop-a", WEBSITE, 443), "there is no way yet");
    // A namespace in the place of the host's, so that no test reaches the real internet.
    let outside = vpc.namespace("outside");
    Command::new("ip")
        .args(["netns", "add", &outside])
        .run()
        .unwrap();
    vpc.ip(
        "outside",
        &format!("link set lo up\naddress add {WEBSITE}/32 dev lo\n"),
    );
    let _website = vpc.listen("outside", 443);
    let log = tempfile::tempfile().unwrap();
    let start = || in_namespace(&outside, || start_internet(environment, &log).unwrap()).unwrap();

    let mut first = start();
    for part in ["shop-a", "shop-b", "jenkins"] {
        assert!(vpc.reaches(part, WEBSITE, 443), "{part}");
    }
    assert!(!vpc.reaches("db-0", WEBSITE, 443));
    let processes = internet_processes(environment).unwrap();
    let [pid] = processes[..] else {
        panic!("{processes:?}")
    };
    assert_eq!(u32::try_from(pid.as_raw_nonzero().get()), Ok(first.id()));
    stop_internet(pid).unwrap();
    first.wait().unwrap();
    assert!(!vpc.reaches("shop-a", WEBSITE, 443), "the way is closed");

    let mut second = start();
    assert!(vpc.reaches("shop-a", WEBSITE, 443), "the way is open again");
    teardown(environment).unwrap();
    second.wait().unwrap();
    assert!(internet_processes(environment).unwrap().is_empty());
}

#[test]
fn a_way_to_the_internet_that_does_not_open_is_reported() {
    let environment = environment("nowhere");
    let log = tempfile::tempfile().unwrap();
    let error = start_internet(&environment, &log).unwrap_err();
    assert!(error.to_string().contains("its log says why"), "{error}");
    assert!(internet_processes(&environment).unwrap().is_empty());
}
