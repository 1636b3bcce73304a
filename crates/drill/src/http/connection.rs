//! One TCP connection with deadlines.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::response::{self, Progress, Response};
use crate::outcome::Failure;

const READ_SIZE: usize = 32 * 1024;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
}

impl Connection {
    pub(crate) fn open(
        address: SocketAddr,
        limit: Duration,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let limit = remaining(deadline)?.min(limit);
        let stream = TcpStream::connect_timeout(&address, limit).map_err(|e| Failure::of_io(&e))?;
        stream.set_nodelay(true).map_err(|e| Failure::of_io(&e))?;
        Ok(Self { stream })
    }

    /// Whether the server has neither closed the idle connection nor sent anything unasked.
    ///
    /// Asked right before a request is sent, it leaves only the time of the sending in which a close
    /// could be missed.
    pub(crate) fn is_usable(&self) -> bool {
        let look = || -> io::Result<usize> {
            self.stream.set_nonblocking(true)?;
            let found = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            found
        };
        look().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends a request and waits for its whole answer. Says whether the connection may be used again.
    pub(crate) fn exchange(
        &mut self,
        request: &[u8],
        deadline: Instant,
    ) -> Result<(Response, bool), Failure> {
        let limit = remaining(deadline)?;
        self.stream
            .set_write_timeout(Some(limit))
            .map_err(|e| Failure::of_io(&e))?;
        self.stream
            .write_all(request)
            .map_err(|e| Failure::of_io(&e))?;
        let mut received = Vec::new();
        let mut buffer = vec![0; READ_SIZE];
        let mut ends_with_connection = false;
        loop {
            let limit = remaining(deadline)?;
            self.stream
                .set_read_timeout(Some(limit))
                .map_err(|e| Failure::of_io(&e))?;
            let count = match self.stream.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::of_io(&error)),
            };
            received.extend_from_slice(&buffer[..count]);
            let is_closed = count == 0;
            match response::read(&received, is_closed && ends_with_connection)? {
                Progress::Complete {
                    response,
                    may_reuse,
                } => return Ok((response, may_reuse)),
                Progress::Partial { .. } if is_closed => return Err(Failure::ConnectionClosed),
                Progress::Partial {
                    ends_with_connection: ends,
                } => ends_with_connection = ends,
            }
        }
    }
}

/// The time that is left, which is never zero: the system takes zero for "no limit".
fn remaining(deadline: Instant) -> Result<Duration, Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left < Duration::from_micros(1) {
        Err(Failure::Timeout)
    } else {
        Ok(left)
    }
}
