//! The containers of a task, which share an address (`awsvpc`).

use std::collections::BTreeMap;

use super::{PRESET_CONTAINERS, Rules};
use crate::{
    diagnostic::{quoted_list, suggestion},
    settings::{App, Container, DependencyCondition, Mount},
    units::{Duration, Size},
};

/// The least memory of a container (ECS).
const LEAST_MEMORY: Size = Size::from_mib(6);

/// Linux capabilities that a container may keep (ECS on EC2), without their prefix `CAP_`.
const CAPABILITIES: [&str; 38] = [
    "AUDIT_CONTROL",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
    "ALL",
];

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    for (name, app) in &settings.app {
        for (container, described) in &app.container {
            let path = ["app", name, "container", container];
            one(rules, &path, described);
            image(rules, &path, app, described);
        }
        preset_memory(rules, name, app);
        ports(rules, name, app);
        if app.preset.is_none() && !app.container.is_empty() {
            entrance(rules, name, app);
            essential(rules, name, app);
        }
        if let Some(wanted) = &app.routing.container {
            known(rules, app, &["app", name, "routing", "container"], wanted);
        }
        dependencies(rules, name, app);
    }
}

/// Reports a container that the app does not have; says whether it does.
pub(super) fn known(rules: &mut Rules<'_>, app: &App, path: &[&str], wanted: &str) -> bool {
    let names = names(app);
    if names.contains(&wanted) {
        return true;
    }
    let message = format!("The app has no container `{wanted}`.");
    let close = suggestion(wanted, names.iter().copied());
    let help = format!("{close}It has {}.", quoted_list(names.iter()));
    rules.wrong("unknown_container", path, message, &help);
    false
}

fn names(app: &App) -> Vec<&str> {
    let preset = if app.preset.is_some() {
        &PRESET_CONTAINERS[..]
    } else {
        &[]
    };
    let mut all: Vec<&str> = app.container.keys().map(String::as_str).collect();
    all.extend(
        preset
            .iter()
            .filter(|name| !app.container.contains_key(**name)),
    );
    all
}

fn one(rules: &mut Rules<'_>, path: &[&str], container: &Container) {
    let at = |key| [path, &[key]].concat();
    let sizes = (container.memory_reservation, container.memory);
    memory(rules, path, sizes);
    if let Some(timeout) = container.stop_timeout {
        let limits = (Duration::from_secs(2), Duration::from_secs(120));
        rules.within(&at("stop-timeout"), timeout, limits, "ECS");
    }
    if container
        .command
        .as_ref()
        .is_some_and(|words| words.first().is_none_or(String::is_empty))
    {
        let message = "The container's command is empty.".to_owned();
        let help = "Name the program and its arguments, or leave `command` out for the image's.";
        rules.wrong("empty_command", &at("command"), message, help);
    }
    for (index, capability) in container.capabilities.iter().enumerate() {
        if !CAPABILITIES.contains(&capability.as_str()) {
            let message = format!("There is no Linux capability `{capability}`.");
            let bare = capability.trim_start_matches("CAP_");
            let close = match CAPABILITIES
                .iter()
                .find(|name| name.eq_ignore_ascii_case(bare))
            {
                Some(name) => format!("Did you mean `{name}`? "),
                None => String::new(),
            };
            let help = format!("{close}They are named without `CAP_`, such as `NET_BIND_SERVICE`.");
            let index = index.to_string();
            let path = [path, &["capabilities", index.as_str()]].concat();
            rules.wrong("unknown_capability", &path, message, &help);
        }
    }
    mounts(rules, path, container);
}

