//! The database and the caches.

use super::Rules;
use crate::{
    settings::Redis,
    units::{Duration, Size},
};

/// The times between samples that RDS offers, in seconds (Enhanced Monitoring).
const MONITORING_SECONDS: [u64; 7] = [0, 1, 5, 10, 15, 30, 60];

const MINUTES_OF_A_DAY: u32 = 24 * 60;

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    let retention = settings.database.backups.retention;
    let limits = (Duration::from_days(1), Duration::from_days(35));
    rules.within(
        &["database", "backups", "retention"],
        retention,
        limits,
        "RDS",
    );
    whole_days(rules, &["database", "backups", "retention"], retention);
    window(rules);
    monitoring(rules);
    capacity(rules);
    at_least(
        rules,
        &["database", "memory"],
        settings.database.memory,
        Size::from_mib(128),
    );
    redis(rules, "redis-cache", &settings.cache.redis_cache);
    redis(rules, "redis-session", &settings.cache.redis_session);
    if let Some(memcached) = &settings.cache.memcached {
        at_least(
            rules,
            &["cache", "memcached", "memory"],
            memcached.memory,
            Size::from_mib(16),
        );
    }
}

/// AWS counts these in whole days.
pub(super) fn whole_days(rules: &mut Rules<'_>, path: &[&str], value: Duration) {
    if !value
        .as_millis()
        .is_multiple_of(Duration::from_days(1).as_millis())
    {
        let message = format!("`{}` must be whole days, not {value}.", path.join("."));
        rules.wrong(
            "not_whole_days",
            path,
            message,
            "AWS counts it in days, such as \"7d\".",
        );
    }
}

fn at_least(rules: &mut Rules<'_>, path: &[&str], value: Size, least: Size) {
    if value < least {
        let message = format!("`{}` can't be {value}.", path.join("."));
        let help = format!("The server needs at least {least} to run.");
        rules.wrong("out_of_range", path, message, &help);
    }
}

/// Minutes since midnight of `HH:MM`.
fn minutes(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn window(rules: &mut Rules<'_>) {
    let window = rules.settings.database.backups.window.as_str();
    let ends = window
        .split_once('-')
        .and_then(|(from, to)| Some((minutes(from)?, minutes(to)?)));
    let wrong = match ends {
        None => "names an hour that no day has",
        Some((from, to)) if (to + MINUTES_OF_A_DAY - from) % MINUTES_OF_A_DAY < 30 => {
            "is shorter than 30 minutes"
        }
        Some(_) => return,
    };
    let message = format!("The backup window `{window}` {wrong}.");
    let help = "`HH:MM-HH:MM` in UTC, at least 30 minutes (RDS), such as `01:00-02:00`.";
    rules.wrong(
        "bad_window",
        &["database", "backups", "window"],
        message,
        help,
    );
}

fn monitoring(rules: &mut Rules<'_>) {
    let database = &rules.settings.database;
    let interval = database.monitoring_interval;
    if !MONITORING_SECONDS
        .iter()
        .any(|seconds| Duration::from_secs(*seconds) == interval)
    {
        let message = format!("RDS can't take samples every {interval}.");
        let help = "It offers 1s, 5s, 10s, 15s, 30s and 60s, and 0s is never.";
        let path = ["database", "monitoring-interval"];
        rules.wrong("bad_interval", &path, message, help);
    }
    let limits = (Duration::from_secs(1), Duration::from_secs(3_600));
    let path = ["database", "slow-query-after"];
    rules.within(
        &path,
        database.slow_query_after,
        limits,
        "The slow-query log",
    );
    let burstable = database.serverless.is_none() && database.instance_class.starts_with("db.t");
    if burstable && database.performance_insights == Some(true) {
        let message = format!(
            "Aurora has no Performance Insights for `{}`.",
            database.instance_class
        );
        let help = "Take another class, such as `db.r6g.large`, or leave \
                    `performance-insights` out.";
        let path = ["database", "performance-insights"];
        rules.wrong("not_supported", &path, message, help);
    }
}

fn capacity(rules: &mut Rules<'_>) {
    let Some(capacity) = rules.settings.database.serverless else {
        return;
    };
    let (least, most) = (capacity.minimum, capacity.maximum);
    let path = |key| ["database", "serverless", key];
    if least > most {
        let message = format!("The least capacity ({least}) is above the most ({most}).");
        let help = "`minimum` must be at most `maximum`.";
        let (one, other) = (path("minimum"), path("maximum"));
        rules.wrong_pair(
            "wrong_order",
            (&one, "least"),
            (&other, "most"),
            message,
            help,
        );
    }
    for (key, value) in [("minimum", least), ("maximum", most)] {
        if (value * 2.0).fract() != 0.0 {
            let message = format!("A capacity can't be {value}.");
            rules.wrong(
                "bad_capacity",
                &path(key),
                message,
                "Aurora counts in steps of 0.5.",
            );
        }
    }
}

fn redis(rules: &mut Rules<'_>, key: &str, redis: &Redis) {
    at_least(
        rules,
        &["cache", key, "memory"],
        redis.memory,
        Size::from_mib(16),
    );
    let Some(retention) = redis.snapshot_retention else {
        return;
    };
    let path = ["cache", key, "snapshot-retention"];
    let limits = (Duration::from_secs(0), Duration::from_days(35));
    rules.within(&path, retention, limits, "ElastiCache");
    whole_days(rules, &path, retention);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_those_of_a_day() {
        assert_eq!(minutes("23:59"), Some(1_439));
        assert_eq!(
            (minutes("24:00"), minutes("12"), minutes("a:b")),
            (None, None, None)
        );
    }
}
