//! The archive of binary logs: copied from the writer again and again, so that no more is lost than
//! what was written since the last look.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use mck_server_config::mariadb::{
    backup::{self, BinaryLog},
    binlog::{self, Run, Summary},
};
use serde::{Deserialize, Serialize};

use super::{
    BackupError, Backups, Lock, Server, Snapshot, at, entries, make, position, programs, read_json,
    remove, write_json,
};

/// All binary logs that were kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archive {
    /// Histories, oldest first.
    pub timelines: Vec<Timeline>,
}

/// A history of writes; a restore begins a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub began: Timestamp,
    /// The writers' logs, the newest writer first.
    pub streams: Vec<Stream>,
}

/// The binary logs of one server since its data directory was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The folder's name: the server, and a number if it was made anew.
    pub server: String,
    /// All that was acknowledged until then is here.
    pub archived: Timestamp,
    /// The files, oldest first.
    pub files: Vec<ArchivedBinlog>,
}

/// A binary log in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedBinlog {
    /// Where.
    pub path: PathBuf,
    /// What it holds.
    pub summary: Summary,
}

impl ArchivedBinlog {
    /// Its number among its server's.
    pub fn number(&self) -> Option<u64> {
        number(self.path.to_str()?)
    }
}

fn number(name: &str) -> Option<u64> {
    name.rsplit_once('.')?.1.parse().ok()
}

#[derive(Serialize, Deserialize)]
struct TimelineFile {
    began: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StreamFile {
    archived: Timestamp,
}

/// What is written beside a binary log, so that it is not read again: its summary.
#[derive(Serialize, Deserialize)]
struct SummaryFile {
    length: u64,
    start: String,
    runs: Vec<(u32, u32, u64, u64)>,
}

const STREAM_FILE: &str = "stream.json";
const TIMELINE_FILE: &str = "timeline.json";
/// Enough of a binary log's beginning to tell it from another one of the same name: its first event
/// holds when it was begun, its second what was before it.
const HEAD: u64 = 512;

impl Backups {
    /// Copies what is new in the binary logs of the present writer. To be called often: what was
    /// written since the last call can be lost with the writer's disk, and can't be restored to.
    /// Gives the time until which all acknowledged writes are in the archive.
    ///
    /// # Errors
    /// When the server does not answer or files can't be copied.
    pub fn archive_binlogs(&self, server: &Server) -> Result<Timestamp, BackupError> {
        let _lock = Lock::take(&self.folder, "binlogs.lock")?;
        let timeline = self.present_timeline(Timestamp::now())?;
        let archived = Timestamp::now();
        let printed = programs::query(&server.socket, backup::BINARY_LOGS)?;
        let what = "the list of binary logs";
        let logs = backup::parse_binary_logs(&printed).ok_or(BackupError::Answer { what })?;
        let folder = self.timeline_folder(timeline);
        let stream = stream_of(&folder, server, &logs)?;
        make(&stream)?;
        for log in &logs {
            follow(&server.data_directory, &stream, log)?;
        }
        write_json(&stream.join(STREAM_FILE), &StreamFile { archived })?;
        Ok(archived)
    }

    /// What the archive holds.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn archive(&self) -> Result<Archive, BackupError> {
        let mut timelines = Vec::new();
        for (name, path) in entries(&self.binlogs_folder())? {
            let Ok(number) = name.parse() else { continue };
            let TimelineFile { began } = read_json(&path.join(TIMELINE_FILE))?;
            let mut streams = Vec::new();
            for (server, path) in entries(&path)? {
                if path.join(STREAM_FILE).exists() {
                    streams.push(read_stream(server, &path)?);
                }
            }
            streams.sort_by_key(|stream| std::cmp::Reverse(stream.archived));
            timelines.push(Timeline {
                number,
                began,
                streams,
            });
        }
        timelines.sort_by_key(|timeline| timeline.number);
        Ok(Archive { timelines })
    }

    /// Begins a new history: to be called when a restored data directory takes the writer's place,
    /// before it takes writes. Gives its number. A snapshot should follow at once, since nothing can
    /// be restored from the new history before it has one.
    ///
    /// # Errors
    /// When it can't be written down.
    pub fn begin_timeline(&self) -> Result<u32, BackupError> {
        let _lock = Lock::take(&self.folder, "binlogs.lock")?;
        let now = Timestamp::now();
        let next = self.present_timeline(now)? + 1;
        self.write_timeline(next, now)?;
        Ok(next)
    }

    /// The number of the present history; the first one is begun.
    pub(super) fn present_timeline(&self, now: Timestamp) -> Result<u32, BackupError> {
        let known = entries(&self.binlogs_folder())?
            .iter()
            .filter(|(_, path)| path.join(TIMELINE_FILE).exists())
            .filter_map(|(name, _)| name.parse().ok())
            .max();
        if let Some(number) = known {
            return Ok(number);
        }
        self.write_timeline(1, now)?;
        Ok(1)
    }

    fn write_timeline(&self, number: u32, began: Timestamp) -> Result<(), BackupError> {
        let folder = self.timeline_folder(number);
        make(&folder)?;
        write_json(&folder.join(TIMELINE_FILE), &TimelineFile { began })
    }

    fn timeline_folder(&self, number: u32) -> PathBuf {
        self.binlogs_folder().join(number.to_string())
    }

