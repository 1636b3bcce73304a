//! Reading a container's log from where it was left.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
};

use mck_local::logs;

use super::Line;

/// At first only the end of a log is read: 1 MiB.
const TAIL: u64 = 1 << 20;

/// A log and how far it was read.
#[derive(Debug)]
pub struct LogReader {
    container: String,
    path: PathBuf,
    position: Option<u64>,
    /// A line that is not whole yet.
    rest: Vec<u8>,
    /// Text of lines that go on in the next one.
    partial: String,
}

impl LogReader {
    /// A log that was not read yet.
    pub fn new(container: String, path: PathBuf) -> Self {
        Self {
            container,
            path,
            position: None,
            rest: Vec::new(),
            partial: String::new(),
        }
    }

    /// The lines since the last call; none where the file can't be read, since it may just be made
    /// or gone with its container.
    pub fn read_new(&mut self) -> Vec<Line> {
        let Ok(bytes) = self.read_bytes() else {
            return Vec::new();
        };
        self.rest.extend(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        let text = String::from_utf8_lossy(&whole);
        text.lines().filter_map(|line| self.line(line)).collect()
    }

    fn read_bytes(&mut self) -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        let begin = match self.position {
            // It was begun anew.
            Some(position) if position > length => {
                self.rest.clear();
                0
            }
            Some(position) => position,
            None => length.saturating_sub(TAIL),
        };
        file.seek(SeekFrom::Start(begin))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        self.position = Some(begin + bytes.len() as u64);
        Ok(bytes)
    }

    /// A whole line; none where it goes on in the next, or is the end of one whose beginning was
    /// passed over.
    fn line(&mut self, text: &str) -> Option<Line> {
        let entry = logs::parse(text)?;
        self.partial.push_str(entry.text);
        if entry.partial {
            return None;
        }
        Some(Line {
            time: entry.time.parse().ok()?,
            container: self.container.clone(),
            stream: entry.stream.to_owned(),
            text: std::mem::take(&mut self.partial),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    #[test]
    fn lines_come_once_and_only_when_they_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db-0.log");
        let mut file = File::create(&path).unwrap();
        let mut reader = LogReader::new("db-0".to_owned(), path.clone());
        let mut texts = |file: &mut File, more: &str| -> Vec<String> {
            file.write_all(more.as_bytes()).unwrap();
            reader
                .read_new()
                .into_iter()
                .map(|line| line.text)
                .collect()
        };
        let none: [&str; 0] = [];
        assert_eq!(
            texts(&mut file, "2026-11-24T12:00:00.5+00:00 stdout F one\n2026-"),
            ["one"]
        );
        assert_eq!(
            texts(&mut file, "11-24T12:00:01+00:00 stderr P long "),
            none
        );
        assert_eq!(
            texts(&mut file, "\n2026-11-24T12:00:01+00:00 stderr F line\n"),
            ["long line"]
        );
        assert_eq!(texts(&mut file, ""), none);
        fs::write(&path, "2026-11-24T12:00:02+00:00 stdout F new\n").unwrap();
        assert_eq!(texts(&mut file, ""), ["new"]);
    }
}
