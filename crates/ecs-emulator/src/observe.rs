//! What the environment's snapshots mean for services: new deployments, the tasks' ways, and the
//! events that ECS would have told.

mod tasks;

use jiff::Timestamp;
use mck_local::supervisor::{
    deployment::{self as local, DeploymentState},
    snapshot::{AppStatus, Snapshot},
};

pub(crate) use self::tasks::task_container;
use crate::{
    initial,
    state::{Deployment, Service, State, Status, Task},
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

#[cfg(test)]
mod tests;
