//! When snapshots are made and how long they are kept: rules without input or output.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};

use super::{Kind, Snapshot, Timeline};

/// The daily backup window in UTC (RDS: "preferred backup window").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    opens: Time,
}

impl Window {
    /// Reads `HH:MM-HH:MM`; nothing where it is not that.
    pub fn parse(text: &str) -> Option<Self> {
        let (opens, closes) = text.split_once('-')?;
        let time = |text: &str| -> Option<Time> {
            let (hour, minute) = text.split_once(':')?;
            Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
        };
        time(closes)?;
        Some(Self {
            opens: time(opens)?,
        })
    }

    /// When it opened last, at or before a time.
    fn opened(self, now: Timestamp) -> Timestamp {
        let today = now.to_zoned(TimeZone::UTC).date();
        let open = |date: jiff::civil::Date| {
            let zoned = date.to_datetime(self.opens).to_zoned(TimeZone::UTC);
            zoned.map_or(Timestamp::MIN, |zoned| zoned.timestamp())
        };
        match open(today) {
            opened if opened <= now => opened,
            _ => today.yesterday().map_or(Timestamp::MIN, open),
        }
    }
}

/// Whether the daily snapshot is due. `last` is the time of the newest automatic one of the present
/// timeline; without one it is due at once, since nothing can be restored before. A machine that was
/// off while the window was open catches up.
pub fn due(last: Option<Timestamp>, now: Timestamp, window: Window) -> bool {
    last.is_none_or(|last| last < window.opened(now))
}

/// The automatic snapshots that are no longer needed to restore to any moment of the retention
/// period, so one more than those within it stays. Manual ones and the newest `keep_last` always
/// stay.
pub fn expired(
    snapshots: &[Snapshot],
    timelines: &[Timeline],
    now: Timestamp,
    retention: Duration,
    keep_last: usize,
) -> Vec<String> {
    let length = SignedDuration::try_from(retention).unwrap_or(SignedDuration::MAX);
    let Ok(limit) = now.checked_sub(length) else {
        return Vec::new();
    };
    let mut newest: Vec<&Snapshot> = snapshots.iter().collect();
    newest.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.time));
    let needed = |snapshot: &Snapshot| {
        let ended = timelines
            .iter()
            .filter(|timeline| timeline.number > snapshot.timeline)
            .map(|timeline| timeline.began)
            .min();
        let is_past = ended.is_some_and(|ended| ended <= limit);
        let has_later = snapshots.iter().any(|later| {
            later.timeline == snapshot.timeline && later.time > snapshot.time && later.time <= limit
        });
        snapshot.time > limit || !(is_past || has_later)
    };
    newest
        .iter()
        .skip(keep_last)
        .filter(|snapshot| snapshot.kind == Kind::Automatic && !needed(snapshot))
        .map(|snapshot| snapshot.id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn snapshot(time: &str, kind: Kind, timeline: u32) -> Snapshot {
        Snapshot {
            id: time.to_owned(),
            kind,
            time: at(time),
            timeline,
            gtid: String::new(),
            server: "db-0".to_owned(),
            server_version: String::new(),
            size: 0,
            schemas: Vec::new(),
        }
    }

    fn timeline(number: u32, began: &str) -> Timeline {
        Timeline {
            number,
            began: at(began),
            streams: Vec::new(),
        }
    }

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_snapshot_is_due_once_a_day_when_the_window_opens() {
        let window = Window::parse("01:00-02:00").unwrap();
        let cases = [
            (None, "2026-11-24T12:00:00Z", true),
            (Some("2026-11-24T01:00:00Z"), "2026-11-24T01:30:00Z", false),
            (Some("2026-11-24T01:10:00Z"), "2026-11-25T00:59:59Z", false),
            (Some("2026-11-24T01:10:00Z"), "2026-11-25T01:00:00Z", true),
            // Taken by hand or late in the day: not again before the window.
            (Some("2026-11-24T23:00:00Z"), "2026-11-25T00:30:00Z", false),
            (Some("2026-11-24T23:00:00Z"), "2026-11-25T01:00:01Z", true),
            // The machine was off.
            (Some("2026-11-20T01:00:00Z"), "2026-11-24T18:00:00Z", true),
            (Some("2026-11-23T01:00:00Z"), "2026-11-24T00:30:00Z", false),
        ];
        for (last, now, expected) in cases {
            assert_eq!(
                due(last.map(at), at(now), window),
                expected,
                "{last:?} {now}"
            );
        }
        for bad in ["", "1-2", "25:00-26:00", "01:00", "aa:bb-cc:dd"] {
            assert_eq!(Window::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_needed_for_any_moment_of_the_period_stays() {
        let (auto, manual) = (Kind::Automatic, Kind::Manual);
        let snapshots = [
            snapshot("2026-11-10T01:00:00Z", manual, 1),
            snapshot("2026-11-15T01:00:00Z", auto, 1),
            snapshot("2026-11-16T01:00:00Z", auto, 1),
            snapshot("2026-11-17T01:00:00Z", auto, 1),
            snapshot("2026-11-18T01:00:00Z", auto, 1),
        ];
        let now = at("2026-11-24T12:00:00Z");
        let one = [timeline(1, "2026-11-01T00:00:00Z")];
        // 7 days reach back to the 17th, 12:00, which needs the snapshot of the 17th, 01:00.
        assert_eq!(
            expired(&snapshots, &one, now, DAY * 7, 1),
            ["2026-11-16T01:00:00Z", "2026-11-15T01:00:00Z"]
        );
        assert_eq!(expired(&snapshots, &one, now, DAY * 35, 1).len(), 0);
        assert_eq!(expired(&snapshots, &one, now, Duration::MAX, 1).len(), 0);
        assert_eq!(expired(&snapshots, &one, now, DAY, 1).len(), 3);
        assert_eq!(expired(&snapshots, &one, now, DAY, 9).len(), 0);
        // A restore left the old history behind before the period began.
        let two = [one[0].clone(), timeline(2, "2026-11-17T02:00:00Z")];
        assert_eq!(
            expired(&snapshots, &two, now, DAY * 7, 1),
            [
                "2026-11-17T01:00:00Z",
                "2026-11-16T01:00:00Z",
                "2026-11-15T01:00:00Z"
            ]
        );
        assert_eq!(expired(&[], &one, now, DAY, 1).len(), 0);
    }

    proptest! {
        #[test]
        fn any_moment_that_was_restorable_within_the_period_still_is(
            hours in prop::collection::btree_set(0_i64..900, 1..30), days in 1_u32..35, back in 0.0..1.0_f64
        ) {
            let now = at("2026-11-24T12:00:00Z");
            let snapshots: Vec<Snapshot> = hours.iter().map(|hours| {
                let time = now - SignedDuration::from_hours(*hours);
                Snapshot { id: hours.to_string(), time, ..snapshot("2026-11-24T12:00:00Z", Kind::Automatic, 1) }
            }).collect();
            let gone = expired(&snapshots, &[], now, DAY * days, 1);
            let moment = now - SignedDuration::try_from((DAY * days).mul_f64(back)).unwrap();
            let base = |kept: bool| snapshots.iter()
                .filter(|one| one.time <= moment && !(kept && gone.contains(&one.id)))
                .map(|one| one.time).max();
            prop_assert_eq!(base(false), base(true));
            prop_assert!(gone.len() < snapshots.len());
        }
    }
}
