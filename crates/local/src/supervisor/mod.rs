//! The supervisor: the control plane of an environment on this machine.
//!
//! It compares what is wanted (the blueprint and releases) with what there is (namespaces,
//! containers, health) and takes the steps in between, again and again. It writes each step down
//! before it takes it, holds nothing that traffic needs, and may be killed at any instant: the next
//! one goes on from the record and what runs.
//!
//! One thread decides; what takes time is done in threads that report back through the
//! [`Mailbox`]. The decisions themselves are pure functions: [`component`] here, placement,
//! rollout and schedule in the blueprint's crate.

pub mod backups;
mod balancer;
pub mod component;
mod components;
mod container_checks;
pub mod control;
pub mod database;
pub mod deployment;
mod failover;
pub mod faults;
mod images;
mod jobs;
mod lifecycle;
mod mailbox;
mod member_checks;
mod one_off;
mod processes;
pub mod promotion;
pub mod record;
pub mod redis_failover;
mod report;
pub mod scaling;
mod service;
pub mod snapshot;
mod task_work;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    sync::{Arc, mpsc::SyncSender},
    time::{Duration, Instant},
};

use mck_blueprint::{
    Blueprint,
    difference::difference,
    model::{App, Node, RedisCluster},
};
use rustix::fs::{FlockOperation, flock};

use self::{
    component::{Component, Condition},
    control::Scaled,
    mailbox::{Mailbox, Message},
    processes::Processes,
    record::Record,
    service::TaskState,
    snapshot::Publisher,
    work::Workshop,
};
use crate::{
    container::{CgroupRoot, Runtime, runtime::Program},
    events::{EventLog, Level},
    id::EnvironmentId,
    image::ImageLibrary,
    layout::Layout,
    network,
    origin::{self, Origin, OriginError},
    servers::Context,
};

/// Why a supervisor could not run.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// Another one runs.
    #[error("another supervisor of {0} runs")]
    Running(EnvironmentId),
    /// Nothing was applied yet.
    #[error("nothing was applied to {0} yet")]
    Nothing(EnvironmentId),
    /// A file could not be used.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The environment could not be prepared.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The machine has no OCI runtime.
    #[error("neither crun nor runc is installed")]
    NoRuntime,
}

/// The supervisor of one environment.
struct Supervisor {
    origin: Origin,
    workshop: Workshop,
    components: Vec<Component>,
    conditions: BTreeMap<String, Condition>,
    restarts: BTreeMap<String, Restarts>,
    record: Record,
    tasks: BTreeMap<String, TaskState>,
    throttles: BTreeMap<String, Restarts>,
    processes: Processes,
    mailbox: Mailbox,
    publisher: Arc<Publisher>,
    events: EventLog,
    balancers_seen: Option<Instant>,
    balancer_errors: BTreeMap<String, String>,
    /// Since when schedules are looked at: a job that came due before is not made up for.
    jobs_seen: jiff::Timestamp,
    /// The first error of the record or the event log, shown until it is written again.
    storage_problem: Option<String>,
    /// Apps that are planned from an older version of the environment.
    pinned: BTreeMap<String, Arc<Context>>,
    /// Apps whose release is to be made of the source again.
    builds: BTreeSet<String>,
    /// Apps whose images are to be pulled again.
    pulls: BTreeSet<String>,
    /// Who asked for the deployment of an app that is about to begin.
    deployers: BTreeMap<String, String>,
    /// Who waits for a release.
    waiting: Vec<deployment::Waiting>,
    measurements: scaling::Measurements,
    backups: backups::BackupState,
    /// Containers' own health checks, by container.
    checks: BTreeMap<String, container_checks::Checks>,
    /// Requests that each target got, by group and target, of all load-balancer nodes.
    requests: BTreeMap<(String, String), u64>,
    watch: failover::Watch,
    /// When the network is looked at once more.
    sweep_at: Option<Instant>,
    finished: bool,
}

