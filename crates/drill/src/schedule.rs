//! When the requests of a load are due.

use std::time::Duration;

/// Requests at a constant rate: an open loop, in which no request waits for the answer to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    requests_per_second: u32,
}

impl Schedule {
    /// At least one request per second is assumed: a plan is checked before.
    pub(crate) fn new(requests_per_second: u32) -> Self {
        Self {
            requests_per_second: requests_per_second.max(1),
        }
    }

    /// How long after the start of the load the request number `index`, counted from 0, is due.
    ///
    /// Each is derived from the start and not from the one before, so that errors don't add up.
    pub(crate) fn due(self, index: u64) -> Duration {
        let rate = u64::from(self.requests_per_second);
        let nanoseconds = (index % rate) * 1_000_000_000 / rate;
        Duration::from_secs(index / rate) + Duration::from_nanos(nanoseconds)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fifty_a_second_are_twenty_milliseconds_apart() {
        let schedule = Schedule::new(50);
        let due: Vec<u128> = (0..4)
            .map(|index| schedule.due(index).as_millis())
            .collect();
        assert_eq!(due, [0, 20, 40, 60]);
        assert_eq!(schedule.due(45_000), Duration::from_secs(900));
    }

    proptest! {
        #[test]
        fn every_second_has_exactly_the_rate(rate in 1_u32..=500, second in 0_u64..900) {
            let schedule = Schedule::new(rate);
            let first = second * u64::from(rate);
            prop_assert_eq!(schedule.due(first), Duration::from_secs(second));
            let last = schedule.due(first + u64::from(rate) - 1);
            prop_assert!(last < Duration::from_secs(second + 1));
        }

        #[test]
        fn the_distance_is_constant(rate in 1_u32..=500, index in 0_u64..450_000) {
            let schedule = Schedule::new(rate);
            let distance = schedule.due(index + 1) - schedule.due(index);
            let ideal = Duration::from_secs(1) / rate;
            prop_assert!(distance.abs_diff(ideal) <= Duration::from_nanos(1));
        }
    }
}
