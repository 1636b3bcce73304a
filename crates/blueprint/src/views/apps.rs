//! Apps as tables.

use super::{Table, list, table};
use crate::model::{App, Blueprint, Container, HookStage, Image};

pub(super) fn apps(blueprint: &Blueprint) -> Vec<Table> {
    let apps = &blueprint.apps;
    vec![
        table(
            "Apps",
            ["App", "Cluster", "Tasks", "CPU", "Memory", "URL"],
            apps.iter().map(|app| {
                [
                    app.name.clone(),
                    app.cluster.clone(),
                    format!(
                        "{} ({} to {})",
                        app.tasks.desired, app.tasks.minimum, app.tasks.maximum
                    ),
                    app.task_definition.cpu.to_string(),
                    app.task_definition.memory.to_string(),
                    app.url.clone().unwrap_or_default(),
                ]
            }),
        ),
        table(
            "Containers",
            ["App", "Container", "Image", "Port", "CPU", "Memory", "What"],
            apps.iter().flat_map(|app| {
                let containers = app.task_definition.containers.iter();
                containers.map(|container| container_row(app, container))
            }),
        ),
        table(
            "Routes",
            ["Priority", "Hosts", "Paths", "App", "Health check"],
            routes(blueprint),
        ),
        table(
            "Scheduled jobs",
            ["App", "Job", "Schedule", "Command"],
            apps.iter().flat_map(|app| {
                app.jobs.iter().map(|job| {
                    [
                        app.name.clone(),
                        job.name.clone(),
                        job.schedule.clone(),
                        command(&job.command),
                    ]
                })
            }),
        ),
        table(
            "Hooks",
            ["App", "When", "Command"],
            apps.iter().flat_map(|app| {
                app.hooks
                    .iter()
                    .map(|hook| [app.name.clone(), stage(hook.stage), command(&hook.command)])
            }),
        ),
    ]
}

fn container_row(app: &App, container: &Container) -> [String; 7] {
    [
        app.name.clone(),
        container.name.clone(),
        match &container.image {
            Image::Base(name) | Image::Oci(name) => name.clone(),
        },
        container
            .port
            .map(|port| port.to_string())
            .unwrap_or_default(),
        container.cpu.to_string(),
        container.memory_reservation.to_string(),
        container.description.clone(),
    ]
}

/// Listener rules in the order in which the load balancer tries them.
fn routes(blueprint: &Blueprint) -> Vec<[String; 5]> {
    let mut rows: Vec<(u16, [String; 5])> = blueprint
        .apps
        .iter()
        .filter_map(|app| {
            let rule = app.listener_rule.as_ref()?;
            let check = &app.target_group.as_ref()?.health_check;
            let row = [
                rule.priority.to_string(),
                list(&rule.hosts, "every host"),
                list(&rule.paths, "every path"),
                app.name.clone(),
                format!("{} every {}", check.path, check.interval),
            ];
            Some((rule.priority, row))
        })
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, row)| row).collect()
}

fn stage(stage: HookStage) -> String {
    match stage {
        HookStage::Install => "once, before any traffic",
        HookStage::Upgrade => "before a new release's traffic",
        HookStage::CacheFlush => "after a new release took over",
    }
    .to_owned()
}

/// A command as one line: of a shell wrapper, the command that it starts.
fn command(command: &[String]) -> String {
    let shown = match command.iter().position(|argument| argument == "start") {
        Some(index) if command.first().is_some_and(|first| first == "/bin/sh") => {
            &command[index + 1..]
        }
        _ => command,
    };
    shown.join(" ")
}
