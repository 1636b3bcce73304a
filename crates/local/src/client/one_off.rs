//! Commands in containers: one that runs, or one made for the command.

use std::{fs::File, path::Path, process::Child};

use mck_blueprint::model::{App, Container, HookStage};
use mck_server_config::redis;

use super::{
    ClientError, Origin, context,
    socket::{Connection, ask, unexpected},
};
use crate::{
    command::Command,
    container::{ContainerPlan, Runtime},
    image::ImageLibrary,
    layout::Layout,
    release::{Release, ReleaseStore},
    servers::{
        Context,
        data::control_secret,
        task::{self, TaskPlace},
    },
    supervisor::{
        self,
        control::{Answer, Lease, Request},
    },
};

/// Runs a command in a task of its own, like the app's php-fpm container (or `container`), attached
/// to this process; gives its exit code.
///
/// # Errors
/// When the environment does not run, there is no such app or container, or no room.
pub fn run(
    layout: &Layout,
    launcher: &Path,
    app: &str,
    container: Option<&str>,
    command: &[String],
    terminal: bool,
) -> Result<i32, ClientError> {
    let context = context(layout)?;
    let app = find_app(&context, app)?;
    let container = find_container(app, container)?;
    let mut command = command.to_vec();
    if container.name == "php-fpm" {
        command.splice(0..0, app.command_prefix.iter().cloned());
    }
    run_like(&context, launcher, app, container, command, terminal)
}

fn run_like(
    context: &Context,
    launcher: &Path,
    app: &App,
    container: &Container,
    command: Vec<String>,
    terminal: bool,
) -> Result<i32, ClientError> {
    let (connection, lease) = lease(&context.layout, app)?;
    let release = lease.task.release.as_ref();
    let mut plan = plan(context, app, container, &lease, release, command)?;
    plan.terminal = terminal;
    let runtime = runtime(&context.layout, launcher)?;
    let code = runtime.run_attached(&plan)?;
    // The supervisor takes the place back when the connection ends.
    drop(connection);
    Ok(code)
}

/// A place for a task; it is taken back when the connection ends.
fn lease(layout: &Layout, app: &App) -> Result<(Connection, Lease), ClientError> {
    let app = app.name.clone();
    let mut connection = ask(layout, &Request::Lease { app })?;
    match connection.answer()? {
        Answer::Lease { lease } => Ok((connection, *lease)),
        _ => Err(unexpected()),
    }
}

/// What runs a command in a place for a task.
fn plan(
    context: &Context,
    app: &App,
    container: &Container,
    lease: &Lease,
    release: Option<&Release>,
    command: Vec<String>,
) -> Result<ContainerPlan, ClientError> {
    let place = TaskPlace {
        id: lease.id.clone(),
        address: lease.address,
        server: lease.task.server.clone(),
        tree: task::tree(context, app, release),
        revision: release
            .map(|release| release.revision.clone())
            .unwrap_or_default(),
        images: ImageLibrary::new(&context.layout.releases()).of(&lease.task.images)?,
    };
    Ok(task::one_off(context, container, &place, command)?)
}

/// A command for a task of its own.
#[derive(Debug, Clone, Copy)]
pub struct OneOffWanted<'a> {
    /// The app.
    pub app: &'a str,
    /// The container that it runs like.
    pub container: &'a str,
    /// The release whose code it sees, where that is kept; else the one that the app is of.
    pub release: Option<&'a str>,
    /// The command, whole: nothing is put before it.
    pub command: &'a [String],
}

/// A command that runs in a task of its own, beside what this process does. Its place is taken back
/// when this is dropped or this process ends.
#[derive(Debug)]
pub struct OneOff {
    _connection: Connection,
    lease: Lease,
    runtime: Runtime,
    container: String,
    child: Child,
}

impl OneOff {
    /// Its place.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Waits until it has ended, and gives its exit code. Nothing of it is left.
    ///
    /// # Errors
    /// When its parts can't be removed.
    pub fn wait(mut self) -> Result<i32, ClientError> {
        Ok(self.runtime.finish(&self.container, &mut self.child)?)
    }
}

/// Starts a command in a task of its own; what it prints goes to a file.
///
/// # Errors
/// When the environment does not run, there is no such app or container, or no room.
pub fn start(
    layout: &Layout,
    launcher: &Path,
    wanted: &OneOffWanted<'_>,
    output: &File,
) -> Result<OneOff, ClientError> {
    let context = context(layout)?;
    let app = find_app(&context, wanted.app)?;
    let container = find_container(app, Some(wanted.container))?;
    let runtime = runtime(layout, launcher)?;
    let (connection, lease) = lease(layout, app)?;
    let store = ReleaseStore::new(&layout.releases(), &app.name);
    let kept = wanted.release.and_then(|release| store.find(release));
    let release = kept.as_ref().or(lease.task.release.as_ref());
    let command = wanted.command.to_vec();
    let plan = plan(&context, app, container, &lease, release, command)?;
    let child = runtime.start_attached(&plan, output)?;
    Ok(OneOff {
        _connection: connection,
        lease,
        runtime,
        container: plan.id,
        child,
    })
}

