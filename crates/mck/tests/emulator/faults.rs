//! Deployments through what networks, AWS and people do in the middle of them.

use std::{
    collections::BTreeSet,
    fmt::Write,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mck_local::wait::pause;
use serde_json::Value;

use crate::{
    deployments::Account,
    gateway::{Fault, PASSING},
    store::Store,
};

/// How much is tried, where more is wanted than in each run: with 4 rounds each call fails in each way.
const ROUNDS: &str = "MCK_TEST_DEPLOY_ROUNDS";

/// How many deployments are killed in a round.
const KILLS: usize = 2;

fn rounds() -> usize {
    std::env::var(ROUNDS).map_or(1, |it| it.parse().unwrap())
}

/// What a deployment calls, each of which must have failed once.
const CALLS: [&str; 11] = [
    "GetParameter",
    "DescribeServices",
    "DescribeImages",
    "DescribeTaskDefinition",
    "ListTasks",
    "RegisterTaskDefinition",
    "RunTask",
    "DescribeTasks",
    "UpdateService",
    "PutParameter",
    "GetCallerIdentity",
];

#[test]
fn a_deployment_ends_well_whatever_fails_in_the_middle() {
    let store = Store::up("faults");
    let file = store.read("magecloudkit.toml");
    store.write(
        "magecloudkit.toml",
        &format!("{file}[environment.production]\n"),
    );
    let account = Account::of(&store);
    account.is_applied(&store.served());
    what_passes_is_not_noticed(&account);
    whoever_may_not_go_on_comes_again(&account);
    let whole = what_is_gone_is_told(&account);
    whoever_is_killed_at_any_moment_comes_again(&account, whole);
}

/// The tasks of the upgrade hook of a release.
fn hooks(account: &Account<'_>, release: &str) -> Vec<Value> {
    let family = account.family("_hook_upgrade");
    let cluster = account.cluster();
    let on = ["--cluster", &cluster];
    let mut tasks = Vec::new();
    for status in ["RUNNING", "STOPPED"] {
        let list = ["ecs", "list-tasks", "--desired-status", status];
        let listed = account
            .services
            .aws(&[&list[..], &on, &["--family", &family]].concat());
        let arns = listed["taskArns"].as_array().unwrap();
        let arns: Vec<&str> = arns.iter().map(|it| it.as_str().unwrap()).collect();
        if !arns.is_empty() {
            let describe = ["ecs", "describe-tasks"];
            let told = account
                .services
                .aws(&[&describe[..], &on, &["--tasks"], &arns].concat());
            tasks.extend(told["tasks"].as_array().unwrap().iter().cloned());
        }
    }
    tasks.retain(|it| {
        let image = it["containers"][0]["image"].as_str().unwrap();
        image.ends_with(&format!(":{release}"))
    });
    tasks
}

fn is_deployed(account: &Account<'_>, release: &str) {
    assert_eq!(account.store.served(), release);
    assert_eq!(account.recorded(), release);
    for family in ["", "_run", "_hook_upgrade"] {
        assert_eq!(account.release_of(family), release, "{family}");
    }
}

/// Each call fails once, in each way in which calls fail that can be made again.
fn what_passes_is_not_noticed(account: &Account<'_>) {
    let gateway = &account.services.gateway;
    let mut seen = BTreeSet::new();
    let rounds = rounds().min(PASSING.len());
    for shift in 0..rounds {
        let release = account.release(&format!("through faults {shift}"));
        gateway.fails_once_each(shift);
        let begin = Instant::now();
        let outcome = account.services.mck(&["deploy"]);
        let done = gateway.done();
        gateway.is_fine_again();
        let mut told = String::new();
        for (operation, fault) in &done {
            let _ = writeln!(told, "{operation}: {fault:?}");
            seen.insert((operation.clone(), format!("{fault:?}")));
        }
        for call in CALLS {
            assert!(
                done.iter().any(|(it, _)| it == call),
                "{call}: {told}{outcome}"
            );
        }
        let outcome = outcome.expect(0);
        assert!(begin.elapsed() < Duration::from_secs(60), "{told}{outcome}");
        is_deployed(account, &release);
        assert_eq!(hooks(account, &release).len(), 1, "{told}{outcome}");
    }
    for call in CALLS {
        let ways = seen.iter().filter(|(it, _)| it == call).count();
        assert!(ways == rounds, "{call} failed in {ways} ways");
    }
}

/// From a call on nothing works any more. Whether the hook has run then, how the program ends, and
/// how often the hook has run when it was called again.
fn whoever_may_not_go_on_comes_again(account: &Account<'_>) {
    let gateway = &account.services.gateway;
    let all = [
        ("DescribeTasks", 1, Fault::Expired, "log in again", 1),
        ("UpdateService", 0, Fault::Skewed, "clock", 2),
        ("PutParameter", 0, Fault::Expired, "log in again", 1),
        ("RunTask", 0, Fault::Expired, "log in again", 1),
        ("ListTasks", 4, Fault::Expired, "log in again", 1),
    ];
    let count = if rounds() == 1 { 3 } else { all.len() };
    for (operation, good, fault, word, hooks_in_the_end) in all.into_iter().take(count) {
        let before = account.recorded();
        let release = account.release(&format!("{operation} {fault:?}"));
        gateway.fails_from(operation, good, fault);
        let outcome = account.services.mck(&["deploy"]);
        gateway.is_fine_again();
        let outcome = outcome.expect(23);
        assert!(outcome.stderr.contains(word), "{word}: {outcome}");
        assert_eq!(account.recorded(), before);
        let again = account.services.mck(&["deploy"]).expect(0);
        is_deployed(account, &release);
        let ran = hooks(account, &release);
        assert_eq!(
            ran.len(),
            hooks_in_the_end,
            "{operation} {fault:?}: {outcome}{again}{ran:#?}"
        );
    }
}

/// The app's stack is deleted behind our back while its service is followed. Gives how long a
/// deployment takes that nobody disturbs.
fn what_is_gone_is_told(account: &Account<'_>) -> Duration {
    let before = account.recorded();
    let release = account.release("gone");
    let gateway = &account.services.gateway;
    gateway.fails_from("DescribeServices", 3, Fault::Gone);
    let outcome = account.services.mck(&["deploy"]);
    gateway.is_fine_again();
    let outcome = outcome.expect(9);
    for said in ["service shop", "mck apply"] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome}");
    }
    assert_eq!(account.recorded(), before);
    let begin = Instant::now();
    account.services.mck(&["deploy"]).expect(0);
    let whole = begin.elapsed();
    is_deployed(account, &release);
    whole
}

