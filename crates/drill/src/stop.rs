//! The request to stop, which every wait of a drill listens to.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A shared request to stop. Clones are the same flag.
///
/// A drill that is stopped ends its load, waits for the requests in flight, verifies what was
/// acknowledged, and still reports.
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl StopFlag {
    /// A flag that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everybody who holds a clone to stop. For good.
    pub fn set(&self) {
        *self.lock() = true;
        self.shared.changed.notify_all();
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.lock()
    }

    /// Waits until `deadline`, or until the flag is set if that is earlier. Says whether it is set.
    pub fn wait_until(&self, deadline: Instant) -> bool {
        let mut is_set = self.lock();
        while !*is_set {
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                break;
            }
            is_set = self
                .shared
                .changed
                .wait_timeout(is_set, remaining)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        *is_set
    }

    /// Waits for `duration`, or until the flag is set if that is earlier. Says whether it is set.
    pub fn wait_for(&self, duration: Duration) -> bool {
        self.wait_until(Instant::now() + duration)
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.shared
            .is_set
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_at_its_deadline_or_when_the_flag_is_set() {
        let flag = StopFlag::new();
        let start = Instant::now();
        assert!(!flag.wait_for(Duration::from_millis(20)));
        assert!(start.elapsed() >= Duration::from_millis(20));

        let other = flag.clone();
        let setter = std::thread::spawn(move || other.set());
        assert!(flag.wait_for(Duration::from_secs(60)));
        setter.join().unwrap();
        assert!(flag.is_set());
    }
}
