//! Which snapshot and which binary logs lead to a moment: rules without input or output.

use std::path::PathBuf;

use jiff::Timestamp;
use mck_server_config::mariadb::gtid::{Gtid, Position};

use super::{Archive, ArchivedBinlog, Snapshot, Stream, Timeline};

/// What a database is restored to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A snapshot as it is.
    Snapshot(String),
    /// The moment before the first write of this second. Binary logs know whole seconds only.
    Time(Timestamp),
}

/// Binary logs that are replayed one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The files, oldest first.
    pub files: Vec<PathBuf>,
    /// From after which transaction.
    pub start: Position,
    /// The last transaction, where the history goes on in another server's logs.
    pub stop: Option<Position>,
}

/// How to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestorePlan {
    /// The snapshot to begin with.
    pub snapshot: String,
    /// Where that stands.
    pub start: Position,
    /// What to replay after it.
    pub segments: Vec<Segment>,
    /// Where to end; nothing for the snapshot as it is.
    pub until: Option<Timestamp>,
}

/// A span of time to any moment of which the database can be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// Why there is no way to what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is nothing to restore.
    #[error("there is no snapshot yet")]
    NoSnapshots,
    /// There is no such snapshot.
    #[error("there is no snapshot {id}; there are {}", known.join(", "))]
    UnknownSnapshot {
        /// What was asked for.
        id: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Snapshots and binary logs don't lead there.
    #[error("{time:.0} can't be restored; available: {}", ranges(available))]
    OutOfRange {
        /// What was asked for.
        time: Timestamp,
        /// What there is.
        available: Vec<Range>,
    },
}

fn ranges(available: &[Range]) -> String {
    if available.is_empty() {
        return "nothing, as binary logs after the snapshots are missing".to_owned();
    }
    let range = |range: &Range| format!("{:.0} to {:.0}", range.from, range.to);
    available.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// Plans a restore.
///
/// # Errors
/// When snapshots and binary logs don't lead there.
pub fn plan_restore(
    snapshots: &[Snapshot],
    archive: &Archive,
    target: &Target,
) -> Result<RestorePlan, PlanError> {
    if snapshots.is_empty() {
        return Err(PlanError::NoSnapshots);
    }
    match target {
        Target::Snapshot(id) => plan_snapshot(snapshots, id),
        Target::Time(time) => plan_time(snapshots, archive, *time),
    }
}

fn plan_snapshot(snapshots: &[Snapshot], id: &str) -> Result<RestorePlan, PlanError> {
    let found = snapshots
        .iter()
        .find(|snapshot| snapshot.id == id)
        .and_then(|snapshot| Some((snapshot, snapshot.gtid.parse().ok()?)));
    let (snapshot, start) = found.ok_or_else(|| PlanError::UnknownSnapshot {
        id: id.to_owned(),
        known: snapshots.iter().map(|known| known.id.clone()).collect(),
    })?;
    Ok(RestorePlan {
        snapshot: snapshot.id.clone(),
        start,
        segments: Vec::new(),
        until: None,
    })
}

fn plan_time(
    snapshots: &[Snapshot],
    archive: &Archive,
    time: Timestamp,
) -> Result<RestorePlan, PlanError> {
    let timeline = archive
        .timelines
        .iter()
        .filter(|timeline| timeline.began <= time && end(archive, timeline) >= Some(time))
        .max_by_key(|timeline| timeline.number);
    let mut bases: Vec<&Snapshot> = snapshots
        .iter()
        .filter(|snapshot| {
            snapshot.time <= time && timeline.is_some_and(|it| it.number == snapshot.timeline)
        })
        .collect();
    bases.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.time));
    let plan = bases.into_iter().find_map(|snapshot| {
        let start: Position = snapshot.gtid.parse().ok()?;
        Some(RestorePlan {
            snapshot: snapshot.id.clone(),
            segments: chain(&start, &timeline?.streams)?,
            start,
            until: Some(time),
        })
    });
    plan.ok_or_else(|| PlanError::OutOfRange {
        time,
        available: restorable(snapshots, archive),
    })
}

/// Until when the archive tells a timeline's history.
fn end(archive: &Archive, timeline: &Timeline) -> Option<Timestamp> {
    let archived = timeline.streams.first().map(|stream| stream.archived);
    let next = archive
        .timelines
        .iter()
        .filter(|later| later.number > timeline.number)
        .map(|later| later.began)
        .min();
    match (archived, next) {
        (Some(archived), Some(next)) => Some(archived.min(next)),
        (archived, _) => archived,
    }
}

