//! Who may reach whom, as nftables.
//!
//! A security group is a named set of addresses, a rule of the access graph is one rule over
//! sets. As on AWS, what no rule allows is dropped without a word, answers to what is allowed
//! pass, and neither the resolver nor a NAT gateway is in a group. (On AWS a connection needs an
//! egress rule of its source and an ingress rule of its destination; both are made from one
//! access rule, so one nftables rule is both.)

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    net::Ipv4Addr,
};

use ipnet::{IpNet, Ipv4Net};
use mck_blueprint::{
    Blueprint,
    model::{AccessRule, Peer, Protocol, Route, SecurityGroupName, Tier},
};

use super::{PlanError, attachment::INTERNET_GATEWAY_NAME};
use crate::id::is_name;

/// The one table that is ours, in each namespace that has one.
pub const TABLE: &str = "inet mck";

/// The set of addresses that are cut off from everything.
pub const ISOLATED: &str = "isolated";

/// The longest comment that nftables keeps (`NFTNL_UDATA_COMMENT_MAXLEN`), in bytes.
const LONGEST_COMMENT: usize = 128;

/// The addresses in each security group.
pub type Members = BTreeMap<SecurityGroupName, BTreeSet<Ipv4Addr>>;

/// The rules about who may reach whom, without the addresses of group members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firewall {
    /// The VPC's range.
    pub vpc: Ipv4Net,
    /// Ranges with a way from and to the internet gateway.
    public: Vec<Ipv4Net>,
    /// The persistence subnets.
    persistence: Vec<Ipv4Net>,
    resolver: Ipv4Addr,
    nat_gateways: BTreeSet<Ipv4Addr>,
    groups: BTreeSet<SecurityGroupName>,
    access: Vec<Allowed>,
}

/// An access rule that can be rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Allowed {
    matches: String,
    reason: String,
    label: String,
}

/// One rule of the chain: what it does, and the comment that it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ChainRule {
    text: String,
    comment: String,
    reason: Option<String>,
}

impl Firewall {
    /// The rules of a blueprint. IPv6 ranges and AWS's own lists of ranges are left out: locally there
    /// is neither.
    ///
    /// # Errors
    /// When a group's name can't name a set, or an access rule's range is none.
    pub fn new(blueprint: &Blueprint) -> Result<Self, PlanError> {
        let network = &blueprint.network;
        let ranges = |wanted: &dyn Fn(&mck_blueprint::model::Subnet) -> bool| {
            let subnets = network.subnets.iter().filter(|subnet| wanted(subnet));
            subnets.map(|subnet| subnet.cidr).collect::<Vec<_>>()
        };
        let mut public = ranges(&|subnet| subnet.route == Route::InternetGateway);
        public.push(network.resolver.into());
        let access: Vec<Allowed> = blueprint
            .access
            .iter()
            .map(allowed)
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect();
        Ok(Self {
            vpc: network.cidr,
            public: Ipv4Net::aggregate(&public),
            persistence: Ipv4Net::aggregate(&ranges(&|subnet| subnet.tier == Tier::Persistence)),
            resolver: network.resolver,
            nat_gateways: network
                .nat_gateways
                .iter()
                .map(|gateway| gateway.address)
                .collect(),
            groups: groups(blueprint)?,
            access,
        })
    }

    /// The sets by name, each with its elements as nftables prints them.
    pub fn sets(
        &self,
        members: &Members,
        isolated: &BTreeSet<Ipv4Addr>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let texts = |addresses: &BTreeSet<Ipv4Addr>| {
            addresses
                .iter()
                .map(Ipv4Addr::to_string)
                .collect::<BTreeSet<_>>()
        };
        let mut sets: BTreeMap<_, _> = self
            .ranges()
            .into_iter()
            .map(|(name, ranges)| (name.to_owned(), ranges.iter().map(range).collect()))
            .collect();
        sets.insert(ISOLATED.to_owned(), texts(isolated));
        sets.insert("nat-gateways".to_owned(), texts(&self.nat_gateways));
        for group in self.groups.iter().chain(members.keys()) {
            let addresses = members.get(group).map(texts).unwrap_or_default();
            sets.insert(group_set(group), addresses);
        }
        sets
    }

