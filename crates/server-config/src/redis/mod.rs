//! Redis 7.0 as a cache or as a store of sessions, each a primary with a replica.
//!
//! What is kept of an acknowledged session: with [`Fsync::Always`] everything that a crash of the
//! process or of the machine leaves on the disk; when the whole zone is lost, everything that the
//! replica had received, which is all but the last moments, since Redis replicates after it has
//! answered. `min-replicas-to-write` does not change that: it refuses writes while no replica is
//! near, so it trades availability for a bound on the loss. Only `WAIT`, sent by the writing client
//! itself, waits for a replica; PHP's session handlers don't send it.
//!
//! Accounts: applications log in as `default`, which may do all but administer the server (as on
//! ElastiCache; `FLUSHDB`, `KEYS` and `INFO`, which Magento's cache needs, are allowed). The
//! supervisor and the replicas use the account [`CONTROL_USER`].

mod config;
pub mod status;

pub use config::{Fsync, Instance, Purpose, Replication, render, render_secrets};

use std::net::IpAddr;

/// The server, as Debian installs it.
pub const PROGRAM: &str = "/usr/bin/redis-server";

/// The account that may administer the server.
pub const CONTROL_USER: &str = "control";

/// The environment variable in which `redis-cli` takes the password.
pub const CLIENT_PASSWORD_VARIABLE: &str = "REDISCLI_AUTH";

/// The signal that stops it cleanly.
pub const STOP_SIGNAL: &str = "SIGTERM";

/// The server in the foreground, logging to the standard output.
pub fn command_line(config_file: &str) -> Vec<String> {
    vec![PROGRAM.to_owned(), config_file.to_owned()]
}

/// A client through the unix socket that sends one command as [`CONTROL_USER`], or a person's shell
/// when the command is empty. The password goes into [`CLIENT_PASSWORD_VARIABLE`]. Its exit code is
/// not 0 when the server answers with an error.
pub fn client_command_line(socket: &str, command: &[&str]) -> Vec<String> {
    [
        "/usr/bin/redis-cli",
        "-e",
        "--no-auth-warning",
        "--user",
        CONTROL_USER,
        "-s",
        socket,
    ]
    .iter()
    .chain(command)
    .map(|&word| word.to_owned())
    .collect()
}

/// The command that makes a replica the primary.
pub const PROMOTE: [&str; 3] = ["REPLICAOF", "NO", "ONE"];

/// The command that tells the state of replication, for [`status::parse_info_replication`].
pub const INFO_REPLICATION: [&str; 2] = ["INFO", "replication"];

/// The command that forgets everything.
pub const FLUSH: [&str; 2] = ["FLUSHALL", "ASYNC"];

/// The command that makes an instance the replica of another.
pub fn follow(primary: IpAddr, port: u16) -> [String; 3] {
    [
        "REPLICAOF".to_owned(),
        primary.to_string(),
        port.to_string(),
    ]
}
