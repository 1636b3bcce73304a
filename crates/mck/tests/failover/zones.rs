//! A zone or a server is lost under load, and comes back.

use std::time::{Duration, Instant};

use mck_local::{
    client::{self, ClientError},
    command::Command,
    servers::data::control_secret,
    supervisor::record::Record,
    wait,
};
use mck_server_config::redis;

use super::support::{Load, Store, add_token, read_session, run, tokens, write_session};

/// Asks a Redis server something.
pub fn redis(store: &Store, cluster: &str, node: &str, command: &[&str]) -> String {
    let context = client::context(&store.layout()).unwrap();
    let socket = context
        .layout
        .control(node)
        .join("redis.sock")
        .display()
        .to_string();
    let command = redis::client_command_line(&socket, command);
    let password = context.secrets.value(&control_secret(cluster));
    let run = Command::new(&command[0])
        .args(&command[1..])
        .env(redis::CLIENT_PASSWORD_VARIABLE, password)
        .run();
    run.unwrap().text()
}

fn zone_of_writer(store: &Store) -> (String, String) {
    let record = Record::load(&store.layout().state()).unwrap();
    let blueprint = store.blueprint();
    let writer = record.writer.unwrap_or_else(|| "db-0".to_owned());
    let node = blueprint.nodes().find(|node| node.name == writer).unwrap();
    (writer, node.zone.clone())
}

/// How the load went on after the moment when everything that was there is known to be gone.
#[test]
fn a_lost_zone_is_not_noticed_after_two_health_checks_and_comes_back() {
    let store = Store::storefront("zone");
    store.wait_for("settled", |_| true);
    let mut visitor = store.visitor("shop");
    write_session(&mut visitor, "kept");
    assert!(add_token(&mut visitor, "before"));
    let blueprint = store.blueprint();
    let group = blueprint.apps[0].target_group.as_ref().unwrap();
    let two_checks = 2 * Duration::from(group.health_check.interval);
    let (writer, zone) = zone_of_writer(&store);
    let load = Load::on(&store, "/");
    wait::pause(Duration::from_millis(500));
    let at = load.elapsed();
    client::lose_zone(&store.layout(), &zone).unwrap();
    let capacity = store.wait_for("capacity is back", |status| {
        let app = &status["apps"][0];
        app["healthy"] == app["desired"]
    });
    wait::pause(two_checks);
    let report = load.stop();
    let late: Vec<_> = report
        .failed
        .iter()
        .filter(|it| it.sent > at + two_checks)
        .collect();
    let last = report.failed.last().map(|it| it.sent.saturating_sub(at));
    println!(
        "zone {zone} (with the writer) lost: {} good, {} failed, the last {last:?} after; capacity \
         back after {capacity:?}",
        report.good,
        report.failed.len()
    );
    assert!(late.is_empty(), "{late:#?}\n{}", store.mck(&["events"]).out);
    assert_ne!(zone_of_writer(&store).0, writer);
    assert_eq!(read_session(&mut visitor), "kept");
    assert!(tokens(&mut visitor).contains(&"before".to_owned()));
    assert!(add_token(&mut visitor, "meanwhile"));
    let status = store.status();
    for task in status["apps"][0]["tasks"].as_array().unwrap() {
        assert_ne!(task["zone"], zone.as_str(), "{task}");
    }
    assert_lost(&store, &zone);
    // A supervisor that comes back knows.
    super::support::kill(store.supervisor().unwrap());
    wait::pause(Duration::from_millis(100));
    store.up();
    store.wait_for("settled without the zone", |_| true);
    assert_lost(&store, &zone);
    let restored = Instant::now();
    client::restore_zone(&store.layout(), &zone).unwrap();
    store.wait_for("the zone is back", |status| {
        let components = status["components"].as_array().unwrap();
        components
            .iter()
            .all(|component| component["state"] == "ready")
    });
    println!("zone restored in {:?}", restored.elapsed());
    let evened = store.wait_for("a task moved back to the zone", |status| {
        let tasks = status["apps"][0]["tasks"].as_array().unwrap();
        let there = tasks.iter().filter(|task| task["zone"] == zone.as_str());
        there.count() == 1 && tasks.len() == 2
    });
    println!("zones even after {evened:?}");
    assert_ne!(
        zone_of_writer(&store).0,
        writer,
        "it comes back as a reader"
    );
    assert!(tokens(&mut visitor).contains(&"meanwhile".to_owned()));
}