    /// Removes binary logs that no kept snapshot needs.
    pub(super) fn prune_binlogs(&self, kept: &[Snapshot]) -> Result<(), BackupError> {
        let _lock = Lock::take(&self.folder, "binlogs.lock")?;
        let archive = self.archive()?;
        let present = archive.timelines.last().map(|timeline| timeline.number);
        for timeline in &archive.timelines {
            let oldest = kept
                .iter()
                .filter(|snapshot| snapshot.timeline == timeline.number)
                .min_by_key(|snapshot| snapshot.time);
            match oldest {
                Some(oldest) => prune(timeline, oldest)?,
                None if Some(timeline.number) != present => {
                    remove(&self.timeline_folder(timeline.number))?;
                }
                None => {}
            }
        }
        Ok(())
    }
}

fn prune(timeline: &Timeline, oldest: &Snapshot) -> Result<(), BackupError> {
    let needed_from = position(&oldest.gtid)?;
    for (index, stream) in timeline.streams.iter().enumerate() {
        let ends = stream.files.iter().map(|file| file.summary.end());
        let unneeded = ends.take_while(|end| needed_from.reaches(end)).count();
        // The present writer's last file is still being written.
        let unneeded = match index {
            0 => unneeded.min(stream.files.len().saturating_sub(1)),
            _ => unneeded,
        };
        for file in &stream.files[..unneeded] {
            // The summary first: a log without one is copied anew.
            for path in [summary_path(&file.path), file.path.clone()] {
                fs::remove_file(&path).map_err(at(&path))?;
            }
        }
        let folder = stream.files.first().and_then(|file| file.path.parent());
        if let Some(folder) = folder.filter(|_| index > 0 && unneeded == stream.files.len()) {
            remove(folder)?;
        }
    }
    Ok(())
}

fn read_stream(server: String, folder: &Path) -> Result<Stream, BackupError> {
    let StreamFile { archived } = read_json(&folder.join(STREAM_FILE))?;
    let mut files = Vec::new();
    for (name, path) in entries(folder)? {
        if number(&name).is_some() && summary_path(&path).exists() {
            let summary = read_summary(&path)?;
            files.push(ArchivedBinlog { path, summary });
        }
    }
    files.sort_by_key(ArchivedBinlog::number);
    Ok(Stream {
        server,
        archived,
        files,
    })
}

/// The folder of a server's logs. A server whose data directory was made anew counts its logs from
/// the start again, so it gets another folder.
fn stream_of(folder: &Path, server: &Server, logs: &[BinaryLog]) -> Result<PathBuf, BackupError> {
    for generation in 1_u32.. {
        let name = match generation {
            1 => server.name.clone(),
            _ => format!("{}.{generation}", server.name),
        };
        let stream = folder.join(name);
        if !stream.exists() || belongs(&stream, server, logs)? {
            return Ok(stream);
        }
    }
    Err(BackupError::Answer {
        what: "the archive's folder",
    })
}

fn belongs(stream: &Path, server: &Server, logs: &[BinaryLog]) -> Result<bool, BackupError> {
    let last = entries(stream)?
        .into_iter()
        .rfind(|(name, path)| number(name).is_some() && summary_path(path).exists());
    let Some((last, path)) = last else {
        return Ok(true);
    };
    if !logs.iter().any(|log| log.name == last) {
        // All that is archived was purged there: the same server if its numbers went on.
        let first = logs.first().and_then(|log| number(&log.name));
        return Ok(first > number(&last));
    }
    let (ours, theirs) = (head(&path)?, head(&server.data_directory.join(&last))?);
    let length = ours.len().min(theirs.len());
    Ok(ours[..length] == theirs[..length])
}

fn head(path: &Path) -> Result<Vec<u8>, BackupError> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(at(path))?;
    file.take(HEAD).read_to_end(&mut head).map_err(at(path))?;
    Ok(head)
}

/// Brings the copy of a log up to date.
fn follow(from: &Path, stream: &Path, log: &BinaryLog) -> Result<(), BackupError> {
    let copy = stream.join(&log.name);
    let known = match summary_path(&copy).exists() {
        true => read_summary(&copy)?,
        false => Summary::default(),
    };
    if known.length == log.length {
        return Ok(());
    }
    // An old writer that joined as a reader has had its log cut: what was cut never happened.
    let known = if known.length > log.length {
        Summary::default()
    } else {
        known
    };
    let source = from.join(&log.name);
    append(&source, &copy, known.length, log.length).map_err(at(&copy))?;
    let mut file = File::open(&copy).map_err(at(&copy))?;
    let summary = binlog::summarise(&mut file, known).map_err(at(&copy))?;
    write_json(&summary_path(&copy), &to_file(&summary))
}

fn append(source: &Path, copy: &Path, from: u64, to: u64) -> io::Result<()> {
    let mut source = File::open(source)?;
    source.seek(SeekFrom::Start(from))?;
    let mut copy = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(copy)?;
    // What was copied after the last summary may be torn.
    copy.set_len(from)?;
    copy.seek(SeekFrom::Start(from))?;
    io::copy(&mut source.take(to - from), &mut copy)?;
    copy.flush()?;
    copy.sync_data()
}

fn summary_path(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

fn read_summary(log: &Path) -> Result<Summary, BackupError> {
    let file: SummaryFile = read_json(&summary_path(log))?;
    let run = |(domain, server, first, last)| Run {
        domain,
        server,
        first,
        last,
    };
    Ok(Summary {
        length: file.length,
        start: position(&file.start)?,
        runs: file.runs.into_iter().map(run).collect(),
    })
}

fn to_file(summary: &Summary) -> SummaryFile {
    let run = |run: &Run| (run.domain, run.server, run.first, run.last);
    SummaryFile {
        length: summary.length,
        start: summary.start.to_string(),
        runs: summary.runs.iter().map(run).collect(),
    }
}
