use super::*;

#[test]
fn schedules_that_eventbridge_takes_pass() {
    for schedule in [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(1 day)",
        "rate(12 hours)",
        "cron(0 3 * * ? *)",
        "cron(*/5 * * * ? *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 0 L * ? *)",
        "cron(0/15 8-17 ? * MON-FRI 2026-2030)",
        "cron(0 10 15W JAN,JUL ? *)",
        "cron(15 10 ? * 6L 2026)",
        "cron(0 0 ? * FRI-MON *)",
    ] {
        assert!(parse(schedule).is_ok(), "{schedule}");
    }
}

#[test]
fn schedules_that_eventbridge_refuses_are_refused() {
    for schedule in [
        "rate(0 minutes)",
        "rate(5 minute)",
        "rate(1 minutes)",
        "rate(5  minutes)",
        "rate(5s)",
        "rate(5 weeks)",
        "rate(-1 minutes)",
        "rate(+1 minutes)",
        "every 5 minutes",
        "cron(* * * * *)",
        "cron(0 3 * * * *)",
        "cron(0 3 ? * ? *)",
        "cron(60 3 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 3 0 * ? *)",
        "cron(0 3 * 13 ? *)",
        "cron(0 3 ? * 8 *)",
        "cron(0 3 * * ? 1969)",
        "cron(*/0 3 * * ? *)",
        "cron(0 17-8 * * ? *)",
        "cron(? 3 * * ? *)",
        "cron(0 3 ? * 2#6 *)",
        "cron(0 3 ? * 3#1,6#3 *)",
        "cron(0 3 ? * 2/2 *)",
        "cron(0 3 ? * 15W *)",
        "cron(0 3 5L * ? *)",
        "cron(+5 3 * * ? *)",
        "cron(*/+5 3 * * ? *)",
        "cron(0 3,, * * ? *)",
        "cron()",
        "rate()",
        "cron(0 3 * * ? *",
        "",
    ] {
        assert!(parse(schedule).is_err(), "{schedule}");
    }
}

#[test]
fn a_schedule_is_read_field_by_field() {
    assert_eq!(
        parse("rate(2 days)"),
        Ok(Expression::Rate { minutes: 2_880 })
    );
    let Ok(Expression::Cron(cron)) = parse("cron(1/20 8-10,20 ? jan,11-12 FRI-MON 2190/5)") else {
        panic!("it is a cron expression");
    };
    assert_eq!(cron.minutes, BTreeSet::from([1, 21, 41]));
    assert_eq!(cron.hours, BTreeSet::from([8, 9, 10, 20]));
    assert_eq!(cron.months, BTreeSet::from([1, 11, 12]));
    assert_eq!(
        cron.days,
        Days::OfWeek([6, 7, 1, 2].map(DayOfWeek::Every).to_vec())
    );
    assert_eq!(cron.years, BTreeSet::from([2_190, 2_195]));
}

#[test]
fn special_days_are_read() {
    let days =
        |of_month: &str, of_week: &str| match parse(&format!("cron(0 0 {of_month} * {of_week} *)"))
        {
            Ok(Expression::Cron(cron)) => cron.days,
            other => panic!("{other:?}"),
        };
    let of_month = [
        DayOfMonth::Last,
        DayOfMonth::NearestWeekday(15),
        DayOfMonth::LastWeekday,
        DayOfMonth::Day(3),
    ];
    assert_eq!(days("L,15W,LW,3", "?"), Days::OfMonth(of_month.to_vec()));
    let of_week = [DayOfWeek::Every(7), DayOfWeek::Last(6)];
    assert_eq!(days("?", "L,FRIL"), Days::OfWeek(of_week.to_vec()));
    let nth = DayOfWeek::Nth { day: 2, nth: 5 };
    assert_eq!(days("?", "MON#5"), Days::OfWeek(vec![nth]));
}

#[test]
fn the_plural_is_said_precisely() {
    assert_eq!(
        parse("rate(5 minute)").unwrap_err().to_string(),
        "the unit of 5 is `minutes`"
    );
}
