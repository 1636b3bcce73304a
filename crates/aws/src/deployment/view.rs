//! A rollout at a moment, for displays. Pure.

use aws_sdk_ecs::types::{Deployment, HealthStatus, Service, ServiceEvent, Task};

use super::rollout;
use crate::ecs::short;

/// A rollout at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutView {
    /// How many tasks are wanted.
    pub desired: u32,
    /// Tasks of it that failed.
    pub failures: u16,
    /// The app's tasks, and the hook that runs.
    pub tasks: Vec<RolloutTask>,
    /// What ECS says that keeps it from going on.
    pub troubles: Vec<String>,
}

/// A task in a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutTask {
    /// Its id.
    pub id: String,
    /// What it is to the rollout.
    pub role: TaskRole,
    /// How it is.
    pub state: TaskState,
    /// More about that, or what a hook does; may be empty.
    pub detail: String,
    /// Its availability zone; empty until it has one.
    pub place: String,
}

/// What a task is to a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskRole {
    /// Of the wanted revision.
    New,
    /// Of another.
    Old,
    /// Runs a hook.
    Hook,
}

/// How a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// It is placed, its images are pulled, its containers start, or its health is not known yet.
    Starting,
    /// It runs, and is healthy where it has a health check.
    Ready,
    /// Its health check fails.
    Unhealthy,
    /// It is taken out of use, and ends.
    Draining,
}

/// What a rollout's view is made of.
pub(crate) struct Seen<'a> {
    pub(crate) service: &'a Service,
    /// The service's tasks that should run, and those that end.
    pub(crate) tasks: &'a [Task],
    /// The task definition that is wanted.
    pub(crate) definition: &'a str,
    /// Whether its tasks have a health check of their own.
    pub(crate) is_checked: bool,
    /// Whether the rollout has come to its end: ECS ends it when the load balancer finds all tasks
    /// healthy, and says nothing of each.
    pub(crate) is_complete: bool,
    /// The id of the newest event from before the rollout.
    pub(crate) last_event: Option<&'a str>,
}

impl RolloutView {
    pub(crate) fn of(seen: &Seen<'_>) -> Self {
        let service = seen.service;
        let ours = service.deployments().iter();
        let mut ours = ours.filter(|it| it.task_definition() == Some(seen.definition));
        let failures = ours.next().map_or(0, Deployment::failed_tasks);
        let tasks = seen.tasks.iter().filter_map(|task| view_task(task, seen));
        let mut tasks: Vec<RolloutTask> = tasks.collect();
        tasks.sort_by(|one, other| (one.role.rank(), &one.id).cmp(&(other.role.rank(), &other.id)));
        let desired = rollout::primary(service).map_or(0, Deployment::desired_count);
        Self {
            desired: desired.try_into().unwrap_or(0),
            failures: failures.try_into().unwrap_or(u16::MAX),
            tasks,
            troubles: troubles(service.events(), seen.last_event),
        }
    }

    /// A hook that runs, before or after the rollout.
    pub(crate) fn of_hook(task: &Task, stage: &str) -> Self {
        let id = short(task.task_arn().unwrap_or_default()).to_owned();
        let state = match task.last_status() {
            Some("RUNNING") => TaskState::Ready,
            _ => TaskState::Starting,
        };
        Self {
            desired: 0,
            failures: 0,
            tasks: vec![RolloutTask {
                id,
                role: TaskRole::Hook,
                state,
                detail: stage.to_owned(),
                place: task.availability_zone().unwrap_or_default().to_owned(),
            }],
            troubles: Vec::new(),
        }
    }

    /// How many tasks of the wanted revision take requests.
    pub fn new_ready(&self) -> usize {
        let ready = |it: &&RolloutTask| it.role == TaskRole::New && it.state == TaskState::Ready;
        self.tasks.iter().filter(ready).count()
    }
}

impl TaskRole {
    /// Old ones first, as they were there before.
    const fn rank(self) -> u8 {
        match self {
            Self::Old => 0,
            Self::New => 1,
            Self::Hook => 2,
        }
    }
}

fn view_task(task: &Task, seen: &Seen<'_>) -> Option<RolloutTask> {
    let is_new = task.task_definition_arn() == Some(seen.definition);
    let is_balanced = is_new && !seen.is_complete && !seen.service.load_balancers().is_empty();
    let (state, detail) = state(task, seen.is_checked, is_balanced)?;
    Some(RolloutTask {
        id: short(task.task_arn()?).to_owned(),
        role: if is_new { TaskRole::New } else { TaskRole::Old },
        state,
        detail: detail.to_owned(),
        place: task.availability_zone().unwrap_or_default().to_owned(),
    })
}

