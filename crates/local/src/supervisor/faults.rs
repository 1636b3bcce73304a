//! Lost zones and servers, and killed processes: what drills break on purpose.
//!
//! A lost zone is as good as switched off: every process in it is killed, so that its peers' open
//! connections are reset, and its addresses are cut off, those of its NAT gateway and its
//! load-balancer node included. It stays so, over restarts of the supervisor and changes of the
//! environment, until it is restored. Tasks that were there are replaced in other zones; when the
//! zone is back they stay where they are until a deployment spreads them again, as on ECS.

use std::{collections::BTreeSet, net::Ipv4Addr, sync::mpsc::SyncSender};

use mck_blueprint::{Blueprint, model::Node};
use serde::{Deserialize, Serialize};

use super::{
    Supervisor,
    component::{Condition, Kind},
    components::names,
    record::{Cause, Record},
    redis_failover::Gone,
};
use crate::{events::Level, network, text::chain};

/// What is to be broken, or made whole again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what", content = "name")]
pub enum Fault {
    /// A zone is lost.
    LoseZone(String),
    /// A lost zone is back.
    RestoreZone(String),
    /// A server, such as an App Server or a database member, is lost, with all tasks on it.
    LoseServer(String),
    /// A lost server is back.
    RestoreServer(String),
    /// The processes of a task are killed.
    KillTask(String),
    /// The process of a server is killed.
    KillNode(String),
}

/// Where the answer to a fault goes.
pub type Reply = SyncSender<Result<(), String>>;

/// Whether a node is lost, with its zone or by itself.
pub fn is_lost(node: &Node, record: &Record) -> bool {
    record.lost_zones.contains(&node.zone) || record.lost_servers.contains(&node.name)
}

/// The addresses that are cut off: those of lost nodes, and the NAT gateways of lost zones.
pub fn lost_addresses(blueprint: &Blueprint, record: &Record) -> BTreeSet<Ipv4Addr> {
    let nodes = blueprint
        .nodes()
        .filter(|node| is_lost(node, record))
        .map(|node| node.address);
    let gateways = blueprint.network.nat_gateways.iter();
    let gateways = gateways.filter(|gateway| record.lost_zones.contains(&gateway.zone));
    nodes
        .chain(gateways.map(|gateway| gateway.address))
        .collect()
}

/// The tasks that are lost with zones and servers.
pub fn lost_tasks(record: &Record) -> Vec<String> {
    let lost = record.tasks.iter().filter(|(_, task)| {
        record.lost_zones.contains(&task.zone) || record.lost_servers.contains(&task.server)
    });
    lost.map(|(id, _)| id.clone()).collect()
}

/// What would be recorded after a loss or a return; the reason where it makes no sense.
fn recorded(blueprint: &Blueprint, record: &Record, fault: &Fault) -> Result<Record, String> {
    let mut after = record.clone();
    let known_zone = |name: &String| {
        blueprint
            .network
            .zones
            .iter()
            .any(|zone| zone.name == *name)
    };
    let known_server = |name: &String| blueprint.nodes().any(|node| node.name == *name);
    let changed = match fault {
        Fault::LoseZone(zone) if !known_zone(zone) => Err(format!("there is no zone {zone}")),
        Fault::LoseZone(zone) => Ok(after.lost_zones.insert(zone.clone())),
        Fault::RestoreZone(zone) => Ok(after.lost_zones.remove(zone)),
        Fault::LoseServer(name) if !known_server(name) => Err(format!("there is no server {name}")),
        Fault::LoseServer(name) => Ok(after.lost_servers.insert(name.clone())),
        Fault::RestoreServer(name) => Ok(after.lost_servers.remove(name)),
        Fault::KillTask(_) | Fault::KillNode(_) => Ok(true),
    };
    if !changed? {
        return Err(match fault {
            Fault::LoseZone(name) | Fault::LoseServer(name) => format!("{name} is lost already"),
            _ => "it is not lost".to_owned(),
        });
    }
    if blueprint
        .network
        .zones
        .iter()
        .all(|zone| after.lost_zones.contains(&zone.name))
    {
        return Err("one zone must be left".to_owned());
    }
    Ok(after)
}

impl Supervisor {
    /// Whether a node is lost; what is no node is not.
    pub(super) fn is_lost(&self, name: &str) -> bool {
        super::node(self.blueprint(), name).is_some_and(|node| is_lost(node, &self.record))
    }

    /// Breaks something, or makes it whole again.
    pub(super) fn fault(&mut self, fault: &Fault) -> Result<(), String> {
        match fault {
            Fault::KillTask(id) => self.kill_task(id),
            Fault::KillNode(name) => self.kill_node(name),
            _ => self.change_lost(fault),
        }
    }

