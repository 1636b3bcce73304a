//! Times as people say them.

use std::time::Duration;

use jiff::Timestamp;

/// How long ago something was, such as `5 min ago`; `in 5 min` for what is to come.
pub fn relative(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second());
    match seconds {
        0 => "now".to_owned(),
        past @ 1.. => format!("{} ago", span(past.unsigned_abs())),
        future => format!("in {}", span(future.unsigned_abs())),
    }
}

/// A span in its largest unit.
fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A stopwatch's reading, such as `2.4 s`.
pub fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// Reads a span such as `90s`, `10m`, `2h` or `1d`.
///
/// # Errors
/// When it is something else.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| {
        "it must be a number and a unit, such as `90s`, `10m`, `2h` or `1d`".to_owned()
    })?;
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        other => {
            return Err(format!(
                "`{other}` is no unit; there are `s`, `m`, `h` and `d`"
            ));
        }
    };
    let seconds = number
        .checked_mul(unit)
        .filter(|seconds| *seconds < 10_000 * 86_400);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "it must be less than 10000 days".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_times_have_one_unit() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let at = |seconds: i64| relative(Timestamp::from_second(1_000_000 - seconds).unwrap(), now);
        assert_eq!(at(0), "now");
        assert_eq!(at(59), "59 s ago");
        assert_eq!(at(61), "1 min ago");
        assert_eq!(at(7_300), "2 h ago");
        assert_eq!(at(200_000), "2 d ago");
        assert_eq!(at(-120), "in 2 min");
    }

    #[test]
    fn spans_are_read_with_their_units() {
        assert_eq!(parse_span("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_span("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_span("2h"), Ok(Duration::from_secs(7_200)));
        for wrong in [
            "",
            "10",
            "m",
            "1.5h",
            "-1s",
            "99999999999999999999d",
            "100000d",
            "3 weeks",
        ] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_stopwatch_reads_in_tenths_and_then_in_minutes() {
        assert_eq!(elapsed(Duration::from_millis(2_449)), "2.4 s");
        assert_eq!(elapsed(Duration::from_secs(125)), "2 min 05 s");
    }
}
