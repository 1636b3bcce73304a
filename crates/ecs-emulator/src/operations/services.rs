//! Services.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use mck_local::{
    supervisor::deployment::{Begun, DeploymentState},
    wait::pause,
};
use serde_json::{Value, json};

use super::{app, cluster, find, is_created, missing, page, service};
use crate::{
    definitions::Revision,
    emulator::{Emulator, Held},
    fault::Fault,
    input::Input,
    names::short,
    services,
    state::Deployment,
    world::EmulatedApp,
};

/// The most services that one request may name (ECS).
const MOST_DESCRIBED: usize = 10;

/// How long the supervisor may take to show a deployment that it has begun.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// What `UpdateService` can change here.
const CHANGEABLE: [&str; 5] = [
    "cluster",
    "service",
    "taskDefinition",
    "desiredCount",
    "forceNewDeployment",
];

pub(super) fn list(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let world = &emulator.world;
    let cluster = cluster(world, input)?;
    let state = emulator.state();
    let there = world.apps.iter();
    let there = there.filter(|it| it.located.cluster == cluster && is_created(&state, it));
    let arns = there.map(|it| world.names.service(cluster, &it.located.service));
    page(input, "serviceArns", arns.collect())
}

pub(super) fn describe(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let world = &emulator.world;
    let cluster = cluster(world, input)?;
    let wanted = input.texts("services");
    if wanted.is_empty() {
        return Err(Fault::parameter("Services cannot be empty."));
    }
    if wanted.len() > MOST_DESCRIBED {
        return Err(Fault::parameter("Services cannot be more than 10."));
    }
    let mut state = emulator.state();
    emulator.look(&mut state)?;
    let now = Timestamp::now();
    let (mut told, mut failures) = (Vec::new(), Vec::new());
    for name in wanted {
        let app = find(world, &state, cluster, name);
        match app.and_then(|app| services::describe(&state, world, app, now)) {
            Some(mut service) => {
                if input.texts("include").contains(&"TAGS") {
                    let arn = service["serviceArn"].as_str().unwrap_or_default();
                    service["tags"] = json!(state.tags.get(arn).cloned().unwrap_or_default());
                }
                told.push(service);
            }
            None => failures.push(missing(&world.names.service(cluster, short(name)))),
        }
    }
    state.save()?;
    Ok(json!({ "services": told, "failures": failures }))
}

/// To create a service again as it is changes nothing, as in ECS.
pub(super) fn create(emulator: &Arc<Emulator>, input: &Input) -> Result<Value, Fault> {
    let world = &emulator.world;
    let cluster = cluster(world, input)?;
    let app = app(world, cluster, input.required("serviceName")?).ok_or_else(|| {
        Fault::unsupported(
            "mck emulate ecs has the services of the environment's apps, and creates no others.",
        )
    })?;
    let mut state = emulator.state();
    emulator.look(&mut state)?;
    if !is_created(&state, app) {
        return create_new(emulator, state, app, input);
    }
    let wanted = input
        .text("taskDefinition")
        .and_then(|it| state.definitions.find(it));
    let service = services::describe(&state, world, app, Timestamp::now()).unwrap_or_default();
    let same_definition = wanted.is_some_and(|it| service["taskDefinition"] == it.arn());
    let same_count = input.count("desiredCount")?;
    let same_count = same_count.is_none_or(|it| service["desiredCount"] == it);
    if !same_definition || !same_count {
        return Err(Fault::parameter("Creation of service was not idempotent."));
    }
    state.save()?;
    Ok(json!({ "service": service }))
}

/// The environment's tasks are replaced by the new service's.
fn create_new(
    emulator: &Arc<Emulator>,
    mut state: Held<'_>,
    app: &EmulatedApp,
    input: &Input,
) -> Result<Value, Fault> {
    let found = usable(&state, input.required("taskDefinition")?)?;
    let (arn, release) = (found.arn().to_owned(), release(found, app)?);
    if let Some(count) = input.count("desiredCount")? {
        let scaled = emulator.scheduler.scale(&app.runs.name, count);
        scaled.map_err(Fault::parameter)?;
    }
    deploy(emulator, &mut state, app, arn, &release)?;
    state.uncreated.remove(&app.runs.name);
    let service = services::describe(&state, &emulator.world, app, Timestamp::now());
    state.save()?;
    Ok(json!({ "service": service }))
}

