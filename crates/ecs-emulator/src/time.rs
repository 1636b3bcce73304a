//! Times, as AWS JSON 1.1 writes them.

use jiff::Timestamp;
use serde_json::Value;

/// Seconds since 1970, with milliseconds behind the point.
pub fn seconds(time: Timestamp) -> Value {
    let milliseconds = time.as_millisecond();
    // Exact: 2^53 milliseconds are 285,000 years.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    Value::from(milliseconds as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_of_seconds() {
        let time = Timestamp::from_millisecond(1_764_000_000_250).unwrap();
        assert_eq!(seconds(time).to_string(), "1764000000.25");
    }
}
