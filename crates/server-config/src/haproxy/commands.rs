//! Commands for the runtime socket (HAProxy 2.6 management guide §9.3).
//!
//! Each builder gives one line, newline included, to be written to the socket; the answer, read until
//! the end of the stream, goes to [`check_reply`]. The life of a target is
//! [`register`] → [`admit_to_fail_open`] once it has been healthy → [`drain`] → [`remove`], repeated
//! until the requests in flight have ended.

use super::groups::{REUSE, fail_open_backend, name};
use super::{RenderError, Target, TargetGroup};

/// Asks for the servers' statistics, for [`super::status::parse_show_stat`].
pub const SHOW_STAT: &str = "show stat -1 4 -1\n";

/// Administrative state of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Takes requests while healthy.
    Ready,
    /// Takes only requests with its stickiness cookie.
    Drain,
    /// Takes no requests and is not checked; requests in flight finish.
    Maintenance,
}

impl State {
    fn keyword(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Drain => "drain",
            Self::Maintenance => "maint",
        }
    }
}

/// When a registered target takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// As soon as it has passed its health checks.
    WhenHealthy,
    /// Not before [`release`]: until then it is checked only.
    Held,
}

/// Adds a target.
///
/// It comes in with weight 0 and marked down, since HAProxy takes a server that leaves maintenance
/// to be healthy until a check fails. Servers added at run time get their stickiness cookie only when
/// dynamic cookies are enabled again. Do not repeat this for a target that takes requests already: it
/// would be marked down until its next checks.
///
/// # Errors
/// [`RenderError::UnsafeText`] for a name that can't be one.
pub fn register(
    group: &TargetGroup,
    target: &Target,
    admission: Admission,
) -> Result<String, RenderError> {
    let backend = name("the name of a target group", &group.name)?;
    let server = format!("{backend}/{}", name("the name of a target", &target.name)?);
    let open_backend = fail_open_backend(backend);
    let open_server = format!("{open_backend}/{}", target.name);
    let address = target.address;
    let check = group.health_check.server_keywords();
    let mut commands = vec![
        format!("add server {server} {address} {check} weight 0"),
        format!("add server {open_server} {address} {REUSE}"),
        format!("enable health {server}"),
    ];
    if group.stickiness.is_some() {
        commands.push(format!("enable dynamic-cookie backend {backend}"));
        commands.push(format!("enable dynamic-cookie backend {open_backend}"));
    }
    commands.push(format!("set server {server} state ready"));
    commands.push(format!("set server {server} health down"));
    if admission == Admission::WhenHealthy {
        commands.push(format!("set server {server} weight 1"));
    }
    Ok(line(&commands))
}

/// Lets a target take requests that was registered as [`Admission::Held`].
///
/// # Errors
/// [`RenderError::UnsafeText`] for a name that can't be one.
pub fn release(group: &str, target: &str) -> Result<String, RenderError> {
    let backend = name("the name of a target group", group)?;
    let target = name("the name of a target", target)?;
    Ok(line(&[format!("set server {backend}/{target} weight 1")]))
}

/// Adds a target to its group's fail-open backend alone, where it is missing though the group has
/// it, as after a removal that was not finished.
///
/// # Errors
/// [`RenderError::UnsafeText`] for a name that can't be one.
pub fn add_to_fail_open(group: &str, target: &Target) -> Result<String, RenderError> {
    let backend = fail_open_backend(name("the name of a target group", group)?);
    let server = name("the name of a target", &target.name)?;
    Ok(line(&[format!(
        "add server {backend}/{server} {} {REUSE}",
        target.address
    )]))
}

/// Lets a target take requests when no target of its group is healthy. For a target that has been
/// healthy once: a starting one should get none.
///
/// # Errors
/// [`RenderError::UnsafeText`] for a name that can't be one.
pub fn admit_to_fail_open(group: &str, target: &str) -> Result<String, RenderError> {
    let backend = fail_open_backend(name("the name of a target group", group)?);
    let target = name("the name of a target", target)?;
    Ok(line(&[format!(
        "set server {backend}/{target} state ready"
    )]))
}

