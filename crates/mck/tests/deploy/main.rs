//! Deployments in an environment that runs for real, under load.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod load;
mod rules;
mod store;

use std::time::Duration;

use mck_local::wait::pause;

use crate::{load::Load, rules::Sampler, store::Store};

/// How many times the supervisor is killed; `MCK_TEST_KILLS` says another number.
fn kills() -> u32 {
    std::env::var("MCK_TEST_KILLS").map_or(5, |text| text.parse().unwrap())
}

/// A health check that fails, with a word that must be found in the reason.
const BROKEN: &str = "<?php http_response_code(500); error_log('the shelf has collapsed');";

#[test]
fn deployments_drop_nothing_and_bad_ones_are_rolled_back() {
    let store = Store::up("deploy");
    let first = store.served();

    // A good one.
    store.write("src/README.md", "changed");
    let load = Load::begin(&store);
    let outcome = store.run(&["deploy"]).expect(0);
    assert!(outcome.stderr.contains("takes requests"), "{outcome}");
    let second = store.served();
    assert_ne!(second, first);
    load.end().expect_nothing_failed();

    // The same again is none.
    let outcome = store.run(&["deploy", "shop"]).expect(0);
    assert!(outcome.stderr.contains("nothing to do"), "{outcome}");

    // A bad one.
    let good_check = store.read("src/pub/health_check.php");
    store.write("src/pub/health_check.php", BROKEN);
    let load = Load::begin(&store);
    let outcome = store.run(&["deploy"]).expect(18);
    for said in [
        "rolled back",
        "health check got 500",
        "the shelf has collapsed",
        "hint: ",
    ] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    assert_eq!(store.served(), second);
    store.settle();
    load.end().expect_nothing_failed();
    let status = store.run(&["status"]).expect(0).stdout;
    assert!(status.contains("rolled back: "), "{status}");
    assert!(
        store
            .run(&["events"])
            .expect(0)
            .stdout
            .contains("is rolled back: ")
    );

    // Back to the first.
    store.write("src/pub/health_check.php", &good_check);
    let load = Load::begin(&store);
    store.run(&["rollback"]).expect(0);
    assert_eq!(store.served(), first);
    load.end().expect_nothing_failed();

    stopped_in_its_midst(&store, &first);
    told_what_there_is(&store, &first);
}

/// A deployment that is stopped goes back to what served.
fn stopped_in_its_midst(store: &Store, serving: &str) {
    store.run(&["deploy", "--stop"]).expect(10);
    store.run(&["scale", "shpo", "2"]).expect(11);
    store.run(&["scale", "--cluster", "ap", "2"]).expect(11);
    let load = Load::begin(store);
    store.write("src/README.md", "changed again");
    let outcome = store.interrupted(&["deploy"]).expect(130);
    assert!(
        outcome.stderr.contains("mck deploy shop --stop"),
        "{outcome}"
    );
    store.run(&["deploy", "--stop"]).expect(0);
    assert_eq!(store.served(), serving);
    store.settle();
    load.end().expect_nothing_failed();
    let deployments = store.app()["deployments"].clone();
    let states: Vec<_> = deployments
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .take(2)
        .collect();
    assert_eq!(states[0]["state"]["kind"], "completed");
    assert_eq!(states[1]["state"]["kind"], "rolled-back");
    let reason = states[1]["state"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("stopped by "), "{reason}");
}

fn told_what_there_is(store: &Store, serving: &str) {
    let listed: serde_json::Value =
        serde_json::from_str(&store.run(&["releases", "--json"]).expect(0).stdout).unwrap();
    let releases = listed[0]["releases"].as_array().unwrap();
    let by_state = |state: &str| releases.iter().find(|it| it["state"] == state).unwrap();
    assert_eq!(by_state("serving")["revision"], serving);
    assert_ne!(by_state("previous")["revision"], serving);
    let outcome = store
        .run(&["deploy", "--release", "ffffffffffff"])
        .expect(10);
    assert!(outcome.stderr.contains("has no release"), "{outcome}");
}