/// How often something was started again.
#[derive(Debug, Clone, Default)]
struct Restarts {
    /// Failures in a row.
    attempts: u32,
    /// All of them.
    total: u32,
    /// Since when it runs.
    ready_since: Option<Instant>,
    /// Not before this is it tried again.
    retry_at: Option<Instant>,
    /// Why it failed last.
    reason: String,
}

/// How long the last commands of a supervisor that was killed may still be at work.
const SWEEP_AFTER: Duration = Duration::from_secs(1);

/// What has run this long has not failed at its start.
const STABLE_AFTER: Duration = Duration::from_secs(10);

impl Restarts {
    fn failed(&mut self, reason: String) -> Instant {
        if self
            .ready_since
            .is_some_and(|since| since.elapsed() > STABLE_AFTER)
        {
            self.attempts = 0;
        }
        self.attempts += 1;
        self.total += 1;
        self.ready_since = None;
        self.reason = reason;
        let retry_at = Instant::now() + component::back_off(self.attempts);
        self.retry_at = Some(retry_at);
        retry_at
    }

    fn ready(&mut self) {
        self.ready_since = Some(Instant::now());
        self.retry_at = None;
    }
}

/// Runs the supervisor of an environment until it is told to end; the whole work of the hidden
/// `supervise` command. `launcher` is the program that has the `container-launch` command.
///
/// # Errors
/// When it can't begin: another one runs, nothing was applied, or the state can't be read.
pub fn run(state_folder: &Path, id: EnvironmentId, launcher: &Path) -> Result<(), SupervisorError> {
    let layout = Layout::new(state_folder, id);
    let at = |path: PathBuf| move |source| SupervisorError::File { path, source };
    layout.prepare().map_err(at(layout.top().to_owned()))?;
    let lock_path = layout.supervisor_lock();
    // Opened without emptying it: another one's number may be in it.
    let lock = fs::File::options()
        .create(true)
        .append(true)
        .open(&lock_path);
    let lock = lock.map_err(at(lock_path.clone()))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| SupervisorError::Running(layout.id().clone()))?;
    fs::write(&lock_path, std::process::id().to_string()).map_err(at(lock_path))?;
    let origin = Origin::load(&layout)?;
    let origin = origin.ok_or_else(|| SupervisorError::Nothing(layout.id().clone()))?;
    let record = Record::load(&layout.state()).map_err(at(layout.state()))?;
    let mut supervisor = Supervisor::new(origin, &layout, record, launcher)?;
    // Who asks before anything was looked at is told of the environment, not of an empty one.
    supervisor.publish();
    let served = control::serve(&layout, supervisor.mailbox.sender(), &supervisor.publisher);
    served.map_err(at(layout.socket()))?;
    supervisor.note("supervisor", Level::Info, "The supervisor starts.");
    supervisor.adopt();
    supervisor.main_loop();
    // Until the process is gone: who waits for its end removes the network next.
    std::mem::forget(network::hold_changes());
    // The socket stays for the next one to replace; a client sees that nobody answers.
    Ok(())
}

impl Supervisor {
    fn new(
        origin: Origin,
        layout: &Layout,
        record: Record,
        launcher: &Path,
    ) -> Result<Self, SupervisorError> {
        let workshop = workshop(&origin, layout, launcher, &record)?;
        let events = EventLog::new(layout.events());
        let mailbox = Mailbox::new().map_err(|source| SupervisorError::File {
            path: layout.socket(),
            source,
        })?;
        let components = components_of(&workshop, &record);
        let pinned = record.pinned.iter().filter_map(|(app, number)| {
            Some((
                app.clone(),
                deployment::load_definition(layout, app, *number)?,
            ))
        });
        let pinned = pinned.collect();
        Ok(Self {
            origin,
            workshop,
            components,
            conditions: BTreeMap::new(),
            restarts: BTreeMap::new(),
            record,
            tasks: BTreeMap::new(),
            throttles: BTreeMap::new(),
            processes: Processes::default(),
            mailbox,
            publisher: Arc::new(Publisher::default()),
            events,
            balancers_seen: None,
            balancer_errors: BTreeMap::new(),
            jobs_seen: jiff::Timestamp::now(),
            storage_problem: None,
            pinned,
            builds: BTreeSet::new(),
            pulls: BTreeSet::new(),
            deployers: BTreeMap::new(),
            waiting: Vec::new(),
            measurements: scaling::Measurements::default(),
            backups: backups::BackupState::default(),
            checks: BTreeMap::new(),
            requests: BTreeMap::new(),
            watch: failover::Watch::default(),
            sweep_at: Some(Instant::now() + SWEEP_AFTER),
            finished: false,
        })
    }

