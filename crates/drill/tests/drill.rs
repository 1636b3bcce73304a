//! Whole drills on a small shop that misbehaves to order: what the report says must be exactly what the
//! shop did.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mck_drill::{
    DrillError, DrillKind, DrillPhase, DrillPlan, DrillReport, FaultFn, Mix, Observation, StopFlag,
    render_html, render_text, run,
};
use support::{Server, State};

const RATE: u32 = 100;

fn plan(server: &Server, kind: DrillKind) -> DrillPlan {
    DrillPlan {
        requests_per_second: RATE,
        before: Duration::from_secs(1),
        after: Duration::from_secs(1),
        duration: Duration::from_secs(3),
        onset: Duration::from_millis(200),
        visitors: 6,
        accounts: 2,
        mix: Mix {
            reads: 20,
            sessions: 30,
            tokens: 30,
            uploads: 10,
            logins: 10,
            whoami: 10,
        },
        ..DrillPlan::new(kind, "test", server.address, "shop.localhost")
    }
}

fn whole() -> Observation {
    Observation {
        is_whole: true,
        ..Observation::default()
    }
}

/// A drill whose fault is done to the shop by `fault`.
fn drill(plan: &DrillPlan, fault: impl FnMut() + Send) -> DrillReport {
    let mut fault = fault;
    let mut fault = FaultFn::new("misbehave", move || {
        fault();
        Ok(vec!["The shop misbehaved".to_owned()])
    });
    run(plan, &mut fault, &mut whole, &StopFlag::new(), &mut |_| {}).unwrap()
}

/// A drill whose fault is what the shop shall do wrong from then on.
fn drill_with(
    server: &Server,
    kind: DrillKind,
    mishap: impl Fn(&mut State) + Send + Sync,
) -> DrillReport {
    drill(&plan(server, kind), || mishap(&mut server.state()))
}

fn failures(report: &DrillReport) -> Vec<(&str, &str, u64)> {
    let failures = report.figures.failures.iter();
    failures
        .map(|it| (it.kind.as_str(), it.failure.as_str(), it.count))
        .collect()
}

#[test]
fn nothing_is_lost_when_nothing_is_and_the_rate_is_held() {
    let server = Server::start();
    let before = server.state().answered;
    let answered = Mutex::new((0, 0));
    let mut phases = Vec::new();
    let mut fault = FaultFn::new("do nothing", || Ok(Vec::new()));
    let plan = plan(&server, DrillKind::DeployGood);
    let report = run(
        &plan,
        &mut fault,
        &mut whole,
        &StopFlag::new(),
        &mut |progress| {
            if progress.phase == DrillPhase::Before && progress.sent == 0 {
                answered.lock().unwrap().0 = server.state().answered;
            }
            if progress.phase == DrillPhase::After {
                answered.lock().unwrap().1 = progress.sent;
            }
            if phases.last() != Some(&progress.phase) {
                phases.push(progress.phase);
            }
        },
    )
    .unwrap();

    let figures = &report.figures;
    assert_eq!(failures(&report), []);
    assert!(report.verdict.passed, "{}", render_text(&report));
    assert_eq!(
        (
            figures.failed,
            figures.writes.unanswered,
            figures.writes.duplicates
        ),
        (0, 0, 0)
    );
    for kept in [&figures.writes.kept, &figures.sessions, &figures.uploads] {
        assert!(kept.acknowledged > 0);
        assert_eq!((kept.lost, kept.unverified), (0, 0), "{kept:?}");
    }
    assert_eq!(figures.revisions_before, ["r1"]);

    let seconds = figures.load_microseconds as f64 / 1e6;
    let rate = figures.sent as f64 / seconds;
    assert!(
        (rate - f64::from(RATE)).abs() <= f64::from(RATE) * 0.05,
        "{rate} per second"
    );
    for second in &figures.seconds[..2] {
        assert_eq!(second.succeeded, u64::from(RATE), "{second:?}");
    }
    // The server has seen what the report says, and nothing was sent twice.
    assert!(server.state().answered - before >= figures.sent);
    let (prepared, sent) = *answered.lock().unwrap();
    assert!(prepared > before && sent > 0);

    use DrillPhase::{After, Before, During, Preparing, Verifying};
    assert_eq!(phases, [Preparing, Before, During, After, Verifying]);
    assert_eq!(DrillReport::from_json(&report.to_json()).unwrap(), report);
    assert!(render_html(&report).contains("Passed"));
}