#[test]
fn a_drill_reports_and_leaves_the_app_as_it_was() {
    let store = Store::up("drill");
    let serving = store.served();
    let arguments = ["--duration", "12s", "--rate", "50", "--yes", "--json"];
    let good = [
        &["drill", "deploy-good", "--report", "report.html"],
        &arguments[..],
    ]
    .concat();
    let report: serde_json::Value =
        serde_json::from_str(&store.run(&good).expect(0).stdout).unwrap();
    assert_eq!(report["verdict"]["passed"], true, "{report}");
    assert_eq!(report["figures"]["failed"], 0);
    assert!(report["figures"]["sent"].as_u64().unwrap() > 500);
    assert!(store.read("report.html").contains("<html"));
    assert_eq!(store.served(), serving);

    let bad = [
        &["drill", "deploy-bad", "--kind", "crashing"],
        &arguments[..],
    ]
    .concat();
    let report: serde_json::Value =
        serde_json::from_str(&store.run(&bad).expect(0).stdout).unwrap();
    assert_eq!(report["verdict"]["passed"], true, "{report}");
    assert_eq!(store.served(), serving);

    stopped_while_a_zone_is_lost(&store);

    // Without a word nothing is broken.
    let outcome = store.run(&["drill", "deploy-good"]).expect(2);
    assert!(outcome.stderr.contains("--yes"), "{outcome}");
}

/// A drill that is stopped gives back what it took, and says that it was not held to its end.
fn stopped_while_a_zone_is_lost(store: &Store) {
    let arguments = [
        "drill",
        "zone-loss",
        "--rate",
        "20",
        "--duration",
        "30s",
        "--yes",
    ];
    let child = store.start(&arguments);
    store.wait_for(|snapshot| {
        let components = snapshot["components"].as_array().unwrap();
        let is_lost = |it: &serde_json::Value| {
            let detail = it["detail"].as_str();
            detail.is_some_and(|detail| detail.starts_with("zone ") && detail.ends_with("is lost"))
        };
        components.iter().any(is_lost)
    });
    let outcome = store.interrupt(child).expect(21);
    assert!(outcome.stderr.contains(" is back."), "{outcome}");
    assert!(outcome.stdout.contains("stopped early"), "{outcome}");
    let snapshot = store.snapshot().unwrap();
    let components = snapshot["components"].as_array().unwrap();
    assert!(
        components.iter().all(|it| it["state"] == "ready"),
        "{components:#?}"
    );
}

#[test]
fn the_database_goes_back_to_a_snapshot_that_was_proved() {
    let store = Store::up("snapshots");
    let import = |sql: &str| {
        store.write("change.sql", sql);
        store
            .run(&["db", "import", "--input", "change.sql"])
            .expect(0);
    };
    import("CREATE TABLE kept (id INT PRIMARY KEY); INSERT INTO kept VALUES (42);");
    let id = store.run(&["db", "snapshot"]).expect(0).stdout;
    let id = id.trim();
    import("DROP TABLE kept;");
    let listed: serde_json::Value =
        serde_json::from_str(&store.run(&["db", "snapshots", "--json"]).expect(0).stdout).unwrap();
    let ids = listed["snapshots"].as_array().unwrap();
    assert!(ids.iter().any(|it| it["id"] == id), "{listed}");
    let proved = store.run(&["db", "verify", id]).expect(0);
    assert!(proved.stderr.contains("are sound"), "{proved}");

    let outcome = store.run(&["db", "restore", id]).expect(2);
    assert!(outcome.stderr.contains("--yes"), "{outcome}");
    store
        .run(&["db", "restore", "never-taken", "--yes"])
        .expect(11);
    store.run(&["db", "restore", id, "--yes"]).expect(0);
    let dump = store.run(&["db", "export"]).expect(0).stdout;
    assert!(dump.contains("INSERT INTO `kept`"), "{dump}");
    store.settle();
    store.run(&["db", "delete-snapshot", id]).expect(0);
    store.run(&["db", "verify", id]).expect(11);
}

#[test]
fn a_killed_supervisor_leaves_no_half_deployment() {
    let store = Store::up("kills");
    for round in 0..kills() {
        store.write("src/README.md", &format!("round {round}"));
        let sampler = Sampler::begin(&store);
        let before = store.last_deployment();
        store.run(&["deploy", "--detach"]).expect(0);
        pause(Duration::from_millis(instant(round)));
        store.kill_supervisor();
        pause(Duration::from_millis(300));
        store.run(&["up", "--detach"]).expect(0);
        store.settle();
        sampler.end().expect_the_rules_held();
        let last = store.last_deployment();
        assert!(
            last["number"].as_u64() > before["number"].as_u64(),
            "{last}"
        );
        assert_eq!(last["state"]["kind"], "completed", "{last}");
        store.expect_nothing_left_over();
    }
}

/// An instant in a deployment of about five seconds, another one each round, in milliseconds.
fn instant(round: u32) -> u64 {
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .subsec_nanos();
    u64::from(seed.wrapping_mul(2_654_435_761).wrapping_add(round * 977) % 5_000)
}