#[track_caller]
fn assert_lost(store: &Store, zone: &str) {
    let status = store.status();
    let components = status["components"].as_array().unwrap();
    let in_zone: Vec<_> = components.iter().filter(|it| it["zone"] == zone).collect();
    assert!(in_zone.len() > 3, "{in_zone:?}");
    let pids = store.pids();
    for component in in_zone {
        assert_eq!(component["state"], "failed", "{component}");
        assert_eq!(
            component["detail"],
            format!("zone {zone} is lost"),
            "{component}"
        );
        if let Some(pid) = pids.get(component["name"].as_str().unwrap()) {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            assert!(
                !stat.contains("(mariadbd)") && !stat.contains("(redis-server)"),
                "{stat}"
            );
        }
    }
    let router = store.id.namespace("router");
    let mut list = std::process::Command::new("ip");
    let sets = run(list.args(["netns", "exec", &router, "nft", "list", "ruleset"])).good();
    let isolated = sets
        .split("set isolated {")
        .nth(1)
        .unwrap()
        .split("\n\t}")
        .next()
        .unwrap();
    for component in components {
        let address = component["address"].as_str().map(|it| format!("{it},"));
        let is_cut = address.is_some_and(|it| isolated.replace(" }", ",").contains(&it));
        assert_eq!(is_cut, component["zone"] == zone, "{component}\n{isolated}");
    }
}

#[test]
fn a_lost_server_is_replaced_and_a_killed_task_too() {
    let store = Store::storefront("server");
    store.wait_for("settled", |_| true);
    let status = store.status();
    let server = status["apps"][0]["tasks"][0]["server"]
        .as_str()
        .unwrap()
        .to_owned();
    let load = Load::on(&store, "/");
    client::lose_server(&store.layout(), &server).unwrap();
    store.wait_for("tasks are elsewhere", |status| {
        let tasks = status["apps"][0]["tasks"].as_array().unwrap();
        status["apps"][0]["healthy"] == status["apps"][0]["desired"]
            && tasks.iter().all(|task| task["server"] != server.as_str())
    });
    let refused = client::lose_server(&store.layout(), &server);
    assert!(
        matches!(refused, Err(ClientError::Refused { .. })),
        "{refused:?}"
    );
    client::restore_server(&store.layout(), &server).unwrap();
    store.wait_for("a task moved back to the server", |status| {
        let tasks = status["apps"][0]["tasks"].as_array().unwrap();
        let there = tasks
            .iter()
            .filter(|task| task["server"] == server.as_str());
        there.count() == 1 && tasks.len() == 2
    });
    let task = store.tasks("shop")[0].clone();
    client::kill_task(&store.layout(), &task).unwrap();
    store.wait_for("the task is replaced", |status| {
        let tasks = status["apps"][0]["tasks"].as_array().unwrap();
        status["apps"][0]["healthy"] == status["apps"][0]["desired"]
            && tasks.iter().all(|it| it["id"] != task.as_str())
    });
    let report = load.stop();
    println!(
        "server lost, task killed: {} good, {} failed",
        report.good,
        report.failed.len()
    );
    for wrong in [
        client::kill_task(&store.layout(), "shop-none"),
        client::kill_node(&store.layout(), "none"),
        client::lose_zone(&store.layout(), "none"),
        client::restore_zone(&store.layout(), "us-east-1a"),
    ] {
        assert!(
            matches!(wrong, Err(ClientError::Refused { .. })),
            "{wrong:?}"
        );
    }
}
