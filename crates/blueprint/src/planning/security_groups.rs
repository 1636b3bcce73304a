//! Security groups: what follows from the access rules, at both ends.

use std::collections::BTreeMap;

use super::{access::Parts, groups};
use crate::model::{AccessRule, GroupRule, Peer, SecurityGroup, SecurityGroupName};

/// The security groups that follow from the rules: ingress at one end, egress at the other.
pub(super) fn plan(parts: &Parts<'_>, access: &[AccessRule]) -> Vec<SecurityGroup> {
    let mut groups: BTreeMap<SecurityGroupName, SecurityGroup> = descriptions(parts)
        .into_iter()
        .map(|(name, description)| {
            let group = SecurityGroup {
                name: name.clone(),
                description,
                ingress: Vec::new(),
                egress: Vec::new(),
            };
            (name, group)
        })
        .collect();
    for rule in access {
        if let Some(group) = member(&mut groups, &rule.to) {
            group.ingress.push(group_rule(rule, &rule.from));
        }
        if let Some(group) = member(&mut groups, &rule.from) {
            group.egress.push(group_rule(rule, &rule.to));
        }
    }
    groups.into_values().collect()
}

/// The group that one end of a rule is.
fn member<'a>(
    groups: &'a mut BTreeMap<SecurityGroupName, SecurityGroup>,
    peer: &Peer,
) -> Option<&'a mut SecurityGroup> {
    match peer {
        Peer::Group(name) => groups.get_mut(name),
        Peer::Range(_) | Peer::PrefixList(_) => None,
    }
}

fn group_rule(rule: &AccessRule, peer: &Peer) -> GroupRule {
    GroupRule {
        peer: peer.clone(),
        protocol: rule.protocol,
        ports: rule.ports,
        reason: rule.reason.clone(),
    }
}

fn descriptions(parts: &Parts<'_>) -> BTreeMap<SecurityGroupName, String> {
    let mut all = BTreeMap::from([
        (
            groups::load_balancer(),
            "Nodes of the load balancer".to_owned(),
        ),
        (
            parts.data.database.security_group.clone(),
            "Members of the database cluster".to_owned(),
        ),
    ]);
    for cluster in parts.clusters {
        all.insert(
            cluster.security_group.clone(),
            format!("App Servers of cluster {}", cluster.name),
        );
    }
    for app in parts.apps {
        all.insert(
            app.security_group.clone(),
            format!("Tasks of app {}", app.name),
        );
    }
    for redis in &parts.data.redis {
        all.insert(
            redis.security_group.clone(),
            format!("Members of {}", redis.name),
        );
    }
    if let Some(memcached) = &parts.data.memcached {
        all.insert(
            memcached.security_group.clone(),
            "Nodes of Memcached".to_owned(),
        );
    }
    if let Some(file_system) = &parts.data.file_system {
        all.insert(
            file_system.security_group.clone(),
            "Mount targets of the shared file system".to_owned(),
        );
    }
    if parts.bastion.is_some() {
        all.insert(groups::bastion(), "The Bastion".to_owned());
    }
    if let Some(jenkins) = parts.jenkins {
        all.insert(groups::jenkins(), "The Jenkins server".to_owned());
        all.insert(
            jenkins.home.security_group.clone(),
            "Mount targets of the file system of Jenkins".to_owned(),
        );
    }
    if let Some(search) = &parts.data.search {
        all.insert(
            search.security_group.clone(),
            "Nodes of the search engine".to_owned(),
        );
    }
    if let Some(broker) = &parts.data.message_broker {
        all.insert(
            broker.security_group.clone(),
            "Nodes of the message broker".to_owned(),
        );
    }
    if let Some(endpoints) = parts.endpoints {
        all.insert(
            endpoints.security_group.clone(),
            "Endpoints of AWS services in the VPC".to_owned(),
        );
    }
    all
}
