//! Health checks of the load balancer and of containers.

use super::Rules;
use crate::{
    settings::{App, ContainerHealthCheck, Target},
    units::Duration,
};

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    for (name, app) in &settings.app {
        if !app.routing.internal {
            load_balancer(rules, name, app);
        }
        for (container, described) in &app.container {
            if let Some(health) = &described.health_check {
                inside(
                    rules,
                    &["app", name, "container", container, "health-check"],
                    health,
                );
            }
        }
    }
}

fn load_balancer(rules: &mut Rules<'_>, name: &str, app: &App) {
    let health = &app.health_check;
    let (interval, timeout) = match rules.target {
        Target::Aws => (Duration::from_secs(10), Duration::from_secs(5)),
        Target::Local => (Duration::from_secs(1), Duration::from_millis(900)),
    };
    let interval = health.interval.unwrap_or(interval);
    let timeout = health.timeout.unwrap_or(timeout);
    let at = |key| ["app", name, "health-check", key];
    shorter(rules, &at("timeout"), timeout, &at("interval"), interval);
    if rules.on_aws() {
        let seconds = Duration::from_secs;
        let source = "A target group of the load balancer";
        rules.within(
            &at("interval"),
            interval,
            (seconds(5), seconds(300)),
            source,
        );
        rules.within(&at("timeout"), timeout, (seconds(2), seconds(120)), source);
    } else if interval.as_millis() == 0 || timeout.as_millis() == 0 {
        let message = "A health check's interval and timeout can't be 0.".to_owned();
        rules.wrong(
            "out_of_range",
            &at("interval"),
            message,
            "Allowed: 1ms or more.",
        );
    }
    if let Some(grace) = health.grace_period {
        let limits = (Duration::from_secs(0), Duration::from_secs(2_147_483_647));
        rules.within(&at("grace-period"), grace, limits, "ECS");
    }
    if let Some(matcher) = health
        .matcher
        .as_deref()
        .filter(|matcher| !matches_codes(matcher))
    {
        let message = format!("`{matcher}` holds a status code that can't be matched.");
        let help = "A load balancer matches 200 to 499, and a range goes from low to high.";
        rules.wrong("bad_matcher", &at("matcher"), message, help);
    }
}

fn matches_codes(matcher: &str) -> bool {
    matcher.split(',').all(|part| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        match (low.parse::<u16>(), high.parse::<u16>()) {
            (Ok(low), Ok(high)) => (200..=499).contains(&low) && low <= high && high <= 499,
            _ => false,
        }
    })
}

fn shorter(
    rules: &mut Rules<'_>,
    timeout_path: &[&str],
    timeout: Duration,
    interval_path: &[&str],
    interval: Duration,
) {
    if timeout >= interval {
        let message = format!(
            "A health check may take {timeout}, which is not shorter than its interval of \
             {interval}."
        );
        let help = "A check must end before the next one starts: shorten `timeout` or lengthen \
                    `interval`.";
        let labels = (format!("timeout {timeout}"), format!("interval {interval}"));
        let (one, other) = ((timeout_path, &*labels.0), (interval_path, &*labels.1));
        rules.wrong_pair("timeout_not_below_interval", one, other, message, help);
    }
}

/// A check that ECS runs in the container.
fn inside(rules: &mut Rules<'_>, path: &[&str], health: &ContainerHealthCheck) {
    let at = |key| [path, &[key]].concat();
    if health.command.first().is_none_or(String::is_empty) {
        let message = "A container's health check has no command.".to_owned();
        let help = "Name the program and its arguments, such as [\"php-fpm-healthcheck\"].";
        rules.wrong("empty_command", &at("command"), message, help);
    }
    shorter(
        rules,
        &at("timeout"),
        health.timeout,
        &at("interval"),
        health.interval,
    );
    let seconds = Duration::from_secs;
    for (key, value, limits) in [
        ("interval", health.interval, (seconds(5), seconds(300))),
        ("timeout", health.timeout, (seconds(2), seconds(60))),
        (
            "start-period",
            health.start_period,
            (seconds(0), seconds(300)),
        ),
    ] {
        rules.within(&at(key), value, limits, "ECS");
    }
}
