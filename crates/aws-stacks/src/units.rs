//! Lengths of time and sizes as resources say them.

use mck_environment::units::{Duration, Size};

const SECONDS_A_DAY: u64 = 86_400;

/// Whole seconds, rounded up.
pub(crate) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs_ceil()).unwrap_or(i64::MAX)
}

/// Whole days that are over.
pub(crate) fn days(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs_ceil() / SECONDS_A_DAY).unwrap_or(u32::MAX)
}

/// Whole MiB.
pub(crate) fn mebibytes(size: Size) -> i64 {
    i64::try_from(size.as_mib()).unwrap_or(i64::MAX)
}
