//! The primary of a Redis cluster changes.
//!
//! Redis answers before its replica has a write, so a replica may lack the last moments of a primary
//! that dies. What is done depends on what the data is worth:
//!
//! - Sessions: an acknowledged write has been handed to the kernel for the append-only file
//!   (`appendfsync always`: forced to the disk as well), and the kernel outlives the process. So a
//!   primary whose process ended is started again at once where it was, and has everything. Only
//!   when it is not back within [`BACK_WITHIN`], or its zone or server is lost, its replica takes
//!   over; then the last moments (what was not yet sent, most often nothing) can be lost. With
//!   `appendfsync everysec` Redis keeps writes back while the file is being forced to the disk, and
//!   what it kept back is lost with the process.
//! - Cache: a primary would come back empty and empty its replica; so the replica takes over at
//!   once, warm.
//!
//! The new primary is recorded first. A Redis server takes the role that the record gives it
//! whenever it is looked at, so a supervisor that is killed in the middle is followed by one that
//! goes on. Clients of a process that ended are reset by the kernel; they come again through the
//! name.

use std::{
    thread,
    time::{Duration, Instant},
};

use mck_blueprint::model::{Node, RedisCluster, RedisPersistence};
use mck_server_config::redis::{
    self,
    status::{ReplicationStatus, StatusError, parse_info_replication},
};

use super::{Supervisor, component::Condition, mailbox::Message};
use crate::{
    command::{Command, CommandError},
    events::Level,
    servers::{Context, data::control_secret},
    wait,
};

/// How long a primary with sessions may take to be back before its replica takes over.
pub const BACK_WITHIN: Duration = Duration::from_secs(3);

/// How long a process that is killed may take to be gone.
const KILLED_WITHIN: Duration = Duration::from_secs(5);

/// How long a primary may take to read its append-only file.
const LOADED_WITHIN: Duration = Duration::from_secs(30);

/// Why a Redis server could not be brought to its role.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// It refused a command or did not answer.
    #[error(transparent)]
    Program(#[from] CommandError),
    /// Its answer can't be read.
    #[error("the answer of Redis can't be read")]
    Status(#[from] StatusError),
}

/// How a primary is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Its process ended.
    Ended,
    /// It was started again and is not back.
    NotBack,
    /// Its zone or server is lost.
    Lost,
}

/// What is done when a primary is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// A replica becomes the primary.
    Promote,
    /// It is started again where it was.
    RestartInPlace,
    /// Nothing can be done until its zone is back.
    Wait,
}

/// What to do when a primary is gone.
pub fn respond(is_durable: bool, gone: Gone, has_replica: bool) -> Response {
    match (gone, has_replica) {
        (Gone::Ended, _) if is_durable => Response::RestartInPlace,
        (_, true) => Response::Promote,
        (Gone::Lost, false) => Response::Wait,
        (Gone::Ended | Gone::NotBack, false) => Response::RestartInPlace,
    }
}

/// The replica that has most of its primary's data; none where none has a whole copy.
pub fn most_advanced(replicas: &[(String, ReplicationStatus)]) -> Option<&str> {
    let copied = replicas.iter().filter_map(|(name, status)| match status {
        ReplicationStatus::Replica {
            copying: false,
            offset,
            ..
        } if *offset > 0 => Some((name.as_str(), *offset)),
        _ => None,
    });
    // Of equal ones the first.
    let best = copied.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(name, _)| name)
}

fn ask(
    context: &Context,
    cluster: &RedisCluster,
    node: &str,
    command: &[&str],
) -> Result<String, RedisError> {
    let socket = context.layout.control(node).join("redis.sock");
    let command = redis::client_command_line(&socket.display().to_string(), command);
    let password = context.secrets.value(&control_secret(&cluster.name));
    let printed = Command::new(&command[0])
        .args(&command[1..])
        .env(redis::CLIENT_PASSWORD_VARIABLE, password)
        .run()?;
    Ok(printed.text())
}

