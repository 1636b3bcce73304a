//! Numbers for people.

/// A time with the unit that fits: `430 µs`, `4.2 ms`, `1.30 s`, `2 min 5 s`.
pub(crate) fn time(microseconds: u64) -> String {
    let value = microseconds as f64;
    match microseconds {
        0..=999 => format!("{microseconds} µs"),
        1_000..=99_949 => format!("{:.1} ms", value / 1e3),
        99_950..=999_499 => format!("{:.0} ms", value / 1e3),
        999_500..=119_999_999 => format!("{:.2} s", value / 1e6),
        _ => {
            let seconds = microseconds / 1_000_000;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

/// A time that may not have come.
pub(crate) fn time_or_never(microseconds: Option<u64>) -> String {
    microseconds.map_or_else(|| "never".to_owned(), time)
}

/// An instant of the load: `+12.34 s`.
pub(crate) fn instant(microseconds: u64) -> String {
    format!("+{:.2} s", microseconds as f64 / 1e6)
}

/// A count in groups of three digits, with narrow no-break spaces.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// How many thousandths failed, in percent.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0 %".to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if percent < 0.01 {
        "< 0.01 %".to_owned()
    } else {
        format!("{percent:.2} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_fits() {
        let cases = [
            (0, "0 µs"),
            (999, "999 µs"),
            (4_230, "4.2 ms"),
            (99_949, "99.9 ms"),
            (430_000, "430 ms"),
            (999_499, "999 ms"),
            (999_500, "1.00 s"),
            (1_304_000, "1.30 s"),
            (125_000_000, "2 min 5 s"),
        ];
        for (microseconds, text) in cases {
            assert_eq!(time(microseconds), text);
        }
        assert_eq!(time_or_never(None), "never");
        assert_eq!(instant(12_340_000), "+12.34 s");
    }

    #[test]
    fn counts_and_percentages() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(percent(1, 3_000), "0.03 %");
        assert_eq!(percent(1, 100_000), "< 0.01 %");
    }
}
