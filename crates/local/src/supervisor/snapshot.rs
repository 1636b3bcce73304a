//! What an environment looks like at a moment: what `mck status` shows and `mck up` follows.

use std::{
    net::Ipv4Addr,
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::deployment::Deployment;

/// An environment at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Snapshot {
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// Whether all is as it is wanted.
    pub settled: bool,
    /// What is wrong and will not mend itself, if anything.
    pub problem: Option<Problem>,
    /// Components in the order of their requirements.
    pub components: Vec<ComponentStatus>,
    /// Apps by name.
    pub apps: Vec<AppStatus>,
}

/// Why an environment does not come up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Problem {
    /// The component or app.
    pub subject: String,
    /// What failed, with the reason.
    pub message: String,
}

impl Problem {
    /// The subject where the state folder's disk is full, whatever failed for it.
    pub const DISK: &str = "disk";
}

/// How a component is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComponentStatus {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// How it is.
    pub state: State,
    /// What it waits for, or why it failed.
    pub detail: Option<String>,
    /// Its address, for a server.
    pub address: Option<Ipv4Addr>,
    /// Its zone, for a server.
    pub zone: Option<String>,
    /// How often it was started again.
    pub restarts: u32,
}

/// How a component or task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waits for others.
    Waiting,
    /// Being started.
    Starting,
    /// As it should be.
    Ready,
    /// Failed; tried again later.
    Failed,
    /// Being taken out.
    Draining,
    /// Takes no requests since its health check fails.
    Unhealthy,
}

/// How an app is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppStatus {
    /// Its name.
    pub name: String,
    /// Where a person finds it.
    pub urls: Vec<String>,
    /// The administration pages.
    pub admin_url: Option<String>,
    /// The administrator.
    pub admin_user: Option<String>,
    /// The secret with the administrator's password.
    pub admin_password_secret: Option<String>,
    /// What `/REVISION.txt` says.
    pub revision: Option<String>,
    /// How many tasks are wanted.
    pub desired: u32,
    /// How many take requests.
    pub healthy: u32,
    /// Its tasks.
    pub tasks: Vec<TaskStatus>,
    /// Its jobs.
    pub jobs: Vec<JobStatus>,
    /// Its deployments, oldest first.
    #[serde(default)]
    pub deployments: Vec<Deployment>,
}

/// How a task is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskStatus {
    /// Its id.
    pub id: String,
    /// How it is.
    pub state: State,
    /// What its health check says, or why it failed.
    pub detail: Option<String>,
    /// The mark of what it is made of: that of the [`Deployment`] that wants it.
    #[serde(default)]
    pub revision: String,
    /// Its zone.
    pub zone: String,
    /// Its App Server.
    pub server: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// What it runs, when it is not one of the app's own tasks.
    pub purpose: Option<String>,
    /// When it was placed.
    pub created: Timestamp,
}

/// How a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobStatus {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub schedule: String,
    /// When it was started last.
    pub last_started: Option<Timestamp>,
    /// When it ended last.
    pub last_ended: Option<Timestamp>,
    /// Its last exit code.
    pub last_exit_code: Option<i32>,
    /// When it is started next.
    pub next: Option<Timestamp>,
}

/// Hands the newest snapshot to all who follow.
#[derive(Debug, Default)]
pub struct Publisher {
    current: Mutex<(u64, Snapshot)>,
    changed: Condvar,
}

impl Publisher {
    /// Publishes a snapshot, if it says anything new.
    pub fn publish(&self, snapshot: Snapshot) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.1 != snapshot {
            *current = (current.0 + 1, snapshot);
            self.changed.notify_all();
        }
    }

    /// The newest snapshot with its number.
    pub fn current(&self) -> (u64, Snapshot) {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The first snapshot after number `seen`; the same again when nothing changes for so long.
    pub fn after(&self, seen: u64, limit: Duration) -> (u64, Snapshot) {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (current, _) = self
            .changed
            .wait_timeout_while(current, limit, |current| current.0 == seen)
            .unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }
}
