//! Security groups and their rules: the blueprint's access graph, cut along the stacks.
//!
//! A group is made by the stack of what it belongs to. A rule between two
//! groups is two resources, one at each end, in that stack of the two that comes later, so that the
//! stacks form no circle.

use std::collections::HashMap;

use mck_blueprint::{
    Blueprint,
    model::{AccessRule, Peer, PortRange, Protocol, SecurityGroup, SecurityGroupName},
};
use mck_cloudformation::{
    LogicalId, Parameter, ParameterType, Tag, Text,
    resources::ec2::{self, security_group::Egress},
};

use crate::{
    names,
    stack::{ParameterSource, Stack, StackId},
    synthesis::Scene,
};

mod prefix_lists;

/// Nowhere: a group without any rule out would get AWS's own, which allows everything (CloudFormation
/// resource reference, `AWS::EC2::SecurityGroup`, "Remove the default egress rule").
const NOWHERE: &str = "127.0.0.1/32";
const WORLD: &str = "0.0.0.0/0";
const WORLD_IPV6: &str = "::/0";

/// Groups and rules by the stack that makes them, sorted out once for all stacks.
pub(crate) struct Access<'a> {
    /// Owners of groups; of those that are not here the network stack.
    owners: HashMap<&'a str, StackId>,
    groups: HashMap<StackId, Vec<&'a SecurityGroup>>,
    rules: HashMap<StackId, Vec<&'a AccessRule>>,
}

impl Access<'_> {
    /// Sorts a blueprint's access graph out.
    pub(crate) fn of(blueprint: &Blueprint) -> Access<'_> {
        let mut access = Access {
            owners: owners(blueprint),
            groups: HashMap::new(),
            rules: HashMap::new(),
        };
        for group in &blueprint.security_groups {
            let owner = access.owner(&group.name);
            access.groups.entry(owner).or_default().push(group);
        }
        for rule in &blueprint.access {
            if let Some(home) = access.home(rule) {
                access.rules.entry(home).or_default().push(rule);
            }
        }
        access
    }

    fn owner(&self, group: &SecurityGroupName) -> StackId {
        let known = self.owners.get(group.0.as_str());
        known.cloned().unwrap_or(StackId::Network)
    }

    /// The stack that has a rule: the later one of the two that own its ends.
    fn home(&self, rule: &AccessRule) -> Option<StackId> {
        let owners = [&rule.from, &rule.to].map(|peer| match peer {
            Peer::Group(name) => Some(self.owner(name)),
            Peer::Range(_) | Peer::PrefixList(_) => None,
        });
        owners.into_iter().flatten().max()
    }
}

fn owners(blueprint: &Blueprint) -> HashMap<&str, StackId> {
    let mut owners = HashMap::new();
    for cluster in &blueprint.clusters {
        let stack = StackId::Cluster(cluster.name.clone());
        owners.insert(cluster.security_group.0.as_str(), stack);
    }
    for app in &blueprint.apps {
        let stack = StackId::App(app.name.clone());
        owners.insert(app.security_group.0.as_str(), stack);
    }
    if let Some(jenkins) = &blueprint.jenkins {
        for group in [&jenkins.node.security_group, &jenkins.home.security_group] {
            owners.insert(group.0.as_str(), StackId::Jenkins);
        }
    }
    owners
}

/// Adds the groups that the stack makes, and the rules that are its. Gives the rules: a server that
/// starts before them has no way out.
pub(crate) fn add(stack: &mut Stack, scene: &Scene<'_>) -> Vec<LogicalId> {
    let access = &scene.index.access;
    for group in access.groups.get(&stack.id).into_iter().flatten() {
        add_group(stack, scene.blueprint, group);
    }
    let rules = access.rules.get(&stack.id).into_iter().flatten();
    rules
        .flat_map(|rule| add_rule(stack, scene, rule))
        .collect()
}

/// The id of a group, for a resource of this stack.
pub(crate) fn id(stack: &mut Stack, scene: &Scene<'_>, group: &SecurityGroupName) -> Text {
    let owner = scene.index.access.owner(group);
    if owner == stack.id {
        logical_id(group).attribute("GroupId")
    } else {
        stack.take(&names::security_group(owner, group))
    }
}

fn logical_id(group: &SecurityGroupName) -> LogicalId {
    LogicalId::of(&["security-group", &group.0])
}

