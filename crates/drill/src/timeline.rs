//! What the observer saw, and when it changed.

use crate::fault::Observation;

/// An observation that differs from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// Microseconds since the load began.
    pub(crate) at: u64,
    pub(crate) seen: Observation,
}

/// When the fault was injected, in microseconds since the load began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Injection {
    pub(crate) started: u64,
    pub(crate) ended: u64,
    pub(crate) done: Vec<String>,
}

/// All changes in the order of their time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeline {
    sightings: Vec<Sighting>,
}

impl Timeline {
    pub(crate) fn note(&mut self, at: u64, seen: Observation) {
        if self.sightings.last().is_none_or(|last| last.seen != seen) {
            self.sightings.push(Sighting { at, seen });
        }
    }

    pub(crate) fn sightings(&self) -> &[Sighting] {
        &self.sightings
    }

    pub(crate) fn last(&self) -> Option<&Observation> {
        self.sightings.last().map(|sighting| &sighting.seen)
    }

    /// When something was first seen to be broken at or after `start`.
    pub(crate) fn first_broken(&self, start: u64) -> Option<u64> {
        let was_broken = self.sightings.iter().rfind(|it| it.at <= start);
        if was_broken.is_some_and(|sighting| !sighting.seen.is_whole) {
            return Some(start);
        }
        let broken = self
            .sightings
            .iter()
            .find(|it| it.at > start && !it.seen.is_whole);
        broken.map(|sighting| sighting.at)
    }

    /// Since when everything is whole, if it is: the end of the last time that it was not. What was
    /// never seen broken is whole since the injection ended.
    pub(crate) fn whole_since(&self, injection: &Injection) -> Option<u64> {
        if !self.last()?.is_whole {
            return None;
        }
        let last_broken = self
            .sightings
            .iter()
            .rposition(|sighting| !sighting.seen.is_whole);
        let since = last_broken
            .filter(|position| self.sightings[position + 1].at > injection.started)
            .map(|position| self.sightings[position + 1].at);
        Some(since.unwrap_or(injection.ended))
    }

    /// The reason for the last rollback that was seen.
    pub(crate) fn rolled_back(&self) -> Option<&str> {
        self.sightings
            .iter()
            .rev()
            .find_map(|sighting| sighting.seen.rolled_back.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(changes: &[(u64, bool)]) -> Timeline {
        let mut timeline = Timeline::default();
        for (at, is_whole) in changes {
            let seen = Observation {
                is_whole: *is_whole,
                ..Observation::default()
            };
            timeline.note(*at, seen);
        }
        timeline
    }

    fn injection() -> Injection {
        Injection {
            started: 100,
            ended: 110,
            done: Vec::new(),
        }
    }

    #[test]
    fn only_changes_are_kept() {
        let timeline = timeline(&[(0, true), (10, true), (20, false), (30, false), (40, true)]);
        let times: Vec<u64> = timeline
            .sightings()
            .iter()
            .map(|sighting| sighting.at)
            .collect();
        assert_eq!(times, [0, 20, 40]);
    }

    #[test]
    fn broken_and_whole_again() {
        let seen = timeline(&[
            (0, true),
            (150, false),
            (200, true),
            (250, false),
            (300, true),
        ]);
        assert_eq!(seen.first_broken(100), Some(150));
        assert_eq!(seen.whole_since(&injection()), Some(300));
    }

    #[test]
    fn still_broken_is_not_whole() {
        let seen = timeline(&[(0, true), (150, false)]);
        assert_eq!(seen.whole_since(&injection()), None);
        assert_eq!(Timeline::default().whole_since(&injection()), None);
    }

    #[test]
    fn never_seen_broken_is_whole_when_the_injection_has_ended() {
        let seen = timeline(&[(0, true)]);
        assert_eq!(seen.first_broken(100), None);
        assert_eq!(seen.whole_since(&injection()), Some(110));
        let long_ago = timeline(&[(0, true), (20, false), (40, true)]);
        assert_eq!(long_ago.whole_since(&injection()), Some(110));
    }
}
