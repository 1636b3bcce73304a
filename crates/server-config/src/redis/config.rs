//! The configuration file, and the include with its passwords.

use std::fmt::Write;
use std::net::IpAddr;

use super::CONTROL_USER;
use crate::secret::Secret;
use crate::text::{UnsafeText, secret_line, word};

/// What the data is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Can be made again: nothing on disk, the least recently used goes when memory is full.
    Cache,
    /// Must be kept: an append-only file, and an error when memory is full.
    Session {
        /// When a write is on the disk.
        fsync: Fsync,
        /// Writes are refused while fewer replicas than this are at most 10 seconds behind; 0 never
        /// refuses.
        min_replicas_to_write: u8,
    },
}

/// When a write to the append-only file is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before it is acknowledged.
    Always,
    /// Within a second.
    EverySecond,
}

/// What an instance starts as; a failover changes it while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// Takes writes.
    Primary,
    /// Copies a primary and takes reads only.
    Replica {
        /// Address of the primary.
        primary: IpAddr,
        /// Its port.
        port: u16,
    },
}

/// One Redis server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// What the data is worth.
    pub purpose: Purpose,
    /// What it starts as.
    pub replication: Replication,
    /// Address it listens on, and is known by among the others.
    pub address: IpAddr,
    /// Port, 6379 by default.
    pub port: u16,
    /// Path of the unix socket.
    pub socket: String,
    /// Path of the data directory.
    pub data_directory: String,
    /// Path of the include of [`render_secrets`].
    pub secrets_file: String,
    /// Memory for data in MiB, from 1; the process needs more, up to twice as much while it rewrites
    /// its file.
    pub memory_mebibytes: u32,
    /// Client connections.
    pub max_clients: u32,
}

impl Instance {
    /// A primary with the paths of its container.
    pub fn new(purpose: Purpose, address: IpAddr, memory_mebibytes: u32) -> Self {
        Self {
            purpose,
            replication: Replication::Primary,
            address,
            port: 6379,
            socket: "/run/control/redis.sock".to_owned(),
            data_directory: "/data".to_owned(),
            secrets_file: "/etc/mck/redis-secrets.conf".to_owned(),
            memory_mebibytes,
            max_clients: 1000,
        }
    }
}

/// The configuration file, without secrets.
///
/// # Errors
/// [`UnsafeText`] when a path would change the meaning of the file or there is no memory.
pub fn render(instance: &Instance) -> Result<String, UnsafeText> {
    if instance.memory_mebibytes == 0 {
        return Err(UnsafeText {
            field: "the memory of Redis",
            problem: "must be at least 1",
        });
    }
    let Instance { address, port, .. } = instance;
    let mut text = format!(
        "# Rendered; changes are lost.
include {secrets}
bind {address}
port {port}
protected-mode yes
tcp-backlog 511
tcp-keepalive 60
timeout 0
maxclients {clients}
unixsocket {socket}
unixsocketperm 770
daemonize no
supervised no
loglevel notice
logfile \"\"
dir {data}
save \"\"
maxmemory {memory}mb
lazyfree-lazy-eviction yes
lazyfree-lazy-expire yes
lazyfree-lazy-user-flush yes
",
        secrets = word("the path of the secrets", &instance.secrets_file)?,
        socket = word("the path of the socket", &instance.socket)?,
        data = word("the data directory", &instance.data_directory)?,
        clients = instance.max_clients,
        memory = instance.memory_mebibytes,
    );
    text += &durability(instance.purpose);
    let _ = write!(
        text,
        "
replica-announce-ip {address}
replica-announce-port {port}
replica-read-only yes
repl-diskless-sync yes
repl-diskless-sync-delay 0
repl-timeout 10
repl-ping-replica-period 1
"
    );
    if let Replication::Replica { primary, port } = instance.replication {
        let _ = writeln!(text, "replicaof {primary} {port}");
    }
    Ok(text)
}

fn durability(purpose: Purpose) -> String {
    match purpose {
        Purpose::Cache => "
maxmemory-policy allkeys-lru
appendonly no
"
        .to_owned(),
        Purpose::Session {
            fsync,
            min_replicas_to_write,
        } => format!(
            "
maxmemory-policy noeviction
appendonly yes
appendfsync {}
no-appendfsync-on-rewrite no
aof-load-truncated yes
min-replicas-to-write {min_replicas_to_write}
min-replicas-max-lag 10
",
            match fsync {
                Fsync::Always => "always",
                Fsync::EverySecond => "everysec",
            }
        ),
    }
}

/// The include with the accounts. To be written 0600, owned by the server's user.
///
/// # Errors
/// [`UnsafeText`] for a password that can't be one.
pub fn render_secrets(application: &Secret, control: &Secret) -> Result<Secret, UnsafeText> {
    let application = quote(&format!(">{}", secret_line("a password", application)?));
    let control = secret_line("a password", control)?;
    let rule = quote(&format!(">{control}"));
    let password = quote(control);
    Ok(Secret::new(format!(
        "user default on {application} ~* &* +@all -@admin
user {CONTROL_USER} on {rule} ~* &* +@all
masteruser {CONTROL_USER}
masterauth {password}
"
    )))
}

/// A double-quoted argument of Redis's configuration language.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}
