//! Tasks, as `DescribeTasks` tells them.

use serde_json::{Value, json};

use crate::{
    names::Names,
    state::{Status, Task, TaskContainer},
    time::seconds,
};

/// A task on a cluster.
pub fn describe(names: &Names, cluster: &str, id: &str, task: &Task) -> Value {
    let arn = names.task(cluster, id);
    let health = health(task);
    let containers = task.containers.iter();
    let containers: Vec<Value> = containers
        .map(|container| describe_container(names, cluster, id, task, container))
        .collect();
    let mut told = json!({
        "taskArn": arn,
        "clusterArn": names.cluster(cluster),
        "taskDefinitionArn": task.task_definition,
        "group": task.group,
        "lastStatus": task.status.word(),
        "desiredStatus": if task.is_wanted() { "RUNNING" } else { "STOPPED" },
        "healthStatus": health,
        "createdAt": seconds(task.created),
        "launchType": "EC2",
        "containers": containers,
        "overrides": task.overrides,
        "attachments": attachments(id, task),
        "enableExecuteCommand": false,
        "version": 1 + u32::from(task.started.is_some()) + u32::from(task.stopped.is_some()),
    });
    if let Some(by) = &task.started_by {
        told["startedBy"] = by.as_str().into();
    }
    if let Some(place) = &task.place {
        told["availabilityZone"] = place.zone.as_str().into();
        told["containerInstanceArn"] = names.container_instance(cluster, &place.server).into();
        told["connectivity"] = "CONNECTED".into();
    }
    for (name, time) in [
        ("startedAt", task.started),
        ("stoppingAt", task.stopping),
        ("stoppedAt", task.stopped),
        ("executionStoppedAt", task.stopped),
    ] {
        if let Some(time) = time {
            told[name] = seconds(time);
        }
    }
    if let Some(stop) = &task.stop {
        told["stopCode"] = stop.code.as_str().into();
        told["stoppedReason"] = stop.reason.as_str().into();
    }
    told
}

fn describe_container(
    names: &Names,
    cluster: &str,
    id: &str,
    task: &Task,
    container: &TaskContainer,
) -> Value {
    let mut told = json!({
        "containerArn": names.container(cluster, id, &container.name),
        "taskArn": names.task(cluster, id),
        "name": container.name,
        "image": container.image,
        "runtimeId": format!("{id}-{}", mck_local::text::digest(&container.name)),
        "lastStatus": container_status(task.status),
        "healthStatus": health(task),
        "networkInterfaces": [],
    });
    if let Some(code) = container.exit_code {
        told["exitCode"] = code.into();
    }
    if let Some(reason) = &container.reason {
        told["reason"] = reason.as_str().into();
    }
    told
}

/// ECS calls a task's health unknown where no container has a check of its own; here it is the load
/// balancer's.
fn health(task: &Task) -> &'static str {
    match task.health {
        Some(true) => "HEALTHY",
        Some(false) => "UNHEALTHY",
        None => "UNKNOWN",
    }
}

fn container_status(status: Status) -> &'static str {
    match status {
        Status::Provisioning | Status::Pending => "PENDING",
        Status::Running | Status::Deactivating => "RUNNING",
        Status::Stopped => "STOPPED",
    }
}

fn attachments(id: &str, task: &Task) -> Value {
    let addresses = task.place.iter().map(|place| {
        json!({
            "id": id,
            "type": "ElasticNetworkInterface",
            "status": if task.status == Status::Stopped { "DELETED" } else { "ATTACHED" },
            "details": [{ "name": "privateIPv4Address", "value": place.address.to_string() }],
        })
    });
    addresses.collect()
}
