//! How a request ended.

use std::fmt;
use std::io;

/// Why a request failed, as its sender saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Failure {
    /// Nobody listened.
    ConnectionRefused,
    /// The connection was reset, or a write hit a closed one.
    ConnectionReset,
    /// The connection ended in good order, but before the answer did.
    ConnectionClosed,
    /// No connection in 2 s, or no complete answer within the time limit.
    Timeout,
    /// An answer with a status that this request does not expect.
    Status(u16),
    /// The right status, but not the content that was due: a page cut off, a value that was not kept.
    WrongContent,
    /// Not HTTP/1.1, or more than a drill is ready to read.
    Malformed,
    /// Any other error of the network: no route, no address, out of ports.
    Network,
}

impl Failure {
    /// Sorts an error of the operating system.
    pub(crate) fn of_io(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::ConnectionRefused => Self::ConnectionRefused,
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => {
                Self::ConnectionReset
            }
            Kind::UnexpectedEof => Self::ConnectionClosed,
            Kind::TimedOut | Kind::WouldBlock => Self::Timeout,
            _ => Self::Network,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectionRefused => formatter.write_str("connection refused"),
            Self::ConnectionReset => formatter.write_str("connection reset"),
            Self::ConnectionClosed => formatter.write_str("connection closed early"),
            Self::Timeout => formatter.write_str("timeout"),
            Self::Status(status) => write!(formatter, "HTTP {status}"),
            Self::WrongContent => formatter.write_str("wrong content"),
            Self::Malformed => formatter.write_str("malformed answer"),
            Self::Network => formatter.write_str("network error"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn errors_of_the_system_are_sorted_by_what_the_sender_saw() {
        for (kind, failure) in [
            (ErrorKind::ConnectionRefused, Failure::ConnectionRefused),
            (ErrorKind::ConnectionReset, Failure::ConnectionReset),
            (ErrorKind::BrokenPipe, Failure::ConnectionReset),
            (ErrorKind::UnexpectedEof, Failure::ConnectionClosed),
            (ErrorKind::WouldBlock, Failure::Timeout),
            (ErrorKind::TimedOut, Failure::Timeout),
            (ErrorKind::AddrNotAvailable, Failure::Network),
            (ErrorKind::NetworkUnreachable, Failure::Network),
        ] {
            assert_eq!(Failure::of_io(&Error::from(kind)), failure, "{kind:?}");
        }
        assert_eq!(Failure::Status(503).to_string(), "HTTP 503");
    }
}
