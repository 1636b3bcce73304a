//! Changes of the router's sets while it runs, as nftables.

use std::{fmt, net::Ipv4Addr};

use super::firewall::TABLE;

/// A change of one set of a running environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetChange {
    /// The set: [`ISOLATED`](super::firewall::ISOLATED) or one from
    /// [`group_set`](super::firewall::group_set).
    pub set: String,
    /// The address that comes or goes.
    pub address: Ipv4Addr,
    /// Whether it comes.
    pub present: bool,
}

impl fmt::Display for SetChange {
    /// The change for `nft -f -`. Right in whatever state the set is: what goes is added first,
    /// since nftables refuses to delete what is not there.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            set,
            address,
            present,
        } = self;
        writeln!(out, "add element {TABLE} {set} {{ {address} }}")?;
        if !present {
            writeln!(out, "delete element {TABLE} {set} {{ {address} }}")?;
        }
        Ok(())
    }
}

/// Several changes as one transaction.
pub fn set_changes<'a>(changes: impl IntoIterator<Item = &'a SetChange>) -> String {
    changes.into_iter().map(SetChange::to_string).collect()
}
