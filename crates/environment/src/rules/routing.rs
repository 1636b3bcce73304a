//! Which requests come to which app.

use super::Rules;
use crate::settings::{App, Target};

/// The most values of hosts and paths together in a listener rule (ALB).
const MOST_VALUES: usize = 5;

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    for (name, app) in &settings.app {
        let hosts = app.routing.hosts.as_deref().unwrap_or_default();
        for (index, host) in hosts.iter().enumerate() {
            if let Some(wrong) = wrong_host(host, rules.target) {
                let path = ["app", name, "routing", "hosts", &index.to_string()];
                let help = "A host is like `shop.example.com` or `*.example.com`: lower-case, \
                            without scheme, port or path.";
                rules.wrong("bad_host", &path, format!("`{host}` {wrong}."), help);
            }
        }
        for (index, pattern) in app.routing.paths.iter().enumerate() {
            if let Some(wrong) = wrong_path(pattern) {
                let path = ["app", name, "routing", "paths", &index.to_string()];
                let help = "A path is like `/admin/*`: it begins with `/` or `*` and may have \
                            letters, digits, `*`, `?` and `_-.$/~\"'@:+&`.";
                rules.wrong("bad_path", &path, format!("`{pattern}` {wrong}."), help);
            }
        }
        count(rules, name, app, hosts.len());
    }
    duplicates(rules);
}

fn count(rules: &mut Rules<'_>, name: &str, app: &App, hosts: usize) {
    let values = hosts + app.routing.paths.len();
    if values > MOST_VALUES {
        let message = format!("App `{name}` has {values} hosts and paths.");
        let help = "A listener rule of the load balancer takes at most 5 together.";
        rules.wrong(
            "too_many_conditions",
            &["app", name, "routing"],
            message,
            help,
        );
    }
}

fn wrong_host(host: &str, target: Target) -> Option<&'static str> {
    let letter = |letter: u8| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"-.*?".contains(&letter)
    };
    if host.contains("://") || host.contains('/') {
        Some("has a scheme or a path")
    } else if host.contains(':') {
        Some("has a port")
    } else if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some("has upper-case letters")
    } else if !host.bytes().all(letter) {
        Some("has characters that a host name can't have")
    } else if host.split('.').any(|label| {
        label.is_empty() || label.starts_with('-') || label.ends_with('-') || label.len() > 63
    }) {
        Some("has a label that is empty, too long or has a hyphen at an end")
    } else if target == Target::Aws && !host.contains('.') {
        Some("has no dot, which a load balancer on AWS wants")
    } else if host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|it| it.is_ascii_digit()))
    {
        Some("is an address rather than a name")
    } else {
        None
    }
}

fn wrong_path(pattern: &str) -> Option<&'static str> {
    let letter =
        |letter: u8| letter.is_ascii_alphanumeric() || b"_-.$/~\"'@:+&*?".contains(&letter);
    if !pattern.starts_with(['/', '*']) {
        Some("does not begin with `/`")
    } else if !pattern.bytes().all(letter) {
        Some("has characters that a path pattern can't have")
    } else {
        None
    }
}

/// The pairs of host and path that an app gets; an empty text is "every".
fn conditions(name: &str, app: &App, target: Target) -> Vec<(String, String)> {
    let every = || vec![String::new()];
    let hosts = match &app.routing.hosts {
        Some(hosts) if !hosts.is_empty() => hosts.clone(),
        None if target == Target::Local => vec![format!("{name}.localhost")],
        _ => every(),
    };
    let paths = if app.routing.paths.is_empty() {
        every()
    } else {
        app.routing.paths.clone()
    };
    let pairs = hosts
        .iter()
        .flat_map(|host| paths.iter().map(|path| (host.clone(), path.clone())));
    pairs.collect()
}

fn duplicates(rules: &mut Rules<'_>) {
    let routed: Vec<(&String, &App)> = rules
        .settings
        .app
        .iter()
        .filter(|(_, app)| !app.routing.internal)
        .collect();
    for (position, (name, app)) in routed.iter().enumerate() {
        let own = conditions(name, app, rules.target);
        for (earlier, other) in &routed[..position] {
            let (one, two) = (["app", name, "routing"], ["app", earlier, "routing"]);
            let labels = (format!("of `{name}`"), format!("of `{earlier}`"));
            let taken = conditions(earlier, other, rules.target);
            if let Some((host, path)) = own.iter().find(|pair| taken.contains(pair)) {
                let message = format!(
                    "Apps `{earlier}` and `{name}` get the same requests: {}.",
                    { spoken(host, path) }
                );
                let help = "Give them different `routing.hosts` or `routing.paths`, or make one \
                            `routing.internal = true`.";
                let places = ((&one[..], labels.0.as_str()), (&two[..], labels.1.as_str()));
                rules.wrong_pair("duplicate_route", places.0, places.1, message, help);
            }
            let same =
                app.routing.priority.is_some() && app.routing.priority == other.routing.priority;
            if same {
                let (one, two) = (
                    [&one[..], &["priority"]].concat(),
                    [&two[..], &["priority"]].concat(),
                );
                let message = format!("Apps `{earlier}` and `{name}` have the same priority.");
                let help =
                    "A priority belongs to one listener rule; leave it out to have one made.";
                let places = ((&one[..], labels.0.as_str()), (&two[..], labels.1.as_str()));
                rules.wrong_pair("duplicate_priority", places.0, places.1, message, help);
            }
        }
    }
}

fn spoken(host: &str, path: &str) -> String {
    match (host.is_empty(), path.is_empty()) {
        (true, true) => "every host and path".to_owned(),
        (true, false) => format!("path `{path}` of every host"),
        (false, true) => format!("every path of `{host}`"),
        (false, false) => format!("path `{path}` of `{host}`"),
    }
}
