//! The runs of a cron expression.

use std::collections::BTreeSet;

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Weekday, time},
    tz::Offset,
};
use mck_environment::schedule::{Cron, DayOfMonth, DayOfWeek, Days};

/// The first run after an instant.
pub(super) fn next_after(cron: &Cron, after: Timestamp) -> Option<Timestamp> {
    let after = Offset::UTC.to_datetime(after);
    let next = dates_from(cron, after.date())
        .flat_map(|date| runs_on(cron, date))
        .find(|run| *run > after)?;
    Offset::UTC.to_timestamp(next).ok()
}

/// The dates with runs, from one on, in their order.
fn dates_from(cron: &Cron, earliest: Date) -> impl Iterator<Item = Date> {
    months_from(cron, earliest)
        .flat_map(|first| days_of_month(&cron.days, first))
        .filter(move |date| *date >= earliest)
}

/// The first days of the months with runs, from the month of a date on.
fn months_from(cron: &Cron, earliest: Date) -> impl Iterator<Item = Date> {
    let years = cron
        .years
        .iter()
        .filter_map(|year| i16::try_from(*year).ok());
    years
        .filter(move |year| *year >= earliest.year())
        .flat_map(|year| {
            let months = cron.months.iter();
            months.filter_map(move |month| day_of(year, i8::try_from(*month).ok()?, 1))
        })
        .filter(move |first| *first >= earliest.first_of_month())
}

fn runs_on(cron: &Cron, date: Date) -> impl Iterator<Item = DateTime> {
    let small = |numbers: &BTreeSet<u16>| -> Vec<i8> {
        let numbers = numbers.iter();
        numbers
            .filter_map(|number| i8::try_from(*number).ok())
            .collect()
    };
    let (hours, minutes) = (small(&cron.hours), small(&cron.minutes));
    hours.into_iter().flat_map(move |hour| {
        let minutes = minutes.clone().into_iter();
        minutes.map(move |minute| date.to_datetime(time(hour, minute, 0, 0)))
    })
}

/// The days with runs in the month that starts with `first`.
fn days_of_month(days: &Days, first: Date) -> BTreeSet<Date> {
    match days {
        Days::OfMonth(days) => {
            let days = days.iter();
            days.filter_map(|day| by_day_of_month(*day, first))
                .collect()
        }
        Days::OfWeek(days) => {
            let days = days.iter();
            days.flat_map(|day| by_day_of_week(*day, first)).collect()
        }
    }
}

fn by_day_of_month(day: DayOfMonth, first: Date) -> Option<Date> {
    let numbered = |day: u16| day_of(first.year(), first.month(), i8::try_from(day).ok()?);
    match day {
        DayOfMonth::Day(day) => numbered(day),
        DayOfMonth::NearestWeekday(day) => nearest_weekday(numbered(day)?),
        DayOfMonth::Last => Some(first.last_of_month()),
        DayOfMonth::LastWeekday => nearest_weekday(first.last_of_month()),
    }
}

/// The nearest day from Monday to Friday within the same month.
fn nearest_weekday(date: Date) -> Option<Date> {
    let (is_first, is_last) = (date.day() == 1, date == date.last_of_month());
    let shift = match date.weekday() {
        Weekday::Saturday if is_first => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if is_last => -2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    day_of(date.year(), date.month(), date.day() + shift)
}

fn by_day_of_week(day: DayOfWeek, first: Date) -> Vec<Date> {
    let nth = |day: u16, nth: i8| {
        let weekday = Weekday::from_sunday_one_offset(i8::try_from(day).ok()?).ok()?;
        first.nth_weekday_of_month(nth, weekday).ok()
    };
    match day {
        DayOfWeek::Every(day) => (1..=5).filter_map(|place| nth(day, place)).collect(),
        DayOfWeek::Last(day) => nth(day, -1).into_iter().collect(),
        DayOfWeek::Nth { day, nth: place } => {
            let place = i8::try_from(place).ok();
            place
                .and_then(|place| nth(day, place))
                .into_iter()
                .collect()
        }
    }
}

/// A date, or none where the month lacks the day.
fn day_of(year: i16, month: i8, day: i8) -> Option<Date> {
    Date::new(year, month, day).ok()
}
