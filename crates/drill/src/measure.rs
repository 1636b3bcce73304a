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
mod tests {
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
}
