//! What a binary log holds: which transactions and when. Reads event headers only (MariaDB's
//! knowledge base, "Replication Protocol: binlog event header, Gtid_list_event, Gtid_event").

use std::io::{self, Read, Seek, SeekFrom};

use super::gtid::{Gtid, Position};

const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];
const HEADER: usize = 19;
/// A list of GTIDs holds 16 bytes for each server that ever wrote; more than this is damage.
const LONGEST_LIST: usize = 1 << 20;

mod kind {
    pub const STOP: u8 = 3;
    pub const ROTATE: u8 = 4;
    pub const FORMAT_DESCRIPTION: u8 = 15;
    pub const BINLOG_CHECKPOINT: u8 = 161;
    pub const GTID: u8 = 162;
    pub const GTID_LIST: u8 = 163;
}

/// Consecutive transactions of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The replication domain.
    pub domain: u32,
    /// The server.
    pub server: u32,
    /// The first one's sequence number.
    pub first: u64,
    /// The last one's sequence number.
    pub last: u64,
}

/// What was found in a binary log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Bytes of whole events.
    pub length: u64,
    /// What was before this file.
    pub start: Position,
    /// What is in it.
    pub runs: Vec<Run>,
}

impl Summary {
    /// What there is after this file.
    pub fn end(&self) -> Position {
        let mut end = self.start.clone();
        for run in &self.runs {
            end.set(Gtid {
                domain: run.domain,
                server: run.server,
                sequence: run.last,
            });
        }
        end
    }

    /// Whether history as told by this file has been exactly at this transaction.
    pub fn holds(&self, gtid: &Gtid) -> bool {
        self.start.last(gtid.domain) == Some(gtid)
            || self.runs.iter().any(|run| {
                run.domain == gtid.domain
                    && run.server == gtid.server
                    && (run.first..=run.last).contains(&gtid.sequence)
            })
    }

    fn add(&mut self, gtid: Gtid) {
        let run = self.runs.last_mut().filter(|run| {
            run.domain == gtid.domain && run.server == gtid.server && gtid.sequence > run.last
        });
        match run {
            Some(run) => run.last = gtid.sequence,
            None => self.runs.push(Run {
                domain: gtid.domain,
                server: gtid.server,
                first: gtid.sequence,
                last: gtid.sequence,
            }),
        }
    }
}

struct Event {
    time: u32,
    kind: u8,
    list: Vec<Gtid>,
}

/// Reads the next event; nothing at the end or where an event is cut off.
fn next(log: &mut (impl Read + Seek), at: &mut u64, end: u64) -> io::Result<Option<Event>> {
    if *at + HEADER as u64 > end {
        return Ok(None);
    }
    log.seek(SeekFrom::Start(*at))?;
    let mut header = [0; HEADER];
    log.read_exact(&mut header)?;
    let number =
        |from: usize| u32::from_le_bytes(std::array::from_fn(|index| header[from + index]));
    let (time, kind, server, length) = (number(0), header[4], number(5), number(9) as usize);
    if length < HEADER {
        return Err(damaged("an event is shorter than its header"));
    }
    if *at + length as u64 > end {
        return Ok(None);
    }
    let wanted = match kind {
        kind::GTID => (length - HEADER).min(12),
        kind::GTID_LIST => (length - HEADER).min(LONGEST_LIST),
        _ => 0,
    };
    let mut body = vec![0; wanted];
    log.read_exact(&mut body)?;
    *at += length as u64;
    let list = match kind {
        kind::GTID => {
            let [sequence, domain] = [body.get(..8), body.get(8..12)];
            let (Some(sequence), Some(domain)) = (sequence, domain) else {
                return Err(damaged("a GTID is cut off"));
            };
            vec![Gtid {
                domain: little_endian(domain) as u32,
                server,
                sequence: little_endian(sequence),
            }]
        }
        kind::GTID_LIST => gtid_list(&body)?,
        _ => Vec::new(),
    };
    Ok(Some(Event { time, kind, list }))
}