/// The spans of time that can be restored, oldest first.
pub fn restorable(snapshots: &[Snapshot], archive: &Archive) -> Vec<Range> {
    let range = |timeline: &Timeline| {
        let leads_on = |snapshot: &&Snapshot| {
            let start = snapshot.gtid.parse::<Position>();
            snapshot.timeline == timeline.number
                && start.is_ok_and(|start| chain(&start, &timeline.streams).is_some())
        };
        let from = snapshots
            .iter()
            .filter(leads_on)
            .map(|snapshot| snapshot.time)
            .min()?;
        let to = end(archive, timeline)?;
        (from <= to).then_some(Range { from, to })
    };
    archive.timelines.iter().filter_map(range).collect()
}

/// The binary logs that lead from a position to the end of the newest stream. Where that one begins
/// later, as a promoted reader's may, the older ones must lead to its beginning; what an old writer
/// wrote beyond that never happened.
fn chain(from: &Position, streams: &[Stream]) -> Option<Vec<Segment>> {
    let (newest, older) = streams.split_first()?;
    let whole = consecutive(&newest.files);
    let first = &whole.first()?.summary;
    if from.reaches(&first.start) && from.iter().all(|gtid| holds(whole, gtid)) {
        return Some(vec![segment(from, whole, None)]);
    }
    let start = first.start.clone();
    let mut before = chain(from, older)?;
    let told = |gtid: &Gtid| {
        let mut streams = older.iter();
        streams.any(|stream| holds(consecutive(&stream.files), gtid))
    };
    if !start.reaches(from) || !start.iter().all(told) {
        return None;
    }
    before.last_mut()?.stop = Some(start.clone());
    before.push(segment(&start, whole, None));
    Some(before)
}

fn holds(files: &[ArchivedBinlog], gtid: &Gtid) -> bool {
    files.iter().any(|file| file.summary.holds(gtid))
}

fn segment(from: &Position, files: &[ArchivedBinlog], stop: Option<Position>) -> Segment {
    // The file in which the position lies is the last one that begins at or before it.
    let first = files
        .iter()
        .rposition(|file| from.reaches(&file.summary.start))
        .unwrap_or(0);
    Segment {
        files: files[first..]
            .iter()
            .map(|file| file.path.clone())
            .collect(),
        start: from.clone(),
        stop,
    }
}

/// The newest files between which nothing is missing.
fn consecutive(files: &[ArchivedBinlog]) -> &[ArchivedBinlog] {
    let gap = files
        .windows(2)
        .rposition(|pair| pair[1].number() != pair[0].number().map(|number| number + 1));
    &files[gap.map_or(0, |gap| gap + 1)..]
}

#[cfg(test)]
mod tests {
    use mck_server_config::mariadb::binlog::{Run, Summary};

    use super::*;
    use crate::backup::Kind;

    fn time(text: &str) -> Timestamp {
        format!("2026-11-24T{text}:00Z").parse().unwrap()
    }

    fn snapshot(at: &str, timeline: u32, gtid: &str) -> Snapshot {
        Snapshot {
            id: format!("s-{at}"),
            kind: Kind::Automatic,
            time: time(at),
            timeline,
            gtid: gtid.to_owned(),
            server: "db-0".to_owned(),
            server_version: String::new(),
            size: 0,
            schemas: Vec::new(),
        }
    }

    /// A file with one server's transactions after a position.
    fn file(
        name: &str,
        start: &str,
        server: u32,
        numbers: std::ops::RangeInclusive<u64>,
    ) -> ArchivedBinlog {
        let run = Run {
            domain: 0,
            server,
            first: *numbers.start(),
            last: *numbers.end(),
        };
        ArchivedBinlog {
            path: name.into(),
            summary: Summary {
                length: 1,
                start: start.parse().unwrap(),
                runs: vec![run],
            },
        }
    }

    fn timeline(number: u32, began: &str, streams: Vec<(&str, Vec<ArchivedBinlog>)>) -> Timeline {
        let streams = streams.into_iter().map(|(archived, files)| Stream {
            server: "db".to_owned(),
            archived: time(archived),
            files,
        });
        Timeline {
            number,
            began: time(began),
            streams: streams.collect(),
        }
    }

    fn archive() -> Archive {
        let writer = vec![
            file("a/b.000001", "", 1, 1..=10),
            file("a/b.000002", "0-1-10", 1, 11..=20),
            // 21 and 22 were never acknowledged: the reader that was promoted does not have them.
            file("a/b.000003", "0-1-20", 1, 21..=22),
        ];
        let promoted = vec![
            file("b/b.000007", "0-1-15", 1, 16..=20),
            file("b/b.000008", "0-1-20", 2, 21..=30),
        ];
        let restored = vec![file("c/b.000001", "0-1-12", 1, 13..=14)];
        Archive {
            timelines: vec![
                timeline(1, "00:00", vec![("10:00", promoted), ("08:00", writer)]),
                timeline(2, "11:00", vec![("12:00", restored)]),
            ],
        }
    }

