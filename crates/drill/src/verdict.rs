//! Figures held against what must hold. Pure.

use serde::{Deserialize, Serialize};

use crate::plan::DrillKind;
use crate::report::{DrillReport, Figures, Kept, Settings};
use crate::units::{count, time, time_or_never};

/// How soon the database must take writes again, at the worst.
const WRITABLE_WORST: u64 = 5_000_000;
/// How soon it typically does.
const WRITABLE_TYPICAL: u64 = 2_000_000;
/// How late the load generator may be with its requests for its figures to mean something.
const LATENESS: u64 = 100_000;

/// A bar and the figure held against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// What is measured.
    pub name: String,
    /// What it must be.
    pub limit: String,
    /// What it was.
    pub measured: String,
    /// Whether it was so.
    pub passed: bool,
    /// Whether the drill fails without it. A bar that is not required is an aim.
    pub required: bool,
}

/// All bars of a drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// All that are required were passed.
    pub passed: bool,
    /// Each.
    pub bars: Vec<Bar>,
}

impl Verdict {
    fn of(bars: Vec<Bar>) -> Self {
        Self {
            passed: bars.iter().all(|bar| bar.passed || !bar.required),
            bars,
        }
    }
}

/// Holds the figures of a drill of this kind against its bars.
#[must_use]
pub fn judge(kind: DrillKind, figures: &Figures, settings: &Settings) -> Verdict {
    let mut bars = match kind {
        DrillKind::DeployGood => vec![no_failures(figures), whole_again(figures)],
        DrillKind::DeployBad => vec![
            no_failures(figures),
            rolled_back(figures),
            old_release_serves(figures),
            whole_again(figures),
        ],
        DrillKind::TaskLoss => {
            vec![
                only_in_flight(figures),
                idempotent_kept(figures),
                whole_again(figures),
            ]
        }
        DrillKind::ZoneLoss | DrillKind::ServerLoss => vec![
            soon_no_failures(figures, settings.health_check_interval_microseconds),
            whole_again(figures),
        ],
        DrillKind::DbFailover => {
            let worst = writable_again(figures, WRITABLE_WORST);
            let typical = Bar {
                required: false,
                ..writable_again(figures, WRITABLE_TYPICAL)
            };
            vec![worst, typical, whole_again(figures)]
        }
        DrillKind::CacheFailover => vec![whole_again(figures)],
    };
    bars.push(nothing_lost(
        "Acknowledged writes lost",
        &figures.writes.kept,
    ));
    bars.push(nothing_lost("Sessions lost", &figures.sessions));
    bars.push(nothing_lost("Uploads lost", &figures.uploads));
    bars.push(steady_before(figures));
    bars.push(ran_to_its_end(figures));
    bars.push(load_was_held(figures));
    Verdict::of(bars)
}

/// Holds several database failovers against the bars of a series: no acknowledged write lost in any,
/// writable again within 2 s in the median and 5 s in the worst.
#[must_use]
pub fn judge_db_failovers(reports: &[DrillReport]) -> Verdict {
    let lost: u64 = reports
        .iter()
        .map(|report| report.figures.writes.kept.lost)
        .sum();
    let unverified: u64 = reports
        .iter()
        .map(|report| report.figures.writes.kept.unverified)
        .sum();
    let acknowledged = reports
        .iter()
        .map(|report| report.figures.writes.kept.acknowledged)
        .sum();
    let sum = Kept {
        acknowledged,
        lost,
        unverified,
        examples: Vec::new(),
    };
    // What never became writable again took longer than anything.
    let mut times: Vec<Option<u64>> = reports
        .iter()
        .map(|it| it.figures.timing.writable_again_microseconds)
        .collect();
    times.sort_by_key(|time| time.unwrap_or(u64::MAX));
    let median = times
        .get(times.len().saturating_sub(1) / 2)
        .copied()
        .flatten();
    let worst = times.last().copied().flatten();
    Verdict::of(vec![
        nothing_lost("Acknowledged writes lost in all runs", &sum),
        within("Writable again, median", median, WRITABLE_TYPICAL),
        within("Writable again, worst", worst, WRITABLE_WORST),
    ])
}

