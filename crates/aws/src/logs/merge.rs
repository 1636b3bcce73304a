//! Lines of several log groups in one order. Pure.

use std::time::SystemTime;

/// A line of a log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// When it was written.
    pub time: SystemTime,
    /// The log group.
    pub group: String,
    /// The stream: of a task's container `<prefix>/<container>/<task id>`.
    pub stream: String,
    /// The line without its end.
    pub text: String,
}

/// What was read of one group and not told yet, oldest first.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) held: &'a mut Vec<LogEvent>,
    /// Whether more pages follow, none of whose lines is older than the last one here.
    pub(super) has_more: bool,
}

/// Takes out what can be told: all lines that no page to come can precede.
pub(super) fn merge(parts: &mut [Part<'_>]) -> Vec<LogEvent> {
    let open = parts.iter().filter(|part| part.has_more);
    // A group with more pages of which nothing was read yet says nothing of what comes.
    let ends: Vec<Option<SystemTime>> = open.map(|it| it.held.last().map(|it| it.time)).collect();
    let horizon = match ends.iter().min() {
        Some(None) => return Vec::new(),
        Some(Some(end)) => Some(*end),
        None => None,
    };
    let mut told = Vec::new();
    for part in parts {
        let is_told = |it: &LogEvent| horizon.is_none_or(|horizon| it.time <= horizon);
        let count = part.held.partition_point(is_told);
        told.extend(part.held.drain(..count));
    }
    told.sort_by_key(|it| it.time);
    told
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn events(group: &str, seconds: &[u64]) -> Vec<LogEvent> {
        let event = |second: &u64| LogEvent {
            time: UNIX_EPOCH + Duration::from_secs(*second),
            group: group.to_owned(),
            stream: String::new(),
            text: format!("{group}{second}"),
        };
        seconds.iter().map(event).collect()
    }

    fn told(parts: &mut [(&mut Vec<LogEvent>, bool)]) -> Vec<String> {
        let mut parts: Vec<Part<'_>> = parts
            .iter_mut()
            .map(|(held, has_more)| Part {
                held,
                has_more: *has_more,
            })
            .collect();
        merge(&mut parts).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn lines_wait_for_pages_that_may_have_earlier_ones() {
        let (mut a, mut b) = (events("a", &[1, 4, 9]), events("b", &[2, 3]));
        assert_eq!(
            told(&mut [(&mut a, false), (&mut b, true)]),
            ["a1", "b2", "b3"]
        );
        b.extend(events("b", &[5]));
        assert_eq!(
            told(&mut [(&mut a, false), (&mut b, false)]),
            ["a4", "b5", "a9"]
        );
        assert!(a.is_empty() && b.is_empty());
    }

    #[test]
    fn nothing_is_told_while_a_group_with_more_has_shown_nothing() {
        let (mut a, mut b) = (events("a", &[1]), Vec::new());
        assert_eq!(told(&mut [(&mut a, false), (&mut b, true)]), [""; 0]);
        assert_eq!(told(&mut [(&mut a, false), (&mut b, false)]), ["a1"]);
    }
}
