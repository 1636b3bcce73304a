//! Snapshots: taken while the server writes, listed, removed.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use mck_server_config::mariadb::backup::{self, Shown, shown_command_line};

use super::{
    BackupError, Backups, Kind, MEMORY_MIB, Progress, Server, Snapshot, at, entries, expired, make,
    programs::{command, query, run_watched, size, sync, text},
    read_json, remove, write_json,
};
use crate::command::{Command, CommandError};

const MANIFEST: &str = "manifest.json";
const CHECKSUMS: &str = "SHA256SUMS";
const POSITION: &str = "xtrabackup_binlog_info";

/// How often a copy is tried. The redo log of a local server is small and round: under heavy writes
/// it can come round before it was copied.
const ATTEMPTS: usize = 3;

impl Backups {
    /// Takes a snapshot of a running member, best a reader that is not behind.
    ///
    /// # Errors
    /// When the copy fails or the disk is full; nothing is left of it then.
    pub fn snapshot(
        &self,
        server: &Server,
        kind: Kind,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Snapshot, BackupError> {
        let _lock = self.lock()?;
        let fresh = self.snapshots_folder().join(".new");
        make(&fresh)?;
        let made = self.make_snapshot(server, kind, &fresh, progress);
        if made.is_err() {
            // The first error is the one to tell; the next run tries again to remove it.
            let _ = remove(&fresh);
        }
        made
    }

    fn make_snapshot(
        &self,
        server: &Server,
        kind: Kind,
        fresh: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Snapshot, BackupError> {
        let timeline = self.present_timeline(Timestamp::now())?;
        let data = fresh.join("data");
        let server_version = copy(server, &data, progress)?;
        let time = Timestamp::now();
        progress(Progress::Preparing);
        let line = backup::prepare_command_line(&text(&data), MEMORY_MIB);
        command(&line).run()?;
        let info = data.join(POSITION);
        let info = fs::read_to_string(&info).map_err(at(&info))?;
        let what = "the position of the backup";
        let gtid = backup::parse_binlog_info(&info).ok_or(BackupError::Answer { what })?;
        progress(Progress::Checksums);
        write_checksums(fresh)?;
        let snapshot = Snapshot {
            id: self.new_id(time, kind),
            kind,
            time,
            timeline,
            gtid: gtid.to_string(),
            server: server.name.clone(),
            server_version,
            size: size(&data),
            schemas: schemas(&server.socket)?,
        };
        write_json(&fresh.join(MANIFEST), &snapshot)?;
        sync(fresh)?;
        let folder = self.snapshot_folder(&snapshot.id);
        fs::rename(fresh, &folder).map_err(at(&folder))?;
        Ok(snapshot)
    }

    fn new_id(&self, time: Timestamp, kind: Kind) -> String {
        let kind = match kind {
            Kind::Manual => "manual",
            Kind::Automatic => "automatic",
        };
        let id = format!("{}-{kind}", time.strftime("%Y-%m-%d-%H-%M-%S"));
        let taken = |id: &String| self.snapshots_folder().join(id).exists();
        if !taken(&id) {
            return id;
        }
        let mut others = (2_u32..).map(|number| format!("{id}-{number}"));
        others.find(|id| !taken(id)).unwrap_or(id)
    }

    pub(super) fn snapshot_folder(&self, id: &str) -> PathBuf {
        self.snapshots_folder().join(id)
    }

    /// All snapshots, oldest first.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, BackupError> {
        let mut snapshots: Vec<Snapshot> = Vec::new();
        for (name, path) in entries(&self.snapshots_folder())? {
            if !name.starts_with('.') {
                snapshots.push(read_json(&path.join(MANIFEST))?);
            }
        }
        snapshots.sort_by_key(|snapshot| snapshot.time);
        Ok(snapshots)
    }

    /// Removes a snapshot and the binary logs that only it needed.
    ///
    /// # Errors
    /// When there is none of this id or its files can't be removed.
    pub fn delete(&self, id: &str) -> Result<(), BackupError> {
        let _lock = self.lock()?;
        let snapshots = self.snapshots()?;
        let (gone, kept): (Vec<_>, Vec<_>) = snapshots.into_iter().partition(|it| it.id == id);
        if gone.is_empty() {
            return Err(BackupError::NoSuchSnapshot { id: id.to_owned() });
        }
        self.discard(id)?;
        self.prune_binlogs(&kept)
    }

    /// Removes automatic snapshots that are no longer needed, as [`expired`] says, with their binary
    /// logs. Gives their ids.
    ///
    /// # Errors
    /// When they can't be removed.
    pub fn expire(&self, now: Timestamp, retention: Duration) -> Result<Vec<String>, BackupError> {
        let _lock = self.lock()?;
        let (snapshots, archive) = (self.snapshots()?, self.archive()?);
        let gone = expired(&snapshots, &archive.timelines, now, retention, 1);
        for id in &gone {
            self.discard(id)?;
        }
        let mut kept = snapshots;
        kept.retain(|snapshot| !gone.contains(&snapshot.id));
        self.prune_binlogs(&kept)?;
        Ok(gone)
    }

    /// Renamed first, so that a half-removed one is never taken for a whole one.
    fn discard(&self, id: &str) -> Result<(), BackupError> {
        let folder = self.snapshot_folder(id);
        let doomed = self.snapshots_folder().join(format!(".old-{id}"));
        fs::rename(&folder, &doomed).map_err(at(&folder))?;
        remove(&doomed)
    }

    /// Compares a snapshot's files with their checksums.
    pub(super) fn check_files(&self, id: &str) -> Result<(), BackupError> {
        let folder = self.snapshot_folder(id);
        if !folder.join(MANIFEST).exists() {
            return Err(BackupError::NoSuchSnapshot { id: id.to_owned() });
        }
        let check = Command::new("env")
            .arg("--chdir")
            .arg(&folder)
            .args(["LC_ALL=C", "sh", "-c"])
            .arg("exec sha256sum --check --quiet --strict \"$1\" >&2")
            .args(["sh", CHECKSUMS])
            .run();
        match check {
            Ok(_) => Ok(()),
            Err(CommandError::Failed { stderr, .. }) => Err(BackupError::Damaged {
                id: id.to_owned(),
                detail: stderr,
            }),
            Err(error) => Err(error.into()),
        }
    }
}

/// The schemas of a server that are not its own.
pub fn schemas(socket: &Path) -> Result<Vec<String>, BackupError> {
    let printed = query(socket, backup::SCHEMAS)?;
    Ok(printed.lines().map(str::to_owned).collect())
}

/// Copies a running server's data and gives its version.
fn copy(
    server: &Server,
    data: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<String, BackupError> {
    let printed = query(&server.socket, backup::VERSION_AND_DATA)?;
    let what = "the server's version";
    let (version, path) = printed
        .trim_end_matches('\n')
        .split_once('\t')
        .ok_or(BackupError::Answer { what })?;
    let socket = text(&server.socket);
    let shown = Shown {
        folder: text(&server.data_directory),
        path: path.to_owned(),
        user: None,
        alone: false,
    };
    let line = backup::backup_command_line(&socket, path, &text(data));
    let line = shown_command_line(&shown, &line);
    let total = size(&server.data_directory);
    let mut attempt = 1;
    loop {
        remove(data)?;
        let run = run_watched(command(&line), &mut || {
            let done = size(data);
            progress(Progress::Copying { done, total });
        });
        match run {
            Ok(()) => return Ok(version.to_owned()),
            Err(CommandError::Failed { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes the checksums of all files of a snapshot's data.
fn write_checksums(folder: &Path) -> Result<(), BackupError> {
    let mut names = Vec::new();
    list(folder, Path::new("data"), &mut names)?;
    let input = names.join("\0").into_bytes();
    let sums = Command::new("env")
        .arg("--chdir")
        .arg(folder)
        .args(["xargs", "-0", "sha256sum", "--"])
        .stdin(input)
        .run()?;
    let path = folder.join(CHECKSUMS);
    let mut file = fs::File::create(&path).map_err(at(&path))?;
    file.set_permissions(Permissions::from_mode(0o600))
        .and_then(|()| file.write_all(&sums.stdout))
        .map_err(at(&path))
}

fn list(top: &Path, folder: &Path, names: &mut Vec<String>) -> Result<(), BackupError> {
    for (name, path) in entries(&top.join(folder))? {
        let inner = folder.join(name);
        if path.is_dir() {
            list(top, &inner, names)?;
        } else {
            names.push(text(&inner));
        }
    }
    Ok(())
}