    /// The comments of the rules in order. Each says all that its rule does, so that two chains
    /// with the same comments have the same rules.
    pub fn comments(&self) -> Vec<String> {
        self.chain().into_iter().map(|rule| rule.comment).collect()
    }

    /// The router's whole ruleset, for `nft -f -`: replaces ours in one transaction, whatever
    /// there was before.
    pub fn ruleset(&self, members: &Members, isolated: &BTreeSet<Ipv4Addr>) -> String {
        let intervals = self.ranges();
        let mut out = replace_table();
        for (name, elements) in self.sets(members, isolated) {
            let interval = intervals.contains_key(name.as_str());
            set(&mut out, &name, interval, &elements);
        }
        out.push_str("\tchain forward {\n");
        out.push_str("\t\ttype filter hook forward priority filter; policy drop;\n");
        for rule in self.chain() {
            let ChainRule {
                text,
                comment,
                reason,
            } = rule;
            if let Some(reason) = reason {
                let _ = writeln!(out, "\t\t# {reason}");
            }
            let _ = writeln!(out, "\t\t{text} comment \"{comment}\"");
        }
        out.push_str("\t}\n}\n");
        out
    }

    /// The sets of ranges.
    fn ranges(&self) -> BTreeMap<&'static str, Vec<Ipv4Net>> {
        BTreeMap::from([
            ("vpc", vec![self.vpc]),
            ("public", self.public.clone()),
            ("persistence", self.persistence.clone()),
        ])
    }

    fn chain(&self) -> Vec<ChainRule> {
        let mut rules = self.structure();
        rules.extend(self.access.iter().map(|allowed| ChainRule {
            text: format!("{} accept", allowed.matches),
            comment: cut(&format!("{}: {}", allowed.label, allowed.reason)),
            reason: Some(allowed.reason.clone()),
        }));
        rules
    }

    /// What holds in every VPC, whatever the access graph says.
    fn structure(&self) -> Vec<ChainRule> {
        let resolver = self.resolver;
        let dns = "meta l4proto { tcp, udp } th dport 53";
        [
            (
                "ip saddr @isolated drop".to_owned(),
                "isolated: sends nothing".to_owned(),
            ),
            (
                "ip daddr @isolated drop".to_owned(),
                "isolated: gets nothing".to_owned(),
            ),
            (
                "ip saddr @persistence ip daddr != @vpc drop".to_owned(),
                "nothing leaves the VPC from the persistence tier".to_owned(),
            ),
            (
                "ip daddr @persistence ip saddr != @vpc drop".to_owned(),
                "nothing from outside the VPC comes to the persistence tier".to_owned(),
            ),
            (
                "ip daddr 169.254.0.0/16 drop".to_owned(),
                "link-local: the metadata service of the machine stays out of reach".to_owned(),
            ),
            (
                format!("oifname \"{INTERNET_GATEWAY_NAME}\" ip saddr != @public drop"),
                "only public subnets and the resolver go straight out".to_owned(),
            ),
            (
                format!("iifname \"{INTERNET_GATEWAY_NAME}\" ip daddr != @public drop"),
                "only public subnets and the resolver are reached from outside".to_owned(),
            ),
            (
                "ct state established,related accept".to_owned(),
                "answers to what was allowed, with ICMP errors such as path MTU".to_owned(),
            ),
            (
                "ct state invalid drop".to_owned(),
                "no part of any connection".to_owned(),
            ),
            (
                format!("ip saddr @vpc ip daddr {resolver} {dns} accept"),
                format!("all in the VPC ask the resolver, {resolver}"),
            ),
            (
                format!("ip saddr {resolver} ip daddr != @vpc {dns} accept"),
                format!("the resolver, {resolver}, asks the internet"),
            ),
            (
                format!("ip saddr @nat-gateways oifname \"{INTERNET_GATEWAY_NAME}\" accept"),
                "NAT gateways send on what they were allowed to get".to_owned(),
            ),
        ]
        .map(|(text, comment)| ChainRule {
            text,
            comment: comment.to_owned(),
            reason: None,
        })
        .into()
    }
}

/// The router's ruleset of a blueprint: `firewall.ruleset` in one step.
///
/// # Errors
/// As [`Firewall::new`].
pub fn ruleset(blueprint: &Blueprint, members: &Members) -> Result<String, PlanError> {
    Ok(Firewall::new(blueprint)?.ruleset(members, &BTreeSet::new()))
}

