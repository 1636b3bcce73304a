use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Weekday},
    tz::Offset,
};
use proptest::prelude::*;

use mck_environment::schedule::{Cron, DayOfMonth, DayOfWeek, Days};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time in RFC 3339")
}

fn schedule(text: &str) -> Schedule {
    Schedule::parse(text).expect(text)
}

/// The first runs after an instant, such as `2026-01-31 03:00`.
fn runs(text: &str, after: &str, count: usize) -> Vec<String> {
    let (from, end) = (at(after), Timestamp::MAX);
    let runs = schedule(text);
    let runs = runs.due_between(from, end, from).take(count);
    runs.map(|run| {
        let run = Offset::UTC.to_datetime(run);
        run.strftime("%Y-%m-%d %H:%M").to_string()
    })
    .collect()
}

/// The examples of AWS's user guides, by "Cron expressions reference" and "Rate expressions".
#[test]
fn the_examples_of_aws_run_when_aws_says() {
    // A Thursday.
    let after = "2026-01-01T12:00:00Z";
    for (text, expected) in [
        // 10:00 every day.
        (
            "cron(0 10 * * ? *)",
            ["2026-01-02 10:00", "2026-01-03 10:00"],
        ),
        // 12:15 every day.
        (
            "cron(15 12 * * ? *)",
            ["2026-01-01 12:15", "2026-01-02 12:15"],
        ),
        // 18:00 from Monday to Friday.
        (
            "cron(0 18 ? * MON-FRI *)",
            ["2026-01-01 18:00", "2026-01-02 18:00"],
        ),
        (
            "cron(0 18 ? * 7-2 *)",
            ["2026-01-03 18:00", "2026-01-04 18:00"],
        ),
        // 8:00 on the first day of every month.
        (
            "cron(0 8 1 * ? *)",
            ["2026-02-01 08:00", "2026-03-01 08:00"],
        ),
        // Every 15 minutes.
        (
            "cron(0/15 * * * ? *)",
            ["2026-01-01 12:15", "2026-01-01 12:30"],
        ),
        // Every 10 minutes from Monday to Friday.
        (
            "cron(0/10 * ? * MON-FRI *)",
            ["2026-01-01 12:10", "2026-01-01 12:20"],
        ),
        // Every 5 minutes from 8:00 to 17:55 from Monday to Friday.
        (
            "cron(0/5 8-17 ? * MON-FRI *)",
            ["2026-01-01 12:05", "2026-01-01 12:10"],
        ),
        // Every 30 minutes from 22:00 to 2:00, Monday to Friday, in one list of hours.
        (
            "cron(0/30 22,23,0,1 ? * MON-FRI *)",
            ["2026-01-01 22:00", "2026-01-01 22:30"],
        ),
        // 9:00 on the first Monday of every month.
        (
            "cron(0 9 ? * 2#1 *)",
            ["2026-01-05 09:00", "2026-02-02 09:00"],
        ),
        // 0:00 on the first day of every month.
        (
            "cron(0 0 1 * ? *)",
            ["2026-02-01 00:00", "2026-03-01 00:00"],
        ),
        // 10:15 on the last Friday of every month in 2022 to 2027.
        (
            "cron(15 10 ? * 6L 2022-2027)",
            ["2026-01-30 10:15", "2026-02-27 10:15"],
        ),
        // Every tenth minute, starting from the first.
        (
            "cron(1/10 * * * ? *)",
            ["2026-01-01 12:01", "2026-01-01 12:11"],
        ),
        // The weekday closest to the third.
        (
            "cron(0 0 3W * ? *)",
            ["2026-01-02 00:00", "2026-02-03 00:00"],
        ),
        // The second Tuesday.
        (
            "cron(0 0 ? * 3#2 *)",
            ["2026-01-13 00:00", "2026-02-10 00:00"],
        ),
        ("rate(1 minute)", ["2026-01-01 12:01", "2026-01-01 12:02"]),
        ("rate(5 minutes)", ["2026-01-01 12:05", "2026-01-01 12:10"]),
        ("rate(1 hour)", ["2026-01-01 13:00", "2026-01-01 14:00"]),
        ("rate(7 days)", ["2026-01-08 12:00", "2026-01-15 12:00"]),
    ] {
        assert_eq!(runs(text, after, 2), expected, "{text}");
    }
}

