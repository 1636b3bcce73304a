//! A database server for a while: on a copy, for replaying, checking and rehearsing.

use std::{
    fs,
    os::unix::{
        fs::{DirBuilderExt, chown},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use mck_server_config::mariadb::backup::{
    Shown, Temporary, shown_command_line, temporary_command_line,
};

use super::{
    BackupError, Backups, MEMORY_MIB, at,
    programs::{query, text},
};
use crate::wait;

/// How long a temporary server may take to start, its recovery included, or to shut down.
const WITHIN: Duration = Duration::from_secs(300);

/// A server without a network on a data directory of its own. It is killed when this is dropped.
pub struct TemporaryServer {
    child: Child,
    workshop: Workshop,
}

/// A folder that MariaDB's user may enter, gone when it is dropped. Its path is short, as those of
/// sockets must be.
struct Workshop(PathBuf);

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Workshop {
    fn new(backups: &Backups) -> Result<Self, BackupError> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mck-backup-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut private = fs::DirBuilder::new();
        private.mode(0o700);
        private.create(&path).map_err(at(&path))?;
        let workshop = Self(path);
        for folder in [workshop.0.join("data"), workshop.0.join("tmp")] {
            private.create(&folder).map_err(at(&folder))?;
            own(backups, &folder)?;
        }
        own(backups, &workshop.0)?;
        Ok(workshop)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What stays is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn own(backups: &Backups, path: &Path) -> Result<(), BackupError> {
    chown(path, Some(backups.user.uid), Some(backups.user.gid)).map_err(at(path))
}

impl TemporaryServer {
    /// Starts one on a data directory that belongs to MariaDB's user, and waits until it answers.
    pub fn start(backups: &Backups, data: &Path) -> Result<Self, BackupError> {
        let workshop = Workshop::new(backups)?;
        let path = text(&workshop.0.join("data"));
        let line = temporary_command_line(&Temporary {
            data_directory: path.clone(),
            socket: text(&workshop.0.join("mysqld.sock")),
            temporary_directory: text(&workshop.0.join("tmp")),
            buffer_pool_mebibytes: MEMORY_MIB,
            log_file_mebibytes: backups.log_file_mebibytes,
        });
        let shown = Shown {
            folder: text(data),
            path,
            user: Some((backups.user.uid, backups.user.gid)),
            alone: true,
        };
        let line = shown_command_line(&shown, &line);
        let path = workshop.0.join("log");
        let log = fs::File::create(&path).map_err(at(&path))?;
        let child = Command::new(&line[0])
            .args(&line[1..])
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(at(&path))?)
            .stderr(log)
            .spawn()
            .map_err(at(Path::new(&line[0])))?;
        let mut server = Self { child, workshop };
        let ready = wait::until(WITHIN, || {
            if UnixStream::connect(server.socket()).is_ok() {
                return Some(true);
            }
            let lives = matches!(server.child.try_wait(), Ok(None));
            (!lives).then_some(false)
        });
        match ready {
            Some(true) => Ok(server),
            _ => Err(server.problem("did not start")),
        }
    }

    /// Where it is reached.
    pub fn socket(&self) -> PathBuf {
        self.workshop.0.join("mysqld.sock")
    }

    /// Shuts it down so that its data directory is whole.
    pub fn stop(mut self) -> Result<(), BackupError> {
        query(&self.socket(), "SHUTDOWN;\n")?;
        let ended = wait::until(WITHIN, || self.child.try_wait().ok().flatten());
        match ended {
            Some(status) if status.success() => Ok(()),
            _ => Err(self.problem("did not end well")),
        }
    }

    fn problem(&self, problem: &'static str) -> BackupError {
        BackupError::Temporary {
            problem,
            log: last_lines(&self.workshop.0.join("log")),
        }
    }
}

/// The last words of the server's own log.
fn last_lines(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join("; ")
}

impl Drop for TemporaryServer {
    fn drop(&mut self) {
        // One that has ended needs not be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The server itself dies a moment after its launcher, and its data may be removed next.
        let gone = || UnixStream::connect(self.socket()).err();
        wait::until(Duration::from_secs(10), gone);
    }
}