    fn files(plan: &RestorePlan) -> Vec<Vec<&str>> {
        let names = |segment: &Segment| -> Vec<String> {
            segment
                .files
                .iter()
                .map(|path| path.display().to_string())
                .collect()
        };
        plan.segments
            .iter()
            .map(|segment| {
                assert_eq!(names(segment).len(), segment.files.len());
                segment
                    .files
                    .iter()
                    .map(|path| path.to_str().unwrap())
                    .collect()
            })
            .collect()
    }

    fn plan(snapshots: &[Snapshot], at: &str) -> Result<RestorePlan, PlanError> {
        plan_restore(snapshots, &archive(), &Target::Time(time(at)))
    }

    #[test]
    fn the_newest_snapshot_before_the_moment_and_the_logs_after_it() {
        let snapshots = [
            snapshot("01:00", 1, "0-1-5"),
            snapshot("05:00", 1, "0-1-17"),
            snapshot("09:00", 1, "0-2-25"),
        ];
        let late = plan(&snapshots, "09:30").unwrap();
        assert_eq!(
            (late.snapshot.as_str(), files(&late)),
            ("s-09:00", vec![vec!["b/b.000008"]])
        );
        let middle = plan(&snapshots, "08:30").unwrap();
        assert_eq!(
            (middle.snapshot.as_str(), files(&middle)),
            ("s-05:00", vec![vec!["b/b.000007", "b/b.000008"]])
        );
        // The promoted reader's logs don't reach back so far.
        let early = plan(&snapshots, "04:00").unwrap();
        let expected = vec![
            vec!["a/b.000001", "a/b.000002", "a/b.000003"],
            vec!["b/b.000007", "b/b.000008"],
        ];
        assert_eq!(
            (early.snapshot.as_str(), files(&early)),
            ("s-01:00", expected)
        );
        assert_eq!(
            early.segments[0].stop.as_ref().unwrap().to_string(),
            "0-1-15"
        );
        assert_eq!(early.segments[1].start.to_string(), "0-1-15");
    }

    #[test]
    fn what_was_never_acknowledged_is_no_base() {
        let snapshots = [snapshot("07:00", 1, "0-1-22")];
        assert!(matches!(
            plan(&snapshots, "09:00"),
            Err(PlanError::OutOfRange { .. })
        ));
        let id = Target::Snapshot("s-07:00".to_owned());
        assert_eq!(
            plan_restore(&snapshots, &archive(), &id).unwrap().segments,
            []
        );
    }

    #[test]
    fn a_restore_begins_a_new_history_and_the_old_one_can_be_had_until_then() {
        let snapshots = [
            snapshot("05:00", 1, "0-1-17"),
            snapshot("11:30", 2, "0-1-13"),
        ];
        let new = plan(&snapshots, "11:45").unwrap();
        assert_eq!(files(&new), [["c/b.000001"]]);
        assert_eq!(plan(&snapshots, "09:00").unwrap().snapshot, "s-05:00");
        let error = plan(&snapshots, "11:10").unwrap_err().to_string();
        assert_eq!(
            error,
            "2026-11-24T11:10:00Z can't be restored; available: 2026-11-24T05:00:00Z to \
             2026-11-24T10:00:00Z, 2026-11-24T11:30:00Z to 2026-11-24T12:00:00Z"
        );
        assert!(plan(&snapshots, "12:01").is_err());
        assert!(plan(&snapshots, "04:59").is_err());
    }

    #[test]
    fn a_missing_log_is_a_gap() {
        let mut archive = archive();
        archive.timelines[0].streams.remove(0);
        archive.timelines[0].streams[0].files.remove(1);
        let snapshots = [
            snapshot("01:00", 1, "0-1-5"),
            snapshot("05:00", 1, "0-1-20"),
        ];
        let plan = |at| plan_restore(&snapshots, &archive, &Target::Time(time(at)));
        assert_eq!(files(&plan("06:00").unwrap()), [["a/b.000003"]]);
        let error = plan("04:00").unwrap_err();
        let PlanError::OutOfRange { available, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(
            available,
            [Range {
                from: time("05:00"),
                to: time("08:00")
            }]
        );
    }

    #[test]
    fn unknown_snapshots_are_named_with_those_there_are() {
        let target = Target::Snapshot("x".to_owned());
        assert_eq!(
            plan_restore(&[], &archive(), &target),
            Err(PlanError::NoSnapshots)
        );
        let error = plan_restore(&[snapshot("01:00", 1, "")], &archive(), &target).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no snapshot x; there are s-01:00"
        );
    }
}
