//! What people look at and do beside deployments.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use mck_local::wait::pause;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::services::Services;

/// An environment whose app `shop` was deployed.
pub fn work_on(services: &Services<'_>) {
    the_code_of_a_command_is_passed_on(services);
    ctrl_c_ends_a_command(services);
    what_is_watched_ends_with_ctrl_c(services);
    tasks_are_asked_for_within_limits(services);
    events_tell_a_deployment_s_course(services);
}

fn the_code_of_a_command_is_passed_on(services: &Services<'_>) {
    services
        .mck(&["run", "shop", "--", "sh", "-c", "exit 7"])
        .expect(7);
    services.mck(&["run", "shop", "--", "true"]).expect(0);
}

/// One-off tasks that run.
fn running(services: &Services<'_>) -> Vec<Value> {
    let clusters = services.aws(&["ecs", "list-clusters"]);
    let cluster = clusters["clusterArns"][0].as_str().unwrap();
    let list = ["ecs", "list-tasks", "--started-by", "mck-run", "--cluster"];
    let listed = services.aws(&[&list[..], &[cluster]].concat());
    listed["taskArns"].as_array().unwrap().clone()
}

fn until(is_so: impl Fn() -> bool, what: &str) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
        pause(Duration::from_millis(200));
    }
}

fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

fn ctrl_c_ends_a_command(services: &Services<'_>) {
    let mut command = services.command(&["run", "shop", "--", "sleep", "300"]);
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    until(|| !running(services).is_empty(), "no task was started");
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(told.contains("is being stopped"), "{told}");
    until(|| running(services).is_empty(), "the task goes on");
}

fn what_is_watched_ends_with_ctrl_c(services: &Services<'_>) {
    for arguments in [&["logs", "shop", "-f"][..], &["events", "-f"]] {
        let mut command = services.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        if arguments[0] == "logs" {
            // It has nothing to say: no container's output reaches this account.
            pause(Duration::from_secs(2));
        } else {
            let stdout = child.stdout.as_mut().unwrap();
            BufReader::new(stdout)
                .read_line(&mut String::new())
                .unwrap();
        }
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        // What a shell tells of it.
        let code = output.status.code();
        let code = code.or(output.status.signal().map(|it| 128 + it));
        assert_eq!(code, Some(130), "{arguments:?}: {told}");
    }
}

fn tasks_are_asked_for_within_limits(services: &Services<'_>) {
    let outcome = services.mck(&["scale", "shop", "99"]).expect(2);
    for said in ["shop may have", "in the file"] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    let outcome = services.mck(&["scale", "shop", "3"]).expect(0);
    assert!(outcome.stderr.contains("before it was 2"), "{outcome}");
}

fn events_tell_a_deployment_s_course(services: &Services<'_>) {
    let told = services.mck(&["events"]).expect(0).stdout;
    for said in [
        "has started 1 tasks",
        "has stopped 1 running tasks",
        "deployment completed",
        "has reached a steady state",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
}
