//! A report with fixed figures: a database failover that went well but for one lost session.

use crate::kind::DrillKind;
use crate::plan::Mix;
use crate::report::{
    DrillReport, FailureFigures, Figures, Kept, KindFigures, Latency, PhaseFigures, REPORT_VERSION,
    SecondFigures, Settings, Step, TaskFigures, Timing, Writes,
};
use crate::verdict::judge;

pub(crate) fn settings() -> Settings {
    Settings {
        requests_per_second: 50,
        mix: Mix::of(DrillKind::DbFailover),
        seed: 1,
        request_limit_microseconds: 10_000_000,
        health_check_interval_microseconds: 10_000_000,
    }
}

fn latency(p50: u64) -> Latency {
    Latency {
        p50_microseconds: p50,
        p95_microseconds: p50 * 3,
        p99_microseconds: p50 * 5,
        maximum_microseconds: p50 * 9,
    }
}

fn seconds() -> Vec<SecondFigures> {
    let figures = (0..60).map(|second| {
        let failed = match second {
            10 => 9,
            11 => 4,
            _ => 0,
        };
        let p50 = if (10..13).contains(&second) {
            90_000
        } else {
            4_000 + (second % 7) * 300
        };
        SecondFigures {
            second,
            succeeded: 50 - failed,
            failed,
            latency: latency(p50),
        }
    });
    figures.collect()
}

fn phases() -> Vec<PhaseFigures> {
    let phase = |phase: &str, length: u64, sent: u64, failed: u64, p50: u64| PhaseFigures {
        phase: phase.to_owned(),
        length_microseconds: length,
        sent,
        failed,
        latency: latency(p50),
    };
    vec![
        phase("before", 10_000_000, 500, 0, 4_200),
        phase("during", 2_640_000, 132, 13, 90_000),
        phase("after", 47_360_000, 2_368, 0, 4_300),
    ]
}

fn failures() -> Vec<FailureFigures> {
    let failure = |kind: &str, failure: &str, count: u64| FailureFigures {
        kind: kind.to_owned(),
        failure: failure.to_owned(),
        count,
        first_microseconds: 10_020_000,
        last_microseconds: 11_340_000,
    };
    vec![
        failure("database write", "HTTP 503", 12),
        failure("login", "timeout", 1),
    ]
}

fn figures() -> Figures {
    let kind = |kind: &str, sent, failed, p50| KindFigures {
        kind: kind.to_owned(),
        sent,
        failed,
        latency: latency(p50),
    };
    let task = |task: &str, before, during, after| TaskFigures {
        task: task.to_owned(),
        before,
        during,
        after,
    };
    Figures {
        load_microseconds: 60_000_000,
        fault_microseconds: Some(10_000_000),
        fault_ended_microseconds: Some(10_012_000),
        sent: 3_000,
        failed: 13,
        failed_not_in_flight: 13,
        phases: phases(),
        kinds: vec![
            kind("home page", 900, 0, 2_100),
            kind("database write", 1_200, 12, 6_400),
            kind("login", 40, 1, 61_000),
        ],
        failures: failures(),
        seconds: seconds(),
        tasks: vec![task("shop-1", 15, 4, 70), task("shop-2", 14, 3, 73)],
        revisions_before: vec!["a1b2c3".to_owned()],
        revisions_after: vec!["a1b2c3".to_owned()],
        timing: Timing {
            detected_microseconds: Some(21_000),
            first_failure_microseconds: Some(21_000),
            seen_broken_microseconds: Some(104_000),
            last_failure_microseconds: Some(1_341_000),
            last_failed_sent_microseconds: Some(1_340_000),
            whole_again_microseconds: Some(2_640_000),
            writable_again_microseconds: Some(1_382_000),
            longest_write_gap_microseconds: Some(1_390_000),
        },
        writes: Writes {
            kept: Kept {
                acknowledged: 1_188,
                ..Kept::default()
            },
            duplicates: 0,
            unanswered: 12,
            unanswered_but_stored: 1,
        },
        sessions: Kept {
            acknowledged: 24,
            lost: 1,
            unverified: 0,
            examples: vec![r#"k0 was stored as "drill-1", found nothing"#.to_owned()],
        },
        uploads: Kept {
            acknowledged: 71,
            ..Kept::default()
        },
        lateness_p99_microseconds: 180,
        ..Figures::default()
    }
}

pub(crate) fn report() -> DrillReport {
    let (settings, figures) = (settings(), figures());
    let step = |at_microseconds: u64, what: &str| Step {
        at_microseconds,
        what: what.to_owned(),
    };
    DrillReport {
        version: REPORT_VERSION,
        kind: DrillKind::DbFailover,
        environment: "shop & <co>".to_owned(),
        target: "http://127.0.0.1:8080 as shop.localhost".to_owned(),
        started_at: "2026-01-02T03:04:05Z".to_owned(),
        versions: [("mck", "0.1.0"), ("release", "a1b2c3")]
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .into(),
        verdict: judge(DrillKind::DbFailover, &figures, &settings),
        settings,
        fault: "kill -9 the writer db-1".to_owned(),
        steps: vec![
            step(0, "Load of 50 requests per second began"),
            step(10_000_000, "Fault: kill -9 the writer db-1"),
            step(10_021_000, "First request failed"),
            step(12_640_000, "Seen whole: db-2 is the writer"),
            step(60_000_000, "Load ended after 3000 requests"),
        ],
        figures,
    }
}
