//! Values with a unit: durations and amounts of memory, as people write them.

use std::{fmt, str::FromStr, time::Duration as StdDuration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is wrong with a value that should have a unit.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UnitError {
    /// The text is not a whole number followed by one of the units.
    #[error("`{text}` is not a whole number followed by one of {units}")]
    Form {
        /// What was written.
        text: String,
        /// The units that are allowed.
        units: &'static str,
    },
    /// The number with its unit does not fit in 64 bits.
    #[error("`{text}` is too large")]
    TooLarge {
        /// What was written.
        text: String,
    },
}

fn parse(text: &str, units: &[(&str, u64)], names: &'static str) -> Result<u64, UnitError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let form = || UnitError::Form {
        text: text.to_owned(),
        units: names,
    };
    let too_large = || UnitError::TooLarge {
        text: text.to_owned(),
    };
    if number.is_empty() {
        return Err(form());
    }
    let factor = units
        .iter()
        .find(|(name, _)| *name == unit.trim_start())
        .ok_or_else(form)?
        .1;
    let number: u64 = number.parse().map_err(|_| too_large())?;
    number.checked_mul(factor).ok_or_else(too_large)
}

/// The largest unit of which `value` is a whole multiple; `units` go from small to large.
fn format(value: u64, units: &[(&str, u64)], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let fitting = units
        .iter()
        .rev()
        .find(|(_, factor)| value > 0 && value.is_multiple_of(*factor));
    match fitting.or(units.first()) {
        Some((name, factor)) => write!(out, "{}{name}", value / factor),
        None => write!(out, "{value}"),
    }
}

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $units:expr, $names:literal, $pattern:literal, $format:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl FromStr for $name {
            type Err = UnitError;
            fn from_str(text: &str) -> Result<Self, UnitError> {
                parse(text, $units, $names).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                format(self.0, $units, out)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "format": $format,
                    "pattern": $pattern,
                    "description": concat!("A whole number followed by one of ", $names, "."),
                    "examples": [$example],
                })
            }
        }
    };
}

unit!(
    /// A length of time: a whole number of `ms`, `s`, `m`, `h` or `d`, such as `"10s"`.
    Duration,
    &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)],
    "`ms`, `s`, `m`, `h`, `d`",
    "^[0-9]+ ?(ms|s|m|h|d)$",
    "mck-duration",
    "10s"
);

unit!(
    /// An amount of memory or disk: a whole number of `MiB`, `GiB` or `TiB`, such as `"768MiB"`.
    Size,
    &[("MiB", 1), ("GiB", 1_024), ("TiB", 1_048_576)],
    "`MiB`, `GiB`, `TiB`",
    "^[0-9]+ ?(MiB|GiB|TiB)$",
    "mck-size",
    "768MiB"
);

impl Duration {
    /// A length of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }
    /// A length of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1_000)
    }
    /// A length of whole days.
    pub const fn from_days(days: u64) -> Self {
        Self(days * 86_400_000)
    }
    /// The length in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }
    /// The length in whole seconds, rounded up: AWS counts in seconds and must not wait less.
    pub const fn as_secs_ceil(self) -> u64 {
        self.0.div_ceil(1_000)
    }
}

impl From<Duration> for StdDuration {
    fn from(duration: Duration) -> Self {
        Self::from_millis(duration.0)
    }
}

impl Size {
    /// An amount of whole mebibytes.
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib)
    }
    /// An amount of whole gibibytes.
    pub const fn from_gib(gib: u64) -> Self {
        Self(gib * 1_024)
    }
    /// The amount in mebibytes (2^20 bytes).
    pub const fn as_mib(self) -> u64 {
        self.0
    }
    /// The amount in whole gibibytes, rounded up.
    pub const fn as_gib_ceil(self) -> u64 {
        self.0.div_ceil(1_024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_in_their_largest_whole_unit() {
        for (text, millis, printed) in [
            ("10s", 10_000, "10s"),
            ("90 s", 90_000, "90s"),
            ("120s", 120_000, "2m"),
            ("500ms", 500, "500ms"),
            ("0s", 0, "0ms"),
            ("7d", 604_800_000, "7d"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(
                (duration.as_millis(), duration.to_string().as_str()),
                (millis, printed)
            );
        }
    }

    #[test]
    fn a_value_without_a_unit_or_too_large_is_refused() {
        for text in ["10", "s", "", "-1s", "1.5s", "10 minutes", "10S"] {
            assert!(
                matches!(text.parse::<Duration>(), Err(UnitError::Form { .. })),
                "{text}"
            );
        }
        for text in ["99999999999999999999d", "9999999999999999d"] {
            assert!(
                matches!(text.parse::<Duration>(), Err(UnitError::TooLarge { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn sizes_are_binary() {
        assert_eq!("2GiB".parse::<Size>().unwrap().as_mib(), 2_048);
        assert_eq!(Size::from_mib(1_536).as_gib_ceil(), 2);
        assert_eq!(Size::from_mib(768).to_string(), "768MiB");
    }
}
