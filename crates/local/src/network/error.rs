//! What can go wrong with the network.

use std::{io, net::Ipv4Addr};

use crate::command::CommandError;

/// Why a blueprint has no network plan. A checked environment's blueprint always has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A name that can't name a namespace or a set.
    #[error("`{0}` is no name: it must consist of a-z, 0-9 and `-`")]
    Name(String),
    /// Two attachments with one name.
    #[error("two parts of the network are called `{0}`")]
    DuplicateName(String),
    /// Two attachments with one address.
    #[error("`{first}` and `{second}` have the same address, {address}")]
    DuplicateAddress {
        /// One of them.
        first: String,
        /// The other one.
        second: String,
        /// Their address.
        address: Ipv4Addr,
    },
    /// An address outside the VPC.
    #[error("the address of `{name}`, {address}, is outside the VPC")]
    OutsideVpc {
        /// Whose address.
        name: String,
        /// The address.
        address: Ipv4Addr,
    },
    /// A route to a NAT gateway that does not exist.
    #[error("subnet `{subnet}` routes to NAT gateway `{gateway}`, which does not exist")]
    NoSuchNatGateway {
        /// The subnet.
        subnet: String,
        /// The missing gateway.
        gateway: String,
    },
    /// An access rule with a peer that is no address range.
    #[error("`{0}` in an access rule is no address range")]
    Range(String),
    /// An access rule with no security group at either end.
    #[error("an access rule from {from} to {to} names no security group")]
    NoGroup {
        /// Its source range.
        from: String,
        /// Its destination range.
        to: String,
    },
}

/// Why the network could not be made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A program failed.
    #[error("could not {action}")]
    Command {
        /// What was being done.
        action: String,
        /// Why it failed.
        source: CommandError,
    },
    /// The kernel refused something.
    #[error("could not {action}")]
    System {
        /// What was being done.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A program printed something unexpected.
    #[error("could not read what `{program}` printed")]
    Format {
        /// The program.
        program: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Interfaces of the router did not connect.
    #[error("no connection over {} after 5 s", .interfaces.join(", "))]
    NotConnected {
        /// Their names.
        interfaces: Vec<String>,
    },
    /// The way to the internet did not open.
    #[error("slirp4netns did not open the way to the internet: {reason}")]
    Internet {
        /// What happened instead.
        reason: String,
    },
    /// Several things failed; what could be done was done.
    #[error("{} steps failed: {}", .0.len(), join(.0))]
    Several(Vec<NetworkError>),
}

impl NetworkError {
    pub(super) fn command(action: impl Into<String>) -> impl FnOnce(CommandError) -> Self {
        let action = action.into();
        move |source| Self::Command { action, source }
    }

    pub(super) fn system<E: Into<io::Error>>(action: impl Into<String>) -> impl FnOnce(E) -> Self {
        let action = action.into();
        move |source| Self::System {
            action,
            source: source.into(),
        }
    }

    /// All errors as one; fine when there is none.
    pub(super) fn collect(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Several(errors)),
        }
    }
}

/// The errors with their causes: in a list the causes can't be had through `source`.
fn join(errors: &[NetworkError]) -> String {
    let whole = |error: &NetworkError| {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    };
    errors.iter().map(whole).collect::<Vec<_>>().join("; ")
}