    fn change_lost(&mut self, fault: &Fault) -> Result<(), String> {
        let after = recorded(self.blueprint(), &self.record, fault)?;
        let before = std::mem::replace(&mut self.record, after);
        if !self.save() {
            self.record = before;
            return Err("the state can't be written".to_owned());
        }
        match fault {
            Fault::LoseZone(zone) => self.note(zone, Level::Warning, "The zone is lost."),
            Fault::LoseServer(name) => self.note(name, Level::Warning, "The server is lost."),
            Fault::RestoreZone(name) | Fault::RestoreServer(name) => {
                self.note(name, Level::Info, "Is back.");
            }
            Fault::KillTask(_) | Fault::KillNode(_) => {}
        }
        let addresses = |record| lost_addresses(self.blueprint(), record);
        let (cut, joined): (Vec<_>, Vec<_>) = {
            let (old, new) = (addresses(&before), addresses(&self.record));
            (
                new.difference(&old).copied().collect(),
                old.difference(&new).copied().collect(),
            )
        };
        self.components = super::components_of(&self.workshop, &self.record);
        self.hold_what_is_lost();
        self.change_isolation(&cut, &joined);
        self.balancers_seen = None;
        self.start_components();
        Ok(())
    }

    /// Brings conditions, processes and tasks to what the record says is lost.
    pub(super) fn hold_what_is_lost(&mut self) {
        let nodes = self.blueprint().nodes().cloned().collect::<Vec<_>>();
        let (lost, there): (Vec<_>, Vec<_>) = nodes
            .into_iter()
            .partition(|node| is_lost(node, &self.record));
        for node in there {
            let held = matches!(
                self.conditions.get(&node.name),
                Some(Condition::Held { reason }) if reason.ends_with(LOST)
            );
            if held {
                self.conditions.insert(node.name, Condition::Absent);
            }
        }
        let fresh: Vec<_> = lost
            .into_iter()
            .filter(|node| {
                let held = self.conditions.get(&node.name);
                !matches!(held, Some(Condition::Held { reason }) if reason.ends_with(LOST))
            })
            .collect();
        let tasks = lost_tasks(&self.record);
        // All processes first, so that nothing is served half.
        for node in &fresh {
            self.processes.forget(&node.name);
            self.workshop.runtime.signal(&node.name, KILL);
        }
        for container in self.workshop.runtime.list() {
            if container
                .split_once('.')
                .is_some_and(|(task, _)| tasks.iter().any(|it| it == task))
            {
                self.processes.forget(&container);
                self.workshop.runtime.signal(&container, KILL);
            }
        }
        for node in &fresh {
            let reason = if self.record.lost_zones.contains(&node.zone) {
                format!("zone {}{LOST}", node.zone)
            } else {
                format!("server {}{LOST}", node.name)
            };
            self.conditions
                .insert(node.name.clone(), Condition::Held { reason });
        }
        for task in tasks {
            self.stop_task(&task);
        }
        for node in fresh {
            self.lost_role(&node.name);
        }
    }

    /// Others take over what a lost node was.
    fn lost_role(&mut self, name: &str) {
        let kind = self
            .components
            .iter()
            .find(|it| it.name == name)
            .map(|it| it.kind.clone());
        match kind {
            Some(Kind::Database) if super::writer(self.blueprint(), &self.record) == name => {
                self.writer_gone(Cause::Lost);
            }
            Some(Kind::Database) => self.reader_gone(name),
            Some(Kind::Redis(cluster)) if self.is_primary(&cluster, name) => {
                self.primary_gone(&cluster, Gone::Lost);
            }
            _ => {}
        }
    }

    fn change_isolation(&mut self, cut: &[Ipv4Addr], joined: &[Ipv4Addr]) {
        let environment = self.workshop.context.layout.id();
        let changes = [
            network::isolate(environment, cut),
            network::rejoin(environment, joined),
        ];
        for error in changes.into_iter().filter_map(Result::err) {
            self.note(
                names::NETWORK,
                Level::Warning,
                format!("Failed: {}", chain(&error)),
            );
            // Applied as a whole it isolates what is lost and nothing else.
            self.look_again(|component| component.kind == Kind::Network);
        }
    }

    /// Kills what runs though it is lost, such as what was being started at that moment.
    pub(super) fn kill_lost(&mut self, name: &str) -> bool {
        let lost = self.is_lost(name);
        if lost {
            self.workshop.runtime.signal(name, KILL);
        }
        lost
    }