#[test]
fn months_end_where_they_end() {
    for (text, after, expected) in [
        // The last day, leap years included.
        (
            "cron(0 0 L * ? *)",
            "2028-01-01T00:00:00Z",
            ["2028-01-31 00:00", "2028-02-29 00:00", "2028-03-31 00:00"],
        ),
        // The last weekday: 31 January 2026 is a Saturday, 28 February one as well; 31 May a Sunday.
        (
            "cron(0 0 LW 1,2,5 ? 2026)",
            "2026-01-01T00:00:00Z",
            ["2026-01-30 00:00", "2026-02-27 00:00", "2026-05-29 00:00"],
        ),
        // Months without the day are left out.
        (
            "cron(0 0 31 * ? *)",
            "2026-01-31T00:00:00Z",
            ["2026-03-31 00:00", "2026-05-31 00:00", "2026-07-31 00:00"],
        ),
        (
            "cron(0 0 29 2 ? *)",
            "2026-01-01T00:00:00Z",
            ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"],
        ),
        // A fifth Monday is in some months only.
        (
            "cron(0 0 ? * MON#5 *)",
            "2026-01-01T00:00:00Z",
            ["2026-03-30 00:00", "2026-06-29 00:00", "2026-08-31 00:00"],
        ),
        // The nearest weekday stays in its month: 1 August 2026 is a Saturday, 31 a Monday.
        (
            "cron(0 0 1W,31W 8-10 ? 2026)",
            "2026-08-01T00:00:00Z",
            ["2026-08-03 00:00", "2026-08-31 00:00", "2026-09-01 00:00"],
        ),
        // Two names of one day are one run.
        (
            "cron(0 0 L,31 1-3 ? *)",
            "2026-01-01T00:00:00Z",
            ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"],
        ),
        // The end of a year, and one that is no leap year though divisible by 4.
        (
            "cron(59 23 L 2,12 ? 2099-2100)",
            "2099-03-01T00:00:00Z",
            ["2099-12-31 23:59", "2100-02-28 23:59", "2100-12-31 23:59"],
        ),
    ] {
        assert_eq!(runs(text, after, 3), expected, "{text}");
    }
}

#[test]
fn there_is_a_last_run() {
    let after = "2199-12-31T23:58:30Z";
    assert_eq!(runs("cron(* * * * ? *)", after, 3), ["2199-12-31 23:59"]);
    let none: [&str; 0] = [];
    assert_eq!(runs("cron(0 0 30 2 ? *)", "2026-01-01T00:00:00Z", 1), none);
    assert_eq!(
        runs("cron(0 0 1 1 ? 2025)", "2026-01-01T00:00:00Z", 1),
        none
    );
    let early = runs("cron(0 0 1 1 ? *)", "-000001-01-01T00:00:00Z", 1);
    assert_eq!(early, ["1970-01-01 00:00"]);
    let rate = schedule("rate(4294967295 days)");
    assert_eq!(rate.next_after(at(after), at(after)), None);
}

#[test]
fn a_rate_keeps_the_beat_of_its_anchor() {
    let rate = schedule("rate(5 minutes)");
    let anchor = at("2026-01-01T12:00:17.5Z");
    for (after, expected) in [
        ("2025-12-31T00:00:00Z", "2026-01-01T12:05:17.5Z"),
        ("2026-01-01T12:00:17.5Z", "2026-01-01T12:05:17.5Z"),
        ("2026-01-01T12:05:17.4Z", "2026-01-01T12:05:17.5Z"),
        ("2026-01-01T12:05:17.5Z", "2026-01-01T12:10:17.5Z"),
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:17.5Z"),
    ] {
        let next = rate.next_after(at(after), anchor);
        assert_eq!(next, Some(at(expected)), "{after}");
    }
}

/// Independent of the module's own way: whether a minute matches, field by field.
fn matches(cron: &Cron, minute: Timestamp) -> bool {
    let time = Offset::UTC.to_datetime(minute);
    let (date, last) = (time.date(), time.date().days_in_month());
    let week = u16::from(date.weekday().to_sunday_one_offset().unsigned_abs());
    let day = u16::from(date.day().unsigned_abs());
    let is_weekday = !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    // Whether `other`, a day of this month, is a weekday and no nearer one lies between.
    let weekday_nearest_to = |wanted: u16| {
        let distance = |other: i8| (i32::from(other) - i32::from(wanted)).abs();
        let weekday = |other: &i8| {
            let other = date.with().day(*other).build().expect("it is in the month");
            !matches!(other.weekday(), Weekday::Saturday | Weekday::Sunday)
        };
        i32::from(wanted) <= i32::from(last)
            && (1..=last)
                .filter(weekday)
                .min_by_key(|other| distance(*other))
                == Some(date.day())
    };
    let day_matches = match &cron.days {
        Days::OfMonth(days) => days.iter().any(|one| match one {
            DayOfMonth::Day(wanted) => *wanted == day,
            DayOfMonth::NearestWeekday(wanted) => weekday_nearest_to(*wanted),
            DayOfMonth::Last => date.day() == last,
            DayOfMonth::LastWeekday => {
                let rest = date.day() + 1..=last;
                let later = rest.filter_map(|later| date.with().day(later).build().ok());
                is_weekday
                    && later
                        .map(Date::weekday)
                        .all(|later| matches!(later, Weekday::Saturday | Weekday::Sunday))
            }
        }),
        Days::OfWeek(days) => days.iter().any(|one| match one {
            DayOfWeek::Every(wanted) => *wanted == week,
            DayOfWeek::Last(wanted) => *wanted == week && date.day() + 7 > last,
            DayOfWeek::Nth { day: wanted, nth } => {
                *wanted == week && day.div_ceil(7) == u16::from(*nth)
            }
        }),
    };
    let number = |number: i8| u16::from(number.unsigned_abs());
    day_matches
        && time.second() == 0
        && cron.minutes.contains(&number(time.minute()))
        && cron.hours.contains(&number(time.hour()))
        && cron.months.contains(&number(time.month()))
        && cron.years.contains(&date.year().unsigned_abs())
}

