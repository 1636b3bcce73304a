//! What the emulator knows: kept in a file, so that it may end and begin again at any time.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::Ipv4Addr,
};

use jiff::{SignedDuration, Timestamp};
use mck_local::supervisor::deployment::DeploymentState;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{definitions::Definitions, ids::Ids};

/// How many events of a service are kept (ECS).
const KEPT_EVENTS: usize = 100;

/// How many deployments of a service are remembered.
const KEPT_DEPLOYMENTS: usize = 50;

/// How long a stopped task is remembered (ECS: about an hour).
pub const STOPPED_TASKS_STAY: SignedDuration = SignedDuration::from_hours(1);

/// The stop code of a task whose containers never ran.
pub const NOT_STARTED: &str = "TaskFailedToStart";

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Where new ids come from.
    pub ids: Ids,
    /// Task definitions.
    pub definitions: Definitions,
    /// Services, by the app's name.
    pub services: BTreeMap<String, Service>,
    /// Tasks, by their id in ECS.
    pub tasks: BTreeMap<String, Task>,
    /// Tags, by ARN.
    pub tags: BTreeMap<String, Vec<Value>>,
    /// Apps whose services nobody has created yet.
    pub uncreated: BTreeSet<String>,
    /// Requests to run tasks that came with a token, by it.
    pub runs: BTreeMap<String, Run>,
}

/// A request to run tasks that may come again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What was asked for.
    pub request: Value,
    /// The tasks that were started.
    pub tasks: Vec<String>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// When it was seen first.
    pub created: Timestamp,
    /// How many tasks are wanted.
    pub desired: u32,
    /// Its deployments, oldest first; the last one is the primary.
    pub deployments: Vec<Deployment>,
    /// What happened, newest first.
    pub events: VecDeque<Event>,
    /// Whether it was said that it is steady.
    pub steady: bool,
    /// Task definitions of deployments that were asked for here and not seen yet, by number.
    pub asked: BTreeMap<u64, String>,
}

impl Service {
    /// A service that was just seen.
    pub fn new(now: Timestamp) -> Self {
        Self {
            created: now,
            desired: 0,
            deployments: Vec::new(),
            events: VecDeque::new(),
            steady: false,
            asked: BTreeMap::new(),
        }
    }

    /// The deployment that is wanted.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.last()
    }

    /// Adds an event.
    pub fn note(&mut self, ids: &mut Ids, time: Timestamp, message: String) {
        let id = ids.event();
        self.events.push_front(Event { id, time, message });
        self.events.truncate(KEPT_EVENTS);
    }

    /// Adds a deployment, which is the primary from then on.
    pub fn begin(&mut self, deployment: Deployment) {
        self.deployments.push(deployment);
        let surplus = self.deployments.len().saturating_sub(KEPT_DEPLOYMENTS);
        self.deployments.drain(..surplus);
        self.steady = false;
    }

    /// The place of the deployment that tasks with a mark belong to: the newest one with it.
    pub fn deployment_of(&self, mark: &str) -> Option<usize> {
        self.deployments.iter().rposition(|it| it.mark == mark)
    }
}

/// Something that happened to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// What.
    pub message: String,
}

