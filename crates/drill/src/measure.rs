//! From records to figures. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::histogram::Histogram;
use crate::outcome::Failure;
use crate::record::{Record, RequestKind};
use crate::report::{
    FailureFigures, Figures, KindFigures, Latency, PhaseFigures, SecondFigures, TaskFigures, Timing,
};
use crate::timeline::{Injection, Timeline};
use crate::verify::Verified;

const SECOND: u64 = 1_000_000;

/// Everything that a drill recorded. Times are microseconds since the load began.
pub(crate) struct Recorded<'a> {
    pub(crate) records: &'a [Record],
    pub(crate) timeline: &'a Timeline,
    pub(crate) injection: Option<&'a Injection>,
    /// When the load ended.
    pub(crate) load_end: u64,
    /// How long after its injection the fault may take to show.
    pub(crate) onset: u64,
    pub(crate) lateness: &'a Histogram,
    pub(crate) was_interrupted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Before,
    During,
    After,
}

impl Recorded<'_> {
    /// All figures.
    pub(crate) fn figures(&self, verified: Verified) -> Figures {
        let failed = || self.records.iter().filter(|record| record.has_failed());
        let count = |failed: usize| failed as u64;
        Figures {
            load_microseconds: self.load_end,
            was_interrupted: self.was_interrupted,
            fault_microseconds: self.injection.map(|injection| injection.started),
            fault_ended_microseconds: self.injection.map(|injection| injection.ended),
            sent: self.records.len() as u64,
            failed: count(failed().count()),
            failed_idempotent: count(failed().filter(|it| it.kind.is_idempotent()).count()),
            failed_before: count(
                failed()
                    .filter(|it| self.phase(it) == Phase::Before)
                    .count(),
            ),
            failed_not_in_flight: count(failed().filter(|it| !self.was_in_flight(it)).count()),
            phases: self.phases(),
            kinds: self.kinds(),
            failures: self.failures(),
            seconds: self.seconds(),
            tasks: self.tasks(),
            revisions_before: self.revisions(Phase::Before),
            revisions_after: self.revisions(Phase::After),
            timing: self.timing(),
            writes: verified.writes,
            sessions: verified.sessions,
            uploads: verified.uploads,
            rolled_back: self.timeline.rolled_back().map(str::to_owned),
            lateness_p99_microseconds: self.lateness.quantile(990),
        }
    }

    fn whole_since(&self) -> Option<u64> {
        self.injection
            .and_then(|injection| self.timeline.whole_since(injection))
    }

    /// When the last phase begins: whole again, and late enough for the fault to have shown if it was
    /// never seen.
    fn settled_at(&self) -> Option<u64> {
        let would_show = self.injection?.ended + self.onset;
        self.whole_since().map(|since| since.max(would_show))
    }

    fn phase(&self, record: &Record) -> Phase {
        match self.injection {
            Some(injection) if record.finished >= injection.started => {
                let is_after = self
                    .settled_at()
                    .is_some_and(|settled| record.due >= settled);
                if is_after {
                    Phase::After
                } else {
                    Phase::During
                }
            }
            _ => Phase::Before,
        }
    }

    /// Whether a request was on its way while the fault was injected.
    fn was_in_flight(&self, record: &Record) -> bool {
        self.injection.is_some_and(|injection| {
            record.sent <= injection.ended && record.finished >= injection.started
        })
    }

    fn phases(&self) -> Vec<PhaseFigures> {
        let fault = self
            .injection
            .map_or(self.load_end, |injection| injection.started);
        let settled = self
            .settled_at()
            .unwrap_or(self.load_end)
            .clamp(fault, self.load_end);
        let phases = [
            (Phase::Before, "before", fault),
            (Phase::During, "during", settled - fault),
            (Phase::After, "after", self.load_end - settled),
        ];
        let figures = phases.map(|(phase, name, length)| {
            let records: Vec<&Record> = self
                .records
                .iter()
                .filter(|record| self.phase(record) == phase)
                .collect();
            PhaseFigures {
                phase: name.to_owned(),
                length_microseconds: length,
                sent: records.len() as u64,
                failed: records.iter().filter(|record| record.has_failed()).count() as u64,
                latency: latency(&records),
            }
        });
        figures.into()
    }

    fn kinds(&self) -> Vec<KindFigures> {
        let mut groups: BTreeMap<RequestKind, Vec<&Record>> = BTreeMap::new();
        for record in self.records {
            groups.entry(record.kind).or_default().push(record);
        }
        let figures = groups.into_iter().map(|(kind, records)| KindFigures {
            kind: kind.to_string(),
            sent: records.len() as u64,
            failed: records.iter().filter(|record| record.has_failed()).count() as u64,
            latency: latency(&records),
        });
        figures.collect()
    }

    fn failures(&self) -> Vec<FailureFigures> {
        let mut groups: BTreeMap<(RequestKind, Failure), FailureFigures> = BTreeMap::new();
        for record in self.records {
            let Err(failure) = record.outcome else {
                continue;
            };
            let figures = groups
                .entry((record.kind, failure))
                .or_insert_with(|| FailureFigures {
                    kind: record.kind.to_string(),
                    failure: failure.to_string(),
                    count: 0,
                    first_microseconds: record.due,
                    last_microseconds: record.due,
                });
            figures.count += 1;
            figures.first_microseconds = figures.first_microseconds.min(record.due);
            figures.last_microseconds = figures.last_microseconds.max(record.due);
        }
        groups.into_values().collect()
    }

    fn seconds(&self) -> Vec<SecondFigures> {
        let mut groups: BTreeMap<u64, Vec<&Record>> = BTreeMap::new();
        for record in self.records {
            groups.entry(record.due / SECOND).or_default().push(record);
        }
        let length = groups.keys().next_back().map_or(0, |last| last + 1);
        let figures = (0..length).map(|second| {
            let records = groups.remove(&second).unwrap_or_default();
            let failed = records.iter().filter(|record| record.has_failed()).count();
            SecondFigures {
                second,
                succeeded: (records.len() - failed) as u64,
                failed: failed as u64,
                latency: latency(&records),
            }
        });
        figures.collect()
    }

    fn tasks(&self) -> Vec<TaskFigures> {
        let mut tasks: BTreeMap<&str, TaskFigures> = BTreeMap::new();
        for record in self.records {
            let answerer = record.answerer.as_deref();
            let Some(task) = answerer.and_then(|answerer| answerer.task.as_deref()) else {
                continue;
            };
            let none = TaskFigures {
                task: task.to_owned(),
                before: 0,
                during: 0,
                after: 0,
            };
            let figures = tasks.entry(task).or_insert(none);
            match self.phase(record) {
                Phase::Before => figures.before += 1,
                Phase::During => figures.during += 1,
                Phase::After => figures.after += 1,
            }
        }
        tasks.into_values().collect()
    }

    fn revisions(&self, phase: Phase) -> Vec<String> {
        let revisions: BTreeSet<&str> = self
            .records
            .iter()
            .filter(|record| self.phase(record) == phase)
            .filter_map(|record| record.answerer.as_deref()?.revision.as_deref())
            .collect();
        revisions.into_iter().map(str::to_owned).collect()
    }

    fn timing(&self) -> Timing {
        let longest_write_gap = longest_gap(&self.write_times(), |_| true);
        let Some(injection) = self.injection else {
            return Timing {
                longest_write_gap_microseconds: longest_write_gap.map(|(from, to)| to - from),
                ..Timing::default()
            };
        };
        let fault = injection.started;
        let failed = || {
            self.records
                .iter()
                .filter(|record| record.has_failed() && record.finished >= fault)
        };
        let since_fault = |time: u64| time.saturating_sub(fault);
        let first_failure = failed().map(|record| since_fault(record.finished)).min();
        let seen_broken = self.timeline.first_broken(fault).map(since_fault);
        Timing {
            detected_microseconds: first_failure.into_iter().chain(seen_broken).min(),
            first_failure_microseconds: first_failure,
            seen_broken_microseconds: seen_broken,
            last_failure_microseconds: failed().map(|it| since_fault(it.finished)).max(),
            last_failed_sent_microseconds: failed().map(|it| since_fault(it.sent)).max(),
            whole_again_microseconds: self.whole_since().map(since_fault),
            writable_again_microseconds: self.writable_again(injection),
            longest_write_gap_microseconds: longest_write_gap.map(|(from, to)| to - from),
        }
    }

    /// When the writes were acknowledged, in order.
    fn write_times(&self) -> Vec<u64> {
        let writes = self
            .records
            .iter()
            .filter(|record| record.kind == RequestKind::TokenWrite && !record.has_failed());
        let mut times: Vec<u64> = writes.map(|record| record.finished).collect();
        times.sort_unstable();
        times
    }

    fn writable_again(&self, injection: &Injection) -> Option<u64> {
        let latest_begin = injection.ended + self.onset;
        let times: Vec<u64> = std::iter::once(0).chain(self.write_times()).collect();
        // A gap that did not end is the longest of all, and the database never took writes again.
        let last = *times.last()?;
        let load_end = self
            .records
            .iter()
            .map(|record| record.finished)
            .max()
            .unwrap_or(0);
        let began_with_fault =
            |(from, to): (u64, u64)| from <= latest_begin && to > injection.started;
        let ended = longest_gap(&times, began_with_fault);
        if last <= latest_begin {
            let open = load_end.saturating_sub(last);
            if ended.is_none_or(|(from, to)| to - from < open) {
                return None;
            }
        }
        ended.map(|(_, to)| to - injection.started)
    }
}

/// The longest distance between two neighbours, of those that count.
fn longest_gap(times: &[u64], counts: impl Fn((u64, u64)) -> bool) -> Option<(u64, u64)> {
    let gaps = times
        .windows(2)
        .map(|pair| (pair[0], pair[1]))
        .filter(|gap| counts(*gap));
    gaps.max_by_key(|(from, to)| to - from)
}

fn latency(records: &[&Record]) -> Latency {
    let succeeded = records.iter().filter(|record| !record.has_failed());
    let histogram: Histogram = succeeded.map(|record| record.latency()).collect();
    Latency {
        p50_microseconds: histogram.quantile(500),
        p95_microseconds: histogram.quantile(950),
        p99_microseconds: histogram.quantile(990),
        maximum_microseconds: histogram.maximum(),
    }
}

#[cfg(test)]
mod tests;