/// Expressions that run now and then within some days.
fn cron() -> impl Strategy<Value = String> {
    let minutes = prop_oneof![
        Just("*".to_owned()),
        (0_u8..60).prop_map(|minute| minute.to_string()),
        (0_u8..60, 1_u8..60).prop_map(|(start, step)| format!("{start}/{step}")),
        (0_u8..30, 30_u8..60).prop_map(|(from, to)| format!("{from}-{to}")),
    ];
    let hours = prop_oneof![
        Just("*".to_owned()),
        (0_u8..24).prop_map(|hour| hour.to_string()),
        (0_u8..12, 12_u8..24, 1_u8..6).prop_map(|(from, to, step)| format!("{from}-{to}/{step}")),
    ];
    let days = prop_oneof![
        Just("* * ?".to_owned()),
        Just("L * ?".to_owned()),
        Just("LW * ?".to_owned()),
        (1_u8..=31).prop_map(|day| format!("{day}W * ?")),
        (1_u8..=31, 1_u8..=31).prop_map(|(one, other)| format!("{one},{other} * ?")),
        (1_u8..=12).prop_map(|month| format!("* {month}-12 ?")),
        (1_u8..=7, 1_u8..=7).prop_map(|(from, to)| format!("? * {from}-{to}")),
        (1_u8..=7).prop_map(|day| format!("? * {day}L")),
        (1_u8..=7, 1_u8..=5).prop_map(|(day, nth)| format!("? * {day}#{nth}")),
    ];
    (minutes, hours, days)
        .prop_map(|(minutes, hours, days)| format!("cron({minutes} {hours} {days} *)"))
}

const DAYS: i64 = 6;

proptest! {
    #[test]
    fn the_next_run_is_the_first_minute_that_matches(
        text in cron(),
        // 1970 to 2199.
        after in 0_i64..7_258_118_400 - DAYS * 86_400,
    ) {
        let after = Timestamp::from_second(after).expect("it is in range");
        let Ok(Expression::Cron(cron)) = schedule::parse(&text) else {
            panic!("{text} is a cron expression");
        };
        let next = schedule(&text).next_after(after, after);
        if let Some(next) = next {
            prop_assert!(next > after);
            prop_assert!(matches(&cron, next), "{text}: {next}");
        }
        let first = (after.as_second() / 60 + 1) * 60;
        let minutes = (0..DAYS * 1_440).map(|minute| first + minute * 60);
        let expected = minutes
            .map(|second| Timestamp::from_second(second).expect("it is in range"))
            .find(|minute| matches(&cron, *minute));
        match expected {
            Some(_) => prop_assert_eq!(next, expected, "{}", text),
            None => {
                let end = after + SignedDuration::from_hours(24 * DAYS);
                prop_assert!(next.is_none_or(|next| next > end), "{text}: {next:?}");
            }
        }
    }

    #[test]
    fn a_day_of_irregular_ticks_runs_each_once(
        text in prop_oneof![
            cron(),
            (2_u16..300).prop_map(|minutes| format!("rate({minutes} minutes)")),
        ],
        start in 0_i64..4_000_000_000,
        anchor in 0_i64..4_000_000_000,
        ticks in prop::collection::vec(20_000_i64..7_200_000, 1..60),
    ) {
        let schedule = schedule(&text);
        let anchor = Timestamp::from_second(anchor).expect("it is in range");
        let start = Timestamp::from_second(start).expect("it is in range");
        let end = start + SignedDuration::from_hours(24);
        let mut run = Vec::new();
        let mut now = start;
        let mut ticks = ticks.into_iter().cycle();
        while now < end {
            let tick = ticks.next().expect("the ticks go round");
            let then = (now + SignedDuration::from_millis(tick)).min(end);
            run.extend(schedule.due_between(now, then, anchor));
            now = then;
        }
        let expected: Vec<Timestamp> = schedule.due_between(start, end, anchor).collect();
        prop_assert_eq!(&run, &expected);
        prop_assert!(run.is_sorted_by(|earlier, later| earlier < later));
        prop_assert!(run.iter().all(|run| *run > start && *run <= end));
    }
}

#[test]
fn a_day_of_five_minutes_has_288_runs() {
    let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
    for text in ["rate(5 minutes)", "cron(0/5 * * * ? *)"] {
        assert_eq!(schedule(text).due_between(from, to, from).count(), 288);
    }
    assert_eq!(
        schedule("rate(5 minutes)")
            .due_between(to, to, from)
            .count(),
        0
    );
}