/// A deployment of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id, `ecs-svc/…`.
    pub id: String,
    /// The number of the environment's own deployment.
    pub number: u64,
    /// The mark of its tasks.
    pub mark: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// When it began.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
    /// How it is.
    pub state: DeploymentState,
    /// The most tasks that had failed in a row.
    pub failed_tasks: u16,
    /// The id of the failed deployment from which this one goes back.
    pub rollback_of: Option<String>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its id in the environment; none before it has a place.
    pub local: Option<String>,
    /// Its app.
    pub app: String,
    /// The service's name, or `family:…`.
    pub group: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// Who started it: a deployment's id for a service's task.
    pub started_by: Option<String>,
    /// The mark of what it is made of, for a service's task.
    pub mark: String,
    /// How it is.
    pub status: Status,
    /// What its health check says; none where it has none.
    pub health: Option<bool>,
    /// Whether it took requests at some time.
    pub was_healthy: bool,
    /// When it was wanted.
    pub created: Timestamp,
    /// When its containers ran.
    pub started: Option<Timestamp>,
    /// When it began to stop.
    pub stopping: Option<Timestamp>,
    /// When it was gone.
    pub stopped: Option<Timestamp>,
    /// Why it stops.
    pub stop: Option<Stop>,
    /// Its containers.
    pub containers: Vec<TaskContainer>,
    /// Where it runs; none before it has a place.
    pub place: Option<Place>,
    /// What of its definition was overridden.
    pub overrides: Value,
}

/// Where a task runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its App Server.
    pub server: String,
    /// Its zone.
    pub zone: String,
    /// Its address.
    pub address: Ipv4Addr,
}

/// Why a task stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// `stopCode`, such as `EssentialContainerExited`.
    pub code: String,
    /// `stoppedReason`.
    pub reason: String,
}

/// A container of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskContainer {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// How it ended.
    pub exit_code: Option<i32>,
    /// Why it could not run.
    pub reason: Option<String>,
}

/// How a task is, in the order in which it goes through them (ECS developer guide, "task lifecycle").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// It gets its place and its network.
    Provisioning,
    /// Its containers are being started.
    Pending,
    /// Its containers run.
    Running,
    /// It finishes its requests.
    Deactivating,
    /// It is gone.
    Stopped,
}

impl Status {
    /// ECS's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopped => "STOPPED",
        }
    }
}

impl Task {
    /// Whether it should run.
    pub fn is_wanted(&self) -> bool {
        self.status < Status::Deactivating && self.stop.is_none()
    }

    /// Whether it belongs to a service.
    pub fn is_service_s(&self) -> bool {
        !self.mark.is_empty()
    }

    /// Why it stops, unless that is known already. Where no container ran, the first tells why.
    pub fn stop_for(&mut self, stop: Stop) {
        if self.stop.is_some() {
            return;
        }
        if stop.code == NOT_STARTED
            && let Some(container) = self.containers.first_mut()
        {
            container.reason = Some(format!("CannotStartContainerError: {}", stop.reason));
        }
        self.stop = Some(stop);
    }

    /// Its end, if it has not ended before.
    pub fn end(&mut self, now: Timestamp, stop: Stop) {
        if self.status == Status::Stopped {
            return;
        }
        self.stop_for(stop);
        self.stopping.get_or_insert(now);
        self.status = Status::Stopped;
        self.stopped = Some(now);
        self.health = None;
    }
}

impl State {
    /// Tasks of an app's service that are not gone.
    pub fn service_tasks<'a>(
        &'a self,
        app: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Task)> {
        let tasks = self.tasks.iter();
        tasks.filter(move |(_, it)| {
            it.app == app && it.is_service_s() && it.status != Status::Stopped
        })
    }

    /// Forgets tasks that stopped an hour ago.
    pub fn forget(&mut self, now: Timestamp) {
        self.tasks.retain(|_, task| {
            task.stopped
                .is_none_or(|stopped| now.duration_since(stopped) < STOPPED_TASKS_STAY)
        });
        let tasks = &self.tasks;
        self.runs
            .retain(|_, run| run.tasks.iter().any(|it| tasks.contains_key(it)));
    }

    /// Ends the one-off tasks that ran when this program ended: it was their parent.
    pub fn end_orphans(&mut self, now: Timestamp) {
        let orphans = self.tasks.values_mut().filter(|it| !it.is_service_s());
        for task in orphans {
            task.end(
                now,
                Stop {
                    code: "TerminationNotice".to_owned(),
                    reason: "Host EC2 (the emulator) terminated.".to_owned(),
                },
            );
        }
    }
}
