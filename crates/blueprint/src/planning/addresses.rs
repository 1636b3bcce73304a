//! Addresses of what stays, handed out subnet by subnet.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    PlanningError,
    network::{RESERVED_AT_START, address_at, last_offset},
};
use crate::model::{Network, Node, SecurityGroupName, Subnet, Tier};

/// Hands out addresses of subnets, lowest first, and keeps names unique.
pub(super) struct Addresses<'a> {
    network: &'a Network,
    next: BTreeMap<&'a str, u32>,
    names: BTreeSet<String>,
}

impl<'a> Addresses<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        Self {
            network,
            next: BTreeMap::new(),
            names: BTreeSet::new(),
        }
    }

    /// A node in a tier of the zone with that index (modulo the number of zones), at the lowest
    /// address that is free from offset `from` on.
    pub(super) fn node(
        &mut self,
        name: String,
        tier: Tier,
        zone: usize,
        from: u32,
        group: &SecurityGroupName,
    ) -> Result<Node, PlanningError> {
        let subnet = self.subnet(tier, zone);
        let offset = self.next.get(subnet.name.as_str()).copied();
        let offset = offset.unwrap_or(RESERVED_AT_START).max(from);
        let end = match subnet.server_addresses {
            Some((_, last)) => u32::from(last) - u32::from(subnet.cidr.network()),
            None => last_offset(subnet.cidr) - 1,
        };
        if offset > end {
            return Err(full(subnet, name));
        }
        self.next.insert(&subnet.name, offset + 1);
        self.place(name, subnet, offset, group)
    }

    /// A node at the last usable address of a tier's first subnet, which nothing else gets.
    pub(super) fn last_node(
        &mut self,
        name: String,
        tier: Tier,
        group: &SecurityGroupName,
    ) -> Result<Node, PlanningError> {
        let subnet = self.subnet(tier, 0);
        self.place(name, subnet, last_offset(subnet.cidr) - 1, group)
    }

    fn subnet(&self, tier: Tier, zone: usize) -> &'a Subnet {
        let zones = &self.network.zones;
        self.network
            .subnet_in(tier, &zones[zone % zones.len()].name)
            .expect("the network has a subnet of every tier in every zone")
    }

    fn place(
        &mut self,
        name: String,
        subnet: &Subnet,
        offset: u32,
        group: &SecurityGroupName,
    ) -> Result<Node, PlanningError> {
        if !self.names.insert(name.clone()) {
            return Err(PlanningError::NameTaken {
                first: "a server of the kit's own".to_owned(),
                second: format!("a server in subnet `{}`", subnet.name),
                name,
            });
        }
        Ok(Node {
            name,
            zone: subnet.zone.clone(),
            subnet: subnet.name.clone(),
            address: address_at(subnet.cidr, offset),
            security_group: group.clone(),
        })
    }
}

fn full(subnet: &Subnet, name: String) -> PlanningError {
    PlanningError::SubnetFull {
        subnet: subnet.name.clone(),
        cidr: subnet.cidr,
        name,
    }
}