/// The name of a security group's set. The prefix keeps it from being a word of nftables.
pub fn group_set(group: &SecurityGroupName) -> String {
    format!("group-{group}")
}

/// Starts our table anew; declared first, since deleting what is not there fails.
pub(super) fn replace_table() -> String {
    format!("table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{\n")
}

fn set(out: &mut String, name: &str, interval: bool, elements: &BTreeSet<String>) {
    let _ = writeln!(out, "\tset {name} {{\n\t\ttype ipv4_addr");
    if interval {
        out.push_str("\t\tflags interval\n");
    }
    if !elements.is_empty() {
        let list = elements
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let _ = writeln!(out, "\t\telements = {{ {list} }}");
    }
    out.push_str("\t}\n");
}

/// A range as nftables prints it: a single address without a length.
fn range(range: &Ipv4Net) -> String {
    match range.prefix_len() {
        32 => range.addr().to_string(),
        _ => range.trunc().to_string(),
    }
}

fn groups(blueprint: &Blueprint) -> Result<BTreeSet<SecurityGroupName>, PlanError> {
    let ends = blueprint
        .access
        .iter()
        .flat_map(|rule| [&rule.from, &rule.to]);
    let named = ends.filter_map(|peer| match peer {
        Peer::Group(group) => Some(group),
        Peer::Range(_) | Peer::PrefixList(_) => None,
    });
    let declared = blueprint.security_groups.iter().map(|group| &group.name);
    named.chain(declared).map(valid_group).collect()
}

fn valid_group(group: &SecurityGroupName) -> Result<SecurityGroupName, PlanError> {
    if is_name(&group.0) {
        Ok(group.clone())
    } else {
        Err(PlanError::Name(group.0.clone()))
    }
}

/// What a rule matches; none for IPv6 ranges and AWS's lists.
fn allowed(rule: &AccessRule) -> Result<Option<Allowed>, PlanError> {
    let (Some(from), Some(to)) = (end(&rule.from, "saddr")?, end(&rule.to, "daddr")?) else {
        return Ok(None);
    };
    let ways = match (&rule.from, &rule.to) {
        (Peer::Range(from), Peer::Range(to)) => {
            return Err(PlanError::NoGroup {
                from: from.clone(),
                to: to.clone(),
            });
        }
        (Peer::Range(_), Peer::Group(_)) => format!("iifname \"{INTERNET_GATEWAY_NAME}\" "),
        _ => String::new(),
    };
    let protocol = match rule.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    let ports = match (rule.ports.first, rule.ports.last) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    Ok(Some(Allowed {
        matches: format!("{ways}{from} {to} {protocol} dport {ports}"),
        reason: plain(&rule.reason),
        label: format!(
            "{} -> {} {protocol}/{ports}",
            peer(&rule.from),
            peer(&rule.to)
        ),
    }))
}

/// The match of one end; none for an IPv6 range or one of AWS's lists.
fn end(peer: &Peer, field: &str) -> Result<Option<String>, PlanError> {
    match peer {
        Peer::Group(group) => Ok(Some(format!(
            "ip {field} @{}",
            group_set(&valid_group(group)?)
        ))),
        Peer::Range(text) => match text.parse::<IpNet>() {
            Ok(IpNet::V6(_)) => Ok(None),
            Ok(IpNet::V4(net)) if net.prefix_len() == 0 => Ok(Some(format!("ip {field} != @vpc"))),
            Ok(IpNet::V4(net)) => Ok(Some(format!(
                "ip {field} != @vpc ip {field} {}",
                range(&net)
            ))),
            Err(_) => Err(PlanError::Range(text.clone())),
        },
        Peer::PrefixList(_) => Ok(None),
    }
}

fn peer(peer: &Peer) -> &str {
    match peer {
        Peer::Group(group) => &group.0,
        Peer::Range(text) | Peer::PrefixList(text) => text,
    }
}

/// Text that can't end a comment early.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '"' => '\'',
            other if other.is_control() => ' ',
            other => other,
        })
        .collect()
}

/// At most the longest comment, cut between characters.
fn cut(text: &str) -> String {
    let end = (0..=LONGEST_COMMENT.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    text[..end].to_owned()
}
