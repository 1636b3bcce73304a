//! What the environment's snapshots mean for services: new deployments, the tasks' ways, and the
//! events that ECS would have told.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mck_local::supervisor::{
    deployment::{self as local, DeploymentState},
    snapshot::{AppStatus, Snapshot, State as LocalState, TaskStatus},
};
use serde_json::json;

use crate::{
    initial,
    state::{Deployment, Place, Service, State, Status, Task, TaskContainer},
    stops,
    world::{EmulatedApp, Role, World},
};

/// How the supervisor names a deployment that it begins itself after one that failed.
const ROLLBACK: &str = "rollback of deployment ";

/// What task definitions say before the first release is known.
const NO_RELEASE: &str = "none";

/// Takes a snapshot on. `story` gives the messages of the events of a task, oldest first; it is asked
/// for tasks that are gone.
pub fn observe(
    state: &mut State,
    world: &World,
    snapshot: &Snapshot,
    story: &dyn Fn(&str) -> Vec<String>,
    now: Timestamp,
) {
    for app in &world.apps {
        let found = snapshot.apps.iter().find(|it| it.name == app.runs.name);
        let Some(status) = found else { continue };
        let service = state.services.remove(&app.runs.name);
        let mut observer = Observer {
            service: service.unwrap_or_else(|| Service::new(now)),
            state,
            world,
            app,
            story,
            now,
        };
        observer.look_at_deployments(status);
        observer.complete_families(status);
        observer.look_at_tasks(status);
        observer.look_whether_steady();
        let service = observer.service;
        state.services.insert(app.runs.name.clone(), service);
    }
    state.forget(now);
}

struct Observer<'a> {
    state: &'a mut State,
    service: Service,
    world: &'a World,
    app: &'a EmulatedApp,
    story: &'a dyn Fn(&str) -> Vec<String>,
    now: Timestamp,
}

impl Observer<'_> {
    fn note(&mut self, message: &str) {
        let message = format!("(service {}) {message}", self.app.located.service);
        self.service.note(&mut self.state.ids, self.now, message);
    }

    fn target_group(&self) -> Option<String> {
        let group = self.app.named.target_group.as_ref()?;
        Some(self.world.names.target_group(&group.name))
    }

    fn look_at_deployments(&mut self, status: &AppStatus) {
        if self.service.desired != status.desired {
            self.service.desired = status.desired;
            self.service.steady = false;
        }
        let is_first = self.service.deployments.is_empty();
        let known = self.service.primary().map_or(0, |last| last.number);
        for deployment in &status.deployments {
            if deployment.number > known {
                self.begin(deployment);
            }
            self.update(deployment, is_first);
        }
        let newest = status.deployments.last().map_or(0, |last| last.number);
        self.service.asked.retain(|number, _| *number > newest);
    }

    /// A deployment that is new here.
    fn begin(&mut self, deployment: &local::Deployment) {
        let fallen = deployment.by.strip_prefix(ROLLBACK);
        let fallen = fallen.and_then(|number| number.parse::<u64>().ok());
        let (created, asked) = (
            deployment.started,
            self.service.asked.remove(&deployment.number),
        );
        let earlier = fallen.and_then(|_| self.service.deployment_of(&deployment.revision));
        let fallen = fallen.and_then(|number| {
            let mut all = self.service.deployments.iter().rev();
            all.find(|it| it.number == number).map(|it| it.id.clone())
        });
        let (id, task_definition) = match earlier {
            // ECS goes back to the deployment itself, whose id is the primary's again.
            Some(at) => {
                let earlier = self.service.deployments.remove(at);
                self.note(&format!("rolling back to deployment {}.", earlier.id));
                (earlier.id, earlier.task_definition)
            }
            None => {
                let release = deployment.release.as_ref().map(|it| it.id.clone());
                let definition = asked.unwrap_or_else(|| self.definition(release.as_deref()));
                (self.state.ids.deployment(), definition)
            }
        };
        self.service.begin(Deployment {
            id,
            number: deployment.number,
            mark: deployment.revision.clone(),
            task_definition,
            created,
            updated: created,
            state: DeploymentState::InProgress,
            failed_tasks: 0,
            rollback_of: fallen,
        });
    }

    /// The newest revision of the service's family with that release; one is registered where there
    /// is none.
    fn definition(&mut self, release: Option<&str>) -> String {
        let located = &self.app.located;
        let release = release.unwrap_or(NO_RELEASE);
        let all = self.state.definitions.of_family(&located.family);
        let found = all.iter().rev().find(|it| {
            it.is_active() && it.release(&located.repositories).as_deref() == Some(release)
        });
        match found {
            Some(found) => found.arn().to_owned(),
            None => self.register(&located.family, &Role::Service, release),
        }
    }

    fn register(&mut self, family: &str, role: &Role, release: &str) -> String {
        let names = &self.world.names;
        let request = initial::request(names, self.app, family, role, release);
        let registered = self.state.definitions.register(names, request, self.now);
        registered.map_or_else(|_| String::new(), |it| it.arn().to_owned())
    }

    /// Every family has a revision.
    fn complete_families(&mut self, status: &AppStatus) {
        let newest = status.deployments.last();
        let release = newest.and_then(|it| it.release.as_ref());
        let release = release.map_or(NO_RELEASE.to_owned(), |it| it.id.clone());
        for (family, role) in self.app.families() {
            if self.state.definitions.of_family(&family).is_empty() {
                self.register(&family, &role, &release);
            }
        }
    }

    /// What became of a deployment. What had ended before this program saw it is no event.
    fn update(&mut self, seen: &local::Deployment, is_first: bool) {
        let now = self.now;
        let mut all = self.service.deployments.iter_mut().rev();
        let Some(deployment) = all.find(|it| it.number == seen.number) else {
            return;
        };
        deployment.failed_tasks = deployment.failed_tasks.max(seen.breaker.failures());
        if deployment.state == seen.state {
            return;
        }
        deployment.state = seen.state.clone();
        deployment.updated = if is_first {
            seen.ended.unwrap_or(now)
        } else {
            now
        };
        if is_first && !matches!(seen.state, DeploymentState::InProgress) {
            return;
        }
        let id = deployment.id.clone();
        match &seen.state {
            DeploymentState::Completed => {
                self.note(&format!("(deployment {id}) deployment completed."));
            }
            DeploymentState::Failed(reason) | DeploymentState::RolledBack(reason) => {
                let why = if reason.starts_with("stopped ") {
                    "deployment stopped by a person."
                } else {
                    "deployment failed: tasks failed to start."
                };
                self.note(&format!("(deployment {id}) {why}"));
            }
            DeploymentState::InProgress | DeploymentState::Superseded => {}
        }
    }

    fn look_at_tasks(&mut self, status: &AppStatus) {
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
        task.stop = Some(cause.stop);
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

    fn look_whether_steady(&mut self) {
        let completed = self
            .service
            .primary()
            .is_some_and(|it| it.state == DeploymentState::Completed);
        let mark = self.service.primary().map(|it| it.mark.clone());
        let tasks: Vec<&Task> = self
            .state
            .service_tasks(&self.app.runs.name)
            .map(|(_, task)| task)
            .collect();
        let all_run = tasks
            .iter()
            .all(|it| it.status == Status::Running && Some(&it.mark) == mark.as_ref());
        let as_many = u32::try_from(tasks.len()) == Ok(self.service.desired);
        let steady = completed && all_run && as_many;
        if steady && !self.service.steady {
            self.note("has reached a steady state.");
            self.service.steady = true;
        }
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

#[cfg(test)]
mod tests;
