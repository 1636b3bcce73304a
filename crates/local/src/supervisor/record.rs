//! What the supervisor writes down before each step, so that another one can go on from there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::Ipv4Addr,
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{deployment::Deployment, scaling::Scale};
use crate::{layout::write_atomically, release::Release};

/// What was recorded of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Record {
    /// The database member that is the writer.
    pub writer: Option<String>,
    /// Readers that hold every acknowledged write: the writer waits for them.
    pub synced: BTreeSet<String>,
    /// The change of the writer that is under way.
    pub failover: Option<Failover>,
    /// Zones that are lost.
    pub lost_zones: BTreeSet<String>,
    /// Servers that are lost.
    pub lost_servers: BTreeSet<String>,
    /// The primary of each Redis cluster.
    pub primaries: BTreeMap<String, String>,
    /// What was done once, with a mark that changes when it must be done again.
    pub done: BTreeMap<String, String>,
    /// The release of each app.
    pub releases: BTreeMap<String, Release>,
    /// The images of each app: ids by reference.
    pub images: BTreeMap<String, BTreeMap<String, String>>,
    /// Deployments of each app, oldest first.
    pub deployments: BTreeMap<String, Vec<Deployment>>,
    /// Apps that were rolled back, with the number of the deployment whose definition they have.
    pub pinned: BTreeMap<String, u64>,
    /// How many tasks of an app are wanted, where that was changed since.
    pub desired_tasks: BTreeMap<String, Scale>,
    /// How many App Servers of a cluster are wanted, where that was changed since.
    pub desired_servers: BTreeMap<String, Scale>,
    /// Tasks by id.
    pub tasks: BTreeMap<String, TaskRecord>,
    /// When each job (`app/job`) was started last, and how it ended.
    pub jobs: BTreeMap<String, JobRecord>,
}

/// A change of the database's writer, from its first step to its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failover {
    /// The writer before.
    pub from: String,
    /// The reader that shall be the writer, once it is chosen.
    pub to: Option<String>,
    /// Why.
    pub cause: Cause,
}

/// Why the database's writer changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its process ended.
    Ended,
    /// Its zone or server is lost.
    Lost,
    /// A person asks; the writer lives.
    Asked,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskRecord {
    /// Its app.
    pub app: String,
    /// Why it runs.
    pub purpose: Purpose,
    /// The mark of the task definition and release that it was made of.
    pub revision: String,
    /// The release's id, for an app with code of its own.
    pub release: Option<Release>,
    /// The ids of the images that it was made of, by reference.
    #[serde(default)]
    pub images: BTreeMap<String, String>,
    /// The App Server whose capacity it takes.
    pub server: String,
    /// That server's zone.
    pub zone: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// When it was placed.
    pub created: Timestamp,
    /// Whether it is being taken out.
    pub draining: bool,
    /// Whether it has taken requests.
    #[serde(default)]
    pub was_healthy: bool,
}

/// Why a task runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "name")]
pub enum Purpose {
    /// It is one of the app's tasks.
    Service,
    /// It runs a hook.
    Hook(String),
    /// It runs a job.
    Job(String),
    /// A person runs it.
    OneOff,
}

/// A job's last run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobRecord {
    /// When it was started.
    pub started: Timestamp,
    /// The task that ran it.
    pub task: String,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Its exit code; none while it runs or where that is not known.
    pub exit_code: Option<i32>,
}

impl Record {
    /// What was recorded in a file; nothing where there is no file.
    ///
    /// # Errors
    /// When the file can't be read or is damaged.
    pub fn load(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes it down.
    ///
    /// # Errors
    /// When the file can't be written, as on a full disk.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        write_atomically(path, &serde_json::to_vec_pretty(self)?)
    }

    /// The tasks of an app that take requests, or will.
    pub fn service_tasks(&self, app: &str) -> impl Iterator<Item = (&String, &TaskRecord)> {
        self.tasks
            .iter()
            .filter(move |(_, task)| task.app == app && task.purpose == Purpose::Service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(Record::load(&path).unwrap(), Record::default());
        let mut record = Record {
            writer: Some("db-0".to_owned()),
            ..Record::default()
        };
        record.tasks.insert(
            "shop-1".to_owned(),
            TaskRecord {
                app: "shop".to_owned(),
                purpose: Purpose::Hook("install".to_owned()),
                revision: "r".to_owned(),
                release: None,
                images: BTreeMap::new(),
                server: "app-1".to_owned(),
                zone: "us-east-1a".to_owned(),
                address: Ipv4Addr::new(172, 31, 3, 80),
                created: Timestamp::UNIX_EPOCH,
                draining: false,
                was_healthy: false,
            },
        );
        record.save(&path).unwrap();
        assert_eq!(Record::load(&path).unwrap(), record);
        assert_eq!(record.service_tasks("shop").count(), 0);
    }
}
