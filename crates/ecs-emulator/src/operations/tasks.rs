//! Tasks.

use std::{sync::Arc, thread};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{cluster, find, missing, page};
use crate::{
    definitions::{Revision, split},
    emulator::Emulator,
    fault::Fault,
    input::Input,
    names::short,
    observe::task_container,
    scheduler::OneOffCommand,
    state::{NOT_STARTED, Run, State, Status, Task},
    stops::stop as why,
    tasks,
    world::World,
};

/// The most tasks that one request may name, and the most that one may start (ECS).
const MOST_DESCRIBED: usize = 100;
const MOST_STARTED: u32 = 10;

/// What makes a request that comes again known.
const TOKEN: &str = "clientToken";

pub(super) fn list(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let world = &emulator.world;
    let cluster = cluster(world, input)?;
    let mut state = emulator.state();
    let of_service = match input.text("serviceName") {
        Some(name) => Some(find(world, &state, cluster, name).ok_or_else(Fault::no_service)?),
        None => None,
    };
    emulator.look(&mut state)?;
    let running = input.text("desiredStatus").unwrap_or("RUNNING") == "RUNNING";
    let is_wanted = |task: &Task| {
        let family = split(&task.task_definition).0;
        on(world, task) == Some(cluster)
            && !(task.is_service_s() && state.uncreated.contains(&task.app))
            && task.is_wanted() == running
            && of_service.is_none_or(|it| task.is_service_s() && it.runs.name == task.app)
            && input.text("family").is_none_or(|it| it == family)
            && input
                .text("startedBy")
                .is_none_or(|it| Some(it) == task.started_by.as_deref())
    };
    let found = state.tasks.iter().filter(|(_, task)| is_wanted(task));
    let arns = found.map(|(id, _)| world.names.task(cluster, id)).collect();
    state.save()?;
    page(input, "taskArns", arns)
}

/// The cluster of a task.
fn on<'a>(world: &'a World, task: &Task) -> Option<&'a str> {
    let app = world.app(&task.app)?;
    Some(&app.located.cluster)
}

pub(super) fn describe(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let world = &emulator.world;
    let cluster = cluster(world, input)?;
    let wanted = input.texts("tasks");
    if wanted.is_empty() || wanted.len() > MOST_DESCRIBED {
        return Err(Fault::parameter("Tasks must be 1 to 100."));
    }
    let mut state = emulator.state();
    emulator.look(&mut state)?;
    let (mut told, mut failures) = (Vec::new(), Vec::new());
    for name in wanted {
        let id = short(name);
        let found = state.tasks.get(id);
        match found.filter(|task| on(world, task) == Some(cluster)) {
            Some(task) => told.push(tasks::describe(&world.names, cluster, id, task)),
            None => failures.push(missing(&world.names.task(cluster, id))),
        }
    }
    state.save()?;
    Ok(json!({ "tasks": told, "failures": failures }))
}

pub(super) fn run(emulator: &Arc<Emulator>, input: &Input) -> Result<Value, Fault> {
    let world = &emulator.world;
    let cluster = cluster(world, input)?.to_owned();
    let count = input.count("count")?.unwrap_or(1);
    if !(1..=MOST_STARTED).contains(&count) {
        return Err(Fault::parameter("count must be 1 to 10."));
    }
    let mut state = emulator.state();
    if state.services.is_empty() {
        emulator.look(&mut state)?;
    }
    if let Some(told) = told_before(world, &state, &cluster, input)? {
        return Ok(json!({ "tasks": told, "failures": [] }));
    }
    let (task, command) = one_off(world, &state, input)?;
    let (mut told, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let id = state.ids.task();
        told.push(tasks::describe(&world.names, &cluster, &id, &task));
        state.tasks.insert(id.clone(), task.clone());
        ids.push(id.clone());
        let (emulator, command) = (
            Arc::clone(emulator),
            OneOffCommand {
                id,
                ..command.clone()
            },
        );
        thread::spawn(move || follow(&emulator, &command));
    }
    if let Some(token) = input.text(TOKEN) {
        let request = input.without(TOKEN);
        let run = Run {
            request,
            tasks: ids,
        };
        state.runs.insert(token.to_owned(), run);
    }
    state.save()?;
    Ok(json!({ "tasks": told, "failures": [] }))
}

/// What was answered to the same request before: one that comes again with its token starts nothing
/// (ECS API, "Ensuring idempotency").
fn told_before(
    world: &World,
    state: &State,
    cluster: &str,
    input: &Input,
) -> Result<Option<Vec<Value>>, Fault> {
    let Some(before) = input.text(TOKEN).and_then(|token| state.runs.get(token)) else {
        return Ok(None);
    };
    if before.request != input.without(TOKEN) {
        return Err(Fault::new(
            "ConflictException",
            "The client token was used with another request.",
        ));
    }
    let tasks = before.tasks.iter();
    let known = tasks.filter_map(|id| Some((id, state.tasks.get(id)?)));
    let told = known.map(|(id, task)| tasks::describe(&world.names, cluster, id, task));
    Ok(Some(told.collect()))
}