fn add_group(stack: &mut Stack, blueprint: &Blueprint, group: &SecurityGroup) {
    let vpc = names::network::vpc();
    let vpc = stack.have_or_take(&vpc);
    let full_name = format!(
        "{}-{}-{}",
        blueprint.project, blueprint.environment, group.name
    );
    let resource = ec2::SecurityGroup {
        group_description: group.description.as_str().into(),
        vpc_id: vpc,
        security_group_egress: vec![Egress {
            cidr_ip: NOWHERE.into(),
            ip_protocol: "-1".into(),
            description: "Nowhere; ways out are rules of their own".into(),
            ..Default::default()
        }],
        tags: vec![Tag::name(full_name)],
        ..Default::default()
    };
    let description = format!("Security group: {}", group.description);
    let id = stack
        .add(logical_id(&group.name), description, &resource)
        .id();
    stack.hand_over(
        &names::security_group(stack.id.clone(), &group.name),
        &format!("Security group of {}", group.name),
        id.attribute("GroupId"),
    );
}

/// A rule's two resources: one where it comes in, one where it goes out.
fn add_rule(stack: &mut Stack, scene: &Scene<'_>, rule: &AccessRule) -> Vec<LogicalId> {
    let mut added = Vec::new();
    let first = i64::from(rule.ports.first);
    let last = i64::from(rule.ports.last);
    let protocol = match rule.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    if let Peer::Group(to) = &rule.to {
        let mut ingress = ec2::SecurityGroupIngress {
            group_id: id(stack, scene, to),
            ip_protocol: protocol.into(),
            from_port: first.into(),
            to_port: last.into(),
            description: rule.reason.as_str().into(),
            ..Default::default()
        };
        match &rule.from {
            Peer::Group(from) => ingress.source_security_group_id = id(stack, scene, from),
            Peer::Range(range) if range.contains(':') => ingress.cidr_ipv6 = range.into(),
            Peer::Range(range) => ingress.cidr_ip = with_length(range).into(),
            Peer::PrefixList(name) => {
                ingress.source_prefix_list_id = prefix_list(stack, scene.blueprint, name);
            }
        }
        let id = rule_id("in", &to.0, "from", &rule.from, rule);
        added.push(stack.add(id, description(rule), &ingress).id());
    }
    if let Peer::Group(from) = &rule.from {
        let mut egress = ec2::SecurityGroupEgress {
            group_id: id(stack, scene, from),
            ip_protocol: protocol.into(),
            from_port: first.into(),
            to_port: last.into(),
            description: rule.reason.as_str().into(),
            ..Default::default()
        };
        match &rule.to {
            Peer::Group(to) => egress.destination_security_group_id = id(stack, scene, to),
            Peer::Range(range) if range.contains(':') => egress.cidr_ipv6 = range.into(),
            Peer::Range(range) => egress.cidr_ip = with_length(range).into(),
            Peer::PrefixList(name) => {
                egress.destination_prefix_list_id = prefix_list(stack, scene.blueprint, name);
            }
        }
        let id = rule_id("out", &from.0, "to", &rule.to, rule);
        added.push(stack.add(id, description(rule), &egress).id());
    }
    added
}

/// A single address as a range.
fn with_length(range: &str) -> String {
    if range.contains('/') {
        range.to_owned()
    } else {
        format!("{range}/32")
    }
}

fn rule_id(way: &str, group: &str, preposition: &str, peer: &Peer, rule: &AccessRule) -> LogicalId {
    let peer = match peer {
        Peer::Group(name) => name.0.clone(),
        Peer::Range(range) if range == WORLD => "world".to_owned(),
        Peer::Range(range) if range == WORLD_IPV6 => "world-ipv6".to_owned(),
        // Without anything between the numbers two ranges could get one name.
        Peer::Range(range) => range.replace(['.', ':', '/'], "x"),
        Peer::PrefixList(name) => name.clone(),
    };
    let ports = match rule.ports {
        PortRange { first, last } if first == last => first.to_string(),
        PortRange { first, last } => format!("{first}x{last}"),
    };
    let protocol = match rule.protocol {
        Protocol::Tcp => "",
        Protocol::Udp => "udp",
    };
    // A word between peer and port, since both may have figures next to each other.
    let words = [
        "rule",
        way,
        group,
        preposition,
        &peer,
        protocol,
        "port",
        &ports,
    ];
    LogicalId::of(&words)
}

fn description(rule: &AccessRule) -> String {
    format!("Rule: {}", rule.reason)
}

/// The id of a prefix list that AWS keeps: another one in each region, and CloudFormation can't find
/// it by its name. So it is a parameter, which has the known id as its default; whoever makes the
/// stack looks it up.
fn prefix_list(stack: &mut Stack, blueprint: &Blueprint, name: &str) -> Text {
    let parameter = LogicalId::of(&["prefix-list", name]).as_str().to_owned();
    let source = ParameterSource::ManagedPrefixList(name.to_owned());
    stack.parameters.insert(parameter.clone(), source);
    stack.template.parameter(Parameter {
        name: parameter,
        description: format!("The id of the managed prefix list {name} in this region"),
        kind: ParameterType::String,
        default: prefix_lists::known(name, &blueprint.region).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests;
