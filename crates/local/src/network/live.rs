//! Changing who is in which set of a running environment, without touching anything else.

use std::net::Ipv4Addr;

use super::{
    NetworkError, SetChange,
    firewall::ISOLATED,
    inside::{in_router, nft},
    set_changes,
};
use crate::id::EnvironmentId;

/// Changes sets of the router in one transaction; connections of others are not disturbed.
///
/// # Errors
/// When the environment has no router, or a set does not exist.
pub fn change_sets(environment: &EnvironmentId, changes: &[SetChange]) -> Result<(), NetworkError> {
    in_router(environment, || {
        nft(
            &set_changes(changes),
            "change the members of a security group",
        )
    })
}

/// Cuts addresses off from everything, running connections included: what a zone's loss looks
/// like from everywhere else. An `apply` of a plan that does not isolate them joins them again.
///
/// # Errors
/// When the environment has no router.
pub fn isolate(environment: &EnvironmentId, addresses: &[Ipv4Addr]) -> Result<(), NetworkError> {
    change_sets(environment, &isolation(addresses, true))
}

/// Joins addresses again that were cut off.
///
/// # Errors
/// When the environment has no router.
pub fn rejoin(environment: &EnvironmentId, addresses: &[Ipv4Addr]) -> Result<(), NetworkError> {
    change_sets(environment, &isolation(addresses, false))
}

fn isolation(addresses: &[Ipv4Addr], present: bool) -> Vec<SetChange> {
    let change = |address: &Ipv4Addr| SetChange {
        set: ISOLATED.to_owned(),
        address: *address,
        present,
    };
    addresses.iter().map(change).collect()
}
