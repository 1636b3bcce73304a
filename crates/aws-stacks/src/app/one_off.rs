//! Task definitions without a service: of hooks, which a deployment runs, and of commands that people
//! run. All have the app's own roles.

use mck_blueprint::model::{App, Hook};
use mck_cloudformation::LogicalId;

use super::{Parts, alone};
use crate::{
    names,
    stack::Stack,
    task_definition::{self, NetworkMode, Task},
};

/// The container of the presets that runs PHP, in which commands of people run.
const PHP: &str = "php-fpm";

pub(super) fn add(stack: &mut Stack, parts: &Parts<'_>) {
    let app = parts.app;
    for hook in &app.hooks {
        add_hook(stack, parts, hook);
    }
    let what = OneOff {
        name: "run",
        description: format!("What a command that people run for {} is made of", app.name),
        family: names::run_family(app),
        container: container_of_people(app),
        command: Vec::new(),
    };
    add_one(stack, parts, &what);
}

struct OneOff<'a> {
    name: &'a str,
    description: String,
    family: String,
    container: &'a str,
    /// The command; empty for what the container itself runs, in whose place another is given.
    command: Vec<String>,
}

fn add_hook(stack: &mut Stack, parts: &Parts<'_>, hook: &Hook) {
    let stage = names::hook(hook.stage);
    let what = OneOff {
        name: &format!("hook-{stage}"),
        description: format!(
            "What the hook {stage} of the app {} is made of",
            parts.app.name
        ),
        family: names::hook_family(parts.app, hook.stage),
        container: &hook.container,
        command: hook.command.clone(),
    };
    add_one(stack, parts, &what);
}

fn add_one(stack: &mut Stack, parts: &Parts<'_>, what: &OneOff<'_>) {
    let containers = [alone(parts.app, what.container, what.command.clone())];
    let task = Task {
        id: LogicalId::of(&[what.name, "task-definition"]),
        description: what.description.clone(),
        family: what.family.clone(),
        containers: &containers,
        network: NetworkMode::AwsVpc,
        log_prefix: what.name.to_owned(),
        common: &parts.common,
        task_role: parts.task_role.clone(),
        locker: None,
    };
    let id = task_definition::add(stack, parts.scene, &task);
    stack.template.output(
        LogicalId::of(&["task-definition", what.name]).as_str(),
        what.description.as_str(),
        id.reference(),
    );
}

/// PHP's container, else the first.
fn container_of_people(app: &App) -> &str {
    let containers = &app.task_definition.containers;
    let php = containers.iter().find(|container| container.name == PHP);
    php.or(containers.first())
        .map_or("", |container| &container.name)
}
