//! Snapshots and restores of the database, imports that can be undone.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use mck_server_config::mariadb::dump::Definers;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{ClientError, CommandLock, context, stop::end_supervisor, up::start_supervisor};
use crate::{
    backup::{
        self, BackupError, Backups, Import, Imported, Kind, Progress, Restored, Server, Snapshot,
        Target,
    },
    command::Command,
    layout::Layout,
    listening,
    servers::Readiness,
    supervisor::{self, backups::backups, record::Record},
    wait,
};

/// The running writer, as backups see it.
fn writer(layout: &Layout) -> Result<(Backups, Server), ClientError> {
    let context = context(layout)?;
    let record = Record::load(&layout.state()).unwrap_or_default();
    let name = supervisor::writer(&context.blueprint, &record).to_owned();
    let backups = backups(&context)?;
    Ok((backups, supervisor::backups::server(layout, &name)))
}

/// Takes a snapshot of the database while it runs. It is kept until it is removed.
///
/// # Errors
/// When nothing was applied, the database does not run or the copy fails.
pub fn db_snapshot(
    layout: &Layout,
    progress: &mut dyn FnMut(Progress),
) -> Result<Snapshot, ClientError> {
    let (backups, server) = writer(layout)?;
    let made = wait_while_busy(|| backups.snapshot(&server, Kind::Manual, &mut *progress))?;
    Ok(made)
}

/// Tries again while the supervisor makes a backup of its own, for at most two minutes.
fn wait_while_busy<T>(mut work: impl FnMut() -> Result<T, BackupError>) -> Result<T, BackupError> {
    let mut result = work();
    wait::until(Duration::from_secs(120), || {
        if matches!(result, Err(BackupError::Busy)) {
            result = work();
        }
        (!matches!(result, Err(BackupError::Busy))).then_some(())
    });
    result
}

/// The snapshots that there are, and the spans of time that can be restored.
///
/// # Errors
/// When nothing was applied or they can't be read.
pub fn db_snapshots(layout: &Layout) -> Result<(Vec<Snapshot>, Vec<backup::Range>), ClientError> {
    let backups = backups(&context(layout)?)?;
    let (snapshots, archive) = (backups.snapshots()?, backups.archive()?);
    let ranges = backup::restorable(&snapshots, &archive);
    Ok((snapshots, ranges))
}

/// Removes a snapshot.
///
/// # Errors
/// When there is no such snapshot or it can't be removed.
pub fn db_delete_snapshot(layout: &Layout, id: &str) -> Result<(), ClientError> {
    Ok(backups(&context(layout)?)?.delete(id)?)
}

