//! Memcached: a command line and nothing else.

use std::net::IpAddr;

use crate::text::UnsafeText;

/// The program, as Debian installs it.
pub const PROGRAM: &str = "/usr/bin/memcached";

/// The signal that stops it. It holds nothing worth keeping, and takes up to a second to obey SIGTERM.
pub const STOP_SIGNAL: &str = "SIGKILL";

/// One memcached node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memcached {
    /// Address it listens on; UDP is off.
    pub address: IpAddr,
    /// Port, 11211 by default.
    pub port: u16,
    /// Memory for items, in MiB, at least 1; the process needs some more.
    pub memory_mebibytes: u32,
    /// Concurrent connections, at least 1.
    pub max_connections: u32,
    /// Threads, at least 1.
    pub threads: u8,
}

impl Memcached {
    /// A node with the usual port and limits.
    pub fn new(address: IpAddr, memory_mebibytes: u32) -> Self {
        Self {
            address,
            port: 11211,
            memory_mebibytes,
            max_connections: 1024,
            threads: 1,
        }
    }
}

/// The command line, to be run as the user it shall run as: in the foreground, TCP only, items up to
/// 2 MiB (Magento's configuration cache is larger than the default of 1 MiB).
///
/// # Errors
/// [`UnsafeText`] when a limit is 0.
pub fn command_line(memcached: &Memcached) -> Result<Vec<String>, UnsafeText> {
    let limits = [
        ("the memory of memcached", memcached.memory_mebibytes),
        (
            "the number of connections of memcached",
            memcached.max_connections,
        ),
        (
            "the number of threads of memcached",
            memcached.threads.into(),
        ),
    ];
    for (field, value) in limits {
        if value == 0 {
            return Err(UnsafeText {
                field,
                problem: "must be at least 1",
            });
        }
    }
    let options = [
        ("--listen", memcached.address.to_string()),
        ("--port", memcached.port.to_string()),
        ("--udp-port", "0".to_owned()),
        ("--memory-limit", memcached.memory_mebibytes.to_string()),
        ("--conn-limit", memcached.max_connections.to_string()),
        ("--threads", memcached.threads.to_string()),
        ("--max-item-size", "2m".to_owned()),
    ];
    let arguments = options.map(|(option, value)| format!("{option}={value}"));
    Ok(std::iter::once(PROGRAM.to_owned())
        .chain(arguments)
        .collect())
}