fn whoever_is_killed_at_any_moment_comes_again(account: &Account<'_>, whole: Duration) {
    for number in 0..KILLS * rounds() {
        let release = account.release(&format!("killed {number}"));
        let moment = whole.mul_f64(chance());
        let mut child = account.services.command(&["deploy"]).spawn().unwrap();
        pause(moment);
        child.kill().unwrap();
        child.wait().unwrap();
        let outcome = account.services.mck(&["deploy"]).expect(0);
        let told = format!("killed after {moment:?} of {whole:?}: {outcome}");
        assert_eq!(account.store.served(), release, "{told}");
        is_deployed(account, &release);
        one_at_a_time(&hooks(account, &release), &told);
    }
}

/// Between 0 and 1.
fn chance() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    f64::from(now.subsec_micros() % 1_000) / 1_000.0
}

/// A hook runs once in each `mck deploy` that gets there, and never twice at once.
fn one_at_a_time(hooks: &[Value], told: &str) {
    assert!((1..=2).contains(&hooks.len()), "{hooks:#?} {told}");
    let mut times: Vec<(f64, f64)> = hooks
        .iter()
        .map(|it| {
            let time = |name: &str| it[name].as_f64().unwrap();
            (time("createdAt"), time("stoppedAt"))
        })
        .collect();
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    for pair in times.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "{hooks:#?} {told}");
    }
}
