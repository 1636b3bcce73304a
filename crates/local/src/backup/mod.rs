//! Backups of the database: snapshots, the archive of binary logs, restores to a point in time,
//! dumps in and out.
//!
//! ```text
//! backups/
//!   snapshots/<id>/manifest.json        what it is
//!   snapshots/<id>/SHA256SUMS           for `sha256sum --check`
//!   snapshots/<id>/data/                a data directory that a server can start on
//!   binlogs/<timeline>/timeline.json    when it began
//!   binlogs/<timeline>/<server>/        binary logs, each with what it holds
//!   imports/<schema>.sql.zst            what an import replaced last
//! ```
//!
//! A *timeline* is a history of writes. A restore begins a new one, since from then on the same
//! numbers stand for other transactions.

mod archive;
mod dump;
mod manifest;
mod plan;
mod programs;
mod restore;
mod retention;
mod snapshot;
mod temporary;

use std::{
    fs::{self, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use mck_server_config::mariadb::{dump::NotADump, gtid::Position, sql};
use rustix::fs::{FlockOperation, flock};

pub use archive::{Archive, ArchivedBinlog, Stream, Timeline};
pub use dump::{Import, Imported};
pub use manifest::{Kind, Snapshot};
pub use plan::{PlanError, Range, RestorePlan, Segment, Target, plan_restore, restorable};
pub use restore::Restored;
pub use retention::{Window, due, expired};

use crate::{command::CommandError, container::User};

/// Why a backup was not made, restored or loaded.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A program failed.
    #[error(transparent)]
    Program(#[from] CommandError),
    /// A file could not be used.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What a program said or wrote can't be read.
    #[error("{what} can't be read")]
    Answer {
        /// What it is.
        what: &'static str,
    },
    /// A snapshot that does not exist.
    #[error("there is no snapshot {id}")]
    NoSuchSnapshot {
        /// Its id.
        id: String,
    },
    /// Another backup, restore or import is at work.
    #[error("another backup, restore or import is at work")]
    Busy,
    /// A snapshot's files are not those that were written.
    #[error("the snapshot {id} is damaged: {detail}")]
    Damaged {
        /// The snapshot.
        id: String,
        /// Which files.
        detail: String,
    },
    /// Tables of a restored copy are not sound.
    #[error("the restored copy is not sound: {detail}")]
    Unsound {
        /// What the check found.
        detail: String,
    },
    /// Replaying ended elsewhere than it should.
    #[error("the restored copy stands at {reached:?} instead of {expected:?}")]
    NotReached {
        /// Where it should stand.
        expected: String,
        /// Where it stands.
        reached: String,
    },
    /// There is no way to what was asked for.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Where a copy is restored to there is something already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The temporary server did not start or did not end.
    #[error("the temporary database server {problem}: {log}")]
    Temporary {
        /// What it did.
        problem: &'static str,
        /// Its last words.
        log: String,
    },
    /// A file is not a dump that can be loaded.
    #[error("{} can't be imported", path.display())]
    NotADump {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NotADump,
    },
    /// The dump writes elsewhere too.
    #[error("the dump also makes the schemas {}", .0.join(", "))]
    OtherSchemas(Vec<String>),
    /// A schema's name that can't be one.
    #[error("{0:?} is no name of a schema")]
    Schema(String),
    /// An import broke off though its rehearsal had worked, and what was before is back.
    #[error("the import broke off; the data from before is back")]
    PutBack {
        /// Why it broke off.
        source: Box<BackupError>,
    },
    /// An import broke off and what was before could not be put back.
    #[error("the import broke off, and so did putting back the data from before, kept in {}", kept.display())]
    NotPutBack {
        /// The dump of what was before.
        kept: PathBuf,
        /// Why putting it back broke off.
        source: Box<BackupError>,
    },
}

/// A running member of the database cluster, as the host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name, such as `db-0`.
    pub name: String,
    /// Its unix socket.
    pub socket: PathBuf,
    /// Its data directory.
    pub data_directory: PathBuf,
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A running server's data are copied: bytes so far and about how many there are.
    Copying {
        /// Bytes copied.
        done: u64,
        /// Bytes in all, more or less.
        total: u64,
    },
    /// The copy is made consistent.
    Preparing,
    /// Checksums are written or compared.
    Checksums,
    /// A temporary server starts on a copy.
    Starting,
    /// Binary logs are replayed.
    Replaying,
    /// All tables are checked.
    Checking,
    /// A dump is loaded into a temporary server first.
    Rehearsing,
    /// The data from before are dumped.
    Keeping,
    /// The dump is loaded.
    Loading,
}

/// The backups of one environment.
#[derive(Debug, Clone)]
pub struct Backups {
    folder: PathBuf,
    user: User,
    log_file_mebibytes: u32,
    empty_data: PathBuf,
}

/// Memory of the buffer pool while a copy is prepared, replayed or checked.
const MEMORY_MIB: u32 = 64;

impl Backups {
    /// Backups in a folder of the host, made when it is needed. `user` is MariaDB's;
    /// `log_file_mebibytes` the size of the members' redo log; `empty_data` the empty data directory
    /// that members begin as copies of, on which imports are rehearsed.
    pub fn new(folder: PathBuf, user: User, log_file_mebibytes: u32, empty_data: PathBuf) -> Self {
        Self {
            folder,
            user,
            log_file_mebibytes,
            empty_data,
        }
    }

    fn snapshots_folder(&self) -> PathBuf {
        self.folder.join("snapshots")
    }

    fn binlogs_folder(&self) -> PathBuf {
        self.folder.join("binlogs")
    }

    /// Held while snapshots are made, read or removed; clears what a broken run left.
    fn lock(&self) -> Result<Lock, BackupError> {
        let lock = Lock::take(&self.folder, "backups.lock")?;
        for folder in [self.snapshots_folder(), self.scratch_folder()] {
            for (name, path) in entries(&folder)? {
                if name.starts_with('.') {
                    remove(&path)?;
                }
            }
        }
        Ok(lock)
    }

    fn scratch_folder(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    /// A path for something temporary, which the next [`Backups::lock`] would clear.
    fn scratch(&self, name: &str) -> Result<PathBuf, BackupError> {
        let folder = self.scratch_folder();
        make(&folder)?;
        Ok(folder.join(format!(".{name}")))
    }
}

/// A lock that ends with the process at the latest.
#[derive(Debug)]
struct Lock(#[expect(dead_code, reason = "held for its descriptor")] File);

impl Lock {
    fn take(folder: &Path, name: &str) -> Result<Self, BackupError> {
        make(folder)?;
        let path = folder.join(name);
        let file = File::create(&path).map_err(at(&path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(_) => Err(BackupError::Busy),
        }
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}

/// Makes a folder that only root may enter.
fn make(folder: &Path) -> Result<(), BackupError> {
    let mut private = fs::DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(folder).map_err(at(folder))
}

/// Removes a folder and all that is in it, if it is there.
fn remove(folder: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(folder)(error)),
        _ => Ok(()),
    }
}

/// What is in a folder, by name; nothing where there is no folder.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, BackupError> {
    let read = match fs::read_dir(folder) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(folder)(error)),
    };
    let mut found = Vec::new();
    for entry in read {
        let entry = entry.map_err(at(folder))?;
        if let Ok(name) = entry.file_name().into_string() {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, BackupError> {
    let text = fs::read(path).map_err(at(path))?;
    serde_json::from_slice(&text).map_err(|error| at(path)(error.into()))
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), BackupError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| at(path)(error.into()))?;
    crate::layout::write_atomically(path, &text).map_err(at(path))
}

/// Reads a position that we wrote, or that MariaDB printed.
fn position(text: &str) -> Result<Position, BackupError> {
    let what = "a GTID position";
    text.trim()
        .parse()
        .map_err(|_| BackupError::Answer { what })
}

/// A schema's name in backticks.
fn quoted(schema: &str) -> Result<String, BackupError> {
    sql::schema_identifier(schema).map_err(|_| BackupError::Schema(schema.to_owned()))
}
