//! When scheduled jobs run: EventBridge's `rate(…)` and `cron(…)`, evaluated in UTC.
//!
//! Source: Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules". Where
//! it is silent (a month without the day of `31W`), a month that lacks a day is left out.

mod calendar;

use jiff::{SignedDuration, Timestamp};
use mck_environment::schedule::{self, Expression};

pub use mck_environment::schedule::ScheduleError;

/// When a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Expression);

impl Schedule {
    /// Reads a schedule expression.
    ///
    /// # Errors
    /// What EventBridge would refuse.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        schedule::parse(text).map(Self)
    }

    /// The first run after an instant; none where there is no more, by the end of 2199 at the
    /// latest for `cron(…)`.
    ///
    /// The anchor is when the schedule was made: `rate(…)` runs first one distance after it, and
    /// keeps that beat for ever. `cron(…)` runs at full minutes of the calendar, whatever the anchor.
    pub fn next_after(&self, after: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
        match &self.0 {
            Expression::Rate { minutes } => next_beat(*minutes, after, anchor),
            Expression::Cron(cron) => calendar::next_after(cron, after),
        }
    }

    /// All runs after `from` until `to`, `to` included, in their order. Who asks for one span after
    /// the other, each from where the last one ended, gets each run exactly once.
    pub fn due_between(
        &self,
        from: Timestamp,
        to: Timestamp,
        anchor: Timestamp,
    ) -> impl Iterator<Item = Timestamp> {
        let next = move |after| self.next_after(after, anchor).filter(|run| *run <= to);
        std::iter::successors(next(from), move |run| next(*run))
    }
}

fn next_beat(minutes: u64, after: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
    let beat = i128::from(minutes) * SignedDuration::from_mins(1).as_nanos();
    let elapsed = after.as_nanosecond() - anchor.as_nanosecond();
    let beats = elapsed.max(0) / beat + 1;
    Timestamp::from_nanosecond(anchor.as_nanosecond() + beats * beat).ok()
}

#[cfg(test)]
mod tests;