/// How a task is, by its life cycle (ECS developer guide, "Task states"); none when it has ended.
fn state(task: &Task, is_checked: bool, is_balanced: bool) -> Option<(TaskState, &'static str)> {
    let is_pulling = task.pull_started_at().is_some() && task.pull_stopped_at().is_none();
    let running = || match task.health_status() {
        Some(HealthStatus::Unhealthy) => (TaskState::Unhealthy, "its health check fails"),
        Some(HealthStatus::Healthy) => (TaskState::Ready, ""),
        _ if is_checked => (TaskState::Starting, "its health check has not passed yet"),
        _ if is_balanced => (TaskState::Starting, "the load balancer checks it"),
        _ => (TaskState::Ready, ""),
    };
    Some(match task.last_status()? {
        "STOPPED" | "DELETED" => return None,
        "DEACTIVATING" | "STOPPING" | "DEPROVISIONING" => (TaskState::Draining, ""),
        _ if task.desired_status() == Some("STOPPED") => (TaskState::Draining, ""),
        "RUNNING" => running(),
        _ if is_pulling => (TaskState::Starting, "its images are pulled"),
        _ => (TaskState::Starting, ""),
    })
}

/// The newest event since the rollout began, where it tells of trouble, such as no room for a task.
fn troubles(events: &[ServiceEvent], last: Option<&str>) -> Vec<String> {
    let fresh = events
        .iter()
        .take_while(|it| it.id() != last || last.is_none());
    let message = fresh.take(1).filter_map(ServiceEvent::message);
    let is_trouble = |text: &&str| {
        ["unable", "failed", "unhealthy", "not able"]
            .iter()
            .any(|word| text.contains(word))
    };
    message.filter(is_trouble).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, definition: &str, status: &str, health: Option<HealthStatus>) -> Task {
        Task::builder()
            .task_arn(format!("arn:aws:ecs:eu-central-1:123456789012:task/c/{id}"))
            .task_definition_arn(definition)
            .last_status(status)
            .desired_status("RUNNING")
            .availability_zone("eu-central-1a")
            .set_health_status(health)
            .build()
    }

    #[test]
    fn tasks_are_old_or_new_and_their_life_cycle_is_told_in_our_words() {
        let event =
            |id: &str, message: &str| ServiceEvent::builder().id(id).message(message).build();
        let service = Service::builder()
            .deployments(
                Deployment::builder()
                    .status("PRIMARY")
                    .task_definition("new")
                    .desired_count(3)
                    .failed_tasks(1)
                    .build(),
            )
            .events(event("3", "(service shop) was unable to place a task."))
            .events(event("2", "(service shop) has started 1 tasks."))
            .build();
        let tasks = [
            task("n1", "new", "RUNNING", Some(HealthStatus::Healthy)),
            task("n2", "new", "RUNNING", Some(HealthStatus::from("UNKNOWN"))),
            task("n3", "new", "PENDING", None),
            task("o1", "old", "DEACTIVATING", None),
            task("o2", "old", "STOPPED", None),
            task("o3", "old", "RUNNING", Some(HealthStatus::Unhealthy)),
        ];
        let seen = |last_event| Seen {
            service: &service,
            tasks: &tasks,
            definition: "new",
            is_checked: true,
            is_complete: false,
            last_event,
        };
        let view = RolloutView::of(&seen(None));
        let told: Vec<_> = view
            .tasks
            .iter()
            .map(|it| (it.id.as_str(), it.role, it.state))
            .collect();
        assert_eq!(
            told,
            [
                ("o1", TaskRole::Old, TaskState::Draining),
                ("o3", TaskRole::Old, TaskState::Unhealthy),
                ("n1", TaskRole::New, TaskState::Ready),
                ("n2", TaskRole::New, TaskState::Starting),
                ("n3", TaskRole::New, TaskState::Starting),
            ]
        );
        assert_eq!((view.desired, view.failures, view.new_ready()), (3, 1, 1));
        assert_eq!(
            view.troubles,
            ["(service shop) was unable to place a task."]
        );
        // What ECS said before the rollout is not about it.
        assert!(RolloutView::of(&seen(Some("3"))).troubles.is_empty());
    }

    #[test]
    fn a_balanced_task_takes_requests_for_sure_when_the_rollout_is_complete() {
        let balancer = aws_sdk_ecs::types::LoadBalancer::builder().build();
        let service = Service::builder().load_balancers(balancer).build();
        let tasks = [
            task("n", "new", "RUNNING", None),
            task("o", "old", "RUNNING", None),
        ];
        let states = |is_complete| -> Vec<TaskState> {
            let view = RolloutView::of(&Seen {
                service: &service,
                tasks: &tasks,
                definition: "new",
                is_checked: false,
                is_complete,
                last_event: None,
            });
            view.tasks.iter().map(|it| it.state).collect()
        };
        assert_eq!(states(false), [TaskState::Ready, TaskState::Starting]);
        assert_eq!(states(true), [TaskState::Ready, TaskState::Ready]);
    }
}