/// Runs a command in a running container, attached to this process; gives its exit code.
/// `target` is an app, a task, or a task's container (`shop-1a2b3c4d.nginx`).
///
/// # Errors
/// When nothing of that name runs.
pub fn exec(
    layout: &Layout,
    launcher: &Path,
    target: &str,
    command: &[String],
    terminal: bool,
) -> Result<i32, ClientError> {
    let context = context(layout)?;
    let runtime = runtime(layout, launcher)?;
    let running: Vec<String> = runtime.list();
    if running.is_empty() {
        return Err(ClientError::NotRunning(layout.id().clone()));
    }
    let exact = running.iter().find(|id| *id == target);
    let of_task = |prefix: &str| {
        let preferred = running
            .iter()
            .find(|id| id.starts_with(prefix) && id.ends_with(".php-fpm"));
        preferred.or_else(|| running.iter().find(|id| id.starts_with(prefix)))
    };
    let is_app = context.blueprint.apps.iter().any(|app| app.name == target);
    let found = exact
        .or_else(|| of_task(&format!("{target}.")))
        .or_else(|| is_app.then(|| of_task(&format!("{target}-"))).flatten());
    let id = found.ok_or_else(|| ClientError::Unknown {
        kind: "running app, task or container",
        name: target.to_owned(),
        known: running.clone(),
    })?;
    Ok(runtime.exec_attached(id, command, terminal)?)
}

/// Flushes the caches of an app, or of all: by its own command, or where it has none by emptying
/// the Redis cache. `tell` hears what is being done.
///
/// # Errors
/// When the environment does not run or a command fails.
pub fn flush_caches(
    layout: &Layout,
    launcher: &Path,
    app: Option<&str>,
    tell: &mut dyn FnMut(&str),
) -> Result<(), ClientError> {
    let context = context(layout)?;
    let apps: Vec<&App> = match app {
        Some(name) => vec![find_app(&context, name)?],
        None => context.blueprint.apps.iter().collect(),
    };
    let mut without_hook = false;
    for app in apps {
        let Some((container, command)) = task::hook(app, HookStage::CacheFlush) else {
            without_hook = true;
            continue;
        };
        tell(&format!("{}: runs its cache flush", app.name));
        let code = run_like(&context, launcher, app, container, command, false)?;
        if code != 0 {
            let reason = format!(
                "the cache flush of {} ended with exit code {code}",
                app.name
            );
            return Err(ClientError::Refused { reason });
        }
    }
    if without_hook {
        tell("empties redis-cache");
        flush_redis(&context)?;
    }
    Ok(())
}

fn flush_redis(context: &Context) -> Result<(), ClientError> {
    let record = supervisor::record::Record::load(&context.layout.state()).unwrap_or_default();
    let clusters = context.blueprint.redis.iter();
    for cluster in clusters.filter(|cluster| cluster.name == "redis-cache") {
        let Some(primary) = record
            .primaries
            .get(&cluster.name)
            .or(cluster.members.first().map(|node| &node.name))
        else {
            continue;
        };
        let socket = context.layout.control(primary).join("redis.sock");
        let command = redis::client_command_line(&socket.display().to_string(), &redis::FLUSH);
        let password = context.secrets.value(&control_secret(&cluster.name));
        Command::new(&command[0])
            .args(&command[1..])
            .env(redis::CLIENT_PASSWORD_VARIABLE, password)
            .run()?;
    }
    Ok(())
}

fn find_app<'a>(context: &'a Context, name: &str) -> Result<&'a App, ClientError> {
    let apps = &context.blueprint.apps;
    apps.iter()
        .find(|app| app.name == name)
        .ok_or_else(|| ClientError::Unknown {
            kind: "app",
            name: name.to_owned(),
            known: apps.iter().map(|app| app.name.clone()).collect(),
        })
}

/// The container of that name; without one php-fpm's, else the first.
fn find_container<'a>(app: &'a App, name: Option<&str>) -> Result<&'a Container, ClientError> {
    let containers = &app.task_definition.containers;
    let wanted = name.unwrap_or("php-fpm");
    let found = containers.iter().find(|container| container.name == wanted);
    let found = found.or_else(|| containers.first().filter(|_| name.is_none()));
    found.ok_or_else(|| ClientError::Unknown {
        kind: "container",
        name: wanted.to_owned(),
        known: containers
            .iter()
            .map(|container| container.name.clone())
            .collect(),
    })
}

fn runtime(layout: &Layout, launcher: &Path) -> Result<Runtime, ClientError> {
    let origin = Origin::load(layout)?;
    let wanted = match origin {
        Some(origin) => origin.environment()?.settings.local.runtime,
        None => None,
    };
    supervisor::runtime(layout, wanted, launcher).ok_or(ClientError::NoRuntime)
}
