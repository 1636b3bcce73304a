//! How requests come to an app: hosts, listener rules, health checks.

use std::collections::BTreeMap;

use mck_environment::{
    settings::{App as Settings, HealthCheck as HealthCheckSettings},
    units::Duration,
};

use super::PlanningError;
use crate::{
    model::{HealthCheck, ListenerRule},
    planning::{context::Context, edge},
};

/// The distance between default priorities, so that one fits between two.
const PRIORITY_STEP: u16 = 10;
/// The greatest priority of a listener rule (ELB).
const GREATEST_PRIORITY: u16 = 50_000;

/// The hosts of an app: those of the file; locally `<app>.localhost`, else every host.
pub(super) fn hosts(context: &Context<'_>, name: &str, settings: &Settings) -> Vec<String> {
    match &settings.routing.hosts {
        Some(hosts) => hosts.clone(),
        None if context.is_local() => vec![format!("{name}.localhost")],
        None => Vec::new(),
    }
}

/// The first host that is a name and not a pattern.
pub(super) fn main_host(hosts: &[String]) -> Option<&String> {
    hosts.iter().find(|host| !host.contains(['*', '?']))
}

/// The URL at which a person finds an app, without a slash at its end; on AWS always HTTPS, locally
/// with the machine's port. None where the app answers every host and there is no public zone.
pub(super) fn base_url(context: &Context<'_>, hosts: &[String]) -> Option<String> {
    let host = main_host(hosts).or(context.settings.dns.public_zone.as_ref())?;
    let local = &context.settings.local;
    let (scheme, port, usual_port) = match (context.is_local(), edge::redirects(context)) {
        (false, _) => ("https", 443, 443),
        (true, true) => ("https", local.https_port, 443),
        (true, false) => ("http", local.http_port, 80),
    };
    Some(if port == usual_port {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{port}")
    })
}

/// The priorities of listener rules by app: those of the file, and for the others the order from
/// the most to the least particular rule, then of the apps' names. Also the lowest one that is
/// still free, for Jenkins.
pub(in crate::planning) fn priorities(
    context: &Context<'_>,
) -> Result<(BTreeMap<String, u16>, u16), PlanningError> {
    let routed = context
        .settings
        .app
        .iter()
        .filter(|(_, app)| !app.routing.internal);
    let mut priorities: BTreeMap<String, u16> = routed
        .clone()
        .filter_map(|(name, app)| Some((name.clone(), app.routing.priority?)))
        .collect();
    let mut others: Vec<_> = routed
        .filter(|(_, app)| app.routing.priority.is_none())
        .map(|(name, app)| {
            let hosts = hosts(context, name, app);
            let pattern = hosts.iter().any(|host| host.contains(['*', '?']));
            let key = (app.routing.paths.is_empty(), hosts.is_empty(), pattern);
            (key, name)
        })
        .collect();
    others.sort();
    let mut next = PRIORITY_STEP;
    for (_, name) in others {
        while priorities.values().any(|taken| *taken == next) {
            next += 1;
        }
        if next > GREATEST_PRIORITY - PRIORITY_STEP {
            return Err(PlanningError::NoPriorityLeft { app: name.clone() });
        }
        priorities.insert(name.clone(), next);
        next += PRIORITY_STEP;
    }
    let free = (1..=GREATEST_PRIORITY)
        .find(|candidate| priorities.values().all(|taken| taken != candidate))
        .unwrap_or(GREATEST_PRIORITY);
    Ok((priorities, free))
}

pub(super) fn listener_rule(settings: &Settings, hosts: &[String], priority: u16) -> ListenerRule {
    ListenerRule {
        priority,
        hosts: hosts.to_vec(),
        paths: settings.routing.paths.clone(),
    }
}

/// The health check; locally faster, since a check costs nothing there.
pub(super) fn health_check(
    context: &Context<'_>,
    settings: &HealthCheckSettings,
    preset_path: Option<&str>,
    hosts: &[String],
) -> HealthCheck {
    let healthy_threshold = if context.is_local() { 2 } else { 3 };
    HealthCheck {
        path: settings
            .path
            .clone()
            .unwrap_or_else(|| preset_path.unwrap_or("/health_check.php").to_owned()),
        host: main_host(hosts).cloned(),
        interval: settings
            .interval
            .unwrap_or_else(|| context.by_target(Duration::from_secs(1), Duration::from_secs(10))),
        timeout: settings.timeout.unwrap_or_else(|| {
            context.by_target(Duration::from_millis(900), Duration::from_secs(5))
        }),
        healthy_threshold: settings.healthy_threshold.unwrap_or(healthy_threshold),
        unhealthy_threshold: settings.unhealthy_threshold.unwrap_or(2),
        matcher: settings
            .matcher
            .as_deref()
            .map_or_else(|| vec![(200, 200)], matcher),
        grace_period: settings
            .grace_period
            .unwrap_or(context.by_target(Duration::from_secs(10), Duration::from_secs(60))),
    }
}

/// Reads `200`, `200-399` and lists of them; parts that are no numbers are left out, since the
/// environment's check has refused them before.
fn matcher(text: &str) -> Vec<(u16, u16)> {
    text.split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::matcher;

    #[test]
    fn a_matcher_is_a_list_of_codes_and_ranges() {
        assert_eq!(matcher("200"), [(200, 200)]);
        assert_eq!(matcher("200-399,418"), [(200, 399), (418, 418)]);
    }
}
