//! Why a command could not do its work.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{
    accounts::UnknownUser, backup::BackupError, command::CommandError, container::RuntimeError,
    id::EnvironmentId, image::ImageError, network::NetworkError, origin::OriginError,
    release::ReleaseError, servers::ServerError,
};

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file or folder could not be used.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another command works on the environment.
    #[error("another command works on {0}")]
    Busy(EnvironmentId),
    /// Nothing was applied to the environment.
    #[error("{0} does not exist on this machine")]
    NothingApplied(EnvironmentId),
    /// The environment's supervisor does not run.
    #[error("{0} is not running")]
    NotRunning(EnvironmentId),
    /// The supervisor could not be started.
    #[error("the supervisor did not start: {reason}")]
    Supervisor {
        /// What it said.
        reason: String,
    },
    /// The supervisor's answer broke off or can't be read.
    #[error("lost the connection to the supervisor")]
    Connection(#[source] io::Error),
    /// The supervisor refused.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
    },
    /// Another program listens on a port that the load balancer needs.
    #[error("{address} is taken by another program")]
    PortTaken {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The environment could not be prepared.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The network could not be changed.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A container could not be changed.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A server could not be planned.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A release could not be made.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// An image could not be read.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A backup could not be made or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// MariaDB's user is missing.
    #[error(transparent)]
    User(#[from] UnknownUser),
    /// A program failed.
    #[error(transparent)]
    Program(#[from] CommandError),
    /// The machine has no OCI runtime.
    #[error("neither crun nor runc is installed")]
    NoRuntime,
    /// There is no such app, task, server or schema.
    #[error("there is no {kind} `{name}`")]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Parts could not be stopped or removed; the rest was.
    #[error("{} of the environment could not be removed: {}", if problems.len() == 1 { "a part" } else { "parts" }, problems.join("; "))]
    Leftovers {
        /// What, and why.
        problems: Vec<String>,
    },
}