fn gtid_list(body: &[u8]) -> io::Result<Vec<Gtid>> {
    let (count, entries) = body
        .split_at_checked(4)
        .ok_or_else(|| damaged("a list of GTIDs is cut off"))?;
    // The upper four bits are flags.
    let count = (little_endian(count) & 0x0fff_ffff) as usize;
    let gtids: Vec<Gtid> = entries
        .chunks_exact(16)
        .take(count)
        .map(|entry| Gtid {
            domain: little_endian(&entry[..4]) as u32,
            server: little_endian(&entry[4..8]) as u32,
            sequence: little_endian(&entry[8..]),
        })
        .collect();
    if gtids.len() < count {
        return Err(damaged("a list of GTIDs is cut off"));
    }
    Ok(gtids)
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn damaged(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn begin(log: &mut (impl Read + Seek)) -> io::Result<u64> {
    let end = log.seek(SeekFrom::End(0))?;
    log.seek(SeekFrom::Start(0))?;
    let mut magic = [0; 4];
    if end < 4 {
        return Ok(end);
    }
    log.read_exact(&mut magic)?;
    if magic == MAGIC {
        Ok(end)
    } else {
        Err(damaged("it is not a binary log"))
    }
}

/// Goes on reading a binary log where `known` ends, or from its start.
///
/// # Errors
/// When it can't be read or is no binary log.
pub fn summarise(log: &mut (impl Read + Seek), known: Summary) -> io::Result<Summary> {
    let end = begin(log)?;
    let mut summary = known;
    let mut at = summary.length.max(4);
    while let Some(event) = next(log, &mut at, end)? {
        match event.kind {
            kind::GTID => event.list.into_iter().for_each(|gtid| summary.add(gtid)),
            // The last entry of a domain is its newest transaction.
            kind::GTID_LIST => event
                .list
                .into_iter()
                .for_each(|gtid| summary.start.set(gtid)),
            _ => {}
        }
        summary.length = at;
    }
    Ok(summary)
}

/// Where replaying stands after a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The last transaction that is whole.
    pub position: Position,
    /// Whether an event at or after the time was met, where replaying ends.
    pub stopped: bool,
}

/// Where `mariadb-binlog --stop-datetime` ends in a file: before the first event that is not older
/// than `stop`, in seconds since 1970. A transaction that is cut by it does not count.
///
/// # Errors
/// When it can't be read or is no binary log.
pub fn reached(log: &mut (impl Read + Seek), from: Position, stop: u32) -> io::Result<Reached> {
    let end = begin(log)?;
    let mut at = 4;
    let mut position = from;
    let mut open: Option<Gtid> = None;
    let mut close = |open: &mut Option<Gtid>| {
        if let Some(gtid) = open.take() {
            let known = position.last(gtid.domain);
            if known.is_none_or(|known| known.sequence < gtid.sequence) {
                position.set(gtid);
            }
        }
    };
    let mut stopped = false;
    while let Some(event) = next(log, &mut at, end)? {
        let between = matches!(
            event.kind,
            kind::GTID
                | kind::GTID_LIST
                | kind::STOP
                | kind::ROTATE
                | kind::FORMAT_DESCRIPTION
                | kind::BINLOG_CHECKPOINT
        );
        if between {
            close(&mut open);
        }
        if event.time >= stop {
            open = None;
            stopped = true;
            break;
        }
        if event.kind == kind::GTID {
            open = event.list.first().copied();
        }
    }
    close(&mut open);
    Ok(Reached { position, stopped })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn event(time: u32, kind: u8, server: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = time.to_le_bytes().to_vec();
        bytes.push(kind);
        bytes.extend(server.to_le_bytes());
        bytes.extend(u32::try_from(HEADER + body.len()).unwrap().to_le_bytes());
        bytes.extend([0; 6]);
        bytes.extend(body);
        bytes
    }

    fn gtid(time: u32, server: u32, sequence: u64) -> Vec<u8> {
        let body = [&sequence.to_le_bytes()[..], &[0; 4], &[0; 7]].concat();
        event(time, kind::GTID, server, &body)
    }

    fn log() -> Vec<u8> {
        let list = [
            &1_u32.to_le_bytes()[..],
            &[0; 4],
            &[1, 0, 0, 0],
            &7_u64.to_le_bytes(),
        ];
        [
            MAGIC.to_vec(),
            event(1, kind::FORMAT_DESCRIPTION, 1, &[0; 60]),
            event(1, kind::GTID_LIST, 1, &list.concat()),
            gtid(10, 1, 8),
            event(10, 16, 1, &[0; 8]),
            gtid(20, 1, 9),
            event(21, 16, 1, &[0; 8]),
            gtid(30, 2, 10),
            event(30, 16, 2, &[0; 8]),
        ]
        .concat()
    }

    #[test]
    fn a_summary_tells_what_a_file_holds() {
        let bytes = log();
        let whole = summarise(&mut Cursor::new(&bytes), Summary::default()).unwrap();
        assert_eq!(whole.start.to_string(), "0-1-7");
        assert_eq!(whole.end().to_string(), "0-2-10");
        assert_eq!(whole.length, bytes.len() as u64);
        let holds = |text: &str| whole.holds(&text.parse().unwrap());
        assert!(holds("0-1-7") && holds("0-1-9") && holds("0-2-10"));
        assert!(!holds("0-2-9") && !holds("0-1-6") && !holds("0-1-10"));
        for cut in 0..bytes.len() {
            let first = summarise(&mut Cursor::new(&bytes[..cut]), Summary::default()).unwrap();
            assert!(first.length <= cut as u64);
            assert_eq!(summarise(&mut Cursor::new(&bytes), first).unwrap(), whole);
        }
        assert!(summarise(&mut Cursor::new(b"-- MariaDB dump"), Summary::default()).is_err());
    }

    #[test]
    fn replaying_ends_before_the_time_and_never_within_a_transaction() {
        let bytes = log();
        let at = |stop| {
            let reached = reached(&mut Cursor::new(&bytes), Position::default(), stop).unwrap();
            (reached.position.to_string(), reached.stopped)
        };
        assert_eq!(at(10), (String::new(), true));
        assert_eq!(at(11), ("0-1-8".to_owned(), true));
        // The transaction's own end is not before the time.
        assert_eq!(at(21), ("0-1-8".to_owned(), true));
        assert_eq!(at(22), ("0-1-9".to_owned(), true));
        assert_eq!(at(31), ("0-2-10".to_owned(), false));
    }

    proptest! {
        #[test]
        fn no_input_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..200), stop: u32) {
            bytes.splice(0..0, MAGIC);
            let _ = summarise(&mut Cursor::new(&bytes), Summary::default());
            let _ = reached(&mut Cursor::new(&bytes), Position::default(), stop);
        }
    }
}