#[test]
fn what_is_lost_is_counted_exactly() {
    let server = Server::start();
    let report = drill_with(&server, DrillKind::DbFailover, |state| {
        state.forget_tokens = 3;
        state.forget_sessions = 2;
        state.forget_uploads = 1;
    });
    let figures = &report.figures;
    assert_eq!(figures.writes.kept.lost, 3);
    assert_eq!(figures.writes.kept.examples.len(), 3);
    assert_eq!(figures.sessions.lost, 2, "{:?}", figures.sessions);
    assert_eq!(figures.uploads.lost, 1);
    assert_eq!(
        figures.writes.kept.unverified + figures.uploads.unverified,
        0
    );
    assert!(!report.verdict.passed);
    let state = server.state();
    assert_eq!(
        (
            state.forget_tokens,
            state.forget_sessions,
            state.forget_uploads
        ),
        (0, 0, 0)
    );
}

#[test]
fn a_write_that_is_stored_without_an_answer_has_failed_and_is_not_lost() {
    let server = Server::start();
    let report = drill_with(&server, DrillKind::TaskLoss, |state| {
        state.hide_tokens = 4;
        state.repeat_tokens = 5;
    });
    let writes = &report.figures.writes;
    assert_eq!(failures(&report), [("database write", "HTTP 503", 4)]);
    assert_eq!((report.figures.failed, writes.kept.lost), (4, 0));
    assert_eq!(
        (
            writes.unanswered,
            writes.unanswered_but_stored,
            writes.duplicates
        ),
        (4, 4, 5)
    );
}

#[test]
fn a_page_that_is_cut_off_has_failed() {
    let server = Server::start();
    let report = drill_with(&server, DrillKind::ZoneLoss, |state| state.cut_pages = 7);
    let wrong = failures(&report);
    assert!(
        wrong
            .iter()
            .all(|(_, failure, _)| *failure == "wrong content"),
        "{wrong:?}"
    );
    assert_eq!(report.figures.failed, 7);
    assert_eq!(report.figures.failed_idempotent, 7);
}

#[test]
fn refused_connections_are_counted_for_as_long_as_they_are_refused() {
    let server = Server::start();
    let plan = DrillPlan {
        duration: Duration::from_secs(4),
        ..plan(&server, DrillKind::ZoneLoss)
    };
    let times = Mutex::new((Instant::now(), Instant::now()));
    let report = drill(&plan, || {
        let start = Instant::now();
        server.refuse_for(Duration::from_secs(1));
        *times.lock().unwrap() = (start, Instant::now());
    });
    let (start, end) = *times.lock().unwrap();
    let away = (end - start).as_secs_f64();
    let figures = &report.figures;

    let known = [
        "connection refused",
        "connection reset",
        "connection closed early",
    ];
    assert!(
        failures(&report).iter().all(|it| known.contains(&it.1)),
        "{:?}",
        failures(&report)
    );
    let expected = away * f64::from(RATE);
    assert!(
        (figures.failed as f64 - expected).abs() <= expected * 0.05 + 5.0,
        "{}",
        figures.failed
    );
    let timing = &figures.timing;
    assert!(
        timing.detected_microseconds.unwrap() < 300_000,
        "{timing:?}"
    );
    let last = timing.last_failed_sent_microseconds.unwrap() as f64 / 1e6;
    assert!((last - away).abs() < 0.3, "{timing:?}");
    let writable = timing.writable_again_microseconds.unwrap() as f64 / 1e6;
    assert!(writable > 0.9 && writable < away + 0.4, "{timing:?}");
    assert!(
        timing.longest_write_gap_microseconds.unwrap() >= 900_000,
        "{timing:?}"
    );
    for kept in [&figures.writes.kept, &figures.sessions, &figures.uploads] {
        assert_eq!((kept.lost, kept.unverified), (0, 0), "{kept:?}");
    }
}

#[test]
fn a_slow_server_does_not_slow_the_load_and_who_waits_is_measured() {
    let server = Server::start();
    let stall = Duration::from_millis(1200);
    let report = drill_with(&server, DrillKind::TaskLoss, |state| {
        state.stalled_until = Some(Instant::now() + stall);
    });
    let figures = &report.figures;
    assert_eq!(figures.failed, 0, "{:?}", failures(&report));
    let rate = figures.sent as f64 / (figures.load_microseconds as f64 / 1e6);
    assert!(
        (rate - f64::from(RATE)).abs() <= f64::from(RATE) * 0.05,
        "{rate} per second"
    );
    assert!(
        figures.lateness_p99_microseconds < 300_000,
        "{}",
        figures.lateness_p99_microseconds
    );
    // Requests due all through the stall waited for its end: their latencies are spread evenly, as no
    // request waited for another to be sent.
    let during = &figures.phases[1];
    assert!(
        during.latency.maximum_microseconds > 1_100_000,
        "{during:?}"
    );
    let stalled = &figures.seconds[1].latency;
    assert!(
        (600_000..1_000_000).contains(&stalled.p50_microseconds),
        "{stalled:?}"
    );
}

