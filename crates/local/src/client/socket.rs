//! Talking to the supervisor.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use super::ClientError;
use crate::{
    layout::Layout,
    supervisor::{
        control::{Answer, Request},
        snapshot::Snapshot,
    },
};

/// A connection on which a request was sent.
#[derive(Debug)]
pub(super) struct Connection {
    reader: BufReader<UnixStream>,
    limit: Duration,
}

/// Sends a request.
pub(super) fn ask(layout: &Layout, request: &Request) -> Result<Connection, ClientError> {
    let mut stream = UnixStream::connect(layout.socket())
        .map_err(|_| ClientError::NotRunning(layout.id().clone()))?;
    let mut line =
        serde_json::to_vec(request).map_err(|error| ClientError::Connection(error.into()))?;
    line.push(b'\n');
    let limit = answers_within(request);
    stream
        .set_read_timeout(Some(limit))
        .and_then(|()| stream.write_all(&line))
        .map_err(ClientError::Connection)?;
    Ok(Connection {
        reader: BufReader::new(stream),
        limit,
    })
}

/// How long the supervisor may take to answer: a supervisor that hangs must not make its clients
/// hang. A deployment's answer comes when its release is made; who follows hears something every
/// five seconds.
fn answers_within(request: &Request) -> Duration {
    match request {
        Request::Deploy { .. } => Duration::from_secs(900),
        _ => Duration::from_secs(120),
    }
}

impl Connection {
    /// Says of a read that took too long what it waited for.
    fn explain(&self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => io::Error::new(
                io::ErrorKind::TimedOut,
                format!("it did not answer within {} s", self.limit.as_secs()),
            ),
            _ => error,
        }
    }

    /// The next answer.
    pub(super) fn answer(&mut self) -> Result<Answer, ClientError> {
        let mut line = String::new();
        let length = self
            .reader
            .read_line(&mut line)
            .map_err(|error| ClientError::Connection(self.explain(error)))?;
        if length == 0 {
            return Err(ClientError::Connection(io::ErrorKind::UnexpectedEof.into()));
        }
        match serde_json::from_str(&line) {
            Ok(Answer::Refused { reason }) => Err(ClientError::Refused { reason }),
            Ok(answer) => Ok(answer),
            Err(error) => Err(ClientError::Connection(error.into())),
        }
    }
}

pub(super) fn unexpected() -> ClientError {
    ClientError::Connection(io::Error::other("the supervisor is of another version"))
}

/// Whether the environment's supervisor answers.
pub fn is_supervised(layout: &Layout) -> bool {
    UnixStream::connect(layout.socket()).is_ok()
}

/// How the environment is now.
///
/// # Errors
/// When its supervisor does not run or does not answer.
pub fn snapshot(layout: &Layout) -> Result<Snapshot, ClientError> {
    match ask(layout, &Request::Snapshot)?.answer()? {
        Answer::Snapshot { snapshot } => Ok(*snapshot),
        _ => Err(unexpected()),
    }
}

/// How the environment is, now and whenever it changes; without an end.
///
/// # Errors
/// When its supervisor does not run.
pub fn follow(layout: &Layout) -> Result<Following, ClientError> {
    ask(layout, &Request::Follow).map(Following)
}

/// Snapshots as they come; at least every five seconds, the same again where nothing changed.
pub struct Following(Connection);

impl Iterator for Following {
    type Item = Result<Snapshot, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.0.answer() {
            Ok(Answer::Snapshot { snapshot }) => Ok(*snapshot),
            Ok(_) => Err(unexpected()),
            Err(error) => Err(error),
        })
    }
}
