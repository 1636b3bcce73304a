//! EventBridge's schedule expressions: `rate(5 minutes)` and `cron(0 3 * * ? *)`.
//!
//! Source: Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules".

mod field;

use std::collections::BTreeSet;

use field::{DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH, YEAR, whole_number};

/// A schedule expression, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `rate(…)`: at even distances.
    Rate {
        /// The distance in minutes, at least 1.
        minutes: u64,
    },
    /// `cron(…)`: by the calendar, UTC.
    Cron(Cron),
}

/// The fields of `cron(…)`; no set is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// 0 to 59.
    pub minutes: BTreeSet<u16>,
    /// 0 to 23.
    pub hours: BTreeSet<u16>,
    /// The days, by whichever field is not `?`.
    pub days: Days,
    /// 1 to 12.
    pub months: BTreeSet<u16>,
    /// 1970 to 2199.
    pub years: BTreeSet<u16>,
}

/// The days of a month, any of those listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Days {
    /// By the day of the month.
    OfMonth(Vec<DayOfMonth>),
    /// By the day of the week.
    OfWeek(Vec<DayOfWeek>),
}

/// A day by its number in the month, 1 to 31. A month that lacks it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOfMonth {
    /// That day.
    Day(u16),
    /// `15W`: the day from Monday to Friday that is nearest to it within the month.
    NearestWeekday(u16),
    /// `L`.
    Last,
    /// `LW`: the last day from Monday to Friday.
    LastWeekday,
}

/// A day by its number in the week, 1 for Sunday to 7 for Saturday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOfWeek {
    /// That day of every week; `L` alone is the week's last, Saturday.
    Every(u16),
    /// `6L`: the last such day of the month.
    Last(u16),
    /// `2#1`: such a day by its place in the month. A month that lacks a fifth is left out.
    Nth {
        /// The day.
        day: u16,
        /// Its place, 1 to 5.
        nth: u8,
    },
}

/// What is wrong with a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Neither `rate(…)` nor `cron(…)`.
    #[error("a schedule is `rate(…)` or `cron(…)`")]
    Form,
    /// A rate that is not a number and a unit.
    #[error(
        "a rate is a whole number from 1 and one of `minute`, `minutes`, `hour`, `hours`, `day`, `days`"
    )]
    Rate,
    /// `1 minutes` or `5 minute`.
    #[error("the unit of {number} is `{unit}`")]
    Plural {
        /// The number.
        number: u32,
        /// The unit as it must be.
        unit: String,
    },
    /// Not six fields.
    #[error(
        "cron has 6 fields (minutes, hours, day of month, month, day of week, year), not {count}"
    )]
    Fields {
        /// How many there are.
        count: usize,
    },
    /// A field that can't be read or is out of its range.
    #[error("the {field} `{written}` is not within {least}-{most} or one of `{signs}`")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What was written.
        written: String,
        /// The least value.
        least: u16,
        /// The most.
        most: u16,
        /// The signs that the field knows.
        signs: &'static str,
    },
    /// More than one expression where there is a `#`.
    #[error("a day of week with `#` stands alone, not in a list")]
    Alone,
    /// Not exactly one of day of month and day of week is `?`.
    #[error("exactly one of day of month and day of week must be `?`")]
    Question,
}

/// Reads a schedule expression.
///
/// # Errors
/// What EventBridge would refuse.
pub fn parse(schedule: &str) -> Result<Expression, ScheduleError> {
    let inner = |name: &str| {
        schedule
            .strip_prefix(name)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    match (inner("rate"), inner("cron")) {
        (Some(rate), _) => parse_rate(rate),
        (_, Some(cron)) => parse_cron(cron).map(Expression::Cron),
        _ => Err(ScheduleError::Form),
    }
}

/// Checks a schedule expression.
///
/// # Errors
/// What EventBridge would refuse.
pub fn check(schedule: &str) -> Result<(), ScheduleError> {
    parse(schedule).map(drop)
}

fn parse_rate(rate: &str) -> Result<Expression, ScheduleError> {
    let (number, unit) = rate.split_once(' ').ok_or(ScheduleError::Rate)?;
    let number: u32 = whole_number(number).ok_or(ScheduleError::Rate)?;
    let one = unit.strip_suffix('s').unwrap_or(unit);
    let minutes = match one {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return Err(ScheduleError::Rate),
    };
    if number == 0 {
        return Err(ScheduleError::Rate);
    }
    let right = if number == 1 {
        one.to_owned()
    } else {
        format!("{one}s")
    };
    if right == unit {
        let minutes = u64::from(number) * minutes;
        Ok(Expression::Rate { minutes })
    } else {
        Err(ScheduleError::Plural {
            number,
            unit: right,
        })
    }
}

fn parse_cron(cron: &str) -> Result<Cron, ScheduleError> {
    let written: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, day_of_month, month, day_of_week, year] = written[..] else {
        return Err(ScheduleError::Fields {
            count: written.len(),
        });
    };
    let (minutes, hours) = (MINUTE.set(minute)?, HOUR.set(hour)?);
    let of_month = DAY_OF_MONTH.unless_any(day_of_month, day_of_month_part)?;
    let months = MONTH.set(month)?;
    let of_week = DAY_OF_WEEK.unless_any(day_of_week, day_of_week_part)?;
    let years = YEAR.set(year)?;
    let days = match (of_month, of_week) {
        (Some(days), None) => Days::OfMonth(days),
        (None, Some(days)) => Days::OfWeek(days),
        _ => return Err(ScheduleError::Question),
    };
    if day_of_week.contains('#') && day_of_week.contains(',') {
        return Err(ScheduleError::Alone);
    }
    Ok(Cron {
        minutes,
        hours,
        days,
        months,
        years,
    })
}

/// `L`, `LW`, `15W` or plain values.
fn day_of_month_part(part: &str) -> Option<Vec<DayOfMonth>> {
    let special = match part {
        "L" => Some(DayOfMonth::Last),
        "LW" => Some(DayOfMonth::LastWeekday),
        _ => part
            .strip_suffix('W')
            .and_then(|day| DAY_OF_MONTH.value(day))
            .map(DayOfMonth::NearestWeekday),
    };
    let plain = || {
        let days = DAY_OF_MONTH.values(part)?;
        Some(days.into_iter().map(DayOfMonth::Day).collect())
    };
    special.map(|day| vec![day]).or_else(plain)
}

/// `L`, `5L`, `5#3` or plain values.
fn day_of_week_part(part: &str) -> Option<Vec<DayOfWeek>> {
    if part == "L" {
        return Some(vec![DayOfWeek::Every(DAY_OF_WEEK.most)]);
    }
    if let Some(day) = part.strip_suffix('L') {
        return Some(vec![DayOfWeek::Last(DAY_OF_WEEK.value(day)?)]);
    }
    if let Some((day, nth)) = part.split_once('#') {
        let day = DAY_OF_WEEK.value(day)?;
        let nth = match nth.as_bytes() {
            [digit @ b'1'..=b'5'] => digit - b'0',
            _ => return None,
        };
        return Some(vec![DayOfWeek::Nth { day, nth }]);
    }
    let days = DAY_OF_WEEK.values(part)?;
    Some(days.into_iter().map(DayOfWeek::Every).collect())
}

#[cfg(test)]
mod tests;
