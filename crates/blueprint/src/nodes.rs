//! Everything that has an address of its own.

use crate::model::{Blueprint, Node};

impl Blueprint {
    /// Everything that has an address of its own, from the public to the persistence tier. NAT
    /// gateways, which nobody connects to, and tasks, which come and go, are not among them.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let servers = self.clusters.iter().flat_map(|cluster| &cluster.servers);
        self.load_balancer
            .nodes
            .iter()
            .chain(self.bastion.iter().map(|bastion| &bastion.node))
            .chain(servers.map(|server| &server.node))
            .chain(self.jenkins.iter().map(|jenkins| &jenkins.node))
            .chain(
                self.file_system
                    .iter()
                    .flat_map(|files| &files.mount_targets),
            )
            .chain(&self.database.members)
            .chain(self.redis.iter().flat_map(|redis| &redis.members))
            .chain(
                self.memcached
                    .iter()
                    .flat_map(|memcached| &memcached.members),
            )
    }
}
