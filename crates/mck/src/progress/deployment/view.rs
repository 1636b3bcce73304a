//! What of a snapshot a deployment is about. Pure.

use mck_local::supervisor::snapshot::{AppStatus, Snapshot, State, TaskStatus};

use super::find;

/// A deployment at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// How many tasks are wanted.
    pub desired: u32,
    /// Tasks that failed in a row.
    pub failures: u16,
    /// The app's own tasks, and hooks.
    pub tasks: Vec<Task>,
    /// What is waited for, in a few words each.
    pub waits: Vec<String>,
}

/// A task in a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// What it is to the deployment.
    pub role: Role,
    /// How it is.
    pub state: State,
    /// What its check says.
    pub detail: String,
    /// Its App Server and zone.
    pub place: String,
}

/// What a task is to a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Of the wanted revision.
    New,
    /// Of another.
    Old,
    /// Runs a hook.
    Hook,
}

impl Role {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Hook => "hook",
        }
    }
}

impl View {
    /// The view of an app's deployment; none where there is no such deployment.
    pub fn of(snapshot: &Snapshot, app: &str, number: u64) -> Option<Self> {
        let (app, deployment) = find(snapshot, app, number)?;
        let tasks: Vec<Task> = app
            .tasks
            .iter()
            .filter_map(|task| view_task(task, &deployment.revision, app))
            .collect();
        Some(Self {
            desired: app.desired,
            failures: deployment.breaker.failures(),
            waits: waits(snapshot, app, &tasks),
            tasks,
        })
    }

    /// How many tasks of the wanted revision take requests.
    pub fn new_ready(&self) -> usize {
        let ready = |it: &&Task| it.role == Role::New && it.state == State::Ready;
        self.tasks.iter().filter(ready).count()
    }
}

fn view_task(task: &TaskStatus, revision: &str, app: &AppStatus) -> Option<Task> {
    let role = match &task.purpose {
        None if task.revision == revision => Role::New,
        None => Role::Old,
        Some(purpose) if is_hook(purpose, &app.name) => Role::Hook,
        Some(_) => return None,
    };
    let detail = match (&task.purpose, &task.detail) {
        (Some(purpose), _) => purpose.clone(),
        (None, Some(detail)) => detail.clone(),
        (None, None) => String::new(),
    };
    Some(Task {
        id: task.id.clone(),
        role,
        state: task.state,
        detail,
        place: format!("{} in {}", task.server, task.zone),
    })
}

fn is_hook(purpose: &str, app: &str) -> bool {
    ["install-", "upgrade-", "cache-flush-"]
        .iter()
        .any(|hook| purpose.strip_prefix(hook) == Some(app))
}

/// What keeps the deployment from going on, the most important first.
fn waits(snapshot: &Snapshot, app: &AppStatus, tasks: &[Task]) -> Vec<String> {
    let mut waits = Vec::new();
    for task in tasks.iter().filter(|task| task.role == Role::Hook) {
        waits.push(format!("the hook {} to end", task.detail));
    }
    let failed = snapshot
        .components
        .iter()
        .filter(|it| it.state == State::Failed && is_hook(&it.name, &app.name));
    waits.extend(failed.map(|it| format!("the hook {}, which failed and is tried again", it.name)));
    waits.extend(waits_of_tasks(tasks));
    waits
}

/// What the app's own tasks keep a deployment waiting for.
pub fn waits_of_tasks(tasks: &[Task]) -> Vec<String> {
    let mut waits = Vec::new();
    for task in tasks {
        match (task.role, task.state) {
            (Role::New, State::Starting | State::Unhealthy) if task.detail.is_empty() => {
                waits.push(format!("{} to start", task.id));
            }
            (Role::New, State::Starting | State::Unhealthy) => {
                waits.push(format!("the health check of {}", task.id));
            }
            (Role::Old, State::Draining) => waits.push(format!("{} to drain", task.id)),
            _ => {}
        }
    }
    waits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::deployment::example::in_progress;

    #[test]
    fn tasks_are_old_or_new_and_what_is_waited_for_is_named() {
        let mut snapshot = in_progress();
        let view = View::of(&snapshot, "shop", 2).unwrap();
        let roles: Vec<Role> = view.tasks.iter().map(|task| task.role).collect();
        // The job's task has no part in it.
        assert_eq!(roles, [Role::Old, Role::New, Role::New]);
        assert_eq!(view.new_ready(), 1);
        assert_eq!(
            view.waits,
            [
                "shop-00000000 to drain",
                "the health check of shop-00000002"
            ]
        );
        snapshot.apps[0].tasks[3].purpose = Some("upgrade-shop".to_owned());
        let view = View::of(&snapshot, "shop", 2).unwrap();
        assert_eq!(view.waits[0], "the hook upgrade-shop to end");
        assert_eq!(View::of(&snapshot, "shop", 9), None);
    }
}
