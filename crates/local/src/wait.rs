//! Waiting, always with a limit.

use std::time::{Duration, Instant};

/// Lets time pass between two looks at something that has no descriptor to wait on.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where waiting is a sleep"
)]
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// Looks until it sees something or the limit is over; looks less and less often.
pub fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    let mut interval = Duration::from_millis(1);
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if Instant::now() >= deadline {
            return None;
        }
        pause(interval);
        interval = (interval * 3 / 2).min(Duration::from_millis(25));
    }
}