    fn blueprint(&self) -> &Blueprint {
        &self.workshop.context.blueprint
    }

    fn apps_with(&self, which: impl Fn(&App) -> bool) -> BTreeSet<String> {
        let apps = self.blueprint().apps.iter();
        apps.filter(|app| which(app))
            .map(|app| app.name.clone())
            .collect()
    }

    fn main_loop(&mut self) {
        while !self.finished {
            self.sweep();
            self.start_components();
            self.look_at_balancers();
            self.look_at_tasks();
            self.check_containers();
            self.start_due_jobs();
            self.look_at_use();
            self.look_at_backups();
            self.look_at_waiting();
            self.look_at_members();
            self.look_at_primaries();
            self.publish();
            let ended = self
                .processes
                .wait(self.mailbox.wake().as_fd(), self.pause());
            for name in ended {
                self.process_ended(&name);
            }
            for message in self.mailbox.take() {
                self.handle(message);
            }
        }
    }

    /// Looks at the network once more: a moment after the start, since a command that an earlier
    /// supervisor had begun when it was killed may have made a namespace since the first look; and
    /// after one that was made beside the end of a task, whose namespace it may have made again.
    fn sweep(&mut self) {
        let is_up = self.conditions.get(components::names::NETWORK) == Some(&Condition::Ready);
        if is_up && self.sweep_at.is_some_and(|at| at <= Instant::now()) {
            self.sweep_at = None;
            self.look_again(|component| component.kind == component::Kind::Network);
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Component { name, result } => self.component_done(&name, result),
            Message::TaskStarted { id, result } => self.task_started(&id, result),
            Message::TaskStopped { id, result } => self.task_stopped(&id, result),
            Message::OneOffEnded { id, result } => self.one_off_ended(&id, result),
            Message::Apply { origin, reply } => {
                let applied = self.apply(*origin);
                self.answer(&reply, applied);
            }
            Message::Lease { app, reply } => {
                let leased = self.lease(&app);
                self.answer(&reply, leased);
            }
            Message::Return { id } => self.give_back(&id),
            Message::Deploy {
                app,
                release,
                by,
                reply,
            } => {
                self.deploy(&app, release.as_deref(), by, reply);
            }
            Message::RollBack { app, by, reply } => {
                let begun = self.roll_back(&app, by);
                self.answer(&reply, begun);
            }
            Message::StopDeployment { app, by, reply } => {
                let stopped = self.stop_deployment(&app, &by);
                self.answer(&reply, stopped);
            }
            Message::Scale {
                what,
                count,
                by,
                reply,
            } => {
                let result = match what {
                    Scaled::App(app) => self.scale_tasks(&app, count, &by),
                    Scaled::Cluster(cluster) => self.scale_servers(&cluster, count, &by),
                };
                self.answer(&reply, result);
            }
            Message::Checked { container, passed } => self.container_checked(&container, passed),
            Message::BackedUp { result } => self.backed_up(result),
            Message::Failover(step) => self.failover_step(step),
            Message::ReplicaChosen(choice) => self.replica_chosen(choice),
            Message::FailOver { reply } => self.fail_over(reply),
            Message::Fault { fault, reply } => {
                let result = self.fault(&fault);
                self.answer(&reply, result);
            }
            Message::Quit => self.finished = true,
        }
    }

