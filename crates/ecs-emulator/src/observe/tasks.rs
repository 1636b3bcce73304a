//! The ways of a service's tasks.

use std::collections::BTreeSet;

use mck_local::supervisor::snapshot::{AppStatus, State as LocalState, TaskStatus};
use serde_json::json;

use super::Observer;
use crate::{
    state::{Place, Status, Task, TaskContainer},
    stops,
};

impl Observer<'_> {
    pub(super) fn look_at_tasks(&mut self, status: &AppStatus) {
        let seen = status.tasks.iter().filter(|it| it.purpose.is_none());
        let mut there = BTreeSet::new();
        for task in seen {
            there.insert(task.id.as_str());
            self.look_at_task(task);
        }
        let gone: Vec<(String, String)> = self
            .state
            .service_tasks(&self.app.runs.name)
            .filter_map(|(id, task)| Some((id.clone(), task.local.clone()?)))
            .filter(|(_, local)| !there.contains(local.as_str()))
            .collect();
        for (id, local) in gone {
            self.task_goes(&id, &local);
            self.task_gone(&id);
        }
    }

    fn look_at_task(&mut self, seen: &TaskStatus) {
        let app = &self.app.runs.name;
        let known = self.state.service_tasks(app);
        let known = known
            .filter(|(_, it)| it.local.as_deref() == Some(&seen.id))
            .map(|(id, _)| id.clone())
            .next();
        let id = match known {
            Some(id) => id,
            None => {
                let id = self.state.ids.task();
                let task = self.new_task(seen);
                self.state.tasks.insert(id.clone(), task);
                self.note(&format!("has started 1 tasks: (task {id})."));
                self.service.steady = false;
                id
            }
        };
        let now = self.now;
        let Some(task) = self.state.tasks.get_mut(&id) else {
            return;
        };
        let before = (task.status, task.health);
        task.status = task.status.max(status_of(seen));
        task.health = health_of(seen);
        task.was_healthy |= task.health == Some(true);
        if task.status >= Status::Running {
            task.started.get_or_insert(now);
        }
        if task.status >= Status::Deactivating {
            task.stopping.get_or_insert(now);
        }
        let after = (task.status, task.health);
        self.tell_of_task(&id, before, after);
        if before.0 < Status::Deactivating && after.0 == Status::Deactivating {
            self.task_goes(&id, &seen.id);
        }
    }

    fn new_task(&mut self, seen: &TaskStatus) -> Task {
        let at = self.service.deployment_of(&seen.revision);
        let deployment = at.and_then(|at| self.service.deployments.get(at));
        let task_definition = deployment.map_or_else(String::new, |it| it.task_definition.clone());
        let found = self.state.definitions.find(&task_definition);
        let containers = found.map_or(&[][..], |it| it.containers());
        Task {
            local: Some(seen.id.clone()),
            app: self.app.runs.name.clone(),
            group: format!("service:{}", self.app.located.service),
            started_by: deployment.map(|it| it.id.clone()),
            mark: seen.revision.clone(),
            status: Status::Provisioning,
            health: None,
            was_healthy: false,
            created: seen.created,
            started: None,
            stopping: None,
            stopped: None,
            stop: None,
            containers: containers.iter().map(task_container).collect(),
            task_definition,
            place: Some(Place {
                server: seen.server.clone(),
                zone: seen.zone.clone(),
                address: seen.address,
            }),
            overrides: json!({ "containerOverrides": [] }),
        }
    }

    fn tell_of_task(
        &mut self,
        id: &str,
        before: (Status, Option<bool>),
        after: (Status, Option<bool>),
    ) {
        let Some(group) = self.target_group() else {
            return;
        };
        if before.1 != Some(true) && after.1 == Some(true) {
            self.note(&format!("registered 1 targets in (target-group {group})"));
        }
        let drains = before.0 < Status::Deactivating && after.0 == Status::Deactivating;
        let took_requests = self.state.tasks.get(id).is_some_and(|it| it.was_healthy);
        if drains && took_requests {
            self.note("has begun draining connections on 1 tasks.");
            self.note(&format!("deregistered 1 targets in (target-group {group})"));
        }
    }

    /// A task is going: why, is known from now on.
    fn task_goes(&mut self, id: &str, local: &str) {
        let now = self.now;
        let Some(task) = self.state.tasks.get_mut(id) else {
            return;
        };
        task.stopping.get_or_insert(now);
        self.service.steady = false;
        if task.stop.is_some() {
            return;
        }
        let messages = (self.story)(local);
        let primary = self.service.primary().map_or("", |it| it.id.as_str());
        let group = self.app.named.target_group.as_ref();
        let names = &self.world.names;
        let arn = group.map_or_else(String::new, |it| names.target_group(&it.name));
        let cause = stops::cause(&messages, primary, &arn);
        for container in &mut task.containers {
            if let Some((name, code)) = &cause.container
                && container.name == *name
            {
                container.exit_code = *code;
            }
        }
        task.stop_for(cause.stop);
        if let Some(detail) = cause.unhealthy {
            let codes = codes(&detail);
            let port = group.map_or(80, |it| it.port);
            self.note(&format!(
                "(task {id}) (port {port}) is unhealthy in (target-group {arn}) due to (reason \
                 Health checks failed{codes})"
            ));
        }
    }

    fn task_gone(&mut self, id: &str) {
        let now = self.now;
        if let Some(task) = self.state.tasks.get_mut(id) {
            task.end(now, stops::stop("ServiceSchedulerInitiated", ""));
        }
        self.note(&format!("has stopped 1 running tasks: (task {id})."));
    }
}

/// A container of a new task, of its definition.
pub fn task_container(definition: &serde_json::Value) -> TaskContainer {
    let text = |name: &str| definition[name].as_str().unwrap_or_default().to_owned();
    TaskContainer {
        name: text("name"),
        image: text("image"),
        exit_code: None,
        reason: None,
    }
}

/// A starting task of which something is known already has its containers running: it is the health
/// check that says it.
fn status_of(seen: &TaskStatus) -> Status {
    match seen.state {
        LocalState::Waiting => Status::Provisioning,
        LocalState::Starting if seen.detail.is_none() => Status::Pending,
        LocalState::Starting | LocalState::Ready | LocalState::Unhealthy | LocalState::Failed => {
            Status::Running
        }
        LocalState::Draining => Status::Deactivating,
    }
}

fn health_of(seen: &TaskStatus) -> Option<bool> {
    match seen.state {
        LocalState::Ready => Some(true),
        LocalState::Unhealthy => Some(false),
        _ => None,
    }
}

/// The HTTP status at the end of what a health check says, as the load balancer tells it.
fn codes(detail: &str) -> String {
    let number: Vec<&str> = detail
        .split(|one: char| !one.is_ascii_digit())
        .filter(|digits| digits.len() == 3)
        .collect();
    match number.first() {
        Some(code) => format!(" with these codes: [{code}]"),
        None => String::new(),
    }
}