/// Proves a snapshot: restores it aside and checks every table.
///
/// # Errors
/// When it is damaged or not sound.
pub fn db_verify(
    layout: &Layout,
    id: &str,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, ClientError> {
    Ok(backups(&context(layout)?)?.verify(id, progress)?)
}

/// Puts the database back to a snapshot or a moment. It is restored and checked aside while the
/// store serves on; then the members are exchanged, which takes as long as they need to start. What
/// was there before stays in the folder `data/*.before-restore` until the next restore. Returns when
/// the writer listens again.
///
/// # Errors
/// When there is no way to the target or the copy is not sound: then nothing has changed.
pub fn db_restore(
    layout: &Layout,
    launcher: &Path,
    target: &Target,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, ClientError> {
    let _lock = CommandLock::take(layout)?;
    let context = context(layout)?;
    let (backups, present) = writer(layout)?;
    // The newest writes can be wanted too.
    wait_while_busy(|| backups.archive_binlogs(&present))?;
    let (snapshots, archive) = (backups.snapshots()?, backups.archive()?);
    let plan = backup::plan_restore(&snapshots, &archive, target).map_err(BackupError::from)?;
    let members: Vec<&str> = context
        .blueprint
        .database
        .members
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let fresh: Vec<PathBuf> = members
        .iter()
        .map(|name| layout.data(&format!("{name}.before-restore")))
        .collect();
    for folder in &fresh {
        remove(folder)?;
    }
    let Some((first, others)) = fresh.split_first() else {
        return Err(ClientError::Refused {
            reason: "the environment has no database".to_owned(),
        });
    };
    let restored = wait_while_busy(|| backups.restore(&plan, first, &mut *progress))?;
    for other in others {
        Command::new("cp")
            .args(["-a", "--reflink=auto", "--"])
            .arg(first)
            .arg(other)
            .run()?;
    }
    exchange(layout, launcher, &members, &fresh)?;
    backups.begin_timeline()?;
    // The first member has the restored data as well as all others do.
    forget_roles(layout)?;
    start_supervisor(layout, launcher)?;
    wait_for_writer(
        layout,
        launcher,
        members.first().copied().unwrap_or_default(),
        context.blueprint.database.port,
    )?;
    let (backups, server) = writer(layout)?;
    wait_while_busy(|| backups.snapshot(&server, Kind::Automatic, &mut *progress))?;
    Ok(restored)
}

/// Stops the members and puts the restored data in their places, each at once and whole.
fn exchange(
    layout: &Layout,
    launcher: &Path,
    members: &[&str],
    fresh: &[PathBuf],
) -> Result<(), ClientError> {
    end_supervisor(layout)?;
    let runtime = supervisor::runtime(layout, None, launcher).ok_or(ClientError::NoRuntime)?;
    thread::scope(|scope| {
        let stops: Vec<_> = members
            .iter()
            .map(|name| scope.spawn(|| runtime.stop_as_planned(name)))
            .collect();
        stops.into_iter().try_for_each(|stop| {
            stop.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;
    for (name, folder) in members.iter().zip(fresh) {
        let data = layout.data(name);
        let swapped = match renameat_with(CWD, folder, CWD, &data, RenameFlags::EXCHANGE) {
            // A member that had no data yet.
            Err(rustix::io::Errno::NOENT) => fs::rename(folder, &data),
            other => other.map_err(io::Error::from),
        };
        swapped.map_err(|source| ClientError::File { path: data, source })?;
    }
    Ok(())
}

fn forget_roles(layout: &Layout) -> Result<(), ClientError> {
    let path = layout.state();
    let at = |source| ClientError::File {
        path: path.clone(),
        source,
    };
    let mut record = Record::load(&path).map_err(at)?;
    record.writer = None;
    record.synced.clear();
    record.failover = None;
    record.save(&path).map_err(at)
}

fn wait_for_writer(
    layout: &Layout,
    launcher: &Path,
    name: &str,
    port: u16,
) -> Result<(), ClientError> {
    let runtime = supervisor::runtime(layout, None, launcher).ok_or(ClientError::NoRuntime)?;
    let listens = || match runtime.state(name) {
        crate::container::ContainerState::Running { pid } => {
            listening::is_ready(pid, Readiness::Tcp(port)).then_some(())
        }
        _ => None,
    };
    wait::until(Duration::from_secs(60), listens).ok_or_else(|| ClientError::Refused {
        reason: format!(
            "{name} did not start within 60 s on the restored data; see `mck logs {name}`"
        ),
    })
}

fn remove(folder: &Path) -> Result<(), ClientError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(ClientError::File {
            path: folder.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Replaces a schema by a dump, which is tried on a database aside first; what was there before is
/// kept and put back if the dump can't be loaded.
///
/// # Errors
/// When the file is no dump or can't be loaded.
pub fn db_import(
    layout: &Layout,
    schema: &str,
    file: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Imported, ClientError> {
    let (backups, server) = writer(layout)?;
    let import = Import {
        file: file.to_owned(),
        schema: schema.to_owned(),
        definers: Definers::Drop,
    };
    let imported = wait_while_busy(|| backups.import(&server, &import, &mut *progress))?;
    Ok(imported)
}

/// Writes a consistent dump of a schema, compressed if the file's name ends with `.gz` or `.zst`.
///
/// # Errors
/// When there is no such schema or the file can't be written.
pub fn db_export(layout: &Layout, schema: &str, file: &Path) -> Result<(), ClientError> {
    let (backups, server) = writer(layout)?;
    Ok(backups.export(&server, schema, file)?)
}