/// The task that a request to run one asks for, and its command.
fn one_off(world: &World, state: &State, input: &Input) -> Result<(Task, OneOffCommand), Fault> {
    let name = input.required("taskDefinition")?;
    let found = state.definitions.find(name);
    let found = found.ok_or_else(|| Fault::client("TaskDefinition not found."))?;
    if !found.is_active() {
        return Err(Fault::client("TaskDefinition is inactive"));
    }
    let family = split(found.arn()).0;
    let (app, _) = world.family(family).ok_or_else(|| {
        Fault::unsupported(format!(
            "No app of the environment has the family {family}."
        ))
    })?;
    let overrides = input.value("overrides").cloned().unwrap_or_default();
    let (definition, command) = container_and_command(found, &overrides)?;
    let container = task_container(definition);
    let command = OneOffCommand {
        app: app.runs.name.clone(),
        container: container.name.clone(),
        release: found.release(&app.located.repositories),
        command,
        id: String::new(),
    };
    let task = Task {
        local: None,
        app: app.runs.name.clone(),
        group: input
            .text("group")
            .map_or_else(|| format!("family:{family}"), str::to_owned),
        task_definition: found.arn().to_owned(),
        started_by: input.text("startedBy").map(str::to_owned),
        mark: String::new(),
        status: Status::Provisioning,
        health: None,
        was_healthy: false,
        created: Timestamp::now(),
        started: None,
        stopping: None,
        stopped: None,
        stop: None,
        containers: vec![container],
        place: None,
        overrides: if overrides.is_null() {
            json!({ "containerOverrides": [] })
        } else {
            overrides
        },
    };
    Ok((task, command))
}

/// The definition of the container that runs, and its command: that of an override, else its own.
fn container_and_command<'a>(
    found: &'a Revision,
    overrides: &Value,
) -> Result<(&'a Value, Vec<String>), Fault> {
    let of_containers = overrides["containerOverrides"].as_array();
    let of_containers = of_containers.map_or(&[][..], Vec::as_slice);
    let changed = of_containers.iter().find(|it| !it["command"].is_null());
    if let Some(other) = of_containers.iter().find(|it| has_other_overrides(it)) {
        let name = other["name"].as_str().unwrap_or_default();
        return Err(Fault::unsupported(format!(
            "mck emulate ecs can override the command of {name} only."
        )));
    }
    let definition = match changed {
        Some(it) => found
            .containers()
            .iter()
            .find(|one| one["name"] == it["name"]),
        None => found.containers().first(),
    };
    let definition = definition.ok_or_else(|| {
        Fault::parameter("Override for container named is not a container in the TaskDefinition.")
    })?;
    let command = words(&changed.unwrap_or(definition)["command"]);
    if command.is_empty() {
        return Err(Fault::client(
            "The container has no command, and none is given.",
        ));
    }
    Ok((definition, command))
}

fn has_other_overrides(of_container: &Value) -> bool {
    let members = of_container.as_object();
    members.is_some_and(|members| {
        let mut said = members.iter().filter(|(_, value)| match value {
            Value::Null => false,
            Value::Array(list) => !list.is_empty(),
            _ => true,
        });
        said.any(|(name, _)| name != "name" && name != "command")
    })
}

fn words(list: &Value) -> Vec<String> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Runs a command to its end, and writes down how it goes on.
fn follow(emulator: &Emulator, command: &OneOffCommand) {
    let change = |change: &dyn Fn(&mut Task)| {
        let mut state = emulator.state();
        let found = state.tasks.get_mut(&command.id);
        let is_wanted = found.is_some_and(|task| {
            change(task);
            task.is_wanted()
        });
        // What can't be kept is known as long as this program runs.
        let _ = state.save();
        is_wanted
    };
    let running = match emulator.scheduler.start(command) {
        Ok(running) => running,
        Err(reason) => {
            change(&|task| task.end(Timestamp::now(), why(NOT_STARTED, reason.as_str())));
            return;
        }
    };
    let is_wanted = change(&|task| {
        task.local = Some(running.task());
        task.place = Some(running.place());
        task.status = task.status.max(Status::Running);
        task.started = Some(Timestamp::now());
    });
    if !is_wanted {
        // Somebody stopped it before it had begun. One that has ended meanwhile needs no killing.
        let _ = emulator.scheduler.kill_task(&running.task());
    }
    let ended = running.wait();
    change(&|task| {
        let reason = match &ended {
            Ok(code) => {
                for container in &mut task.containers {
                    container.exit_code = Some(*code);
                }
                why(
                    "EssentialContainerExited",
                    "Essential container in task exited",
                )
            }
            Err(reason) => why(NOT_STARTED, reason.as_str()),
        };
        task.end(Timestamp::now(), reason);
    });
}

pub(super) fn stop(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let world = &emulator.world;
    let cluster = cluster(world, input)?;
    let id = short(input.required("task")?);
    let mut state = emulator.state();
    emulator.look(&mut state)?;
    let unknown = || Fault::parameter("The referenced task was not found.");
    let task = state.tasks.get_mut(id).ok_or_else(unknown)?;
    if on(world, task) != Some(cluster) {
        return Err(unknown());
    }
    let local = task
        .local
        .clone()
        .filter(|_| task.status != Status::Stopped);
    if task.status != Status::Stopped {
        let reason = input.text("reason").unwrap_or("Task stopped by user");
        task.stop_for(why("UserInitiated", reason));
        task.stopping.get_or_insert(Timestamp::now());
        task.status = task.status.max(Status::Deactivating);
    }
    let told = tasks::describe(&world.names, cluster, id, task);
    state.save()?;
    drop(state);
    if let Some(local) = local {
        let killed = emulator.scheduler.kill_task(&local);
        killed.map_err(Fault::server)?;
    }
    Ok(json!({ "task": told }))
}
