//! Every kind of container may die under load: it comes back, and visitors notice as little as
//! can be.

use std::{collections::BTreeMap, time::Duration};

use mck_local::wait;
use serde_json::Value;

use crate::support::{File, Load, Store, add_token, kill, read_session, tokens, write_session};

/// What visitors may notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noticed {
    /// Nothing.
    Nothing,
    /// Requests that a load-balancer node had taken when it died; at most one for each visitor.
    InFlight,
    /// Failures until it is back: the one that only one server could answer.
    UntilBack,
}

/// Kills a container and waits until all is well; gives what visitors noticed.
fn dies(store: &Store, container: &str, noticed: Noticed) {
    let as_it_should_be = |status: &Value| {
        let tasks = status["apps"][0]["tasks"].as_array().unwrap();
        tasks.len() == 2 && tasks.iter().all(|task| task["state"] == "ready")
    };
    store.wait_for("before anything is killed", as_it_should_be);
    let count = store.pids().len();
    let pid = store.pids()[container];
    let load = Load::on(store, "/");
    wait::pause(Duration::from_millis(250));
    kill(pid);
    wait::pause(Duration::from_millis(50));
    let took = store.wait_for(&format!("{container} was killed"), |status| {
        let now = store.pids();
        as_it_should_be(status) && now.len() == count && now.get(container) != Some(&pid)
    });
    let back = load.elapsed();
    wait::pause(Duration::from_millis(250));
    let report = load.stop();
    match noticed {
        Noticed::Nothing => assert!(
            report.failed.is_empty(),
            "{container} was killed, back after {took:?}: {} good, {:#?}",
            report.good,
            report.failed
        ),
        Noticed::InFlight => assert!(
            report.failed.len() <= 4
                && report
                    .failed
                    .iter()
                    .all(|it| !it.why.starts_with(char::is_numeric)),
            "{container} was killed, back after {took:?}: {} good, {:#?}",
            report.good,
            report.failed
        ),
        Noticed::UntilBack => assert!(
            report.failed.iter().all(|it| it.sent < back),
            "{container} was killed, back after {took:?}: {} good, {:#?}",
            report.good,
            report.failed
        ),
    }
}

#[test]
fn of_the_web_and_the_edge() {
    let store = Store::storefront("web");
    let task = store.tasks("shop").remove(0);
    dies(&store, &format!("{task}.nginx"), Noticed::Nothing);
    let task = store.tasks("shop").remove(1);
    dies(&store, &format!("{task}.php-fpm"), Noticed::Nothing);
    for node in ["lb-a", "lb-b", "lb-c"] {
        dies(&store, node, Noticed::InFlight);
    }
    // What asked it for a name at that moment asks again a second later.
    dies(&store, "resolver", Noticed::UntilBack);
    dies(&store, "bastion", Noticed::Nothing);
    store.mck(&["ssh", "bastion", "--", "true"]).good();
    dies(&store, "app-1", Noticed::Nothing);
    store.mck(&["ssh", "app-1", "--", "true"]).good();
    let restarts = restarts(&store);
    for name in ["lb-a", "lb-b", "lb-c", "resolver", "bastion", "app-1"] {
        assert_eq!(restarts[name], 1, "{name}: {restarts:?}");
    }
}

fn restarts(store: &Store) -> BTreeMap<String, u64> {
    let status = store.status();
    let components = status["components"].as_array().unwrap().iter();
    components
        .map(|it| {
            (
                it["name"].as_str().unwrap().to_owned(),
                it["restarts"].as_u64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn of_the_data_stores() {
    let store = Store::new("data", File::Storefront("[cache.memcached]\nnodes = 1\n"));
    store.up();
    let mut visitor = store.visitor("shop");
    write_session(&mut visitor, "mine");
    assert!(add_token(&mut visitor, "confirmed"));
    for (container, noticed) in [
        ("memcached-0", Noticed::Nothing),
        ("redis-cache-1", Noticed::Nothing),
        ("redis-cache-0", Noticed::UntilBack),
        ("redis-session-1", Noticed::Nothing),
        ("redis-session-0", Noticed::UntilBack),
        ("db-1", Noticed::Nothing),
        ("db-0", Noticed::UntilBack),
    ] {
        dies(&store, container, noticed);
    }
    assert_eq!(
        tokens(&mut visitor),
        ["confirmed"],
        "what was confirmed is there"
    );
    assert_eq!(read_session(&mut visitor), "mine", "the session is there");
    assert!(
        add_token(&mut visitor, "afterwards"),
        "and can be written to"
    );
    let reader = store.mck(&["db", "export"]).good();
    assert!(reader.contains("afterwards"));
}
