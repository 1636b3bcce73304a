//! `mck emulate ecs`, called by AWS's own command line, over an environment that runs for real.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod account;
mod commands;
mod database;
mod deployments;
mod faults;
mod first;
mod gateway;
#[path = "../deploy/load.rs"]
mod load;
mod services;
#[path = "../deploy/store.rs"]
#[expect(dead_code, reason = "the tests of deployments use all of it")]
mod store;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::{account::Account, load::Load, store::Store};

/// A health check that fails.
const BROKEN: &str = "<?php http_response_code(500); error_log('the shelf has collapsed');";

#[test]
fn the_command_line_of_aws_deploys_and_the_circuit_breaker_goes_back() {
    let store = Store::up("emulator");
    let mut account = Account::of(&store);
    let first = account.service();
    assert_eq!(deployment(&first, 0)["rolloutState"], "COMPLETED");
    assert_eq!(first["runningCount"], first["desiredCount"]);

    let second = a_good_release(&store, &account);
    a_bad_release(&store, &account, &second);
    what_is_known_outlives_the_emulator(&mut account);
    another_number_of_tasks(&account);
    a_command_in_a_task_of_its_own(&account);
    a_stopped_task_is_replaced(&account);
    what_can_not_be_is_refused(&account);
}

fn deployment(service: &Value, at: usize) -> &Value {
    &service["deployments"][at]
}

/// Makes a release, and gives its id.
fn build(store: &Store) -> String {
    let built = store.run(&["build", "--json"]).expect(0).stdout;
    let built: Value = serde_json::from_str(&built).unwrap();
    built["release"]["id"].as_str().unwrap().to_owned()
}

fn a_good_release(store: &Store, account: &Account<'_>) -> String {
    store.write("src/README.md", "changed");
    let release = build(store);
    assert_ne!(store.served(), release);
    let load = Load::begin(store);
    let definition = account.register(&release);
    let updated = account.deploy(&definition);
    let new = deployment(&updated, 0);
    assert_eq!(new["taskDefinition"], definition);
    assert_eq!(new["status"], "PRIMARY");
    assert_eq!(new["rolloutState"], "IN_PROGRESS");
    assert_eq!(deployment(&updated, 1)["status"], "ACTIVE");
    account.wait_until_stable();
    assert_eq!(store.served(), release);
    load.end().expect_nothing_failed();
    let service = account.service();
    assert_eq!(service["taskDefinition"], definition);
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(deployment(&service, 0)["rolloutState"], "COMPLETED");
    // The same again is no deployment.
    let again = account.deploy(&definition);
    assert_eq!(deployment(&again, 0)["id"], new["id"]);
    definition
}

fn a_bad_release(store: &Store, account: &Account<'_>, serving: &str) {
    let (served, before) = (store.served(), account.service());
    store.write("src/pub/health_check.php", BROKEN);
    let load = Load::begin(store);
    let definition = account.register(&build(store));
    account.deploy(&definition);
    let failed = account.wait_for(|service| {
        let deployments = service["deployments"].as_array().unwrap();
        deployments.iter().any(|it| it["rolloutState"] == "FAILED")
    });
    let primary = deployment(&failed, 0);
    assert_eq!(primary["taskDefinition"], serving);
    assert_eq!(primary["id"], deployment(&before, 0)["id"]);
    let fallen = deployment(&failed, 1);
    assert_eq!(fallen["taskDefinition"], definition);
    assert_eq!(
        fallen["rolloutStateReason"],
        "ECS deployment circuit breaker: tasks failed to start."
    );
    assert_ne!(fallen["failedTasks"], 0);
    account.wait_until_stable();
    assert_eq!(store.served(), served);
    load.end().expect_nothing_failed();
    told_as_events(&account.service(), fallen, primary);

    let stopped = account.tasks("STOPPED");
    let stopped: Vec<Value> = stopped.iter().map(|it| account.task(it)).collect();
    let of_fallen = stopped.iter().filter(|it| it["startedBy"] == fallen["id"]);
    let mut reasons = of_fallen.map(|it| it["stoppedReason"].as_str().unwrap());
    assert!(
        reasons.any(|it| it.starts_with("Task failed ELB health checks in (target-group ")),
        "{stopped:#?}"
    );
    let listed = account.on_cluster("list-service-deployments", &["--service", "shop"]);
    assert_eq!(
        listed["serviceDeployments"][0]["status"],
        "ROLLBACK_SUCCESSFUL"
    );
}

