use super::*;
use crate::fault::Observation;
use crate::record::Answerer;

const MS: u64 = 1_000;

fn record(kind: RequestKind, due: u64, finished: u64, outcome: Result<(), Failure>) -> Record {
    Record {
        kind,
        due,
        sent: due,
        finished,
        outcome,
        answerer: None,
    }
}

fn token(due: u64, latency: u64) -> Record {
    record(RequestKind::TokenWrite, due, due + latency, Ok(()))
}

fn injection() -> Injection {
    Injection {
        started: 2_000 * MS,
        ended: 2_010 * MS,
        done: Vec::new(),
    }
}

fn timeline() -> Timeline {
    let mut timeline = Timeline::default();
    for (at, is_whole) in [(0, true), (2_200 * MS, false), (4_000 * MS, true)] {
        timeline.note(
            at,
            Observation {
                is_whole,
                ..Observation::default()
            },
        );
    }
    timeline
}

fn figures(records: &[Record], timeline: &Timeline, injection: Option<&Injection>) -> Figures {
    let recorded = Recorded {
        records,
        timeline,
        injection,
        load_end: 6_000 * MS,
        onset: 1_000 * MS,
        lateness: &Histogram::default(),
        was_interrupted: false,
    };
    recorded.figures(Verified::default())
}

#[test]
fn requests_belong_to_the_phase_in_which_they_could_fail() {
    let records = [
        record(RequestKind::Home, 0, 5 * MS, Ok(())),
        record(
            RequestKind::Home,
            1_000 * MS,
            1_001 * MS,
            Err(Failure::Status(500)),
        ),
        // Under way when the fault came.
        record(
            RequestKind::Home,
            1_999 * MS,
            2_005 * MS,
            Err(Failure::ConnectionReset),
        ),
        record(
            RequestKind::TokenWrite,
            2_300 * MS,
            2_400 * MS,
            Err(Failure::Status(503)),
        ),
        record(RequestKind::Home, 4_000 * MS, 4_010 * MS, Ok(())),
    ];
    let figures = figures(&records, &timeline(), Some(&injection()));
    let phases: Vec<_> = figures
        .phases
        .iter()
        .map(|it| (it.phase.as_str(), it.sent, it.failed))
        .collect();
    assert_eq!(
        phases,
        [("before", 2, 1), ("during", 2, 2), ("after", 1, 0)]
    );
    let lengths: Vec<_> = figures
        .phases
        .iter()
        .map(|it| it.length_microseconds)
        .collect();
    assert_eq!(lengths, [2_000 * MS, 2_000 * MS, 2_000 * MS]);
    assert_eq!((figures.sent, figures.failed), (5, 3));
    assert_eq!(
        (figures.failed_before, figures.failed_not_in_flight),
        (1, 2)
    );
    assert_eq!(figures.failed_idempotent, 2);
    assert_eq!(figures.timing.first_failure_microseconds, Some(5 * MS));
    assert_eq!(figures.timing.detected_microseconds, Some(5 * MS));
    assert_eq!(figures.timing.seen_broken_microseconds, Some(200 * MS));
    assert_eq!(figures.timing.last_failure_microseconds, Some(400 * MS));
    assert_eq!(figures.timing.last_failed_sent_microseconds, Some(300 * MS));
    assert_eq!(figures.timing.whole_again_microseconds, Some(2_000 * MS));
    assert_eq!(figures.failures.len(), 3);
}

#[test]
fn what_was_never_seen_broken_may_still_show_for_a_while() {
    let mut timeline = Timeline::default();
    timeline.note(
        0,
        Observation {
            is_whole: true,
            ..Observation::default()
        },
    );
    let records = [
        record(
            RequestKind::Home,
            2_500 * MS,
            2_600 * MS,
            Err(Failure::Status(502)),
        ),
        record(RequestKind::Home, 3_100 * MS, 3_110 * MS, Ok(())),
    ];
    let figures = figures(&records, &timeline, Some(&injection()));
    let lengths: Vec<_> = figures
        .phases
        .iter()
        .map(|it| it.length_microseconds)
        .collect();
    assert_eq!(lengths, [2_000 * MS, 1_010 * MS, 2_990 * MS]);
    assert_eq!(figures.phases[1].failed, 1);
    assert_eq!(figures.phases[2].sent, 1);
    assert_eq!(figures.timing.whole_again_microseconds, Some(10 * MS));
}

#[test]
fn seconds_without_a_request_are_there_too() {
    let records = [token(0, MS), token(3_500 * MS, 2 * MS)];
    let figures = figures(&records, &timeline(), None);
    let succeeded: Vec<u64> = figures
        .seconds
        .iter()
        .map(|second| second.succeeded)
        .collect();
    assert_eq!(succeeded, [1, 0, 0, 1]);
    assert_eq!(figures.seconds[3].latency.p99_microseconds, 2 * MS);
}

#[test]
fn writable_again_is_the_end_of_the_gap_that_the_fault_made() {
    let mut records: Vec<Record> = (0..20).map(|n| token(n * 100 * MS, MS)).collect();
    // One write still got through after the fault was begun; then nothing for 1.4 s.
    records.push(token(2_000 * MS, 2 * MS));
    records.extend((0..10).map(|n| token(3_400 * MS + n * 100 * MS, 2 * MS)));
    // A longer gap that began later has another reason.
    records.push(token(5_990 * MS, MS));
    let figures = figures(&records, &timeline(), Some(&injection()));
    assert_eq!(figures.timing.writable_again_microseconds, Some(1_402 * MS));
    assert_eq!(
        figures.timing.longest_write_gap_microseconds,
        Some(1_689 * MS)
    );
}

#[test]
fn a_write_that_waited_counts_when_it_was_acknowledged() {
    let records = [
        token(1_900 * MS, MS),
        token(2_050 * MS, 800 * MS),
        token(2_900 * MS, MS),
    ];
    let figures = figures(&records, &timeline(), Some(&injection()));
    assert_eq!(figures.timing.writable_again_microseconds, Some(850 * MS));
}

#[test]
fn never_writable_again_is_nothing() {
    let records = [
        token(1_900 * MS, MS),
        record(
            RequestKind::TokenWrite,
            5_000 * MS,
            5_001 * MS,
            Err(Failure::Status(503)),
        ),
    ];
    let figures = figures(&records, &timeline(), Some(&injection()));
    assert_eq!(figures.timing.writable_again_microseconds, None);
}

#[test]
fn tasks_and_releases_are_told_apart_by_phase() {
    let by = |due: u64, task: &str, revision: &str| Record {
        answerer: Some(Box::new(Answerer {
            task: Some(task.to_owned()),
            revision: Some(revision.to_owned()),
        })),
        ..record(RequestKind::WhoAmI, due, due + MS, Ok(()))
    };
    let records = [
        by(0, "a", "r1"),
        by(2_500 * MS, "b", "r1"),
        by(5_000 * MS, "c", "r2"),
    ];
    let figures = figures(&records, &timeline(), Some(&injection()));
    assert_eq!(figures.revisions_before, ["r1"]);
    assert_eq!(figures.revisions_after, ["r2"]);
    let tasks: Vec<_> = figures
        .tasks
        .iter()
        .map(|it| (it.task.as_str(), it.before, it.during, it.after))
        .collect();
    assert_eq!(tasks, [("a", 1, 0, 0), ("b", 0, 1, 0), ("c", 0, 0, 1)]);
}
