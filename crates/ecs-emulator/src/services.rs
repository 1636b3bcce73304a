//! Services and their deployments, as `DescribeServices` and `DescribeServiceDeployments` tell them.

use jiff::{SignedDuration, Timestamp};
use mck_local::supervisor::deployment::DeploymentState;
use serde_json::{Value, json};

use crate::{
    state::{Deployment, Service, State, Status, Task},
    time::seconds,
    world::{EmulatedApp, World},
};

/// How long a failed deployment is shown at least. ECS takes about as long to drain its tasks; here
/// they would be gone before anybody looked.
const FAILED_ARE_SHOWN: SignedDuration = SignedDuration::from_secs(15);

/// How a deployment's tasks are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    wanted: u32,
    running: u32,
    pending: u32,
    /// Those that are not gone.
    there: u32,
}

fn counts<'a>(tasks: impl Iterator<Item = &'a Task>) -> Counts {
    let mut counts = Counts::default();
    for task in tasks {
        counts.there += 1;
        counts.wanted += u32::from(task.is_wanted());
        match task.status {
            Status::Provisioning | Status::Pending => counts.pending += 1,
            Status::Running => counts.running += 1,
            Status::Deactivating | Status::Stopped => {}
        }
    }
    counts
}

/// What is shown of a service's deployments, the primary first: those that have tasks, and what
/// failed a moment ago.
fn shown<'a>(
    state: &State,
    app: &EmulatedApp,
    service: &'a Service,
    now: Timestamp,
) -> Vec<(&'a Deployment, Counts)> {
    let last = service.deployments.len().saturating_sub(1);
    let of = |at: usize| {
        let tasks = state.service_tasks(&app.runs.name).map(|(_, task)| task);
        counts(tasks.filter(|it| service.deployment_of(&it.mark) == Some(at)))
    };
    let all = service.deployments.iter().enumerate().rev();
    all.map(|(at, deployment)| (at, deployment, of(at)))
        .filter(|(at, deployment, counts)| {
            let failed = matches!(
                deployment.state,
                DeploymentState::RolledBack(_) | DeploymentState::Failed(_)
            );
            let recent = now.duration_since(deployment.updated) < FAILED_ARE_SHOWN;
            *at == last || counts.there > 0 || (failed && recent)
        })
        .map(|(_, deployment, counts)| (deployment, counts))
        .collect()
}

/// A service, as `DescribeServices` tells it.
pub fn describe(state: &State, world: &World, app: &EmulatedApp, now: Timestamp) -> Option<Value> {
    let service = state.services.get(&app.runs.name)?;
    let (names, located) = (&world.names, &app.located);
    let tasks = state.service_tasks(&app.runs.name).map(|(_, task)| task);
    let counts = counts(tasks);
    let deployments: Vec<Value> = shown(state, app, service, now)
        .iter()
        .enumerate()
        .map(|(at, (deployment, counts))| deployment_of(app, service, deployment, *counts, at == 0))
        .collect();
    let events: Vec<Value> = service
        .events
        .iter()
        .map(|it| json!({ "id": it.id, "createdAt": seconds(it.time), "message": it.message }))
        .collect();
    let mut described = json!({
        "serviceArn": names.service(&located.cluster, &located.service),
        "serviceName": located.service,
        "clusterArn": names.cluster(&located.cluster),
        "status": "ACTIVE",
        "desiredCount": service.desired,
        "runningCount": counts.running,
        "pendingCount": counts.pending,
        "taskDefinition": service.primary().map(|it| it.task_definition.as_str()),
        "deployments": deployments,
        "events": events,
        "createdAt": seconds(service.created),
        "loadBalancers": load_balancers(world, app),
        "serviceRegistries": [],
        "capacityProviderStrategy": capacity(app),
        "deploymentConfiguration": configuration(app),
        "networkConfiguration": network(app),
        "placementConstraints": [],
        "placementStrategy": [
            { "type": "spread", "field": "attribute:ecs.availability-zone" },
            { "type": "spread", "field": "instanceId" },
            { "type": "binpack", "field": "MEMORY" },
        ],
        "schedulingStrategy": "REPLICA",
        "deploymentController": { "type": "ECS" },
        "enableECSManagedTags": true,
        "propagateTags": "SERVICE",
        "enableExecuteCommand": false,
    });
    if let Some(group) = &app.named.target_group {
        let grace = std::time::Duration::from(group.health_check.grace_period);
        described["healthCheckGracePeriodSeconds"] = grace.as_secs().into();
    }
    Some(described)
}