    /// Answers a client, who sees what was done when it asks next how the environment is.
    fn answer<T>(&self, reply: &SyncSender<T>, answer: T) {
        self.publish();
        // A client that has gone does not need the answer.
        let _ = reply.send(answer);
    }

    /// Takes on another version of the environment; gives what changes.
    fn apply(&mut self, origin: Origin) -> Result<Vec<String>, String> {
        let tell = |error: OriginError| crate::text::chain(&error);
        let layout = self.workshop.context.layout.clone();
        let launcher = self.workshop.runtime.launcher.clone();
        let fresh = workshop(&origin, &layout, &launcher, &self.record)
            .map_err(|error| crate::text::chain(&error))?;
        // A secret may have another value though the file did not change.
        let is_same =
            origin == self.origin && fresh.context.secrets == self.workshop.context.secrets;
        let workshop = (!is_same).then_some(fresh);
        origin.save(&layout).map_err(tell)?;
        let apps: Vec<String> = self.record.pinned.keys().cloned().collect();
        apps.iter().for_each(|app| self.unpin(app));
        let mut changed = Vec::new();
        if let Some(workshop) = workshop {
            changed = self.take_on(workshop);
            self.origin = origin;
            self.note(
                "environment",
                Level::Info,
                format!("Applied with {} changes.", changed.len()),
            );
        } else {
            // The sources and images may have changed though the file did not.
            self.look_again(|component| {
                use component::Kind;
                matches!(component.kind, Kind::Release(_) | Kind::Image(_))
            });
        }
        self.builds = self.apps_with(components::has_release);
        self.pulls = self.apps_with(|app| !components::image_references(app).is_empty());
        self.forget_failures();
        self.retry_failed();
        self.start_components();
        Ok(changed)
    }

    /// Goes on with another version of the blueprint; gives the paths that changed.
    fn take_on(&mut self, workshop: Workshop) -> Vec<String> {
        let before = self.blueprint().to_json();
        let after = workshop.context.blueprint.to_json();
        self.components = components_of(&workshop, &self.record);
        self.workshop = workshop;
        let names: Vec<&str> = self.components.iter().map(|it| it.name.as_str()).collect();
        self.conditions
            .retain(|name, _| names.contains(&name.as_str()));
        self.stop_unwanted();
        self.hold_what_is_lost();
        // Each looks whether it is as it should be; what is stays untouched.
        self.look_again(|_| true);
        let changes = difference(&before, &after);
        changes.into_iter().map(|change| change.path).collect()
    }

    /// Plans the same version of the environment again, with another number of App Servers.
    fn plan_again(&mut self) -> Result<(), String> {
        let layout = self.workshop.context.layout.clone();
        let launcher = self.workshop.runtime.launcher.clone();
        let workshop = workshop(&self.origin, &layout, &launcher, &self.record)
            .map_err(|error| crate::text::chain(&error))?;
        self.take_on(workshop);
        Ok(())
    }

    /// How long to wait when nothing happens: shortly while health is changing, else a second.
    fn pause(&self) -> Duration {
        let now = Instant::now();
        let retries = self
            .throttles
            .values()
            .filter_map(|throttle| throttle.retry_at);
        let due = component::next_retry(&self.conditions)
            .into_iter()
            .chain(retries)
            .chain(self.next_takeover())
            .filter(|at| *at > now)
            .min();
        let limit = if self.is_changing() {
            Duration::from_millis(25)
        } else {
            Duration::from_secs(1)
        };
        due.map_or(limit, |at| at.saturating_duration_since(now).min(limit))
    }

    /// Writes the record down. A failure is told and does not stop the data plane; steps that need
    /// the record are not taken meanwhile.
    fn save(&mut self) -> bool {
        match self.record.save(&self.workshop.context.layout.state()) {
            Ok(()) => {
                self.storage_problem = None;
                true
            }
            Err(error) => {
                self.storage_problem = Some(format!("could not write the state: {error}"));
                false
            }
        }
    }