fn mounts(rules: &mut Rules<'_>, path: &[&str], container: &Container) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, mount) in container.mounts.iter().enumerate() {
        let (Mount::Media { path: place } | Mount::Temporary { path: place }) = mount;
        let index = index.to_string();
        let path = [path, &["mounts", index.as_str(), "path"]].concat();
        if !place.starts_with('/') || place.split('/').any(|part| part == "..") || place == "/" {
            let message = format!("`{place}` is not an absolute path within the container.");
            let help = "Such as `/var/cache/app`, without `..`.";
            rules.wrong("bad_mount", &path, message, help);
        } else if seen.contains(&place.as_str()) {
            let message = format!("`{place}` is mounted twice.");
            rules.wrong("bad_mount", &path, message, "Each path can hold one mount.");
        }
        seen.push(place);
    }
}

fn memory(rules: &mut Rules<'_>, path: &[&str], (kept, limit): (Option<Size>, Option<Size>)) {
    let at = |key| [path, &[key]].concat();
    for (key, size) in [("memory-reservation", kept), ("memory", limit)] {
        if size.is_some_and(|size| size < LEAST_MEMORY) {
            let message = format!("`{}` is below {LEAST_MEMORY}.", at(key).join("."));
            rules.wrong(
                "out_of_range",
                &at(key),
                message,
                "ECS gives no container less than 6MiB.",
            );
        }
    }
    if let (Some(kept), Some(limit)) = (kept, limit)
        && kept > limit
    {
        let message = format!("The memory kept ({kept}) is above the limit ({limit}).");
        let help = "`memory` must be at least `memory-reservation`.";
        let (one, other) = (at("memory-reservation"), at("memory"));
        rules.wrong_pair(
            "wrong_order",
            (&one, "kept"),
            (&other, "limit"),
            message,
            help,
        );
    }
}

fn preset_memory(rules: &mut Rules<'_>, name: &str, app: &App) {
    if app.preset.is_none() {
        return;
    }
    let (php, nginx) = (&app.php, &app.nginx);
    memory(
        rules,
        &["app", name, "php"],
        (Some(php.memory_reservation), php.memory),
    );
    memory(
        rules,
        &["app", name, "nginx"],
        (Some(nginx.memory_reservation), nginx.memory),
    );
}

fn image(rules: &mut Rules<'_>, path: &[&str], app: &App, container: &Container) {
    let has_image = container.image.is_some() || app.image.is_some() || app.source.is_some();
    let preset =
        app.preset.is_some() && path.last().is_some_and(|it| PRESET_CONTAINERS.contains(it));
    if rules.on_aws() && !has_image && !preset {
        let name = path.last().copied().unwrap_or_default();
        let message = format!("Container `{name}` has no image.");
        let help = "On AWS a container needs an `image`, or its app a `source` or `image`.";
        rules.wrong_key("missing_image", path, message, help);
    }
}

/// Containers of a task share one address, so that a port belongs to one of them.
fn ports(rules: &mut Rules<'_>, name: &str, app: &App) {
    let mut taken: BTreeMap<u16, &str> = BTreeMap::new();
    if app.preset.is_some() {
        for (port, container) in [(80, "nginx"), (9000, "php-fpm")] {
            if app
                .container
                .get(container)
                .is_none_or(|described| described.port.is_none())
            {
                taken.insert(port, container);
            }
        }
    }
    for (container, described) in &app.container {
        let Some(port) = described.port else { continue };
        if let Some(other) = taken.insert(port, container) {
            let message = format!("Containers `{other}` and `{container}` both listen on {port}.");
            let help = "A task's containers share one address: give each a port of its own.";
            let one = ["app", name, "container", container, "port"];
            let two = ["app", name, "container", other, "port"];
            let labels = (format!("of `{container}`"), format!("of `{other}`"));
            let (one, two) = ((&one[..], &*labels.0), (&two[..], &*labels.1));
            rules.wrong_pair("duplicate_port", one, two, message, help);
        }
    }
}

