//! The operations, by what they are about.

mod clusters;
mod definitions;
mod deployments;
mod services;
mod tags;
mod tasks;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    emulator::Emulator,
    fault::Fault,
    input::Input,
    names::short,
    state::State,
    world::{EmulatedApp, World},
};

/// Answers an operation.
pub(crate) fn answer(
    emulator: &Arc<Emulator>,
    operation: &str,
    input: Input,
) -> Result<Value, Fault> {
    match operation {
        "ListClusters" => clusters::list(emulator, &input),
        "DescribeClusters" => clusters::describe(emulator, &input),
        "RegisterTaskDefinition" => definitions::register(emulator, input),
        "DescribeTaskDefinition" => definitions::describe(emulator, &input),
        "ListTaskDefinitions" => definitions::list(emulator, &input),
        "DeregisterTaskDefinition" => definitions::deregister(emulator, &input),
        "ListServices" => services::list(emulator, &input),
        "DescribeServices" => services::describe(emulator, &input),
        "CreateService" => services::create(emulator, &input),
        "UpdateService" => services::update(emulator, &input),
        "ListServiceDeployments" => deployments::list(emulator, &input),
        "DescribeServiceDeployments" => deployments::describe(emulator, &input),
        "StopServiceDeployment" => deployments::stop(emulator, &input),
        "ListTasks" => tasks::list(emulator, &input),
        "DescribeTasks" => tasks::describe(emulator, &input),
        "RunTask" => tasks::run(emulator, &input),
        "StopTask" => tasks::stop(emulator, &input),
        "TagResource" => tags::add(emulator, &input),
        "UntagResource" => tags::remove(emulator, &input),
        "ListTagsForResource" => tags::list(emulator, &input),
        _ => Err(Fault::new(
            "UnknownOperationException",
            format!("mck emulate ecs has no operation {operation}."),
        )),
    }
}

/// The name of the cluster that a request means; `default` where it names none.
fn cluster<'a>(world: &'a World, input: &Input) -> Result<&'a str, Fault> {
    let wanted = short(input.text("cluster").unwrap_or("default")).to_owned();
    let mut clusters = world.clusters().into_iter();
    clusters
        .find(|it| *it == wanted)
        .ok_or_else(Fault::no_cluster)
}

/// The app whose service has this name or ARN in a cluster, whether it was created or not.
fn app<'a>(world: &'a World, cluster: &str, service: &str) -> Option<&'a EmulatedApp> {
    let mut apps = world.apps.iter();
    apps.find(|it| it.located.cluster == cluster && it.located.service == short(service))
}

/// Whether an app's service is there.
fn is_created(state: &State, app: &EmulatedApp) -> bool {
    !state.uncreated.contains(&app.runs.name)
}

/// The app of a service of a cluster that is there, by the service's name or ARN.
fn find<'a>(
    world: &'a World,
    state: &State,
    cluster: &str,
    service: &str,
) -> Option<&'a EmulatedApp> {
    app(world, cluster, service).filter(|app| is_created(state, app))
}

/// The app of the service that a request means.
fn service<'a>(world: &'a World, state: &State, input: &Input) -> Result<&'a EmulatedApp, Fault> {
    let cluster = cluster(world, input)?;
    find(world, state, cluster, input.required("service")?).ok_or_else(Fault::no_service)
}

/// What could not be found.
fn missing(arn: &str) -> Value {
    json!({ "arn": arn, "reason": "MISSING" })
}

/// A page of a list, under its name.
fn page(input: &Input, name: &str, all: Vec<String>) -> Result<Value, Fault> {
    let (page, next) = input.page(all)?;
    let mut answer = json!({ name: page });
    if let Some(token) = next {
        answer["nextToken"] = token.into();
    }
    Ok(answer)
}