/// Makes a server that runs the primary, or a replica of it; well if it is that already. Waits until
/// it has read its file.
///
/// # Errors
/// When it does not answer or refuses.
pub fn assume_role(
    context: &Context,
    cluster: &RedisCluster,
    node: &Node,
    primary: &Node,
) -> Result<(), RedisError> {
    let mut last = None;
    let loaded = wait::until(LOADED_WITHIN, || {
        // The exit code is not 0 while it reads its file.
        let answer = ask(context, cluster, &node.name, &["PING"]);
        answer.map_err(|error| last = Some(error)).ok()
    });
    if let (None, Some(error)) = (loaded, last) {
        return Err(error);
    }
    let status = status(context, cluster, &node.name)?;
    let wanted = primary.address.to_string();
    match status {
        ReplicationStatus::Replica { .. } if node.name == primary.name => {
            ask(context, cluster, &node.name, &redis::PROMOTE)?;
        }
        ReplicationStatus::Replica { primary, .. } if primary == wanted => {}
        ReplicationStatus::Primary { .. } if node.name == primary.name => {}
        _ => {
            let command = redis::follow(primary.address.into(), cluster.port);
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            ask(context, cluster, &node.name, &command)?;
        }
    }
    Ok(())
}

fn status(
    context: &Context,
    cluster: &RedisCluster,
    node: &str,
) -> Result<ReplicationStatus, RedisError> {
    let info = ask(context, cluster, node, &redis::INFO_REPLICATION)?;
    Ok(parse_info_replication(&info)?)
}

/// What a look at the replicas gave.
#[derive(Debug)]
pub struct Choice {
    /// The cluster.
    pub cluster: String,
    /// Its primary before.
    pub from: String,
    /// How that is gone.
    pub gone: Gone,
    /// The replica to promote; none where none has a whole copy.
    pub to: Option<String>,
}

impl Supervisor {
    fn redis_cluster(&self, name: &str) -> Option<&RedisCluster> {
        self.blueprint()
            .redis
            .iter()
            .find(|cluster| cluster.name == name)
    }

    /// Whether a node is its cluster's primary.
    pub(super) fn is_primary(&self, cluster: &str, node: &str) -> bool {
        let cluster = self.redis_cluster(cluster);
        cluster.is_some_and(|cluster| super::primary(cluster, &self.record) == node)
    }

    /// A Redis server's process ended. Whether something was done about it; else it is to be started
    /// again in a while.
    pub(super) fn redis_ended(&mut self, name: &str, cluster: &str, reason: &str) -> bool {
        if !self.is_primary(cluster, name) {
            return false;
        }
        if self.primary_gone(cluster, Gone::Ended) {
            return true;
        }
        self.watch
            .redis_down
            .entry(cluster.to_owned())
            .or_insert_with(Instant::now);
        self.restart_at_once(name, reason.to_owned());
        true
    }

    /// A cluster's primary is gone. Whether a replica takes over or nothing can be done now; else it
    /// is to be started again.
    pub(super) fn primary_gone(&mut self, cluster: &str, gone: Gone) -> bool {
        let Some(cluster) = self.redis_cluster(cluster).cloned() else {
            return false;
        };
        let from = super::primary(&cluster, &self.record).to_owned();
        let replicas: Vec<String> = cluster
            .members
            .iter()
            .map(|member| member.name.clone())
            .filter(|name| *name != from && !self.is_lost(name))
            .filter(|name| self.conditions.get(name) == Some(&Condition::Ready))
            .collect();
        let is_durable = matches!(cluster.persistence, RedisPersistence::Durable(_));
        match respond(is_durable, gone, !replicas.is_empty()) {
            Response::RestartInPlace => false,
            Response::Wait => true,
            Response::Promote => {
                if gone == Gone::Ended {
                    self.hold(&from, "a replica takes over from it");
                }
                self.start_choosing_replica(cluster, from, replicas, gone);
                true
            }
        }
    }

    fn start_choosing_replica(
        &self,
        cluster: RedisCluster,
        from: String,
        replicas: Vec<String>,
        gone: Gone,
    ) {
        let (workshop, sender) = (self.workshop.clone(), self.mailbox.sender());
        thread::spawn(move || {
            if gone == Gone::NotBack {
                if ask(&workshop.context, &cluster, &from, &["PING"]).is_ok() {
                    // It is back at this moment, and takes writes that its replica may not have.
                    return;
                }
                // It must take none from now on.
                let _ = workshop
                    .runtime
                    .signal_and_wait(&from, "SIGKILL", KILLED_WITHIN);
            }
            let statuses: Vec<_> = replicas
                .into_iter()
                .filter_map(|name| {
                    let status = status(&workshop.context, &cluster, &name).ok()?;
                    Some((name, status))
                })
                .collect();
            let to = most_advanced(&statuses).map(str::to_owned);
            sender.send(Message::ReplicaChosen(Choice {
                cluster: cluster.name,
                from,
                gone,
                to,
            }));
        });
    }