/// The load balancer needs one container with a port.
fn entrance(rules: &mut Rules<'_>, name: &str, app: &App) {
    if app.routing.internal {
        return;
    }
    let listening = || {
        app.container
            .iter()
            .filter(|(_, it)| it.port.is_some())
            .map(|(name, _)| name)
    };
    match &app.routing.container {
        Some(wanted)
            if app
                .container
                .get(wanted)
                .is_some_and(|it| it.port.is_none()) =>
        {
            let message = format!("Container `{wanted}` gets the requests but has no port.");
            let path = ["app", name, "routing", "container"];
            rules.wrong("missing_port", &path, message, "Set its `port`.");
        }
        Some(_) => {}
        None if listening().count() == 0 => {
            let message = format!("No container of app `{name}` has a port.");
            let help = "Set the `port` of the one that gets the requests, or \
                        `routing.internal = true` for an app without any.";
            rules.wrong_key("missing_port", &["app", name], message, help);
        }
        None if listening().count() > 1 => {
            let message = format!("App `{name}` does not say which container gets the requests.");
            let help = format!(
                "Set `routing.container` to one of {}.",
                quoted_list(listening())
            );
            rules.wrong_key("ambiguous_container", &["app", name], message, &help);
        }
        None => {}
    }
}

fn essential(rules: &mut Rules<'_>, name: &str, app: &App) {
    if app
        .container
        .values()
        .all(|container| container.essential == Some(false))
    {
        let message = format!("App `{name}` has no essential container.");
        let help = "ECS wants one whose end is the task's end: set `essential = true` for it.";
        rules.wrong(
            "no_essential_container",
            &["app", name, "container"],
            message,
            help,
        );
    }
}

fn dependencies(rules: &mut Rules<'_>, name: &str, app: &App) {
    for (container, described) in &app.container {
        for (wanted, condition) in &described.depends_on {
            let path = ["app", name, "container", container, "depends-on", wanted];
            if !known(rules, app, &path, wanted) {
                continue;
            }
            let other = app.container.get(wanted);
            let unchecked = other.is_some_and(|other| other.health_check.is_none());
            let ends = matches!(
                condition,
                DependencyCondition::Complete | DependencyCondition::Success
            );
            if *condition == DependencyCondition::Healthy && app.preset.is_none() && unchecked {
                let message = format!("Container `{wanted}` can't become healthy.");
                let help = "It has no health check: give it one, or depend on `START`.";
                rules.wrong("unhealthy_dependency", &path, message, help);
            }
            if ends && other.is_some_and(|other| other.essential != Some(false)) {
                let message =
                    format!("Container `{wanted}` is essential, so that its end is the task's.");
                let help = "Set its `essential = false`, or depend on `START` or `HEALTHY`.";
                rules.wrong("essential_dependency", &path, message, help);
            }
        }
    }
    cycles(rules, name, app);
}

fn cycles(rules: &mut Rules<'_>, name: &str, app: &App) {
    let mut done: Vec<&str> = Vec::new();
    for container in app.container.keys() {
        let mut trail = Vec::new();
        if let Some(cycle) = cycle(app, container, &mut trail, &mut done) {
            let path = ["app", name, "container", cycle[0], "depends-on"];
            let message = format!("Containers wait for each other: {}.", cycle.join(" → "));
            let help = "Take one of these dependencies out.";
            rules.wrong("dependency_cycle", &path, message, help);
        }
    }
}

/// The first cycle that can be reached from `name`. Names that were visited before lead to none, or
/// to one that was reported.
fn cycle<'a>(
    app: &'a App,
    name: &'a str,
    trail: &mut Vec<&'a str>,
    done: &mut Vec<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(start) = trail.iter().position(|visited| *visited == name) {
        return Some([&trail[start..], &[name]].concat());
    }
    if done.contains(&name) || trail.len() > MOST_CONTAINERS {
        return None;
    }
    trail.push(name);
    let next = app
        .container
        .get(name)
        .into_iter()
        .flat_map(|it| it.depends_on.keys());
    let found = next
        .into_iter()
        .find_map(|next| cycle(app, next, trail, done));
    trail.pop();
    done.push(name);
    found
}

/// Bounds the search for cycles; ECS takes 10 containers in a task.
const MOST_CONTAINERS: usize = 200;
