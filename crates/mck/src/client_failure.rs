//! Failures of the local target as failures of a command: each with its exit code and its way out.

use std::{error::Error, io, path::Path};

use mck_local::{
    backup::BackupError, client::ClientError, command::CommandError, doctor, origin::OriginError,
    release::ReleaseError, secrets::SecretError,
};

use crate::{
    exit::Exit,
    failure::{Failure, unknown},
};

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Origin(error) => error.into(),
            ClientError::File { path, source } => file(&path, &source),
            ClientError::Busy(_) => {
                Self::from_error(Exit::Busy, &error).hint("wait until it has ended, or end it")
            }
            ClientError::NothingApplied(_) | ClientError::NotRunning(_) => {
                Self::from_error(Exit::NotRunning, &error).hint("`mck up` starts it")
            }
            ClientError::Backup(error) => error.into(),
            ClientError::Release(error) => error.into(),
            ClientError::PortTaken { address, .. } => port(address),
            ClientError::NoRuntime => lacks(Self::from_error(Exit::MachineLacks, &error)),
            ClientError::Unknown { kind, name, known } => unknown(kind, &name, &known),
            ClientError::Leftovers { ref problems } => {
                let failure = Self::new(Exit::Leftover, "not everything could be removed");
                let failure = problems.iter().fold(failure, |failure, problem| {
                    failure.caused_by(&io::Error::other(problem.clone()))
                });
                failure.hint("run the command again; it goes on where it stopped")
            }
            ClientError::Program(CommandError::Start { .. }) => {
                lacks(Self::from_error(Exit::MachineLacks, &error))
            }
            ClientError::Supervisor { .. } | ClientError::Refused { .. } => {
                Self::from_error(Exit::NotHealthy, &error)
                    .hint("`mck events` shows what happened before")
            }
            other => Self::from_error(exit_of(&other), &other),
        }
    }
}

impl From<OriginError> for Failure {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Environment { source, .. } => (*source).into(),
            OriginError::Planning(error) => Self::from_error(Exit::File, &error),
            OriginError::File { path, source } => file(&path, &source),
            OriginError::Secret(error) => error.into(),
            other => Self::from_error(exit_of(&other), &other),
        }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        const LIST: &str = "`mck db snapshots` lists what can be restored";
        match error {
            BackupError::File { path, source } => file(&path, &source),
            BackupError::Busy => {
                Self::from_error(Exit::Busy, &error).hint("wait until it has ended")
            }
            BackupError::NoSuchSnapshot { .. } => {
                Self::from_error(Exit::Unknown, &error).hint(LIST)
            }
            BackupError::Plan(_) => Self::from_error(Exit::Unknown, &error).hint(LIST),
            other => Self::from_error(exit_of(&other), &other),
        }
    }
}

impl From<ReleaseError> for Failure {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::File { path, source } => file(&path, &source),
            ReleaseError::NoFolder { .. } => Self::from_error(Exit::File, &error)
                .hint("put the code there, or correct the app's `source`"),
        }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::File { path, source } => file(&path, &source),
            SecretError::Missing { ref names } => {
                let failure = Self::from_error(Exit::SecretMissing, &error);
                names.iter().fold(failure, |failure, name| {
                    failure.hint(format!("`mck secret set {name}` gives it a value"))
                })
            }
            SecretError::Random(_) => Self::from_error(Exit::Internal, &error),
        }
    }
}

/// A file that could not be used, which tells a full disk from a folder that can't be written to.
pub fn file(path: &Path, error: &io::Error) -> Failure {
    let failure =
        Failure::new(exit_of(error), format!("could not use {}", path.display())).caused_by(error);
    match failure.exit {
        Exit::DiskFull => failure.hint("free some room and run it again; nothing was lost"),
        Exit::StateFolder => {
            failure.hint("name a folder that can be written to with `MCK_STATE_DIR`")
        }
        _ => failure,
    }
}

/// A failure to write what a command says.
pub fn output(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Failure::new(Exit::DiskFull, "there is no room for the output")
                .caused_by(error)
                .hint("free some room and run it again")
        }
        _ => Failure::new(Exit::Internal, "could not write the output").caused_by(error),
    }
}

fn lacks(failure: Failure) -> Failure {
    failure.hint("`mck doctor --install` installs what is missing")
}

fn port(address: std::net::SocketAddr) -> Failure {
    let finding = doctor::port(address);
    let failure = Failure::new(Exit::PortTaken, finding.detail);
    match finding.hint {
        Some(hint) => failure.hint(hint),
        None => failure.hint("the port has become free meanwhile: run it again"),
    }
}

/// The exit code of an error that has none of its own: by the operating system's word, if any of
/// its causes has one.
fn exit_of(error: &(dyn Error + 'static)) -> Exit {
    let kinds = std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>().map(io::Error::kind));
    for kind in kinds {
        match kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => return Exit::DiskFull,
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory => return Exit::StateFolder,
            _ => {}
        }
    }
    Exit::Internal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_decides_the_exit_code() {
        let path = Path::new("/x");
        let of = |kind: io::ErrorKind| file(path, &kind.into()).exit;
        assert_eq!(of(io::ErrorKind::StorageFull), Exit::DiskFull);
        assert_eq!(of(io::ErrorKind::ReadOnlyFilesystem), Exit::StateFolder);
        assert_eq!(of(io::ErrorKind::InvalidData), Exit::Internal);
    }

    #[test]
    fn missing_secrets_each_have_their_command() {
        let error = SecretError::Missing {
            names: vec!["a".to_owned(), "b".to_owned()],
        };
        let failure = Failure::from(error);
        assert_eq!(failure.exit, Exit::SecretMissing);
        assert_eq!(failure.hints.len(), 2);
    }
}
