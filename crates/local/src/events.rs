//! What happened in an environment, one JSON object a line, oldest first.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// To what: the name of a component, task or app.
    pub subject: String,
    /// What, in one sentence.
    pub message: String,
    /// Whether it is something to worry about.
    pub level: Level,
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Info,
    /// Something failed and is being mended.
    Warning,
    /// Something failed and needs a person.
    Error,
}

/// The largest event file; an older half is then dropped.
const LARGEST: u64 = 4 << 20;

/// The events of an environment.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
}

impl EventLog {
    /// The log in a file, made with the first event.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Adds an event that happens now.
    ///
    /// # Errors
    /// When the file can't be written, as on a full disk.
    pub fn record(
        &self,
        subject: &str,
        level: Level,
        message: impl Into<String>,
    ) -> io::Result<()> {
        let event = Event {
            time: Timestamp::now(),
            subject: subject.to_owned(),
            message: message.into(),
            level,
        };
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        let mut file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?;
        file.write_all(&line)?;
        if file.metadata()?.len() > LARGEST {
            self.drop_older_half()
        } else {
            Ok(())
        }
    }

    fn drop_older_half(&self) -> io::Result<()> {
        let events = read(&self.path)?;
        let mut kept = Vec::new();
        for event in &events[events.len() / 2..] {
            serde_json::to_writer(&mut kept, event)?;
            kept.push(b'\n');
        }
        crate::layout::write_atomically(&self.path, &kept)
    }
}

/// All events of a file; none where there is no file. A line cut off by a crash is passed over.
///
/// # Errors
/// When the file can't be read.
pub fn read(path: &Path) -> io::Result<Vec<Event>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_back_in_order_and_a_cut_line_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let log = EventLog::new(path.clone());
        log.record("db-0", Level::Info, "started").unwrap();
        log.record("db-0", Level::Warning, "ended").unwrap();
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"time\"")
            .unwrap();
        let messages: Vec<String> = read(&path)
            .unwrap()
            .into_iter()
            .map(|event| event.message)
            .collect();
        assert_eq!(messages, ["started", "ended"]);
    }
}