fn deployment_of(
    app: &EmulatedApp,
    service: &Service,
    deployment: &Deployment,
    counts: Counts,
    is_primary: bool,
) -> Value {
    let desired = if is_primary {
        service.desired
    } else {
        counts.wanted
    };
    let (rollout, reason) = rollout(deployment);
    json!({
        "id": deployment.id,
        "status": if is_primary { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": deployment.task_definition,
        "desiredCount": desired,
        "runningCount": counts.running,
        "pendingCount": counts.pending,
        "failedTasks": deployment.failed_tasks,
        "createdAt": seconds(deployment.created),
        "updatedAt": seconds(deployment.updated),
        "capacityProviderStrategy": capacity(app),
        "networkConfiguration": network(app),
        "rolloutState": rollout,
        "rolloutStateReason": reason,
    })
}

/// `rolloutState` and `rolloutStateReason`.
fn rollout(deployment: &Deployment) -> (&'static str, String) {
    let id = &deployment.id;
    match &deployment.state {
        DeploymentState::InProgress => {
            let reason = match deployment.rollback_of {
                Some(_) => {
                    format!("ECS deployment circuit breaker: rolling back to deploymentId {id}.")
                }
                None => format!("ECS deployment {id} in progress."),
            };
            ("IN_PROGRESS", reason)
        }
        // What another one took the place of goes on being drained.
        DeploymentState::Superseded => ("IN_PROGRESS", format!("ECS deployment {id} in progress.")),
        DeploymentState::Completed => ("COMPLETED", format!("ECS deployment {id} completed.")),
        DeploymentState::RolledBack(reason) | DeploymentState::Failed(reason) => {
            let reason = if is_stopped(reason) {
                format!("ECS deployment {id} was stopped.")
            } else {
                "ECS deployment circuit breaker: tasks failed to start.".to_owned()
            };
            ("FAILED", reason)
        }
    }
}

/// Whether a person stopped the deployment.
fn is_stopped(reason: &str) -> bool {
    reason.starts_with("stopped ")
}

fn load_balancers(world: &World, app: &EmulatedApp) -> Value {
    let groups = app.named.target_group.iter().map(|group| {
        json!({
            "targetGroupArn": world.names.target_group(&group.name),
            "containerName": group.container,
            "containerPort": group.port,
        })
    });
    groups.collect()
}

fn capacity(app: &EmulatedApp) -> Value {
    json!([{ "capacityProvider": app.located.cluster, "weight": 1, "base": 0 }])
}

fn network(app: &EmulatedApp) -> Value {
    json!({ "awsvpcConfiguration": {
        "subnets": ["subnet-0a1b2c3d4e5f60718"],
        "securityGroups": [format!("sg-{}0", mck_local::text::digest(&app.named.name))],
        "assignPublicIp": "DISABLED",
    } })
}

/// The rules that are really kept: those of the environment that runs.
fn configuration(app: &EmulatedApp) -> Value {
    let rules = app.runs.deployment;
    json!({
        "deploymentCircuitBreaker": { "enable": rules.circuit_breaker, "rollback": rules.rollback },
        "maximumPercent": rules.maximum_percent,
        "minimumHealthyPercent": rules.minimum_healthy_percent,
        "strategy": "ROLLING",
    })
}

/// The service deployments of a service, the newest first, as `DescribeServiceDeployments` tells them.
pub fn service_deployments(state: &State, world: &World, app: &EmulatedApp) -> Vec<Value> {
    let Some(service) = state.services.get(&app.runs.name) else {
        return Vec::new();
    };
    let all = service.deployments.iter().rev();
    // A rollback is a part of the deployment that failed.
    all.filter(|it| it.rollback_of.is_none())
        .map(|it| service_deployment(world, app, service, it))
        .collect()
}

fn service_deployment(
    world: &World,
    app: &EmulatedApp,
    service: &Service,
    deployment: &Deployment,
) -> Value {
    let (names, located) = (&world.names, &app.located);
    let revision = |id: &str| names.service_revision(&located.cluster, &located.service, id);
    let back = service
        .deployments
        .iter()
        .find(|it| it.rollback_of.as_deref() == Some(&deployment.id));
    let triggered = matches!(&deployment.state, DeploymentState::RolledBack(reason)
        | DeploymentState::Failed(reason) if !is_stopped(reason));
    let mut told = json!({
        "serviceDeploymentArn":
            names.service_deployment(&located.cluster, &located.service, &deployment.id),
        "serviceArn": names.service(&located.cluster, &located.service),
        "clusterArn": names.cluster(&located.cluster),
        "createdAt": seconds(deployment.created),
        "startedAt": seconds(deployment.created),
        "updatedAt": seconds(deployment.updated),
        "targetServiceRevision": { "arn": revision(&deployment.id) },
        "status": status(deployment, back),
        "deploymentConfiguration": configuration(app),
        "deploymentCircuitBreaker": {
            "status": if triggered { "TRIGGERED" } else { "MONITORING" },
            "failureCount": deployment.failed_tasks,
            "threshold": app.runs.deployment.failure_threshold,
        },
    });
    if deployment.state != DeploymentState::InProgress {
        told["finishedAt"] = seconds(back.unwrap_or(deployment).updated);
    }
    if let DeploymentState::RolledBack(_) | DeploymentState::Failed(_) = &deployment.state {
        told["statusReason"] = rollout(deployment).1.into();
    }
    if let Some(back) = back {
        told["rollback"] = json!({
            "reason": rollout(deployment).1,
            "startedAt": seconds(back.created),
            "serviceRevisionArn": revision(&back.id),
        });
    }
    told
}

/// The status of a service deployment, of which `back` is the rollback.
fn status(deployment: &Deployment, back: Option<&Deployment>) -> &'static str {
    match (&deployment.state, back.map(|it| &it.state)) {
        (DeploymentState::InProgress, _) => "IN_PROGRESS",
        (DeploymentState::Completed, _) => "SUCCESSFUL",
        (DeploymentState::Superseded, _) => "STOPPED",
        (DeploymentState::Failed(_), _) => "ROLLBACK_FAILED",
        (DeploymentState::RolledBack(_), Some(DeploymentState::InProgress)) => {
            "ROLLBACK_IN_PROGRESS"
        }
        (DeploymentState::RolledBack(_), _) => "ROLLBACK_SUCCESSFUL",
    }
}
