//! What does the work behind the endpoint.

use std::{fs, path::PathBuf, sync::Mutex};

use mck_local::{
    client::{self, OneOff},
    events,
    layout::Layout,
    supervisor::{control::Scaled, deployment::Begun, snapshot::Snapshot},
    text::chain,
};

use crate::state::Place;

/// What the emulator needs of the environment that runs. A refusal is a sentence for people.
pub trait Scheduler: Send + Sync + 'static {
    /// How the environment is.
    ///
    /// # Errors
    /// When it does not run.
    fn snapshot(&self) -> Result<Snapshot, String>;

    /// The messages of the events of a task, oldest first.
    fn story(&self, task: &str) -> Vec<String>;

    /// Begins the deployment of a release that there is.
    ///
    /// # Errors
    /// When there is none.
    fn deploy(&self, app: &str, release: &str) -> Result<Begun, String>;

    /// Stops the deployment in progress and goes back.
    ///
    /// # Errors
    /// When there is none.
    fn stop_deployment(&self, app: &str) -> Result<(), String>;

    /// Wants another number of tasks.
    ///
    /// # Errors
    /// When it is beyond the app's limits.
    fn scale(&self, app: &str, count: u32) -> Result<(), String>;

    /// Kills the processes of a task.
    ///
    /// # Errors
    /// When there is none of that id.
    fn kill_task(&self, task: &str) -> Result<(), String>;

    /// Starts a command in a task of its own.
    ///
    /// # Errors
    /// When there is no room, or no such container.
    fn start(&self, command: &OneOffCommand) -> Result<Box<dyn Running>, String>;
}

/// A command to run in a task of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOffCommand {
    /// The app.
    pub app: String,
    /// The container that it runs like.
    pub container: String,
    /// The release, where it is kept here; else the one that the app is of.
    pub release: Option<String>,
    /// The command.
    pub command: Vec<String>,
    /// What its output is called: the task's id.
    pub id: String,
}

/// A command that runs.
pub trait Running: Send {
    /// The task's id in the environment.
    fn task(&self) -> String;

    /// Where it runs.
    fn place(&self) -> Place;

    /// Waits until it has ended, and gives its exit code.
    ///
    /// # Errors
    /// When that can't be known.
    fn wait(self: Box<Self>) -> Result<i32, String>;
}

/// The environment on this machine.
#[derive(Debug)]
pub struct Local {
    layout: Layout,
    launcher: PathBuf,
    by: String,
    /// Events are read from a file of some megabytes: by one at a time.
    reading: Mutex<()>,
}

impl Local {
    /// The environment with that folder; `launcher` is the program that starts containers, `by` who
    /// asks for deployments.
    pub fn new(layout: Layout, launcher: PathBuf, by: String) -> Self {
        Self {
            layout,
            launcher,
            by,
            reading: Mutex::new(()),
        }
    }
}

fn said(error: &client::ClientError) -> String {
    chain(error)
}

impl Scheduler for Local {
    fn snapshot(&self) -> Result<Snapshot, String> {
        client::snapshot(&self.layout).map_err(|error| said(&error))
    }

    fn story(&self, task: &str) -> Vec<String> {
        let _alone = self.reading.lock();
        // Without its events a task ended for a reason that nobody knows.
        let all = events::read(&self.layout.events()).unwrap_or_default();
        let of_task = all.into_iter().filter(|it| it.subject == task);
        of_task.map(|it| it.message).collect()
    }

    fn deploy(&self, app: &str, release: &str) -> Result<Begun, String> {
        client::deploy(&self.layout, app, Some(release), &self.by).map_err(|error| said(&error))
    }

    fn stop_deployment(&self, app: &str) -> Result<(), String> {
        let begun = client::stop_deployment(&self.layout, app, &self.by);
        begun.map(drop).map_err(|error| said(&error))
    }

    fn scale(&self, app: &str, count: u32) -> Result<(), String> {
        let what = Scaled::App(app.to_owned());
        client::scale(&self.layout, what, count, &self.by).map_err(|error| said(&error))
    }

    fn kill_task(&self, task: &str) -> Result<(), String> {
        client::kill_task(&self.layout, task).map_err(|error| said(&error))
    }

    fn start(&self, command: &OneOffCommand) -> Result<Box<dyn Running>, String> {
        let folder = self.layout.logs().join("run-task");
        let path = folder.join(format!("{}.log", command.id));
        let output = fs::create_dir_all(&folder).and_then(|()| fs::File::create(&path));
        let output = output.map_err(|error| format!("{}: {error}", path.display()))?;
        let wanted = client::OneOffWanted {
            app: &command.app,
            container: &command.container,
            release: command.release.as_deref(),
            command: &command.command,
        };
        let started = client::start(&self.layout, &self.launcher, &wanted, &output);
        Ok(Box::new(started.map_err(|error| said(&error))?))
    }
}

impl Running for OneOff {
    fn task(&self) -> String {
        self.lease().id.clone()
    }

    fn place(&self) -> Place {
        let lease = self.lease();
        Place {
            server: lease.task.server.clone(),
            zone: lease.task.zone.clone(),
            address: lease.address,
        }
    }

    fn wait(self: Box<Self>) -> Result<i32, String> {
        OneOff::wait(*self).map_err(|error| said(&error))
    }
}
