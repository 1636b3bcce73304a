//! Breaking things on purpose, and changing who the database's writer is.

use super::{
    ClientError,
    socket::{ask, unexpected},
};
use crate::{
    layout::Layout,
    supervisor::{
        control::{Answer, Request},
        faults::Fault,
    },
};

/// Makes a reader of the database the writer, and waits until it is.
///
/// # Errors
/// When the environment does not run, or no reader can take over now; the writer stays then.
pub fn db_failover(layout: &Layout) -> Result<(), ClientError> {
    send(layout, &Request::FailOver)
}

/// Takes a zone away, with all that is in it.
///
/// # Errors
/// When the environment does not run, or the zone can't be lost.
pub fn lose_zone(layout: &Layout, zone: &str) -> Result<(), ClientError> {
    fault(layout, Fault::LoseZone(zone.to_owned()))
}

/// Gives a lost zone back.
///
/// # Errors
/// When the environment does not run, or the zone is not lost.
pub fn restore_zone(layout: &Layout, zone: &str) -> Result<(), ClientError> {
    fault(layout, Fault::RestoreZone(zone.to_owned()))
}

/// Takes a server away, with all tasks on it.
///
/// # Errors
/// When the environment does not run, or there is no such server.
pub fn lose_server(layout: &Layout, server: &str) -> Result<(), ClientError> {
    fault(layout, Fault::LoseServer(server.to_owned()))
}

/// Gives a lost server back.
///
/// # Errors
/// When the environment does not run, or the server is not lost.
pub fn restore_server(layout: &Layout, server: &str) -> Result<(), ClientError> {
    fault(layout, Fault::RestoreServer(server.to_owned()))
}

/// Kills the processes of a task.
///
/// # Errors
/// When the environment does not run, or there is no such task.
pub fn kill_task(layout: &Layout, id: &str) -> Result<(), ClientError> {
    fault(layout, Fault::KillTask(id.to_owned()))
}

/// Kills the process of a server: a database member, a Redis server, a load-balancer node.
///
/// # Errors
/// When the environment does not run, or there is no such server.
pub fn kill_node(layout: &Layout, name: &str) -> Result<(), ClientError> {
    fault(layout, Fault::KillNode(name.to_owned()))
}

fn fault(layout: &Layout, fault: Fault) -> Result<(), ClientError> {
    send(layout, &Request::Fault { fault })
}

fn send(layout: &Layout, request: &Request) -> Result<(), ClientError> {
    match ask(layout, request)?.answer()? {
        Answer::Accepted => Ok(()),
        _ => Err(unexpected()),
    }
}