/// Deregisters a target: no new requests, with or without a stickiness cookie; those in flight
/// finish.
///
/// # Errors
/// [`RenderError::UnsafeText`] for a name that can't be one.
pub fn drain(group: &str, target: &str) -> Result<String, RenderError> {
    set_state(group, target, State::Maintenance)
}

/// Sets a target's administrative state in both of its group's backends.
///
/// # Errors
/// [`RenderError::UnsafeText`] for a name that can't be one.
pub fn set_state(group: &str, target: &str, state: State) -> Result<String, RenderError> {
    both(group, target, |server| {
        format!("set server {server} state {}", state.keyword())
    })
}

/// Removes a drained target; the answer goes to [`check_removal_reply`], and as long as that says
/// [`CommandError::StillConnected`] the command is to be repeated.
///
/// A connection whose request ends during maintenance stays in the pool of idle ones, and a server
/// with idle connections can't be deleted (HAProxy 2.6). They are closed on the way into maintenance,
/// hence the step out of it and back; nothing but a request with a stickiness cookie could slip in,
/// and would be answered.
///
/// # Errors
/// [`RenderError::UnsafeText`] for a name that can't be one.
pub fn remove(group: &str, target: &str) -> Result<String, RenderError> {
    both(group, target, |server| {
        format!(
            "set server {server} state drain; set server {server} state maint; del server {server}"
        )
    })
}

/// Breaks the connections to a target whose deregistration delay is over.
///
/// # Errors
/// [`RenderError::UnsafeText`] for a name that can't be one.
pub fn shut_sessions_down(group: &str, target: &str) -> Result<String, RenderError> {
    both(group, target, |server| {
        format!("shutdown sessions server {server}")
    })
}

fn both(
    group: &str,
    target: &str,
    command: impl Fn(&str) -> String,
) -> Result<String, RenderError> {
    let group = name("the name of a target group", group)?;
    let target = name("the name of a target", target)?;
    let open = fail_open_backend(group);
    Ok(line(&[
        command(&format!("{group}/{target}")),
        command(&format!("{open}/{target}")),
    ]))
}

fn line(commands: &[String]) -> String {
    commands.join("; ") + "\n"
}

/// What HAProxy answered instead of doing it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// A server of that name is there already.
    #[error("the server is registered already")]
    AlreadyExists,
    /// There is no such backend.
    #[error("there is no such backend")]
    NoSuchBackend,
    /// There is no such server.
    #[error("there is no such server")]
    NoSuchServer,
    /// The server must be drained before it is removed.
    #[error("the server is not drained")]
    NotDrained,
    /// Requests are still in flight; try again.
    #[error("the server still has connections")]
    StillConnected,
    /// Anything else, in HAProxy's words.
    #[error("HAProxy answered: {0}")]
    Other(String),
}

/// Reads the answer to one of the commands above.
///
/// # Errors
/// The first line that tells of a failure, as a [`CommandError`].
pub fn check_reply(reply: &str) -> Result<(), CommandError> {
    for line in reply.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !matches!(line, "New server registered." | "Server deleted.") {
            return Err(command_error(line));
        }
    }
    Ok(())
}

/// Reads the answer to [`remove`]: a server that is gone already is no failure.
///
/// # Errors
/// The first line that tells of a failure, as a [`CommandError`].
pub fn check_removal_reply(reply: &str) -> Result<(), CommandError> {
    let failures: Vec<&str> = reply
        .lines()
        .filter(|line| !line.starts_with("No such server"))
        .collect();
    check_reply(&failures.join("\n"))
}

fn command_error(line: &str) -> CommandError {
    if line.starts_with("Already exists a server") {
        CommandError::AlreadyExists
    } else if line.starts_with("No such backend") {
        CommandError::NoSuchBackend
    } else if line.starts_with("No such server") {
        CommandError::NoSuchServer
    } else if line.starts_with("Only servers in maintenance") {
        CommandError::NotDrained
    } else if line.starts_with("Server still has connections") {
        CommandError::StillConnected
    } else {
        CommandError::Other(line.to_owned())
    }
}
