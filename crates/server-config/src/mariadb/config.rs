//! The option file of a member.

use std::fmt::Write;
use std::net::IpAddr;

use crate::text::{UnsafeText, word};

/// What a member starts as; a failover changes it while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Takes writes.
    Writer {
        /// Whether a commit waits for a reader from the start. Without any reader each commit would
        /// wait for the whole time-out, so a new cluster's writer starts without and has it switched
        /// on ([`super::sql::semi_sync_source`]) once a reader is connected.
        wait_for_reader: bool,
    },
    /// Replicates and takes reads only.
    Reader,
}

/// Where and when slow statements are written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowLog {
    /// Path of the file, e.g. `/dev/stdout`.
    pub file: String,
    /// Shortest statement written down, in milliseconds.
    pub threshold_milliseconds: u32,
}

/// One member of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Unique in the cluster, from 1.
    pub server_id: u32,
    /// What it starts as.
    pub role: Role,
    /// Address it listens on, and is known by among the others.
    pub address: IpAddr,
    /// Port, 3306 by default.
    pub port: u16,
    /// Path of the data directory.
    pub data_directory: String,
    /// Path of the unix socket.
    pub socket: String,
    /// Directory for temporary tables and files.
    pub temporary_directory: String,
    /// Memory of the container in MiB; see [`buffer_pool_mebibytes`].
    pub memory_mebibytes: u32,
    /// Size of the redo log in MiB, from 4.
    pub log_file_mebibytes: u32,
    /// Client connections, from 10.
    pub max_connections: u32,
    /// Milliseconds that a commit waits for a reader before it is acknowledged without one. As long
    /// as it is longer than any failover takes, no acknowledged write can be lost.
    pub semi_sync_timeout_milliseconds: u64,
    /// Seconds that binary logs are kept: the longest time that a reader can be away.
    pub binlog_expire_seconds: u32,
    /// Slow statements.
    pub slow_log: Option<SlowLog>,
}

impl Member {
    /// A member with the paths of its container and the defaults of a small machine.
    pub fn new(server_id: u32, role: Role, address: IpAddr) -> Self {
        Self {
            server_id,
            role,
            address,
            port: 3306,
            data_directory: "/var/lib/mysql".to_owned(),
            socket: "/run/control/mysqld.sock".to_owned(),
            temporary_directory: "/tmp".to_owned(),
            memory_mebibytes: 512,
            log_file_mebibytes: 8,
            max_connections: 200,
            semi_sync_timeout_milliseconds: 3_600_000,
            binlog_expire_seconds: 7 * 86_400,
            slow_log: None,
        }
    }
}

/// Size of InnoDB's buffer pool in MiB: three quarters of what the container has beyond the 160 MiB
/// that the server needs beside it, and 16 at least. (Adobe: up to 80 % of a dedicated machine.)
pub fn buffer_pool_mebibytes(memory_mebibytes: u32) -> u32 {
    (memory_mebibytes.saturating_sub(160) / 4 * 3).max(16)
}

/// The option file.
///
/// # Errors
/// [`UnsafeText`] when a path would change the meaning of the file or a number is too small.
pub fn render(member: &Member) -> Result<String, UnsafeText> {
    at_least("the server id", member.server_id, 1)?;
    at_least("the number of connections", member.max_connections, 10)?;
    at_least("the size of the redo log", member.log_file_mebibytes, 4)?;
    let mut text = format!(
        "# A member of the database cluster. Rendered; changes are lost.
[mariadbd]
datadir={data}
socket={socket}
pid_file={data}/mariadbd.pid
tmpdir={temporary}
bind_address={address}
port={port}
max_connections={connections}
",
        data = word("the data directory", &member.data_directory)?,
        socket = word("the path of the socket", &member.socket)?,
        temporary = word("the temporary directory", &member.temporary_directory)?,
        address = member.address,
        port = member.port,
        connections = member.max_connections,
    );
    text += &replication(member);
    text += &storage(member);
    text += FOR_MAGENTO;
    if let Some(slow_log) = &member.slow_log {
        let _ = write!(
            text,
            "
slow_query_log=1
slow_query_log_file={}
long_query_time={}.{:03}
",
            word("the path of the slow log", &slow_log.file)?,
            slow_log.threshold_milliseconds / 1000,
            slow_log.threshold_milliseconds % 1000,
        );
    }
    Ok(text)
}

/// Settings from Adobe's "Configuration best practices for MariaDB" and "MySQL guidelines" of
/// Magento 2.4: packets, temporary tables, triggers next to a binary log, and the optimizer switches
/// that keep the indexers of MariaDB ≥ 10.4 from slow plans.
const FOR_MAGENTO: &str = "
character_set_server=utf8mb4
collation_server=utf8mb4_general_ci
skip_name_resolve=1
max_allowed_packet=64M
tmp_table_size=64M
max_heap_table_size=64M
table_open_cache=4000
log_bin_trust_function_creators=1
optimizer_switch='rowid_filter=off'
optimizer_use_condition_selectivity=1
local_infile=0
";

fn replication(member: &Member) -> String {
    let role = match member.role {
        Role::Writer { wait_for_reader } => format!(
            "read_only=0
rpl_semi_sync_master_enabled={}
rpl_semi_sync_slave_enabled=0
",
            u8::from(wait_for_reader)
        ),
        Role::Reader => "read_only=1
rpl_semi_sync_master_enabled=0
rpl_semi_sync_slave_enabled=1
"
        .to_owned(),
    };
    format!(
        "
server_id={id}
report_host={address}
report_port={port}
log_bin=binlog
relay_log=relay
binlog_format=ROW
log_slave_updates=1
gtid_strict_mode=1
sync_binlog=1
binlog_expire_logs_seconds={expire}
slave_parallel_threads=4
slave_parallel_mode=optimistic
slave_net_timeout=10
skip_slave_start=0
rpl_semi_sync_master_wait_point=AFTER_SYNC
rpl_semi_sync_master_timeout={timeout}
{role}",
        id = member.server_id,
        address = member.address,
        port = member.port,
        expire = member.binlog_expire_seconds,
        timeout = member.semi_sync_timeout_milliseconds,
    )
}

fn storage(member: &Member) -> String {
    format!(
        "
innodb_buffer_pool_size={}M
innodb_log_file_size={}M
innodb_flush_log_at_trx_commit=1
innodb_flush_method=O_DIRECT
innodb_file_per_table=1
",
        buffer_pool_mebibytes(member.memory_mebibytes),
        member.log_file_mebibytes,
    )
}

fn at_least(field: &'static str, value: u32, minimum: u32) -> Result<(), UnsafeText> {
    if value < minimum {
        Err(UnsafeText {
            field,
            problem: "is too small",
        })
    } else {
        Ok(())
    }
}
