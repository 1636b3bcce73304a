//! Questions about who reaches whom.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{Blueprint, Peer, Protocol, Tier};

impl Blueprint {
    /// Whether a connection is allowed. A range is allowed where a rule's range holds all of it;
    /// whether there is a route is another question, see [`Blueprint::has_way_out`].
    pub fn allows(&self, from: &Peer, to: &Peer, protocol: Protocol, port: u16) -> bool {
        self.access.iter().any(|rule| {
            rule.protocol == protocol
                && (rule.ports.first..=rule.ports.last).contains(&port)
                && covers(&rule.from, from)
                && covers(&rule.to, to)
        })
    }

    /// Whether packets from a subnet of the tier can leave the VPC by any route.
    pub fn has_way_out(&self, tier: Tier) -> bool {
        self.network
            .subnets
            .iter()
            .any(|subnet| subnet.tier == tier && subnet.route != crate::model::Route::None)
    }
}

/// Whether all of `peer` is part of the rule's peer.
fn covers(rule: &Peer, peer: &Peer) -> bool {
    match (rule, peer) {
        (Peer::Range(outer), Peer::Range(inner)) => match (network(outer), network(inner)) {
            (Some(outer), Some(inner)) => outer.contains(&inner),
            _ => outer == inner,
        },
        _ => rule == peer,
    }
}

/// Reads `192.0.2.0/24` or a single address.
fn network(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_covered_by_one_that_holds_all_of_it() {
        let range = |text: &str| Peer::Range(text.to_owned());
        assert!(covers(&range("0.0.0.0/0"), &range("192.0.2.1")));
        assert!(covers(&range("192.0.2.0/24"), &range("192.0.2.128/25")));
        assert!(!covers(&range("192.0.2.0/24"), &range("192.0.0.0/16")));
        assert!(!covers(&range("0.0.0.0/0"), &range("2001:db8::1")));
        assert!(!covers(
            &range("0.0.0.0/0"),
            &Peer::PrefixList("0.0.0.0/0".to_owned())
        ));
    }
}
