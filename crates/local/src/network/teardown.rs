//! Removing all of an environment's network.

use super::{
    NetworkError, ROUTER,
    apply::remove_namespace,
    batch,
    inside::ip,
    internet::{internet_processes, stop_internet},
    observe::{is_namespace, list_parts},
};
use crate::id::EnvironmentId;

/// The names of an environment's parts that have a namespace, the router among them.
///
/// # Errors
/// When `/run/netns` can't be read.
pub fn list(environment: &EnvironmentId) -> Result<Vec<String>, NetworkError> {
    list_parts(environment)
}

/// Removes everything that carries the environment's name: its way to the internet and its
/// namespaces, with the interfaces, routes and rules in them. Goes on past errors. A namespace
/// with a process in it lives, nameless, as long as the process.
///
/// # Errors
/// All that could not be removed, and why.
pub fn teardown(environment: &EnvironmentId) -> Result<(), NetworkError> {
    let mut errors = Vec::new();
    match internet_processes(environment) {
        Ok(processes) => {
            errors.extend(
                processes
                    .into_iter()
                    .filter_map(|pid| stop_internet(pid).err()),
            );
        }
        Err(error) => errors.push(error),
    }
    match list_parts(environment) {
        Ok(parts) => errors.extend(remove_all(environment, parts)),
        Err(error) => errors.push(error),
    }
    NetworkError::collect(errors)
}

/// In one go if possible; else one by one, to come past what can't be removed. The router goes
/// last.
fn remove_all(environment: &EnvironmentId, mut parts: Vec<String>) -> Vec<NetworkError> {
    parts.sort_by_key(|part| part == ROUTER);
    let whole = parts
        .iter()
        .all(|part| is_namespace(&environment.namespace(part)));
    if whole
        && ip(
            batch::namespaces(environment, &parts, &[]),
            "remove the namespaces",
        )
        .is_ok()
    {
        return Vec::new();
    }
    parts
        .iter()
        .filter_map(|part| remove_namespace(environment, part).err())
        .collect()
}
