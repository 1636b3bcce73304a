//! Containers' logs, as conmon writes them: `TIME STREAM TAG TEXT` a line.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// When it was written, RFC 3339.
    pub time: &'a str,
    /// `stdout` or `stderr`.
    pub stream: &'a str,
    /// Whether the line goes on in the next entry.
    pub partial: bool,
    /// What was written.
    pub text: &'a str,
}

/// Reads one line of a log file; none when it is not of the form.
pub fn parse(line: &str) -> Option<LogLine<'_>> {
    let mut parts = line.splitn(4, ' ');
    let (time, stream, tag) = (parts.next()?, parts.next()?, parts.next()?);
    let known = matches!(stream, "stdout" | "stderr") && matches!(tag, "F" | "P");
    known.then(|| LogLine {
        time,
        stream,
        partial: tag == "P",
        text: parts.next().unwrap_or(""),
    })
}

/// The text of the last lines of a log; empty when there is no log.
pub fn last_lines(path: &Path, count: usize) -> String {
    let Ok(tail) = read_tail(path, 64 << 10) else {
        return String::new();
    };
    let lines: Vec<&str> = tail
        .lines()
        .filter_map(parse)
        .map(|line| line.text)
        .filter(|text| !text.is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn read_tail(path: &Path, most: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_time_stream_and_text() {
        let line = parse("2026-11-24T11:15:44.413756090+00:00 stdout F hi there").unwrap();
        assert_eq!(
            (line.stream, line.partial, line.text),
            ("stdout", false, "hi there")
        );
        assert_eq!(
            parse("2026-11-24T11:15:44Z stderr P half").unwrap().text,
            "half"
        );
        assert_eq!(parse("2026-11-24T11:15:44Z stderr F").unwrap().text, "");
        assert!(parse("anything else").is_none());
    }
}
