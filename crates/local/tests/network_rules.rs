//! nftables takes the ruleset of whatever access graph.

mod network_support;

use std::collections::BTreeSet;

use mck_blueprint::model::{AccessRule, Peer, PortRange, Protocol};
use mck_local::{
    command::Command,
    network::{Firewall, Members, in_namespace},
};
use network_support::{blueprint, group, real::environment};
use proptest::prelude::*;

/// A namespace to try rulesets in.
struct Scratch(String);

impl Scratch {
    fn new() -> Self {
        let scratch = Self(environment("rules").namespace("scratch"));
        Command::new("ip")
            .args(["netns", "add", &scratch.0])
            .run()
            .expect("`ip` makes a namespace");
        scratch
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).run();
    }
}

fn peer() -> impl Strategy<Value = Peer> {
    prop_oneof![
        // Words of nftables among them, and names that begin like numbers.
        proptest::sample::select(vec![
            "app-shop", "drop", "ip", "0-day", "element", "database"
        ])
        .prop_map(|name| Peer::Group(group(name))),
        (any::<u32>(), 0_u8..=32).prop_map(|(address, length)| Peer::Range(format!(
            "{}/{length}",
            std::net::Ipv4Addr::from(address)
        ))),
        Just(Peer::Range("2001:db8::/32".to_owned())),
        Just(Peer::PrefixList(
            "com.amazonaws.global.cloudfront.origin-facing".to_owned()
        )),
    ]
}

prop_compose! {
    fn rule()(
        from in peer(),
        to in peer(),
        udp in any::<bool>(),
        first in any::<u16>(),
        width in 0_u16..2000,
        // Quotes, backslashes, ends of lines, long texts of wide characters.
        reason in "(?s).{0,200}",
    ) -> AccessRule {
        AccessRule {
            from,
            to,
            protocol: if udp { Protocol::Udp } else { Protocol::Tcp },
            ports: PortRange { first, last: first.saturating_add(width) },
            reason,
        }
    }
}

fn members() -> impl Strategy<Value = Members> {
    let addresses = proptest::collection::btree_set(any::<u32>().prop_map(Into::into), 0..4);
    let name = proptest::sample::select(vec!["app-shop", "drop", "late"]).prop_map(group);
    proptest::collection::btree_map(name, addresses, 0..3)
}

#[test]
fn nftables_takes_whatever_ruleset() {
    let scratch = Scratch::new();
    let rules = proptest::collection::vec(rule(), 0..12);
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..Default::default()
    };
    proptest!(config, |(rules in rules, members in members())| {
        let between_ranges = |rule: &AccessRule| {
            matches!((&rule.from, &rule.to), (Peer::Range(_), Peer::Range(_)))
        };
        let mut blueprint = blueprint();
        blueprint.access = rules.into_iter().filter(|rule| !between_ranges(rule)).collect();
        let firewall = Firewall::new(&blueprint).unwrap();
        let text = firewall.ruleset(&members, &BTreeSet::new());
        let check = || Command::new("nft").args(["-c", "-f", "-"]).stdin(text.clone()).run();
        let checked = in_namespace(&scratch.0, check).unwrap();
        prop_assert!(checked.is_ok(), "{:?}\n{text}", checked.unwrap_err());
        prop_assert!(firewall.comments().iter().all(|comment| comment.len() <= 128));
    });
}
