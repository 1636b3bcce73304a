//! MariaDB 10.11 as a cluster of one writer and its readers, replicating semi-synchronously by GTID.
//!
//! The promise is that a write which was acknowledged survives the loss of its server. It rests on
//! settings ([`render`]) and on the order of steps at a failover ([`sql::promote`]):
//! `rpl_semi_sync_master_wait_point=AFTER_SYNC` means that a reader has *received* a transaction
//! before its client is told, not that it has *applied* it, so a reader that is promoted must first
//! apply everything it has received.

pub mod backup;
pub mod binlog;
mod command;
mod config;
pub mod dump;
pub mod greeting;
pub mod gtid;
pub mod remote;
pub mod sql;
pub mod status;

pub use command::{
    Install, Output, Start, client_command_line, command_line, dump_command_line,
    install_command_line,
};
pub use config::{Member, Role, SlowLog, buffer_pool_mebibytes, render};

/// The server, as Debian installs it.
pub const PROGRAM: &str = "/usr/sbin/mariadbd";

/// The signal that stops it cleanly.
pub const STOP_SIGNAL: &str = "SIGTERM";
