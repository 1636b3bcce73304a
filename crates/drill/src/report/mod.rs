//! The report of a drill: a value, from which JSON, text and HTML are made.

mod chart;
mod html;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kind::DrillKind;
use crate::plan::Mix;
use crate::verdict::Verdict;

pub use html::render_html;
pub use text::render_text;

/// The version of the report's JSON. It changes when a field is renamed or removed, or means
/// something else.
pub const REPORT_VERSION: u32 = 1;

/// A drill that was held. Times `…_microseconds` count from the start of the load unless their
/// description says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Which drill.
    pub kind: DrillKind,
    /// The environment's name.
    pub environment: String,
    /// The address that the load was sent to, with the host it asked for.
    pub target: String,
    /// When the load began, in UTC, RFC 3339.
    pub started_at: String,
    /// What was running: `mck`, `release`, …
    pub versions: BTreeMap<String, String>,
    /// The load that was asked for.
    pub settings: Settings,
    /// What the fault does, in its own words.
    pub fault: String,
    /// What happened, in the order of time.
    pub steps: Vec<Step>,
    /// The figures.
    pub figures: Figures,
    /// The figures held against the bars of this drill.
    pub verdict: Verdict,
}

/// The load that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The constant rate.
    pub requests_per_second: u32,
    /// The weights of the sorts of requests.
    pub mix: Mix,
    /// The seed of their order.
    pub seed: u64,
    /// The limit of a request.
    pub request_limit_microseconds: u64,
    /// The interval of the load balancer's health check.
    pub health_check_interval_microseconds: u64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub at_microseconds: u64,
    /// What, as a sentence without a full stop.
    pub what: String,
}

/// All that was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How long requests were sent, from the first due to the end of the load.
    pub load_microseconds: u64,
    /// The drill was stopped before its end.
    pub was_interrupted: bool,
    /// When the fault was begun to be injected.
    pub fault_microseconds: Option<u64>,
    /// When the injection had ended.
    pub fault_ended_microseconds: Option<u64>,
    /// Requests sent.
    pub sent: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Failed requests that may be sent again without asking (`GET`).
    pub failed_idempotent: u64,
    /// Failed requests that had ended before the fault.
    pub failed_before: u64,
    /// Failed requests that were not under way while the fault was injected.
    pub failed_not_in_flight: u64,
    /// The three phases: before the fault, until everything is whole again, and after.
    pub phases: Vec<PhaseFigures>,
    /// Each sort of request.
    pub kinds: Vec<KindFigures>,
    /// The failures, by sort of request and reason.
    pub failures: Vec<FailureFigures>,
    /// Every second of the load, by the instant that requests were due.
    pub seconds: Vec<SecondFigures>,
    /// Requests answered by each task, as far as it said so, before and after.
    pub tasks: Vec<TaskFigures>,
    /// Releases that answered before the fault.
    pub revisions_before: Vec<String>,
    /// Releases that answered after everything was whole again.
    pub revisions_after: Vec<String>,
    /// How fast it was noticed and mended.
    pub timing: Timing,
    /// Rows written to the database.
    pub writes: Writes,
    /// Sessions with acknowledged values, and logins.
    pub sessions: Kept,
    /// Pictures uploaded.
    pub uploads: Kept,
    /// Why a deployment was rolled back by itself, if one was.
    pub rolled_back: Option<String>,
    /// By how much the load generator was late with its requests, 99th percentile.
    pub lateness_p99_microseconds: u64,
}

/// One phase of the load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseFigures {
    /// `before`, `during` or `after`.
    pub phase: String,
    /// How long it was.
    pub length_microseconds: u64,
    /// Requests that belong to it: `before` those that had ended before the fault, `after` those that
    /// were due after the recovery, `during` all others.
    pub sent: u64,
    /// Those that failed.
    pub failed: u64,
    /// The latency of those that did not.
    pub latency: Latency,
}

/// Latency of requests that succeeded, from the instant that they were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Median.
    pub p50_microseconds: u64,
    /// 95th percentile.
    pub p95_microseconds: u64,
    /// 99th percentile.
    pub p99_microseconds: u64,
    /// The longest.
    pub maximum_microseconds: u64,
}

/// One sort of request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindFigures {
    /// What was asked for.
    pub kind: String,
    /// Requests sent.
    pub sent: u64,
    /// Those that failed.
    pub failed: u64,
    /// The latency of those that did not.
    pub latency: Latency,
}

/// Requests of one sort that failed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureFigures {
    /// What was asked for.
    pub kind: String,
    /// What came instead: `connection refused`, `HTTP 503`, `timeout`, `wrong content`, …
    pub failure: String,
    /// How many.
    pub count: u64,
    /// When the first of them was due.
    pub first_microseconds: u64,
    /// When the last of them was due.
    pub last_microseconds: u64,
}

/// One second of the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFigures {
    /// Which, from 0.
    pub second: u64,
    /// Requests that succeeded.
    pub succeeded: u64,
    /// Requests that failed.
    pub failed: u64,
    /// The latency of those that succeeded.
    pub latency: Latency,
}

/// Answers of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFigures {
    /// Its identifier.
    pub task: String,
    /// Answers before the fault.
    pub before: u64,
    /// Answers until everything was whole again.
    pub during: u64,
    /// Answers afterwards.
    pub after: u64,
}

/// Times from the start of the fault, unless told otherwise. Nothing where it did not happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Until something was noticed: the first request that failed, or the observer's first sight of
    /// it, whichever was earlier.
    pub detected_microseconds: Option<u64>,
    /// Until the first request failed.
    pub first_failure_microseconds: Option<u64>,
    /// Until the observer saw that something was broken.
    pub seen_broken_microseconds: Option<u64>,
    /// Until the last request failed.
    pub last_failure_microseconds: Option<u64>,
    /// Until the last of the requests that were to fail was sent.
    pub last_failed_sent_microseconds: Option<u64>,
    /// Until the observer saw everything whole again, for good.
    pub whole_again_microseconds: Option<u64>,
    /// Until the database took writes again: the end of the longest time without an acknowledged
    /// write among those that began before the fault could have shown.
    pub writable_again_microseconds: Option<u64>,
    /// The longest time of the whole load without an acknowledged write.
    pub longest_write_gap_microseconds: Option<u64>,
}

/// What was acknowledged, and what of it was found in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What the store said that it had stored.
    pub acknowledged: u64,
    /// What of it was not there.
    pub lost: u64,
    /// What of it could not be looked up.
    pub unverified: u64,
    /// The first of what was lost.
    pub examples: Vec<String>,
}

/// Rows written, each with a token of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writes {
    /// Acknowledged ones.
    #[serde(flatten)]
    pub kept: Kept,
    /// Acknowledged as being there already: repeated on the way to the store.
    pub duplicates: u64,
    /// Writes without an answer, or with one that leaves open what happened.
    pub unanswered: u64,
    /// Those of them that were stored nevertheless.
    pub unanswered_but_stored: u64,
}

impl DrillReport {
    /// The report as JSON, for other programs.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("all keys of a report are strings")
    }

    /// Reads a report back.
    ///
    /// # Errors
    ///
    /// When it is not a report of [`REPORT_VERSION`].
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        let report: Self = serde_json::from_str(json)?;
        if report.version == REPORT_VERSION {
            Ok(report)
        } else {
            let found = format!("version {} of a report is not known", report.version);
            Err(<serde_json::Error as serde::de::Error>::custom(found))
        }
    }
}