fn told_as_events(service: &Value, fallen: &Value, primary: &Value) {
    let events = service["events"].as_array().unwrap();
    let said = |event: &Value| event["message"].as_str().unwrap().to_owned();
    // Newest first.
    let messages: Vec<String> = events.iter().rev().map(said).collect();
    let mut rest = messages.iter();
    for expected in [
        "is unhealthy in (target-group".to_owned(),
        format!(
            "(service shop) (deployment {}) deployment failed: tasks failed to start.",
            fallen["id"].as_str().unwrap()
        ),
        format!(
            "(service shop) rolling back to deployment {}.",
            primary["id"].as_str().unwrap()
        ),
        "(service shop) has reached a steady state.".to_owned(),
    ] {
        let found = rest.any(|it| it.contains(&expected));
        assert!(found, "{expected}: {messages:#?}");
    }
}

fn what_is_known_outlives_the_emulator(account: &mut Account<'_>) {
    let list = ["list-task-definitions", "--family-prefix"];
    let family = account.family.clone();
    let list = [list.as_slice(), &[&family]].concat();
    let (service, revisions) = (account.service(), account.aws(&list));
    account.begin_again();
    assert_eq!(account.aws(&list), revisions);
    let now = account.service();
    for same in ["taskDefinition", "events", "createdAt"] {
        assert_eq!(now[same], service[same], "{same}");
    }
    assert_eq!(deployment(&now, 0)["id"], deployment(&service, 0)["id"]);
}

fn another_number_of_tasks(account: &Account<'_>) {
    let scale = |count| ["--service", "shop", "--desired-count", count];
    account.on_cluster("update-service", &scale("3"));
    account.wait_until_stable();
    assert_eq!(account.service()["runningCount"], 3);
    let beyond = ["update-service", "--cluster", &account.cluster];
    let said = account.refused(&[&beyond, &scale("999")[..]].concat());
    assert!(said.contains("InvalidParameterException"), "{said}");
}

fn a_command_in_a_task_of_its_own(account: &Account<'_>) {
    let family = format!("{}_run", account.family);
    let overrides = r#"{"containerOverrides":[{"name":"php-fpm","command":["sh","-c","exit 7"]}]}"#;
    let run = ["--task-definition", &family, "--overrides", overrides];
    let run = [&run[..], &["--started-by", "ann"]].concat();
    let started = account.on_cluster("run-task", &run);
    let arn = started["tasks"][0]["taskArn"].as_str().unwrap();
    let wait = ["wait", "tasks-stopped", "--cluster", &account.cluster];
    account.aws(&[&wait[..], &["--tasks", arn]].concat());
    let task = account.task(arn);
    assert_eq!(task["containers"][0]["exitCode"], 7);
    assert_eq!(task["stopCode"], "EssentialContainerExited");
    assert_eq!(task["startedBy"], "ann");
}

fn a_stopped_task_is_replaced(account: &Account<'_>) {
    let before = account.tasks("RUNNING");
    let stop = ["--task", &before[0], "--reason", "to see it replaced"];
    account.on_cluster("stop-task", &stop);
    account.wait_until_stable();
    account.wait_for(|it| it["runningCount"] == 3);
    let after = account.tasks("RUNNING");
    assert_eq!(after.len(), before.len());
    assert!(!after.contains(&before[0]));
    let task = account.task(&before[0]);
    assert_eq!(task["lastStatus"], "STOPPED");
    assert_eq!(task["stopCode"], "UserInitiated");
    assert_eq!(task["stoppedReason"], "to see it replaced");
}

fn what_can_not_be_is_refused(account: &Account<'_>) {
    for (arguments, exception) in [
        (
            &["describe-services", "--services", "shop"][..],
            "ClusterNotFoundException",
        ),
        (
            &["describe-task-definition", "--task-definition", "x"],
            "ClientException",
        ),
        (
            &["delete-cluster", "--cluster", "x"],
            "UnknownOperationException",
        ),
    ] {
        let said = account.refused(arguments);
        assert!(said.contains(exception), "{said}");
    }
    let update = ["update-service", "--cluster", &account.cluster, "--service"];
    let unknown = account.refused(&[&update, &["store"][..]].concat());
    assert!(unknown.contains("ServiceNotFoundException"), "{unknown}");
    let other = account.register("0000000000ff");
    let deploy = ["shop", "--task-definition", &other];
    let no_release = account.refused(&[&update, &deploy[..]].concat());
    assert!(
        no_release.contains("has no release 0000000000ff"),
        "{no_release}"
    );
    assert_ne!(account.service()["taskDefinition"], other);

    // A page in a browser whose name was made to lead here.
    let mut stream = TcpStream::connect(account.endpoint()).unwrap();
    let limit = Some(Duration::from_secs(10));
    stream.set_read_timeout(limit).unwrap();
    let request = "POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
}
