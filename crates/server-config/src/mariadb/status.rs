//! What a member says about itself.

use std::collections::HashMap;

/// Asks for [`NodeStatus`], through a client that prints [rows](super::Output::Rows).
pub const NODE_STATUS: &str = "SELECT @@server_id, @@read_only, @@gtid_binlog_pos, @@gtid_slave_pos, \
@@rpl_semi_sync_master_enabled, \
(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='RPL_SEMI_SYNC_MASTER_STATUS'), \
(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='RPL_SEMI_SYNC_MASTER_CLIENTS'), \
(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME='THREADS_CONNECTED');\n";

/// Asks for [`ReplicaStatus`], through a client that prints [fields](super::Output::Fields).
pub const REPLICA_STATUS: &str = "SHOW SLAVE STATUS;\n";

/// A member's own state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its number.
    pub server_id: u32,
    /// Whether it refuses writes.
    pub read_only: bool,
    /// Last transaction in its binary log.
    pub gtid_binlog_position: String,
    /// Last transaction it has applied as a reader.
    pub gtid_slave_position: String,
    /// Whether commits shall wait for a reader.
    pub semi_sync_enabled: bool,
    /// Whether they do: false after a time-out, until a reader has caught up.
    pub semi_sync_active: bool,
    /// Readers that acknowledge.
    pub semi_sync_readers: u32,
    /// Clients connected.
    pub connections: u32,
}

/// Whether a thread of replication runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadState {
    /// It runs.
    Yes,
    /// It tries to reach the writer.
    Connecting,
    /// It was stopped, or has failed.
    No,
}

/// A reader's replication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// Address of the writer it follows.
    pub source: String,
    /// Receives.
    pub receiver: ThreadState,
    /// Applies.
    pub applier: ThreadState,
    /// Last transaction received; the one to wait for before a promotion.
    pub gtid_io_position: String,
    /// Age in seconds of what is being applied; nothing while it does not run.
    pub seconds_behind: Option<u64>,
    /// Number and text of the receiver's last error; the number is 0 for none.
    pub receiver_error: (u32, String),
    /// Number and text of the applier's last error; the number is 0 for none.
    pub applier_error: (u32, String),
}

impl ReplicaStatus {
    /// Whether the reader is as good a source of a backup as the writer: it follows, and what it
    /// applies is at most a second old.
    pub fn is_caught_up(&self) -> bool {
        self.receiver == ThreadState::Yes
            && self.applier == ThreadState::Yes
            && self.seconds_behind.is_some_and(|seconds| seconds <= 1)
    }
}

/// An answer that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// A field is missing.
    #[error("the status has no field {0:?}")]
    NoField(&'static str),
    /// A value is not what its field holds.
    #[error("the status has {value:?} as {field:?}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// What was there.
        value: String,
    },
}

/// Reads the row of [`NODE_STATUS`].
///
/// # Errors
/// [`StatusError`] when it is not that row.
pub fn parse_node_status(output: &str) -> Result<NodeStatus, StatusError> {
    let mut columns = output.trim_end_matches('\n').split('\t');
    let mut next = |field| columns.next().ok_or(StatusError::NoField(field));
    Ok(NodeStatus {
        server_id: number("server_id", next("server_id")?)?,
        read_only: flag("read_only", next("read_only")?)?,
        gtid_binlog_position: next("gtid_binlog_pos")?.to_owned(),
        gtid_slave_position: next("gtid_slave_pos")?.to_owned(),
        semi_sync_enabled: flag(
            "rpl_semi_sync_master_enabled",
            next("rpl_semi_sync_master_enabled")?,
        )?,
        semi_sync_active: flag(
            "Rpl_semi_sync_master_status",
            next("Rpl_semi_sync_master_status")?,
        )?,
        semi_sync_readers: number(
            "Rpl_semi_sync_master_clients",
            next("Rpl_semi_sync_master_clients")?,
        )?,
        connections: number("Threads_connected", next("Threads_connected")?)?,
    })
}

/// Reads the answer to [`REPLICA_STATUS`]: nothing for a member that follows nobody.
///
/// # Errors
/// [`StatusError`] when it is something else.
pub fn parse_replica_status(output: &str) -> Result<Option<ReplicaStatus>, StatusError> {
    if output.trim().is_empty() {
        return Ok(None);
    }
    let fields: HashMap<&str, &str> = output
        .lines()
        .filter_map(|line| line.trim_start().split_once(':'))
        .map(|(name, value)| (name, value.trim()))
        .collect();
    let text = |field| {
        fields
            .get(field)
            .copied()
            .ok_or(StatusError::NoField(field))
    };
    let behind = text("Seconds_Behind_Master")?;
    Ok(Some(ReplicaStatus {
        source: text("Master_Host")?.to_owned(),
        receiver: thread("Slave_IO_Running", text("Slave_IO_Running")?)?,
        applier: thread("Slave_SQL_Running", text("Slave_SQL_Running")?)?,
        gtid_io_position: text("Gtid_IO_Pos")?.to_owned(),
        seconds_behind: match behind {
            "NULL" => None,
            behind => Some(number("Seconds_Behind_Master", behind)?),
        },
        receiver_error: (
            number("Last_IO_Errno", text("Last_IO_Errno")?)?,
            text("Last_IO_Error")?.to_owned(),
        ),
        applier_error: (
            number("Last_SQL_Errno", text("Last_SQL_Errno")?)?,
            text("Last_SQL_Error")?.to_owned(),
        ),
    }))
}

fn number<T: std::str::FromStr>(field: &'static str, value: &str) -> Result<T, StatusError> {
    value.parse().map_err(|_| StatusError::Value {
        field,
        value: value.to_owned(),
    })
}

fn flag(field: &'static str, value: &str) -> Result<bool, StatusError> {
    match value {
        "1" | "ON" => Ok(true),
        "0" | "OFF" => Ok(false),
        value => Err(StatusError::Value {
            field,
            value: value.to_owned(),
        }),
    }
}

fn thread(field: &'static str, value: &str) -> Result<ThreadState, StatusError> {
    match value {
        "Yes" => Ok(ThreadState::Yes),
        "Connecting" | "Preparing" => Ok(ThreadState::Connecting),
        "No" => Ok(ThreadState::No),
        value => Err(StatusError::Value {
            field,
            value: value.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_writer_follows_nobody() {
        assert_eq!(parse_replica_status("\n"), Ok(None));
        assert_eq!(
            parse_replica_status("Slave_IO_Running: Yes"),
            Err(StatusError::NoField("Seconds_Behind_Master"))
        );
    }

    proptest! {
        #[test]
        fn no_input_panics(text in "[a-zA-Z_:\\t\\n0-9 ]{0,80}") {
            let _ = parse_node_status(&text);
            let _ = parse_replica_status(&text);
        }
    }
}