pub(super) fn update(emulator: &Arc<Emulator>, input: &Input) -> Result<Value, Fault> {
    if let Some(other) = input.names().find(|name| !CHANGEABLE.contains(name)) {
        return Err(Fault::unsupported(format!(
            "mck emulate ecs can't change {other} of a service; it follows the environment file."
        )));
    }
    let mut state = emulator.state();
    let app = service(&emulator.world, &state, input)?;
    emulator.look(&mut state)?;
    // Refused before anything is changed.
    let definition = wanted_definition(&state, input, app)?;
    if let Some(count) = input.count("desiredCount")? {
        let scaled = emulator.scheduler.scale(&app.runs.name, count);
        scaled.map_err(Fault::parameter)?;
    }
    if let Some((arn, release)) = definition {
        deploy(emulator, &mut state, app, arn, &release)?;
    }
    emulator.look(&mut state)?;
    let now = Timestamp::now();
    let service = services::describe(&state, &emulator.world, app, now);
    state.save()?;
    Ok(json!({ "service": service }))
}

/// The ARN and the release of the task definition that is to be deployed, if one is: another one than
/// before, or the same once more where that is asked for.
fn wanted_definition(
    state: &Held<'_>,
    input: &Input,
    app: &EmulatedApp,
) -> Result<Option<(String, String)>, Fault> {
    let primary = state
        .services
        .get(&app.runs.name)
        .and_then(|it| it.primary());
    let current = primary.map(|it| it.task_definition.clone());
    let wanted = match input.text("taskDefinition") {
        Some(name) => name.to_owned(),
        None => match current.clone() {
            Some(current) if input.is_set("forceNewDeployment") => current,
            _ => return Ok(None),
        },
    };
    let found = usable(state, &wanted)?;
    let arn = found.arn().to_owned();
    if current.as_ref() == Some(&arn) && !input.is_set("forceNewDeployment") {
        return Ok(None);
    }
    let release = release(found, app)?;
    Ok(Some((arn, release)))
}

/// A task definition that tasks can be of.
fn usable<'a>(state: &'a Held<'_>, wanted: &str) -> Result<&'a Revision, Fault> {
    let found = state.definitions.find(wanted);
    let found = found.ok_or_else(|| Fault::client("TaskDefinition not found."))?;
    if found.is_active() {
        Ok(found)
    } else {
        Err(Fault::client("TaskDefinition is inactive"))
    }
}

/// The release that a task definition is of.
fn release(found: &Revision, app: &EmulatedApp) -> Result<String, Fault> {
    found.release(&app.located.repositories).ok_or_else(|| {
        Fault::client(format!(
            "{} names no release: no image of a repository of {} has a tag, and no container the \
             variable REVISION.",
            found.arn(),
            app.runs.name
        ))
    })
}

/// Lets the environment deploy a release, and waits until the deployment is to be seen.
fn deploy(
    emulator: &Emulator,
    state: &mut Held<'_>,
    app: &EmulatedApp,
    arn: String,
    release: &str,
) -> Result<(), Fault> {
    let name = &app.runs.name;
    let begun = emulator.scheduler.deploy(name, release);
    match begun.map_err(Fault::client)? {
        Begun::Deployment { number, .. } => {
            if let Some(service) = state.services.get_mut(name) {
                service.asked.insert(number, arn);
            }
            let begin = Instant::now();
            loop {
                emulator.look(state)?;
                let primary = state.services.get(name).and_then(|it| it.primary());
                if primary.is_some_and(|it| it.number >= number) || begin.elapsed() > SHOWN_WITHIN {
                    return Ok(());
                }
                pause(Duration::from_millis(20));
            }
        }
        Begun::Unchanged { .. } => {
            unchanged(state, app, arn);
            Ok(())
        }
    }
}

/// The tasks are of that release already: a deployment that is complete when it begins.
fn unchanged(state: &mut Held<'_>, app: &EmulatedApp, arn: String) {
    let (id, now) = (state.ids.deployment(), Timestamp::now());
    let Some(mut service) = state.services.remove(&app.runs.name) else {
        return;
    };
    if let Some(before) = service.primary().cloned() {
        let message = format!(
            "(service {}) (deployment {id}) deployment completed.",
            app.located.service
        );
        service.begin(Deployment {
            id,
            task_definition: arn,
            created: now,
            updated: now,
            state: DeploymentState::Completed,
            failed_tasks: 0,
            rollback_of: None,
            ..before
        });
        service.note(&mut state.ids, now, message);
    }
    state.services.insert(app.runs.name.clone(), service);
}
