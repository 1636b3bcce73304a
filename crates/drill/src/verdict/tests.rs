use super::*;
use crate::report::{Timing, Writes};
use crate::sample;

fn perfect() -> Figures {
    Figures {
        fault_microseconds: Some(10_000_000),
        sent: 3000,
        timing: Timing {
            whole_again_microseconds: Some(3_000_000),
            writable_again_microseconds: Some(1_200_000),
            ..Timing::default()
        },
        revisions_before: vec!["r1".to_owned()],
        revisions_after: vec!["r1".to_owned()],
        rolled_back: Some("exit code 1".to_owned()),
        ..Figures::default()
    }
}

fn failed_bars(kind: DrillKind, figures: &Figures) -> Vec<String> {
    let verdict = judge(kind, figures, &sample::settings());
    let failed = verdict
        .bars
        .iter()
        .filter(|bar| bar.required && !bar.passed);
    let names: Vec<String> = failed.map(|bar| bar.name.clone()).collect();
    assert_eq!(verdict.passed, names.is_empty());
    names
}

#[test]
fn a_perfect_run_passes_every_drill() {
    for kind in DrillKind::ALL {
        assert_eq!(failed_bars(kind, &perfect()), [""; 0], "{kind}");
    }
}

#[test]
fn what_is_lost_or_not_verified_fails_every_drill() {
    let lost = Kept {
        acknowledged: 9,
        lost: 1,
        ..Kept::default()
    };
    let unverified = Kept {
        acknowledged: 9,
        unverified: 1,
        ..Kept::default()
    };
    for kind in DrillKind::ALL {
        for kept in [&lost, &unverified] {
            let writes = Writes {
                kept: kept.clone(),
                ..Writes::default()
            };
            let figures = Figures {
                writes,
                ..perfect()
            };
            assert_eq!(failed_bars(kind, &figures), ["Acknowledged writes lost"]);
            let figures = Figures {
                sessions: kept.clone(),
                ..perfect()
            };
            assert_eq!(failed_bars(kind, &figures), ["Sessions lost"]);
            let figures = Figures {
                uploads: kept.clone(),
                ..perfect()
            };
            assert_eq!(failed_bars(kind, &figures), ["Uploads lost"]);
        }
    }
}

#[test]
fn one_failed_request_fails_a_deployment_and_not_a_failover() {
    let figures = Figures {
        failed: 1,
        ..perfect()
    };
    assert_eq!(
        failed_bars(DrillKind::DeployGood, &figures),
        ["Failed requests"]
    );
    assert_eq!(
        failed_bars(DrillKind::DeployBad, &figures),
        ["Failed requests"]
    );
    assert_eq!(failed_bars(DrillKind::DbFailover, &figures), [""; 0]);
}

#[test]
fn a_bad_deployment_is_rolled_back_with_its_reason_to_the_old_release() {
    for reason in [None, Some(" ".to_owned())] {
        let figures = Figures {
            rolled_back: reason,
            ..perfect()
        };
        assert_eq!(
            failed_bars(DrillKind::DeployBad, &figures),
            ["Rolled back by itself"]
        );
    }
    for revisions in [
        vec![],
        vec!["r2".to_owned()],
        vec!["r1".to_owned(), "r2".to_owned()],
    ] {
        let figures = Figures {
            revisions_after: revisions,
            ..perfect()
        };
        let failed = failed_bars(DrillKind::DeployBad, &figures);
        assert_eq!(failed, ["Release that serves afterwards"]);
    }
}

#[test]
fn a_killed_balancer_node_takes_only_its_own_requests_along() {
    let figures = Figures {
        failed: 3,
        failed_idempotent: 2,
        ..perfect()
    };
    assert_eq!(failed_bars(DrillKind::LbLoss, &figures), [""; 0]);
    let figures = Figures {
        failed: 3,
        failed_not_in_flight: 1,
        ..perfect()
    };
    assert_eq!(
        failed_bars(DrillKind::LbLoss, &figures),
        ["Failed requests that were not in flight at the fault"]
    );
}

