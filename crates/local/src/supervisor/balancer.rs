//! Talking to the load balancer's nodes while they run.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use mck_server_config::haproxy::{
    Target, TargetGroup,
    commands::{self, Admission, CommandError},
    fail_open_backend,
    status::{OperationalState, ServerStatus, StatusError, parse_show_stat},
};

/// Why a node could not be talked to.
#[derive(Debug, thiserror::Error)]
pub enum BalancerError {
    /// Its socket does not answer.
    #[error("the load balancer's socket does not answer")]
    Socket(#[from] io::Error),
    /// It answered what can't be read.
    #[error("the load balancer's answer can't be read")]
    Status(#[from] StatusError),
    /// A name can't be in a command.
    #[error("a name can't be in a command")]
    Name(#[from] mck_server_config::haproxy::RenderError),
    /// It refused a command.
    #[error("the load balancer refused a command")]
    Refused(#[from] CommandError),
}

/// What a target group should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedGroup {
    /// The group, with the targets that take requests.
    pub group: TargetGroup,
    /// Targets among them that are only checked so far.
    pub held: BTreeSet<String>,
    /// Targets that finish what they have and get no more.
    pub draining: BTreeSet<String>,
}

/// What a node says of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// Whether its health checks pass.
    pub healthy: bool,
    /// Whether it was checked at all.
    pub checked: bool,
    /// What the last check said.
    pub detail: String,
    /// Requests in flight.
    pub in_flight: u64,
    /// Requests since the node began.
    pub requests: u64,
}

/// One command for a node's socket, and what the node must answer for it to count.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Register(Box<TargetGroup>, Target, Admission),
    Release(String, String),
    AdmitToFailOpen(String, Target),
    Drain(String, String),
    Remove(String, String),
}

/// Brings a node to what is wanted and tells how it finds each target, by group and target.
///
/// # Errors
/// When the node does not answer or refuses a command.
pub fn synchronise(
    socket: &Path,
    wanted: &[WantedGroup],
) -> Result<BTreeMap<(String, String), TargetHealth>, BalancerError> {
    let status = parse_show_stat(&ask(socket, commands::SHOW_STAT)?)?;
    for change in changes(wanted, &status) {
        carry_out(socket, &change)?;
    }
    let checked = status.iter().filter(|server| {
        wanted
            .iter()
            .any(|wanted| wanted.group.name == server.backend)
    });
    Ok(checked
        .map(|server| {
            let health = TargetHealth {
                // A held one has no weight, which HAProxy calls draining.
                healthy: matches!(
                    server.state,
                    OperationalState::Up | OperationalState::Draining
                ) && server.has_passed_a_check(),
                checked: !matches!(server.check_status.trim_start_matches("* "), "" | "INI"),
                detail: detail(server),
                in_flight: server.current_sessions,
                requests: server.total_sessions,
            };
            ((server.backend.clone(), server.server.clone()), health)
        })
        .collect())
}

fn detail(server: &ServerStatus) -> String {
    let status = server.check_status.trim_start_matches("* ");
    match (status, server.check_code) {
        ("" | "INI", _) => "not checked yet".to_owned(),
        ("L7OK", Some(code)) => format!("answers {code}"),
        ("L7STS", Some(code @ 100..)) => format!("the health check got {code}"),
        ("L7TOUT" | "L4TOUT", _) => "the health check took too long".to_owned(),
        ("L4CON", _) => "the health check's connection was refused".to_owned(),
        (status, _) => format!("{status} {}", server.last_check).trim().to_owned(),
    }
}

/// What must change for a node to be as wanted.
fn changes(wanted: &[WantedGroup], status: &[ServerStatus]) -> Vec<Change> {
    let mut changes = Vec::new();
    for WantedGroup {
        group,
        held,
        draining,
    } in wanted
    {
        let present: BTreeMap<&str, &ServerStatus> = status
            .iter()
            .filter(|server| server.backend == group.name)
            .map(|server| (server.server.as_str(), server))
            .collect();
        let open = fail_open_backend(&group.name);
        let admitted = |name: &str| {
            status.iter().any(|server| {
                server.backend == open
                    && server.server == name
                    && server.state != OperationalState::Maintenance
            })
        };
        for target in &group.targets {
            let is_held = held.contains(&target.name);
            match present.get(target.name.as_str()) {
                None => {
                    let admission = if is_held {
                        Admission::Held
                    } else {
                        Admission::WhenHealthy
                    };
                    let group = Box::new(group.clone());
                    changes.push(Change::Register(group, target.clone(), admission));
                }
                Some(server) if server.state == OperationalState::Draining && !is_held => {
                    changes.push(Change::Release(group.name.clone(), target.name.clone()));
                }
                Some(_) if is_held => {}
                Some(server) if server.has_passed_a_check() && !admitted(&target.name) => {
                    changes.push(Change::AdmitToFailOpen(group.name.clone(), target.clone()));
                }
                Some(_) => {}
            }
        }
        for (name, server) in present {
            if group.targets.iter().any(|target| target.name == name) {
                continue;
            }
            let key = (group.name.clone(), name.to_owned());
            if !draining.contains(name) {
                changes.push(Change::Drain(key.0.clone(), key.1.clone()));
                changes.push(Change::Remove(key.0, key.1));
            } else if server.state != OperationalState::Maintenance {
                changes.push(Change::Drain(key.0, key.1));
            }
        }
    }
    changes
}

fn carry_out(socket: &Path, change: &Change) -> Result<(), BalancerError> {
    match change {
        Change::Register(group, target, admission) => {
            let reply = ask(socket, &commands::register(group, target, *admission)?)?;
            match commands::check_reply(&reply) {
                Err(CommandError::AlreadyExists) => Ok(()),
                other => Ok(other?),
            }
        }
        Change::Release(group, target) => Ok(commands::check_reply(&ask(
            socket,
            &commands::release(group, target)?,
        )?)?),
        Change::AdmitToFailOpen(group, target) => {
            let admit = commands::admit_to_fail_open(group, &target.name)?;
            match commands::check_reply(&ask(socket, &admit)?) {
                Err(CommandError::NoSuchServer) => {
                    let add = commands::add_to_fail_open(group, target)?;
                    commands::check_reply(&ask(socket, &add)?)?;
                    Ok(commands::check_reply(&ask(socket, &admit)?)?)
                }
                other => Ok(other?),
            }
        }
        Change::Drain(group, target) => Ok(commands::check_reply(&ask(
            socket,
            &commands::drain(group, target)?,
        )?)?),
        Change::Remove(group, target) => {
            let reply = ask(socket, &commands::remove(group, target)?)?;
            match commands::check_removal_reply(&reply) {
                // It has requests in flight; the next look tries again.
                Err(CommandError::StillConnected) => Ok(()),
                other => Ok(other?),
            }
        }
    }
}

fn ask(socket: &Path, command: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(command.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
