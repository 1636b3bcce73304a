//! The rendered configuration in a real HAProxy.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by a panic"
)]

mod support;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mck_server_config::haproxy::commands::{self, CommandError};
use mck_server_config::haproxy::status::OperationalState;
use mck_server_config::haproxy::{DefaultAction, Stickiness, fail_open_backend};
use support::http::{Backend, get, request};
use support::load_balancer::{Running, group, rule, target};
use support::{pause, wait_for};

#[test]
fn routes_by_host_and_path_in_order_of_priority() {
    let (shop, admin, special) = (
        Backend::start("shop"),
        Backend::start("admin"),
        Backend::start("special"),
    );
    let node = Running::start(
        vec![
            rule(30, &["shop.localhost", "*.eu.shop.localhost"], &[], "shop"),
            rule(10, &["shop.localhost"], &["/admin", "/admin/*"], "admin"),
            rule(20, &[], &["/it's\"?.php"], "special"),
        ],
        vec![
            group("shop", &[("a", shop.address)]),
            group("admin", &[("a", admin.address)]),
            group("special", &[("a", special.address)]),
        ],
    );
    let name = |host: &str, path: &str| {
        let answer = get(node.port, host, path);
        if answer.status == 200 {
            answer.name().to_owned()
        } else {
            answer.status.to_string()
        }
    };
    assert_eq!(name("shop.localhost", "/"), "shop");
    assert_eq!(name("SHOP.localhost:8080", "/"), "shop");
    assert_eq!(name("fr.eu.shop.localhost", "/x"), "shop");
    assert_eq!(name("shop.localhost", "/admin"), "admin");
    assert_eq!(name("shop.localhost", "/admin/x?y=1"), "admin");
    assert_eq!(name("shop.localhost", "/administrator"), "shop");
    assert_eq!(name("shop.localhost", "/Admin"), "shop");
    assert_eq!(name("other.localhost", "/it's\"1.php"), "special");
    assert_eq!(name("other.localhost", "/it's\"1Xphp"), "404");
    assert_eq!(name("shopXlocalhost", "/"), "404");
    assert_eq!(name("eu.shop.localhost", "/"), "404");
}