    /// A replica was chosen: it is the primary from now on, and is told so.
    pub(super) fn replica_chosen(&mut self, choice: Choice) {
        let Choice {
            cluster,
            from,
            gone,
            to,
        } = choice;
        if !self.is_primary(&cluster, &from) || !self.is_gone(&from) {
            return;
        }
        let before = self.record.primaries.get(&cluster).cloned();
        let recorded = to.filter(|to| {
            self.record.primaries.insert(cluster.clone(), to.clone());
            self.save()
        });
        let Some(to) = recorded else {
            match before {
                Some(before) => drop(self.record.primaries.insert(cluster, before)),
                None => drop(self.record.primaries.remove(&cluster)),
            }
            if gone == Gone::Ended {
                self.restart_at_once(&from, "no replica could take over".to_owned());
            }
            return;
        };
        self.watch.redis_down.remove(&cluster);
        self.components = super::components_of(&self.workshop, &self.record);
        self.note(
            &to,
            Level::Info,
            format!("Takes over as the primary from {from}."),
        );
        // Both are told their roles when they are looked at.
        self.conditions.insert(to, Condition::Absent);
        self.release_hold(&from);
    }

    fn is_gone(&self, name: &str) -> bool {
        self.conditions.get(name) != Some(&Condition::Ready)
    }

    /// Lets replicas take over from primaries that are not back in time.
    pub(super) fn look_at_primaries(&mut self) {
        for cluster in self.workshop.context.blueprint.redis.clone() {
            // Also what was lost when no replica could take over, or before this supervisor began.
            if self.is_lost(super::primary(&cluster, &self.record)) {
                self.watch
                    .redis_down
                    .entry(cluster.name)
                    .or_insert_with(Instant::now);
            }
        }
        let late: Vec<String> = self
            .watch
            .redis_down
            .iter()
            .filter(|(_, since)| since.elapsed() >= BACK_WITHIN)
            .map(|(cluster, _)| cluster.clone())
            .collect();
        for cluster in late {
            self.watch.redis_down.remove(&cluster);
            let primary = self
                .redis_cluster(&cluster)
                .map(|it| super::primary(it, &self.record));
            let lost = primary.is_some_and(|primary| self.is_lost(primary));
            self.primary_gone(&cluster, if lost { Gone::Lost } else { Gone::NotBack });
        }
    }

    /// When a replica is to take over next.
    pub(super) fn next_takeover(&self) -> Option<Instant> {
        self.watch
            .redis_down
            .values()
            .map(|since| *since + BACK_WITHIN)
            .min()
    }

    /// A Redis server runs, as the primary or following it.
    pub(super) fn redis_running(&mut self, cluster: &str, name: &str, told: &str) -> bool {
        let is_told_right = self.is_primary(cluster, told);
        if is_told_right && told == name {
            self.watch.redis_down.remove(cluster);
        }
        is_told_right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_restarted_and_caches_taken_over() {
        let cases = [
            (true, Gone::Ended, true, Response::RestartInPlace),
            (true, Gone::NotBack, true, Response::Promote),
            (true, Gone::NotBack, false, Response::RestartInPlace),
            (true, Gone::Lost, true, Response::Promote),
            (true, Gone::Lost, false, Response::Wait),
            (false, Gone::Ended, true, Response::Promote),
            (false, Gone::Ended, false, Response::RestartInPlace),
            (false, Gone::Lost, true, Response::Promote),
            (false, Gone::Lost, false, Response::Wait),
        ];
        for (is_durable, gone, has_replica, expected) in cases {
            let response = respond(is_durable, gone, has_replica);
            assert_eq!(response, expected, "{is_durable} {gone:?} {has_replica}");
        }
    }

    #[test]
    fn a_replica_without_a_whole_copy_is_never_chosen() {
        let replica = |name: &str, copying, offset| {
            let status = ReplicationStatus::Replica {
                primary: "172.31.6.20".to_owned(),
                port: 6379,
                connected: false,
                copying,
                offset,
            };
            (name.to_owned(), status)
        };
        assert_eq!(most_advanced(&[]), None);
        assert_eq!(
            most_advanced(&[replica("a", true, 90), replica("b", false, 0)]),
            None
        );
        let all = [
            replica("a", false, 7),
            replica("b", false, 9),
            replica("c", false, 9),
        ];
        assert_eq!(most_advanced(&all), Some("b"));
    }
}