    /// Keeps a component from being started, for a reason.
    pub(super) fn hold(&mut self, name: &str, reason: &str) {
        if !self.is_lost(name) {
            let reason = reason.to_owned();
            self.conditions
                .insert(name.to_owned(), Condition::Held { reason });
        }
    }

    /// Lets a component be started that was held, unless it is lost.
    pub(super) fn release_hold(&mut self, name: &str) {
        let held = matches!(self.conditions.get(name), Some(Condition::Held { .. }));
        if held && !self.is_lost(name) {
            self.conditions.insert(name.to_owned(), Condition::Absent);
        }
    }

    fn kill_task(&self, id: &str) -> Result<(), String> {
        if !self.record.tasks.contains_key(id) {
            return Err(format!("there is no task {id}"));
        }
        let prefix = format!("{id}.");
        for container in self.workshop.runtime.list() {
            if container.starts_with(&prefix) {
                self.workshop.runtime.signal(&container, KILL);
            }
        }
        Ok(())
    }

    fn kill_node(&self, name: &str) -> Result<(), String> {
        let is_server = |kind: &Kind| kind.is_server() && *kind != Kind::Internet;
        if !self
            .components
            .iter()
            .any(|it| it.name == name && is_server(&it.kind))
        {
            return Err(format!("there is no server {name}"));
        }
        self.workshop.runtime.signal(name, KILL);
        Ok(())
    }
}

/// How the reason ends for which a lost node's component is held.
const LOST: &str = " is lost";

const KILL: &str = "SIGKILL";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blueprint() -> Blueprint {
        let settings = toml::from_str("[app.shop]\npreset = \"storefront\"\nsource = \".\"\n");
        let environment = mck_environment::Environment {
            project: "demo".to_owned(),
            name: "local".to_owned(),
            settings: settings.unwrap(),
        };
        Blueprint::plan(&environment).unwrap()
    }

    #[test]
    fn a_lost_zone_takes_its_nodes_and_its_gateway_and_comes_back_whole() {
        let blueprint = blueprint();
        let before = Record::default();
        let zone = blueprint.network.zones[0].name.clone();
        let lost = recorded(&blueprint, &before, &Fault::LoseZone(zone.clone())).unwrap();
        let addresses = lost_addresses(&blueprint, &lost);
        for node in blueprint.nodes() {
            assert_eq!(
                addresses.contains(&node.address),
                node.zone == zone,
                "{}",
                node.name
            );
        }
        for gateway in &blueprint.network.nat_gateways {
            assert_eq!(addresses.contains(&gateway.address), gateway.zone == zone);
        }
        assert!(recorded(&blueprint, &lost, &Fault::LoseZone(zone.clone())).is_err());
        let back = recorded(&blueprint, &lost, &Fault::RestoreZone(zone)).unwrap();
        assert_eq!(back, before);
    }

    #[test]
    fn what_does_not_exist_is_not_lost_and_one_zone_is_left() {
        let blueprint = blueprint();
        let record = Record::default();
        for fault in [
            Fault::LoseZone("eu-west-9z".to_owned()),
            Fault::RestoreZone(blueprint.network.zones[0].name.clone()),
            Fault::LoseServer("nowhere".to_owned()),
            Fault::RestoreServer("db-0".to_owned()),
        ] {
            assert!(recorded(&blueprint, &record, &fault).is_err(), "{fault:?}");
        }
        let mut record = Record::default();
        let (last, others) = blueprint.network.zones.split_last().unwrap();
        for zone in others {
            record = recorded(&blueprint, &record, &Fault::LoseZone(zone.name.clone())).unwrap();
        }
        assert!(recorded(&blueprint, &record, &Fault::LoseZone(last.name.clone())).is_err());
    }

    proptest! {
        #[test]
        fn an_address_is_cut_off_exactly_while_its_node_is_lost(
            zones in prop::collection::btree_set(0_usize..3, 0..3),
            servers in prop::collection::btree_set(0_usize..9, 0..4),
        ) {
            let blueprint = blueprint();
            let names: Vec<_> = blueprint.nodes().map(|node| node.name.clone()).collect();
            let record = Record {
                lost_zones: zones.iter().map(|&it| blueprint.network.zones[it].name.clone()).collect(),
                lost_servers: servers.iter().map(|&it| names[it % names.len()].clone()).collect(),
                ..Record::default()
            };
            let addresses = lost_addresses(&blueprint, &record);
            for node in blueprint.nodes() {
                prop_assert_eq!(addresses.contains(&node.address), is_lost(node, &record));
            }
        }
    }
}