fn bar(name: &str, limit: impl Into<String>, measured: impl Into<String>, passed: bool) -> Bar {
    let (limit, measured) = (limit.into(), measured.into());
    Bar {
        name: name.to_owned(),
        limit,
        measured,
        passed,
        required: true,
    }
}

fn none(name: &str, number: u64) -> Bar {
    bar(name, "0", count(number), number == 0)
}

fn within(name: &str, measured: Option<u64>, limit: u64) -> Bar {
    let passed = measured.is_some_and(|measured| measured <= limit);
    bar(
        name,
        format!("≤ {}", time(limit)),
        time_or_never(measured),
        passed,
    )
}

fn no_failures(figures: &Figures) -> Bar {
    none("Failed requests", figures.failed)
}

fn only_in_flight(figures: &Figures) -> Bar {
    none(
        "Failed requests that were not in flight at the fault",
        figures.failed_not_in_flight,
    )
}

fn idempotent_kept(figures: &Figures) -> Bar {
    none("Failed idempotent requests", figures.failed_idempotent)
}

fn steady_before(figures: &Figures) -> Bar {
    none("Failed requests before the fault", figures.failed_before)
}

/// Judged by the instant that a request was sent: one that hangs was lost when it was routed.
fn soon_no_failures(figures: &Figures, interval: u64) -> Bar {
    let last = figures.timing.last_failed_sent_microseconds;
    let measured = last.map_or_else(|| "none failed".to_owned(), time);
    let limit = 2 * interval;
    bar(
        "Last failed request sent after the fault",
        format!("≤ {} (2 health-check intervals)", time(limit)),
        measured,
        last.is_none_or(|last| last <= limit),
    )
}

fn whole_again(figures: &Figures) -> Bar {
    let whole = figures.timing.whole_again_microseconds;
    let measured = whole.map_or_else(|| "no".to_owned(), |whole| format!("after {}", time(whole)));
    bar("Whole again by itself", "yes", measured, whole.is_some())
}

fn writable_again(figures: &Figures, limit: u64) -> Bar {
    within(
        "Writable again",
        figures.timing.writable_again_microseconds,
        limit,
    )
}

fn rolled_back(figures: &Figures) -> Bar {
    let reason = figures.rolled_back.as_deref().unwrap_or_default().trim();
    let measured = match figures.rolled_back {
        None => "not rolled back",
        Some(_) if reason.is_empty() => "rolled back, no reason named",
        Some(_) => reason,
    };
    bar(
        "Rolled back by itself",
        "with its reason",
        measured,
        !reason.is_empty(),
    )
}

fn old_release_serves(figures: &Figures) -> Bar {
    let (before, after) = (&figures.revisions_before, &figures.revisions_after);
    let passed = !after.is_empty() && after.iter().all(|revision| before.contains(revision));
    let names = |revisions: &[String]| {
        if revisions.is_empty() {
            "not known".to_owned()
        } else {
            revisions.join(", ")
        }
    };
    bar(
        "Release that serves afterwards",
        names(before),
        names(after),
        passed,
    )
}

fn nothing_lost(name: &str, kept: &Kept) -> Bar {
    let mut measured = format!("{} of {}", count(kept.lost), count(kept.acknowledged));
    if kept.unverified > 0 {
        measured += &format!(", {} not verified", count(kept.unverified));
    }
    bar(name, "0", measured, kept.lost == 0 && kept.unverified == 0)
}

fn ran_to_its_end(figures: &Figures) -> Bar {
    let passed = !figures.was_interrupted && figures.fault_microseconds.is_some();
    bar(
        "Drill held to its end",
        "yes",
        if passed { "yes" } else { "stopped early" },
        passed,
    )
}

fn load_was_held(figures: &Figures) -> Bar {
    within(
        "Load generator late (p99)",
        Some(figures.lateness_p99_microseconds),
        LATENESS,
    )
}

#[cfg(test)]
mod tests {
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
            lateness_p99_microseconds: 100_001,
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
}
