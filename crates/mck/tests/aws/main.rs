//! The program against a server that stands in for AWS, over the real protocol.
//!
//! LocalStack makes all stacks of the smallest environment but `data`: it does not know private
//! zones. So there is a failure to be told, and a way out to be found.

mod account;
#[path = "../../../aws/tests/it/counting.rs"]
mod counting;
mod data;
mod database;
mod disk;
mod ecs;
mod environment;
mod kills;
mod operate;
mod rollouts;
mod run;
mod secrets;
mod shared;
#[path = "../../../aws/tests/it/stand_in.rs"]
#[allow(dead_code, reason = "it knows more stand-ins than are needed here")]
mod stand_in;
#[path = "../../../aws/tests/it/tokens.rs"]
mod tokens;
mod whole;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::Value;

use run::Outcome;
use stand_in::{Kind, beside};

/// On the smallest environment, where ECS is beside the stand-in.
fn command(arguments: &[&str]) -> Command {
    let mut command = run::command("nothing.toml", arguments);
    command.env("AWS_ENDPOINT_URL_ECS", ecs::endpoint());
    command
}

fn mck(arguments: &[&str]) -> Outcome {
    run::outcome(&mut command(arguments))
}

#[test]
#[ignore = "LocalStack needs Python 3.13 or later, which Debian 12 has not; see docs/aws.md"]
fn an_environment_is_planned_made_explained_and_removed() {
    let name = "an_environment_is_planned_made_explained_and_removed";
    beside(Kind::LocalStack, name, || {
        ecs::serve();
        let plan = mck(&["plan"]);
        assert_eq!(plan.code, 2, "{}", plan.err);
        assert!(
            plan.out
                .contains("api-production-network (us-east-1): create"),
            "{}",
            plan.out
        );
        assert_eq!(
            mck(&["apply"]).code,
            2,
            "without `--yes` somebody must be there to ask"
        );
        explained(&mck(&["apply", "--yes"]));
        let plan = mck(&["plan"]);
        assert_eq!(plan.code, 2);
        assert!(
            plan.out.contains("note: data is ROLLBACK_COMPLETE"),
            "{}",
            plan.out
        );
        assert!(!plan.out.contains("api-production-network"), "{}", plan.out);
        let again = mck(&["apply", "--yes"]);
        assert!(
            again.err.contains("data: remove what failed"),
            "{}",
            again.err
        );
        explained(&again);
        removed();
    });
}

fn explained(applied: &Outcome) {
    assert_eq!(applied.code, 24, "{}", applied.err);
    for part in [
        "data ended as ROLLBACK_COMPLETE: RecordDb",
        "note: RecordDb of the stack data comes from here",
        "observability: skipped",
        "error: stacks failed: data",
        "hint: ",
    ] {
        assert!(
            applied.err.contains(part),
            "{part} is not in {}",
            applied.err
        );
    }
}

fn removed() {
    let destroyed = mck(&["destroy", "--yes"]);
    assert_eq!(destroyed.code, 0, "{}", destroyed.err);
    assert!(
        destroyed.err.contains("production is removed"),
        "{}",
        destroyed.err
    );
    assert!(
        destroyed.err.contains("api-global stays"),
        "{}",
        destroyed.err
    );
    let again = mck(&["destroy", "--yes"]);
    assert!(
        again.err.contains("production has no stacks"),
        "{}",
        again.err
    );
    assert_eq!(again.code, 0);
}

#[test]
#[ignore = "LocalStack needs Python 3.13 or later, which Debian 12 has not; see docs/aws.md"]
fn events_are_told_to_programs() {
    beside(Kind::LocalStack, "events_are_told_to_programs", || {
        ecs::serve();
        let applied = mck(&["apply", "--yes", "--json"]);
        let lines: Vec<Value> = applied
            .out
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect();
        assert_eq!(lines[0]["event"], "plan");
        let of = |kind: &str| lines.iter().filter(|it| it["event"] == kind).count();
        assert!(of("resource") > 50, "{}", applied.out);
        assert_eq!((of("failed"), of("skipped")), (1, 1));
    });
}

#[test]
#[ignore = "LocalStack needs Python 3.13 or later, which Debian 12 has not; see docs/aws.md"]
fn after_ctrl_c_a_second_apply_goes_on() {
    beside(
        Kind::LocalStackWithTokens,
        "after_ctrl_c_a_second_apply_goes_on",
        || {
            ecs::serve();
            let mut child = command(&["apply", "--yes"])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program runs");
            let mut lines = BufReader::new(child.stderr.take().expect("it is ours")).lines();
            let begun = lines.find(|line| line.as_ref().is_ok_and(|it| it.contains("complete")));
            assert!(begun.is_some());
            let kill = Command::new("kill")
                .args(["-INT", &child.id().to_string()])
                .status();
            assert!(kill.expect("there is `kill`").success());
            let rest: Vec<String> = lines.map_while(Result::ok).collect();
            assert_eq!(child.wait().expect("it ends").code(), Some(130));
            let hint = "hint: `mck apply --environment production` follows it again";
            assert!(rest.iter().any(|line| line == hint), "{rest:#?}");
            explained(&mck(&["apply", "--yes"]));
        },
    );
}

#[test]
fn a_missing_account_is_told() {
    beside(Kind::Own, "a_missing_account_is_told", || {
        let plan = mck(&["plan"]);
        assert_eq!(plan.code, 1);
        assert!(plan.err.contains("AWS_ENDPOINT_URL"), "{}", plan.err);
        let drift = mck(&["drift"]);
        assert_eq!(drift.code, 23);
    });
}
