//! Handing an environment to its supervisor, which is started where it does not run.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use mck_environment::settings::Local;
use rustix::fs::{FlockOperation, flock};

use super::{
    ClientError, Origin,
    socket::{ask, is_supervised, unexpected},
};
use crate::{
    layout::Layout,
    supervisor::control::{Answer, Request},
    wait,
};

/// Held while a command changes an environment, so that two don't at once.
#[derive(Debug)]
pub struct CommandLock {
    _file: File,
}

impl CommandLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// When another command has it, or the state folder can't be written to.
    pub fn take(layout: &Layout) -> Result<Self, ClientError> {
        let path = layout.command_lock();
        let file = File::create(&path).map_err(|source| ClientError::File { path, source })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(_) => Err(ClientError::Busy(layout.id().clone())),
        }
    }
}

/// What `up` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Whether the supervisor had to be started.
    pub started: bool,
    /// Paths in the blueprint that changed; none for a first time.
    pub changes: Vec<String>,
}

/// Hands an environment to its supervisor.
///
/// # Errors
/// When another command is at work, a host port is taken, the supervisor does not start, or it
/// refuses the environment.
pub fn up(layout: &Layout, origin: &Origin, launcher: &Path) -> Result<Applied, ClientError> {
    layout.prepare().map_err(|source| ClientError::File {
        path: layout.top().to_owned(),
        source,
    })?;
    let _lock = CommandLock::take(layout)?;
    let started = !is_supervised(layout);
    if started {
        let environment = origin.environment()?;
        check_ports(layout, &environment.settings.local)?;
        origin.save(layout)?;
        start_supervisor(layout, launcher)?;
    }
    match ask(
        layout,
        &Request::Apply {
            origin: origin.clone(),
        },
    )?
    .answer()?
    {
        Answer::Applied { changes } => Ok(Applied { started, changes }),
        _ => Err(unexpected()),
    }
}

/// Looks whether the load balancer's ports are free. Its own sockets share a port on purpose, so
/// their `bind` would not notice another program that shares it too.
fn check_ports(layout: &Layout, local: &Local) -> Result<(), ClientError> {
    let ours = fs::read_dir(layout.bundles()).is_ok_and(|mut bundles| {
        bundles.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().as_encoded_bytes().starts_with(b"lb-"))
        })
    });
    if ours {
        return Ok(());
    }
    for port in [local.http_port, local.https_port] {
        let address = SocketAddr::new(local.listen, port);
        TcpListener::bind(address).map_err(|source| ClientError::PortTaken { address, source })?;
    }
    Ok(())
}

pub(super) fn start_supervisor(layout: &Layout, launcher: &Path) -> Result<(), ClientError> {
    let path = layout.supervisor_log();
    let at = |source| ClientError::File {
        path: path.clone(),
        source,
    };
    let log = File::options()
        .append(true)
        .create(true)
        .open(&path)
        .map_err(at)?;
    let begin = log.metadata().map_err(at)?.len();
    let mut child = Command::new(launcher)
        .arg("supervise")
        .arg(layout.state_folder())
        .arg(layout.id().as_str())
        .current_dir("/")
        // A terminal's Ctrl-C is for the command that waits, and goes to all of its group.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|source| ClientError::Supervisor {
            reason: source.to_string(),
        })?;
    let answers = wait::until(Duration::from_secs(20), || {
        if is_supervised(layout) {
            return Some(true);
        }
        child.try_wait().ok().flatten().map(|_| false)
    });
    if answers == Some(true) {
        return Ok(());
    }
    let said = fs::read(&path).unwrap_or_default();
    let said = String::from_utf8_lossy(
        said.get(usize::try_from(begin).unwrap_or(0)..)
            .unwrap_or(&[]),
    );
    let reason = match said.trim() {
        "" => format!("it does not answer; see {}", path.display()),
        said => said.to_owned(),
    };
    Err(ClientError::Supervisor { reason })
}
