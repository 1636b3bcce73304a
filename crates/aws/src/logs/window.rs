//! What of a log group was read already. Pure.
//!
//! A line reaches CloudWatch Logs some seconds after the time that it carries, and lines of several
//! streams come in any order. So each look begins a while before the newest line that was seen, and
//! lines are told apart by their ids.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;

use super::LogEvent;

/// How far before the newest line a look begins, in milliseconds. The `awslogs` driver sends what it
/// has every 5 s, and lines that are late by more than this are rare.
const OVERLAP: i64 = 30_000;

/// A line as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    /// The line's own id in CloudWatch Logs.
    pub(super) id: String,
    /// In milliseconds since 1970.
    pub(super) time: i64,
    pub(super) stream: String,
    pub(super) text: String,
}

impl From<FilteredLogEvent> for Read {
    fn from(event: FilteredLogEvent) -> Self {
        Self {
            id: event.event_id.unwrap_or_default(),
            time: event.timestamp.unwrap_or_default(),
            stream: event.log_stream_name.unwrap_or_default(),
            text: event.message.unwrap_or_default(),
        }
    }
}

impl Read {
    pub(super) fn event(self, group: &str) -> LogEvent {
        LogEvent {
            time: moment(self.time),
            group: group.to_owned(),
            stream: self.stream,
            text: self.text.trim_end_matches(['\n', '\r']).to_owned(),
        }
    }
}

/// What of a log group was read already.
#[derive(Debug)]
pub(super) struct Window {
    from: i64,
    newest: i64,
    /// When the lines were written that a look may meet again, by their ids.
    seen: HashMap<String, i64>,
}

impl Window {
    /// Nothing of what was written since a moment, in milliseconds since 1970.
    pub(super) fn new(from: i64) -> Self {
        Self {
            from,
            newest: from,
            seen: HashMap::new(),
        }
    }

    /// Where a look begins, in milliseconds since 1970.
    pub(super) const fn from(&self) -> i64 {
        self.from
    }

    /// The lines of a page that were not seen before.
    pub(super) fn take(&mut self, page: Vec<Read>) -> Vec<Read> {
        let mut new = Vec::with_capacity(page.len());
        for read in page {
            if self.seen.insert(read.id.clone(), read.time).is_none() {
                self.newest = self.newest.max(read.time);
                new.push(read);
            }
        }
        new
    }

    /// After the last page of a look: the next one begins later, and what it can't meet is forgotten.
    pub(super) fn close(&mut self) {
        self.from = self.from.max(self.newest - OVERLAP);
        let from = self.from;
        self.seen.retain(|_, time| *time >= from);
    }
}

/// A moment in milliseconds since 1970; 0 for what was before.
pub(super) fn milliseconds(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn moment(milliseconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(milliseconds.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(id: usize, time: i64) -> Read {
        Read {
            id: format!("{id}"),
            time,
            stream: "service/php-fpm/0123".to_owned(),
            text: format!("line {id}"),
        }
    }

    fn look(window: &mut Window, there: &[Read], page: usize) -> Vec<String> {
        let from = window.from();
        let mut found: Vec<Read> = there.iter().filter(|it| it.time >= from).cloned().collect();
        found.sort_by_key(|it| it.time);
        let new = found.chunks(page).flat_map(|it| window.take(it.to_vec()));
        let new = new.map(|it| it.id).collect();
        window.close();
        new
    }

    #[test]
    fn a_line_that_comes_late_is_told_once() {
        let mut window = Window::new(1_000_000);
        let mut there = vec![read(1, 1_000_000), read(2, 1_100_000)];
        assert_eq!(look(&mut window, &there, 10), ["1", "2"]);
        assert_eq!(window.from(), 1_070_000);
        // Written before the newest, and sent after it.
        there.push(read(3, 1_090_000));
        assert_eq!(look(&mut window, &there, 10), ["3"]);
        assert_eq!(look(&mut window, &there, 10), [""; 0]);
        assert_eq!(window.seen.len(), 2, "the first can't be met again");
    }

    #[test]
    fn a_look_never_begins_before_what_was_asked_for() {
        let mut window = Window::new(1_000_000);
        assert_eq!(look(&mut window, &[read(1, 1_000_001)], 10), ["1"]);
        assert_eq!(window.from(), 1_000_000);
    }

    #[test]
    fn an_event_is_a_line_without_its_end() {
        let mut one = read(1, 1_500);
        one.text = "text \r\n".to_owned();
        let event = one.event("/shop");
        assert_eq!(event.text, "text ");
        assert_eq!(event.time, UNIX_EPOCH + Duration::from_millis(1_500));
    }

    proptest! {
        /// Lines arrive up to 29 s late, pages end anywhere: each line is told exactly once.
        #[test]
        fn no_line_is_lost_or_told_twice(
            lines in prop::collection::vec((0_i64..100_000, 0_i64..29_000), 1..80),
            page in 1_usize..7,
            pace in 500_i64..5_000,
        ) {
            let mut window = Window::new(0);
            let mut told = Vec::new();
            let mut now = 0;
            while now < 140_000 {
                let there: Vec<Read> = lines.iter().enumerate()
                    .filter(|(_, (time, late))| time + late <= now)
                    .map(|(id, (time, _))| read(id, *time))
                    .collect();
                told.extend(look(&mut window, &there, page));
                now += pace;
            }
            told.sort();
            let mut all: Vec<String> = (0..lines.len()).map(|id| id.to_string()).collect();
            all.sort();
            prop_assert_eq!(told, all);
        }
    }
}