#[test]
fn a_server_that_never_answers_ends_in_timeouts_and_the_drill_ends_too() {
    let server = Server::start();
    let plan = DrillPlan {
        request_limit: Duration::from_secs(1),
        recovery_limit: Duration::from_secs(2),
        ..plan(&server, DrillKind::TaskLoss)
    };
    let report = drill(&plan, || {
        server.state().stalled_until = Some(Instant::now() + Duration::from_millis(1500));
    });
    let failed: u64 = failures(&report).iter().map(|(_, _, count)| count).sum();
    assert!(
        failures(&report)
            .iter()
            .all(|(_, failure, _)| *failure == "timeout")
    );
    // Those due in the first half second of the stall wait for longer than a second.
    assert!((40..=60).contains(&failed), "{failed}");
    assert_eq!(report.figures.writes.kept.lost, 0);
}

#[test]
fn the_observer_decides_when_everything_is_whole_again() {
    let server = Server::start();
    let broken_until = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&broken_until);
    let mut observer = move || {
        let is_whole = seen
            .lock()
            .unwrap()
            .is_none_or(|until| Instant::now() >= until);
        let detail = if is_whole {
            "2 of 2 tasks"
        } else {
            "1 of 2 tasks"
        };
        Observation {
            is_whole,
            detail: detail.to_owned(),
            rolled_back: None,
        }
    };
    let mut fault = FaultFn::new("kill a task", || {
        *broken_until.lock().unwrap() = Some(Instant::now() + Duration::from_millis(900));
        Ok(Vec::new())
    });
    let plan = plan(&server, DrillKind::TaskLoss);
    let report = run(
        &plan,
        &mut fault,
        &mut observer,
        &StopFlag::new(),
        &mut |_| {},
    )
    .unwrap();
    let timing = &report.figures.timing;
    assert!(
        timing.seen_broken_microseconds.unwrap() < 500_000,
        "{timing:?}"
    );
    let whole = timing.whole_again_microseconds.unwrap();
    assert!((900_000..1_500_000).contains(&whole), "{timing:?}");
    let told: Vec<&str> = report.steps.iter().map(|step| step.what.as_str()).collect();
    assert!(told.contains(&"Seen not whole: 1 of 2 tasks"), "{told:?}");
    assert!(report.verdict.passed, "{}", render_text(&report));
}

#[test]
fn a_drill_that_is_stopped_reports_what_there_is() {
    let server = Server::start();
    let stop = StopFlag::new();
    let mut fault = FaultFn::new("never happen", || panic!("it was stopped before"));
    let start = Instant::now();
    let report = run(
        &plan(&server, DrillKind::ZoneLoss),
        &mut fault,
        &mut whole,
        &stop,
        &mut |it| {
            if it.elapsed >= Duration::from_millis(500) {
                stop.set();
            }
        },
    )
    .unwrap();
    assert!(start.elapsed() < Duration::from_secs(3));
    assert!(report.figures.was_interrupted && !report.verdict.passed);
    assert_eq!(report.figures.fault_microseconds, None);
    assert!(
        (40..=70).contains(&report.figures.sent),
        "{}",
        report.figures.sent
    );
    assert_eq!(
        report.figures.writes.kept.lost + report.figures.sessions.lost,
        0
    );
    assert!(render_text(&report).contains("stopped early"));
    assert!(render_html(&report).contains("stopped early"));
}

#[test]
fn what_is_broken_already_is_not_broken_further() {
    let server = Server::start();
    let mut never = FaultFn::new("never happen", || panic!("it was broken before"));
    let plan = plan(&server, DrillKind::ZoneLoss);
    let mut broken = || Observation {
        detail: "1 of 2 tasks".to_owned(),
        ..Observation::default()
    };
    match run(
        &plan,
        &mut never,
        &mut broken,
        &StopFlag::new(),
        &mut |_| {},
    ) {
        Err(DrillError::NotWhole { detail }) => assert_eq!(detail, "1 of 2 tasks"),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.state().answered, 0);

    drop(server);
    match run(&plan, &mut never, &mut whole, &StopFlag::new(), &mut |_| {}) {
        Err(DrillError::Prepare { step, problem }) => {
            assert_eq!(
                (step.as_str(), problem.as_str()),
                ("GET /", "connection refused")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fault_that_can_not_be_injected_is_an_error_at_once() {
    let server = Server::start();
    let mut fault = FaultFn::new("kill the writer", || Err("no such process".into()));
    let plan = DrillPlan {
        duration: Duration::from_secs(30),
        ..plan(&server, DrillKind::DbFailover)
    };
    let start = Instant::now();
    match run(&plan, &mut fault, &mut whole, &StopFlag::new(), &mut |_| {}) {
        Err(error @ DrillError::Fault { .. }) => {
            assert_eq!(error.to_string(), "could not kill the writer");
        }
        other => panic!("{other:?}"),
    }
    assert!(start.elapsed() < Duration::from_secs(4));
}
