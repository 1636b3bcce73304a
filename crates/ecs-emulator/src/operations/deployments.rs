//! Service deployments.

use serde_json::{Value, json};

use super::{is_created, missing, service};
use crate::{emulator::Emulator, fault::Fault, input::Input, names::short, services};

/// What a brief has of a service deployment.
const BRIEF: [&str; 7] = [
    "serviceDeploymentArn",
    "serviceArn",
    "clusterArn",
    "startedAt",
    "createdAt",
    "finishedAt",
    "status",
];

pub(super) fn list(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let mut state = emulator.state();
    let app = service(&emulator.world, &state, input)?;
    emulator.look(&mut state)?;
    let wanted = input.texts("status");
    let briefs: Vec<Value> = services::service_deployments(&state, &emulator.world, app)
        .into_iter()
        .filter(|it| {
            let status = it["status"].as_str().unwrap_or_default();
            wanted.is_empty() || wanted.contains(&status)
        })
        .map(|it| {
            let mut brief =
                json!({ "targetServiceRevisionArn": it["targetServiceRevision"]["arn"] });
            for name in BRIEF.iter().filter(|name| !it[**name].is_null()) {
                brief[*name] = it[*name].clone();
            }
            brief
        })
        .collect();
    state.save()?;
    let (page, next) = input.page(briefs)?;
    let mut answer = json!({ "serviceDeployments": page });
    if let Some(token) = next {
        answer["nextToken"] = token.into();
    }
    Ok(answer)
}

pub(super) fn describe(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let mut state = emulator.state();
    emulator.look(&mut state)?;
    let apps = emulator.world.apps.iter();
    let apps = apps.filter(|app| is_created(&state, app));
    let all: Vec<Value> = apps
        .flat_map(|app| services::service_deployments(&state, &emulator.world, app))
        .collect();
    let (mut told, mut failures) = (Vec::new(), Vec::new());
    for arn in input.texts("serviceDeploymentArns") {
        match all.iter().find(|it| it["serviceDeploymentArn"] == arn) {
            Some(found) => told.push(found.clone()),
            None => failures.push(missing(arn)),
        }
    }
    state.save()?;
    Ok(json!({ "serviceDeployments": told, "failures": failures }))
}

/// Stops the deployment and goes back; to stop it where it is (`ABORT`) the environment can't.
pub(super) fn stop(emulator: &Emulator, input: &Input) -> Result<Value, Fault> {
    let arn = input.required("serviceDeploymentArn")?;
    if input.text("stopType").is_some_and(|it| it != "ROLLBACK") {
        return Err(Fault::unsupported(
            "mck emulate ecs stops deployments with stopType ROLLBACK only.",
        ));
    }
    let mut state = emulator.state();
    emulator.look(&mut state)?;
    let app = emulator.world.apps.iter().find(|app| {
        let service = state.services.get(&app.runs.name);
        let primary = service.and_then(|it| it.primary());
        primary.is_some_and(|it| short(&it.id) == short(arn))
    });
    let app = app.ok_or_else(|| {
        Fault::new(
            "ServiceDeploymentNotFoundException",
            "The service deployment is not in progress.",
        )
    })?;
    let stopped = emulator.scheduler.stop_deployment(&app.runs.name);
    stopped.map_err(|reason| Fault::new("ConflictException", reason))?;
    emulator.look(&mut state)?;
    state.save()?;
    Ok(json!({ "serviceDeploymentArn": arn }))
}
