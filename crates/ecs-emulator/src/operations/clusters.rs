//! Clusters.

use serde_json::{Value, json};

use super::{is_created, missing, page};
use crate::{
    emulator::Emulator,
    fault::Fault,
    input::Input,
    names::short,
    state::{State, Status},
};

pub(super) fn list(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let names = &emulator.world.names;
    let clusters = emulator.world.clusters();
    let arns = clusters.iter().map(|it| names.cluster(it)).collect();
    page(input, "clusterArns", arns)
}

pub(super) fn describe(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let known = emulator.world.clusters();
    let wanted = match input.texts("clusters") {
        none if none.is_empty() => vec!["default"],
        some => some,
    };
    let mut state = emulator.state();
    emulator.look(&mut state)?;
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for name in wanted {
        match known.iter().find(|it| **it == short(name)) {
            Some(found) => clusters.push(cluster(emulator, &state, found)),
            None => failures.push(missing(&emulator.world.names.cluster(short(name)))),
        }
    }
    state.save()?;
    Ok(json!({ "clusters": clusters, "failures": failures }))
}

fn cluster(emulator: &Emulator, state: &State, name: &str) -> Value {
    let world = &emulator.world;
    let apps = world.apps.iter().filter(|it| it.located.cluster == name);
    let services = apps.clone().filter(|it| is_created(state, it)).count();
    let apps: Vec<&str> = apps.map(|it| it.runs.name.as_str()).collect();
    let with = |wanted: &[Status]| {
        let tasks = state.tasks.values();
        tasks
            .filter(|it| apps.contains(&it.app.as_str()) && wanted.contains(&it.status))
            .count()
    };
    json!({
        "clusterArn": world.names.cluster(name),
        "clusterName": name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": world.servers.get(name).copied().unwrap_or_default(),
        "runningTasksCount": with(&[Status::Running, Status::Deactivating]),
        "pendingTasksCount": with(&[Status::Provisioning, Status::Pending]),
        "activeServicesCount": services,
        "statistics": [],
        "tags": [],
        "settings": [],
        "capacityProviders": [name],
        "defaultCapacityProviderStrategy": [],
    })
}
