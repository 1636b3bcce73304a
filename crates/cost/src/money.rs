//! Amounts of money.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, Sub},
};

use serde::{Serialize, Serializer};

/// An amount in US dollars, exact to the cent, so that a sum is the sum of what is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many cents.
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents)
    }

    /// So many dollars, rounded to the cent.
    pub fn from_dollars(dollars: f64) -> Self {
        // Costs are far below what a 64-bit integer holds; `as` ends at its limits.
        #[allow(clippy::cast_possible_truncation)]
        Self((dollars * 100.0).round() as i64)
    }

    /// The amount in cents.
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// The amount in dollars.
    pub fn dollars(self) -> f64 {
        // Exact for every amount below 90 trillion dollars.
        #[allow(clippy::cast_precision_loss)]
        {
            self.0 as f64 / 100.0
        }
    }

    /// With a sign, as a change is told: `+12.00`, `-3.50`, `0.00`.
    pub fn signed(self) -> String {
        if self.0 > 0 {
            format!("+{self}")
        } else {
            self.to_string()
        }
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// Dollars and cents with separators, such as `1,234.50`.
impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.unsigned_abs();
        let dollars = (cents / 100).to_string();
        let mut text = String::new();
        if self.0 < 0 {
            text.push('-');
        }
        for (index, digit) in dollars.chars().enumerate() {
            if index > 0 && (dollars.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        out.pad(&format!("{text}.{:02}", cents % 100))
    }
}

/// A number of dollars, such as `1234.5`.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.dollars())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_on_a_bill() {
        let shown = [0, 5, 100, 99_999, 100_000, 123_456_789, -4_250]
            .map(|cents| Money::from_cents(cents).to_string());
        assert_eq!(
            shown,
            [
                "0.00",
                "0.05",
                "1.00",
                "999.99",
                "1,000.00",
                "1,234,567.89",
                "-42.50"
            ]
        );
        assert_eq!(Money::from_cents(1_200).signed(), "+12.00");
        assert_eq!(Money::from_cents(-350).signed(), "-3.50");
        assert_eq!(Money::ZERO.signed(), "0.00");
    }

    #[test]
    fn dollars_are_rounded_to_the_cent() {
        let cents =
            [0.004, 0.005, 32.85, 62.05].map(|dollars| Money::from_dollars(dollars).cents());
        assert_eq!(cents, [0, 1, 3_285, 6_205]);
    }
}