#[test]
fn adds_the_headers_of_a_load_balancer_and_drops_forged_ones() {
    let shop = Backend::start("shop");
    let node = Running::start(
        vec![rule(1, &["*"], &[], "shop")],
        vec![group("shop", &[("a", shop.address)])],
    );
    let forged = [
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Proto: https",
        "Proxy: x",
        "X-Real-IP: 1.2.3.4",
    ];
    let answer = request(node.port, "GET", "shop.localhost", "/p?q=\"1\"", &forged).unwrap();
    assert_eq!(answer.seen("X-Forwarded-For"), Some("127.0.0.1"));
    assert_eq!(answer.seen("X-Forwarded-Proto"), Some("http"));
    assert_eq!(
        answer.seen("X-Forwarded-Port"),
        Some(node.port.to_string().as_str())
    );
    assert_eq!(answer.seen("Proxy"), None);
    assert_eq!(answer.seen("X-Real-IP"), None);
    let trace = answer.seen("X-Amzn-Trace-Id").unwrap().to_owned();
    let parts: Vec<&str> = trace.split(['=', '-']).collect();
    assert_eq!(
        (parts[0], parts[1], parts[2].len(), parts[3].len()),
        ("Root", "1", 8, 24)
    );
    let time = u64::from_str_radix(parts[2], 16).unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs();
    assert!(now.abs_diff(time) < 60, "{trace}");
    let id = answer.seen("X-Request-Id").unwrap().to_owned();
    assert_eq!(id.len(), 36);

    let known = "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678";
    let answer = request(node.port, "GET", "shop.localhost", "/", &[known]).unwrap();
    let trace_id = answer.seen("X-Amzn-Trace-Id").unwrap();
    assert!(trace_id.starts_with("Self=1-"), "{trace_id}");
    assert!(
        trace_id.ends_with(";Root=1-67891233-abcdef012345678912345678"),
        "{trace_id}"
    );

    let log = wait_for("the access log", || {
        let log = std::fs::read_to_string(&node.log).unwrap();
        log.lines()
            .find(|line| line.contains(&id))
            .map(str::to_owned)
    });
    let time = format!("\"trace_id\":\"{trace}\"");
    assert!(
        log.starts_with('{') && log.ends_with('}') && log.contains(&time),
        "{log}"
    );
    assert!(
        log.contains(r#""path":"\/p?q=\"1\"""#) || log.contains(r#""path":"/p?q=\"1\"""#),
        "{log}"
    );
    assert!(
        log.contains(r#""termination_state":"----""#) && log.contains(r#""target":"a""#),
        "{log}"
    );
}

#[test]
fn believes_the_forwarded_addresses_of_trusted_proxies_only() {
    let shop = Backend::start("shop");
    let seen = |network: &str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let node = Running::start_on(listener, |node| {
            node.target_groups = vec![group("shop", &[("a", shop.address)])];
            node.default_action = DefaultAction::Forward("shop".to_owned());
            node.trusted_proxies = vec!["10.0.0.0/8".to_owned(), network.to_owned()];
        });
        let header = "X-Forwarded-For: 1.2.3.4, 5.6.7.8";
        let with = request(node.port, "GET", "shop.localhost", "/", &[header]).unwrap();
        let without = get(node.port, "shop.localhost", "/");
        [with, without].map(|answer| answer.seen("X-Forwarded-For").unwrap().to_owned())
    };
    assert_eq!(
        seen("127.0.0.0/8"),
        ["1.2.3.4, 5.6.7.8, 127.0.0.1", "127.0.0.1"]
    );
    assert_eq!(seen("172.16.0.0/12"), ["127.0.0.1", "127.0.0.1"]);
}

#[test]
fn every_printable_character_may_stand_in_a_pattern() {
    let (odd, plain) = (Backend::start("odd"), Backend::start("plain"));
    let every: String = (33..=126_u8)
        .map(char::from)
        .filter(|c| !"*?#%".contains(*c))
        .collect();
    let node = Running::start(
        vec![rule(
            1,
            &[],
            &[&format!("/{every}"), &format!("/wild/{every}/*")],
            "odd",
        )],
        vec![
            group("odd", &[("a", odd.address)]),
            group("plain", &[("a", plain.address)]),
        ],
    );
    let status = |path: &str| request(node.port, "GET", "x", path, &[]).map(|answer| answer.status);
    assert_eq!(status(&format!("/{every}")), Some(200));
    assert_eq!(status(&format!("/wild/{every}/x")), Some(200));
    assert_eq!(status(&format!("/{}", every.replace('.', "x"))), Some(404));
    assert_eq!(
        status(&format!("/wild/{}/x", every.replace('.', "x"))),
        Some(404)
    );
}

/// Sends requests until told to stop; gives how many were sent and what went wrong.
fn load(port: u16, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<(usize, Vec<String>)> {
    std::thread::spawn(move || {
        let (mut sent, mut failures) = (0, Vec::new());
        while !stop.load(Ordering::Relaxed) {
            sent += 1;
            match request(port, "POST", "shop.localhost", "/", &["Content-Length: 0"]) {
                Some(answer) if answer.status == 200 => {}
                other => failures.push(format!("{other:?}")),
            }
        }
        (sent, failures)
    })
}

#[test]
fn targets_come_and_go_under_load_without_a_failed_request() {
    let (old, new) = (Backend::start("old"), Backend::start("new"));
    let shop = group("shop", &[("old", old.address)]);
    let node = Running::start(vec![rule(1, &["*"], &[], "shop")], vec![shop.clone()]);
    let stop = Arc::new(AtomicBool::new(false));
    let loads: Vec<_> = (0..3).map(|_| load(node.port, stop.clone())).collect();

    new.healthy.store(false, Ordering::Relaxed);
    let added = target("new", new.address);
    node.command(commands::register(
        &shop,
        &added,
        commands::Admission::WhenHealthy,
    ))
    .unwrap();
    assert_eq!(
        node.command(commands::register(
            &shop,
            &added,
            commands::Admission::WhenHealthy
        )),
        Err(CommandError::AlreadyExists)
    );
    pause(300);
    assert_eq!(
        new.requests.load(Ordering::Relaxed),
        0,
        "a target takes nothing until healthy"
    );
    new.healthy.store(true, Ordering::Relaxed);
    node.wait_for_check("new", OperationalState::Up);
    node.command(commands::admit_to_fail_open("shop", "new"))
        .unwrap();
    wait_for("requests to the new target", || {
        (new.requests.load(Ordering::Relaxed) > 20).then_some(())
    });

    let port = node.port;
    // Those of the slow requests that meet the old target must survive its removal.
    let slow: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(move || get(port, "shop.localhost", "/slow")))
        .collect();
    pause(200);
    node.command(commands::drain("shop", "old")).unwrap();
    assert_eq!(
        node.remove("shop", "old"),
        Err(CommandError::StillConnected)
    );
    // What was on its way when the target was drained still counts.
    pause(100);
    let before = old.requests.load(Ordering::Relaxed);
    wait_for("the removal", || node.remove("shop", "old").ok());
    assert_eq!(node.state("shop", "old"), None);
    assert_eq!(node.remove("shop", "old"), Ok(()), "it is gone");
    for request in slow {
        assert_eq!(request.join().unwrap().status, 200);
    }
    pause(100);
    assert_eq!(
        old.requests.load(Ordering::Relaxed),
        before,
        "a drained target gets nothing"
    );
    assert_eq!(node.state(&fail_open_backend("shop"), "old"), None);
    stop.store(true, Ordering::Relaxed);
    for load in loads {
        let (sent, failures) = load.join().unwrap();
        assert!(sent > 50, "{sent}");
        assert_eq!(failures, Vec::<String>::new(), "of {sent}");
    }
}

#[test]
fn a_refused_connection_is_tried_on_another_target() {
    let (dead, alive) = (Backend::start("dead"), Backend::start("alive"));
    let mut shop = group("shop", &[("dead", dead.address), ("alive", alive.address)]);
    shop.health_check.interval_milliseconds = 1000;
    shop.health_check.changing_interval_milliseconds = None;
    let node = Running::start(vec![rule(1, &["*"], &[], "shop")], vec![shop]);
    node.wait_for_check("alive", OperationalState::Up);
    node.wait_for_check("dead", OperationalState::Up);
    dead.stop();
    for method in ["GET", "POST"] {
        for _ in 0..10 {
            let answer = request(
                node.port,
                method,
                "shop.localhost",
                "/",
                &["Content-Length: 0"],
            );
            assert_eq!(answer.unwrap().name(), "alive");
        }
    }
    assert_eq!(
        node.state("shop", "dead"),
        Some(OperationalState::Up),
        "no check has run meanwhile"
    );
}

#[test]
fn only_idempotent_requests_are_sent_twice() {
    let shop = Backend::start("shop");
    let node = Running::start(
        vec![rule(1, &["*"], &[], "shop")],
        vec![group("shop", &[("a", shop.address)])],
    );
    let seen = |method: &str| {
        let before = shop.requests.load(Ordering::Relaxed);
        let answer = request(
            node.port,
            method,
            "shop.localhost",
            "/break",
            &["Content-Length: 0"],
        );
        assert_eq!(answer.unwrap().status, 502);
        shop.requests.load(Ordering::Relaxed) - before
    };
    assert_eq!(seen("POST"), 1);
    assert_eq!(seen("GET"), 4, "the first and three retries");
}

#[test]
fn a_client_stays_with_its_target_until_that_is_drained() {
    let (one, two) = (Backend::start("one"), Backend::start("two"));
    let mut shop = group("shop", &[("one", one.address)]);
    shop.stickiness = Some(Stickiness {
        cookie_name: "AWSALB".to_owned(),
        duration_seconds: 60,
        key: "key".to_owned(),
    });
    let node = Running::start(vec![rule(1, &["*"], &[], "shop")], vec![shop.clone()]);
    node.command(commands::register(
        &shop,
        &target("two", two.address),
        commands::Admission::WhenHealthy,
    ))
    .unwrap();
    node.wait_for_check("two", OperationalState::Up);
    let cookie = wait_for("an answer of the added target", || {
        let answer = get(node.port, "shop.localhost", "/");
        let cookie = answer
            .header("Set-Cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        (answer.name() == "two").then_some(cookie)
    });
    let header = format!("Cookie: {cookie}");
    let sticky = || {
        request(node.port, "GET", "shop.localhost", "/", &[&header])
            .unwrap()
            .name()
            .to_owned()
    };
    assert_eq!(
        (0..10).map(|_| sticky()).collect::<BTreeSet<_>>(),
        BTreeSet::from(["two".into()])
    );
    node.command(commands::drain("shop", "two")).unwrap();
    assert_eq!(
        (0..10).map(|_| sticky()).collect::<BTreeSet<_>>(),
        BTreeSet::from(["one".into()])
    );
}

#[test]
fn routes_to_all_targets_when_none_is_healthy() {
    let (one, two) = (Backend::start("one"), Backend::start("two"));
    let targets = [("one", one.address), ("two", two.address)];
    let node = Running::start(
        vec![rule(1, &["*"], &[], "shop")],
        vec![group("shop", &targets)],
    );
    let answering = || -> BTreeSet<String> {
        (0..6)
            .map(|_| get(node.port, "shop.localhost", "/").name().to_owned())
            .collect()
    };
    one.healthy.store(false, Ordering::Relaxed);
    node.wait_for_check("one", OperationalState::Down);
    assert_eq!(answering(), BTreeSet::from(["two".to_owned()]));
    two.healthy.store(false, Ordering::Relaxed);
    node.wait_for_check("two", OperationalState::Down);
    assert_eq!(
        answering(),
        BTreeSet::from(["one".to_owned(), "two".to_owned()])
    );
    two.healthy.store(true, Ordering::Relaxed);
    node.wait_for_check("two", OperationalState::Up);
    assert_eq!(answering(), BTreeSet::from(["two".to_owned()]));
}
