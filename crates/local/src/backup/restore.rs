//! Restoring: a copy of a snapshot, with binary logs replayed, checked before anyone relies on it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

use jiff::Timestamp;
use mck_server_config::mariadb::{
    backup::{self, Stop},
    binlog::{self, Summary},
    gtid::Position,
};

use super::{
    BackupError, Backups, Progress, RestorePlan, Segment, at, position,
    programs::{self, command, query, text},
    remove,
    snapshot::schemas,
    temporary::TemporaryServer,
};
use crate::{command::Command, piped::Piped};

/// A restored data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Its last transaction.
    pub gtid: String,
    /// The schemas in it.
    pub schemas: Vec<String>,
    /// How many tables were checked and found sound.
    pub tables: u64,
}

const TABLES: &str =
    "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_TYPE='BASE TABLE';\n";

impl Backups {
    /// Restores into a data directory that does not exist yet, for MariaDB's user: copies the
    /// snapshot, replays binary logs, checks all tables, and compares where it stands with where
    /// the binary logs say it should. Running servers are not touched. Whoever lets it take the
    /// writer's place calls [`Backups::begin_timeline`] then; readers start from further copies of it
    /// and follow.
    ///
    /// # Errors
    /// When the snapshot is damaged, a step fails or the result is not sound; nothing is left then.
    pub fn restore(
        &self,
        plan: &RestorePlan,
        into: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Restored, BackupError> {
        let _lock = self.lock()?;
        self.restore_locked(plan, into, progress)
    }

    /// Proves a snapshot: restores it into a folder of its own, checks it and removes the folder.
    ///
    /// # Errors
    /// When it is damaged or not sound.
    pub fn verify(
        &self,
        id: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Restored, BackupError> {
        let _lock = self.lock()?;
        let snapshots = self.snapshots()?;
        let target = super::Target::Snapshot(id.to_owned());
        let plan = super::plan_restore(&snapshots, &super::Archive::default(), &target)?;
        let folder = self.scratch("verify")?;
        let restored = self.restore_locked(&plan, &folder, progress);
        remove(&folder)?;
        restored
    }

    fn restore_locked(
        &self,
        plan: &RestorePlan,
        into: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Restored, BackupError> {
        if into.exists() {
            return Err(BackupError::Exists(into.to_owned()));
        }
        let fresh = with_suffix(into, ".restoring");
        remove(&fresh)?;
        let made = self.fill(plan, &fresh, progress);
        match made {
            Ok(restored) => {
                programs::sync(&fresh)?;
                fs::rename(&fresh, into).map_err(at(into))?;
                Ok(restored)
            }
            Err(error) => {
                // The first error is the one to tell; the next run tries again to remove it.
                let _ = remove(&fresh);
                Err(error)
            }
        }
    }

    fn fill(
        &self,
        plan: &RestorePlan,
        data: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Restored, BackupError> {
        progress(Progress::Checksums);
        self.check_files(&plan.snapshot)?;
        programs::copy(&self.snapshot_folder(&plan.snapshot).join("data"), data)?;
        for (name, path) in super::entries(data)? {
            if name.starts_with("xtrabackup_") || name == "backup-my.cnf" {
                fs::remove_file(&path).map_err(at(&path))?;
            }
        }
        let owner = format!("{}:{}", self.user.uid, self.user.gid);
        let chown = Command::new("chown").args(["-R", &owner, "--"]);
        chown.arg(data).run()?;
        progress(Progress::Starting);
        let server = TemporaryServer::start(self, data)?;
        let socket = server.socket();
        query(&socket, &backup::stand_at(&plan.start))?;
        progress(Progress::Replaying);
        let expected = replay(plan, &socket)?;
        progress(Progress::Checking);
        let restored = inspect(&socket, &expected)?;
        query(&socket, backup::FOLLOW_FROM_HERE)?;
        server.stop()?;
        Ok(restored)
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Replays what the plan says and gives where the server should stand then.
fn replay(plan: &RestorePlan, socket: &Path) -> Result<Position, BackupError> {
    let mut expected = plan.start.clone();
    let Some(until) = plan.until else {
        return Ok(expected);
    };
    for segment in &plan.segments {
        let (position, stopped) = end_of(segment, until)?;
        let stop = match &segment.stop {
            Some(stop) if position.reaches(stop) => Stop::After(stop.clone()),
            _ => Stop::Before(until.strftime("%Y-%m-%d %H:%M:%S").to_string()),
        };
        let files: Vec<String> = segment.files.iter().map(|file| text(file)).collect();
        let whole = matches!(stop, Stop::After(_));
        expected = match &segment.stop {
            Some(stop) if whole => stop.clone(),
            _ => position,
        };
        pipe(&segment.start, &stop, &files, socket)?;
        if stopped && !whole {
            break;
        }
    }
    Ok(expected)
}

/// Where a segment ends if it is replayed until a time, and whether that time was met.
fn end_of(segment: &Segment, until: Timestamp) -> Result<(Position, bool), BackupError> {
    let seconds = u32::try_from(until.as_second()).unwrap_or(u32::MAX);
    let mut position = segment.start.clone();
    for path in &segment.files {
        let mut file = File::open(path).map_err(at(path))?;
        let summary = binlog::summarise(&mut file, Summary::default()).map_err(at(path))?;
        if position.reaches(&summary.end()) {
            continue;
        }
        let reached = binlog::reached(&mut file, position, seconds).map_err(at(path))?;
        position = reached.position;
        if reached.stopped {
            return Ok((position, true));
        }
    }
    Ok((position, false))
}

fn pipe(start: &Position, stop: &Stop, files: &[String], socket: &Path) -> Result<(), BackupError> {
    let line = backup::replay_command_line(start, stop, files);
    let mut reader = Piped::start(&line, Stdio::null(), Stdio::piped())?;
    let events = reader.output().map_or_else(Stdio::null, Stdio::from);
    let line = backup::replay_client_command_line(&text(socket));
    let mut client = match Piped::start(&line, events, Stdio::null()) {
        Ok(client) => client,
        Err(error) => {
            reader.kill();
            return Err(error.into());
        }
    };
    // The client's error comes first: without it the reader fails for want of a listener.
    let (client, reader) = (client.wait(), reader.wait());
    client?;
    Ok(reader?)
}

fn inspect(socket: &Path, expected: &Position) -> Result<Restored, BackupError> {
    let reached = position(&query(socket, "SELECT @@GLOBAL.gtid_binlog_pos;\n")?)?;
    if reached != *expected {
        return Err(BackupError::NotReached {
            expected: expected.to_string(),
            reached: reached.to_string(),
        });
    }
    let checked = command(&backup::check_command_line(&text(socket))).run()?;
    let problems = backup::parse_check(&checked.text());
    if !problems.is_empty() {
        return Err(BackupError::Unsound {
            detail: problems.join("; "),
        });
    }
    let what = "the number of tables";
    let tables = query(socket, TABLES)?;
    Ok(Restored {
        gtid: reached.to_string(),
        schemas: schemas(socket)?,
        tables: tables
            .trim()
            .parse()
            .map_err(|_| BackupError::Answer { what })?,
    })
}