#[test]
fn a_killed_task_takes_only_its_own_writes_along() {
    let figures = Figures {
        failed: 3,
        ..perfect()
    };
    assert_eq!(failed_bars(DrillKind::TaskLoss, &figures), [""; 0]);
    let figures = Figures {
        failed: 3,
        failed_not_in_flight: 1,
        ..perfect()
    };
    let failed = failed_bars(DrillKind::TaskLoss, &figures);
    assert_eq!(
        failed,
        ["Failed requests that were not in flight at the fault"]
    );
    let figures = Figures {
        failed: 3,
        failed_idempotent: 1,
        ..perfect()
    };
    assert_eq!(
        failed_bars(DrillKind::TaskLoss, &figures),
        ["Failed idempotent requests"]
    );
}

#[test]
fn two_health_checks_after_the_loss_of_a_zone_nothing_fails() {
    let at = |last: u64| {
        let timing = Timing {
            last_failed_sent_microseconds: Some(last),
            ..perfect().timing
        };
        Figures {
            failed: 9,
            timing,
            ..perfect()
        }
    };
    let limit = 2 * sample::settings().health_check_interval_microseconds;
    assert_eq!(failed_bars(DrillKind::ZoneLoss, &at(limit)), [""; 0]);
    let failed = failed_bars(DrillKind::ZoneLoss, &at(limit + 1));
    assert_eq!(failed, ["Last failed request sent after the fault"]);
}

#[test]
fn the_database_is_writable_in_five_seconds_and_should_be_in_two() {
    let after = |microseconds: Option<u64>| {
        let timing = Timing {
            writable_again_microseconds: microseconds,
            ..perfect().timing
        };
        Figures {
            timing,
            ..perfect()
        }
    };
    let figures = after(Some(3_000_000));
    assert_eq!(failed_bars(DrillKind::DbFailover, &figures), [""; 0]);
    let verdict = judge(DrillKind::DbFailover, &figures, &sample::settings());
    assert!(verdict.bars.iter().any(|bar| !bar.passed && !bar.required));
    for never in [Some(5_000_001), None] {
        assert_eq!(
            failed_bars(DrillKind::DbFailover, &after(never)),
            ["Writable again"]
        );
    }
}

#[test]
fn a_drill_that_proves_nothing_fails() {
    let figures = Figures {
        was_interrupted: true,
        ..perfect()
    };
    assert_eq!(
        failed_bars(DrillKind::TaskLoss, &figures),
        ["Drill held to its end"]
    );
    let figures = Figures {
        lateness_p99_microseconds: 500_001,
        ..perfect()
    };
    assert_eq!(
        failed_bars(DrillKind::TaskLoss, &figures),
        ["Load generator late (p99)"]
    );
    let figures = Figures {
        failed_before: 1,
        ..perfect()
    };
    let failed = failed_bars(DrillKind::ZoneLoss, &figures);
    assert_eq!(failed, ["Failed requests before the fault"]);
    let timing = Timing {
        whole_again_microseconds: None,
        ..perfect().timing
    };
    let figures = Figures {
        timing,
        ..perfect()
    };
    for kind in DrillKind::ALL {
        assert_eq!(failed_bars(kind, &figures), ["Whole again by itself"]);
    }
}

#[test]
fn a_series_is_judged_by_its_median_and_its_worst() {
    let series = |times: &[Option<u64>]| -> Vec<bool> {
        let reports: Vec<DrillReport> = times
            .iter()
            .map(|time| {
                let mut report = sample::report();
                report.figures.writes.kept.lost = 0;
                report.figures.timing.writable_again_microseconds = *time;
                report
            })
            .collect();
        judge_db_failovers(&reports)
            .bars
            .iter()
            .map(|bar| bar.passed)
            .collect()
    };
    let [fast, slow, slower] = [Some(1_000_000), Some(4_000_000), Some(6_000_000)];
    assert_eq!(series(&[fast, fast, slow]), [true, true, true]);
    assert_eq!(series(&[slow, fast, slow]), [true, false, true]);
    assert_eq!(series(&[fast, fast, slower]), [true, true, false]);
    assert_eq!(series(&[fast, fast, None]), [true, true, false]);
    assert_eq!(series(&[]), [true, false, false]);
}