    fn note(&mut self, subject: &str, level: Level, message: impl Into<String>) {
        if let Err(error) = self.events.record(subject, level, message) {
            self.storage_problem = Some(format!("could not write the event log: {error}"));
        }
    }
}

/// What all work of an environment shares.
fn workshop(
    origin: &Origin,
    layout: &Layout,
    launcher: &Path,
    record: &Record,
) -> Result<Workshop, SupervisorError> {
    let mut environment = origin.environment()?;
    for (name, scale) in &record.desired_servers {
        if let Some(cluster) = environment.settings.cluster.get_mut(name) {
            let servers = &mut cluster.servers;
            servers.desired = Some(scale.count.clamp(servers.minimum, servers.maximum));
        }
    }
    let context = origin::prepare(&environment, origin.folder(), layout)?;
    let local = &environment.settings.local;
    let runtime = runtime(layout, local.runtime, launcher).ok_or(SupervisorError::NoRuntime)?;
    Ok(Workshop {
        context: Arc::new(context),
        runtime,
        images: ImageLibrary::new(&layout.releases()),
        listen: (
            (local.listen, local.http_port).into(),
            (local.listen, local.https_port).into(),
        ),
        internet: local.internet,
    })
}

/// The containers of an environment; none where the machine has no OCI runtime.
pub fn runtime(
    layout: &Layout,
    wanted: Option<mck_environment::settings::RuntimeProgram>,
    launcher: &Path,
) -> Option<Runtime> {
    use mck_environment::settings::RuntimeProgram;
    let program = match wanted {
        Some(RuntimeProgram::Crun) => Program::Crun,
        Some(RuntimeProgram::Runc) => Program::Runc,
        None => [Program::Crun, Program::Runc]
            .into_iter()
            .find(|program| program.path().is_some())?,
    };
    Some(Runtime {
        program,
        launcher: launcher.to_owned(),
        bundles: layout.bundles(),
        root: layout.runtime_root(),
        logs: layout.logs(),
        cgroups: CgroupRoot::detect(),
    })
}

fn components_of(workshop: &Workshop, record: &Record) -> Vec<Component> {
    let blueprint = &workshop.context.blueprint;
    let lost = blueprint
        .nodes()
        .filter(|node| faults::is_lost(node, record));
    let situation = components::Situation {
        writer: writer(blueprint, record),
        primaries: blueprint
            .redis
            .iter()
            .map(|cluster| primary(cluster, record))
            .filter(|name| !name.is_empty())
            .collect(),
        lost: lost.map(|node| node.name.as_str()).collect(),
        internet: workshop.internet,
    };
    components::components(blueprint, &situation)
}

/// The database member that is the writer: the recorded one, or the first.
pub fn writer<'a>(blueprint: &'a Blueprint, record: &'a Record) -> &'a str {
    let members = &blueprint.database.members;
    let recorded = record
        .writer
        .as_deref()
        .filter(|name| members.iter().any(|it| it.name == *name));
    recorded
        .or_else(|| members.first().map(|node| node.name.as_str()))
        .unwrap_or_default()
}

/// The primary of a Redis cluster: the recorded one, or the first.
fn primary<'a>(cluster: &'a RedisCluster, record: &'a Record) -> &'a str {
    let recorded = record.primaries.get(&cluster.name).map(String::as_str);
    let recorded = recorded.filter(|name| cluster.members.iter().any(|it| it.name == *name));
    recorded
        .or_else(|| cluster.members.first().map(|node| node.name.as_str()))
        .unwrap_or_default()
}

/// The node of a name.
fn node<'a>(blueprint: &'a Blueprint, name: &str) -> Option<&'a Node> {
    blueprint.nodes().find(|node| node.name == name)
}
