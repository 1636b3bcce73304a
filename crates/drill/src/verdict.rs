//! Figures held against what must hold. Pure.

use serde::{Deserialize, Serialize};

use crate::kind::DrillKind;
use crate::report::{DrillReport, Figures, Kept, Settings};
use crate::units::{count, time, time_or_never};

/// How soon the database must take writes again, at the worst.
const WRITABLE_WORST: u64 = 5_000_000;
/// How soon it typically does.
const WRITABLE_TYPICAL: u64 = 2_000_000;
/// How late the load generator may be with its requests, so that every second still has its share. Later,
/// the machine was too busy for its figures to mean something.
const LATENESS: u64 = 500_000;

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
        // The requests that the node had are lost with it; those of the other nodes are not.
        DrillKind::LbLoss => vec![only_in_flight(figures), whole_again(figures)],
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
mod tests;
