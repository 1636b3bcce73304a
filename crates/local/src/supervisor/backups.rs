//! Backups of the database that nobody has to ask for: the binary logs all the time, a snapshot in
//! the daily window, and the removal of old ones.

use std::{
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{Supervisor, component::Condition, mailbox::Message};
use crate::{
    accounts::UnknownUser,
    backup::{BackupError, Backups, Kind, Server, Window, due},
    events::Level,
    layout::Layout,
    servers::{Context, data::REDO_LOG_MIB},
    text::chain,
};

/// How often binary logs are copied: as much as can be lost with the writer's disk.
const ARCHIVE_EVERY: Duration = Duration::from_secs(15);

/// The backups of an environment.
///
/// # Errors
/// When MariaDB's user is missing.
pub fn backups(context: &Context) -> Result<Backups, UnknownUser> {
    let folder = context.layout.top().join("backups");
    let empty = context.layout.data(super::database::TEMPLATE);
    Ok(Backups::new(
        folder,
        context.accounts.user("mysql")?,
        REDO_LOG_MIB,
        empty,
    ))
}

/// A member of the database cluster, as backups see it.
pub fn server(layout: &Layout, name: &str) -> Server {
    Server {
        name: name.to_owned(),
        socket: layout.control(name).join("mysqld.sock"),
        data_directory: layout.data(name),
    }
}

/// When backups were looked at, and whether one is being made.
#[derive(Debug, Default)]
pub(super) struct BackupState {
    looked: Option<Instant>,
    working: bool,
}

impl BackupState {
    /// Whether one is being made.
    pub(super) fn is_working(&self) -> bool {
        self.working
    }
}

impl Supervisor {
    /// Starts a backup that is due.
    pub(super) fn look_at_backups(&mut self) {
        let state = &self.backups;
        if state.working
            || self.is_changing_writer()
            || state
                .looked
                .is_some_and(|last| last.elapsed() < ARCHIVE_EVERY)
        {
            return;
        }
        let name = super::writer(self.blueprint(), &self.record).to_owned();
        // A database that is being filled for the first time is nothing to keep.
        let installed = self.apps().iter().all(|app| {
            self.last_deployment(&app.name)
                .is_some_and(|it| it.ended.is_some())
        });
        if self.conditions.get(&name) != Some(&Condition::Ready) || !installed {
            return;
        }
        let Ok(backups) = backups(&self.workshop.context) else {
            return;
        };
        self.backups = BackupState {
            looked: Some(Instant::now()),
            working: true,
        };
        let settings = self.blueprint().database.backups.clone();
        let (server, sender) = (
            server(&self.workshop.context.layout, &name),
            self.mailbox.sender(),
        );
        thread::spawn(move || {
            let window = Window::parse(&settings.window);
            let result = back_up(&backups, &server, window, settings.retention.into());
            sender.send(Message::BackedUp { result });
        });
    }

    pub(super) fn backed_up(&mut self, result: Result<Option<String>, BackupError>) {
        self.backups.working = false;
        match result {
            Ok(Some(id)) => self.note("database", Level::Info, format!("Snapshot {id}.")),
            // A person's backup or restore is at work; the next look is soon enough.
            Ok(None) | Err(BackupError::Busy) => {}
            Err(error) => self.note(
                "database",
                Level::Warning,
                format!("No backup: {}", chain(&error)),
            ),
        }
    }
}

/// Copies binary logs, takes the daily snapshot when it is due, removes old ones; gives the id of a
/// new snapshot.
fn back_up(
    backups: &Backups,
    server: &Server,
    window: Option<Window>,
    retention: Duration,
) -> Result<Option<String>, BackupError> {
    backups.archive_binlogs(server)?;
    let present = backups
        .archive()?
        .timelines
        .last()
        .map(|timeline| timeline.number);
    let snapshots = backups.snapshots()?;
    let last = snapshots
        .iter()
        .filter(|it| it.kind == Kind::Automatic && Some(it.timeline) == present)
        .map(|it| it.time)
        .max();
    if !window.is_some_and(|window| due(last, Timestamp::now(), window)) {
        return Ok(None);
    }
    let snapshot = backups.snapshot(server, Kind::Automatic, &mut |_| {})?;
    backups.expire(Timestamp::now(), retention)?;
    Ok(Some(snapshot.id))
}
