//! The components of a blueprint on this target.

use std::collections::BTreeSet;

use mck_blueprint::{
    Blueprint,
    model::{App, HookStage, Image, Node},
};

use super::{
    component::{Component, Kind},
    database,
};
use crate::servers::edge::RESOLVER;

/// The names of components that are no node of the blueprint.
pub mod names {
    /// The VPC.
    pub const NETWORK: &str = "network";
    /// The way to the internet.
    pub const INTERNET: &str = "internet-gateway";
    /// Accounts and schemas.
    pub const SCHEMAS: &str = "database-schemas";
    /// Replication.
    pub const REPLICATION: &str = "database-replication";
}

/// What components depend on besides the blueprint.
pub struct Situation<'a> {
    /// The database's writer.
    pub writer: &'a str,
    /// The primaries of the Redis clusters.
    pub primaries: Vec<&'a str>,
    /// Nodes whose zone or server is lost.
    pub lost: BTreeSet<&'a str>,
    /// Whether there is a way to the internet.
    pub internet: bool,
}

/// All components, each after those that it requires.
pub fn components(blueprint: &Blueprint, situation: &Situation<'_>) -> Vec<Component> {
    let mut all = vec![component(
        names::NETWORK,
        &format!(
            "VPC {} over {} zones with its security groups",
            blueprint.network.cidr,
            blueprint.network.zones.len()
        ),
        Kind::Network,
        &[],
    )];
    if situation.internet {
        all.push(component(
            names::INTERNET,
            "Internet gateway, the way out of the NAT gateways",
            Kind::Internet,
            &[names::NETWORK],
        ));
    }
    all.push(component(
        RESOLVER,
        &format!("DNS of the private zone {}", blueprint.private_zone.name),
        Kind::Resolver,
        &[names::NETWORK],
    ));
    all.extend(edge(blueprint));
    all.extend(data(blueprint, situation));
    all.extend(
        blueprint
            .apps
            .iter()
            .flat_map(|app| for_app(app, situation)),
    );
    all
}

fn component(name: &str, description: &str, kind: Kind, requires: &[&str]) -> Component {
    Component {
        name: name.to_owned(),
        description: description.to_owned(),
        kind,
        requires: requires.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn server(node: &Node, what: &str, kind: Kind, requires: &[&str]) -> Component {
    component(
        &node.name,
        &format!("{what}, in {}", node.zone),
        kind,
        requires,
    )
}

fn edge(blueprint: &Blueprint) -> Vec<Component> {
    let network = &[names::NETWORK];
    let balancers = blueprint
        .load_balancer
        .nodes
        .iter()
        .map(|node| server(node, "Load balancer (HAProxy)", Kind::LoadBalancer, network));
    let bastion = blueprint
        .bastion
        .iter()
        .map(|bastion| server(&bastion.node, "Bastion (sshd)", Kind::Shell, network));
    let servers = blueprint.clusters.iter().flat_map(|cluster| {
        let what = format!("App Server of the cluster {}", cluster.name);
        cluster
            .servers
            .iter()
            .map(move |server_of| server(&server_of.node, &what, Kind::Shell, network))
    });
    balancers.chain(bastion).chain(servers).collect()
}

fn data(blueprint: &Blueprint, situation: &Situation<'_>) -> Vec<Component> {
    let writer = situation.writer;
    let network = names::NETWORK;
    let mut all = vec![component(
        database::TEMPLATE,
        "Empty database that the members begin with",
        Kind::DatabaseTemplate,
        &[],
    )];
    let members = &blueprint.database.members;
    all.extend(members.iter().map(|node| {
        let role = if node.name == writer {
            "writer"
        } else {
            "reader"
        };
        let what = format!("Database {role} (MariaDB)");
        server(node, &what, Kind::Database, &[network, database::TEMPLATE])
    }));
    all.push(component(
        names::SCHEMAS,
        "Schemas and users of the database",
        Kind::Schemas,
        &[writer],
    ));
    if members.len() > 1 {
        let mut requires = vec![names::SCHEMAS];
        let there = members.iter().map(|node| node.name.as_str());
        requires.extend(there.filter(|name| !situation.lost.contains(name)));
        all.push(component(
            names::REPLICATION,
            "Replication: a commit waits until a reader has it",
            Kind::Replication,
            &requires,
        ));
    }
    for cluster in &blueprint.redis {
        all.extend(cluster.members.iter().map(|node| {
            let what = format!("Redis of {}", cluster.name);
            server(node, &what, Kind::Redis(cluster.name.clone()), &[network])
        }));
    }
    if let Some(cluster) = &blueprint.memcached {
        let nodes = cluster.members.iter();
        all.extend(nodes.map(|node| server(node, "Memcached", Kind::Memcached, &[network])));
    }
    all
}

/// Whether releases are made of an app's source.
pub fn has_release(app: &App) -> bool {
    app.source.is_some() && !app.live_source
}

/// The images that an app's containers are made of, as written, each once.
pub fn image_references(app: &App) -> BTreeSet<&str> {
    let containers = app.task_definition.containers.iter();
    let references = containers.filter_map(|container| match &container.image {
        Image::Oci(reference) => Some(reference.as_str()),
        Image::Base(_) => None,
    });
    references.collect()
}

/// The name of the component that pulls an app's images.
pub fn image_name(app: &str) -> String {
    format!("image-{app}")
}

/// The name of the component that makes an app's release.
pub fn release_name(app: &str) -> String {
    format!("release-{app}")
}

/// The name of the component that installs an app.
pub fn install_name(app: &str) -> String {
    format!("install-{app}")
}

/// The name of the component that upgrades an app.
pub fn upgrade_name(app: &str) -> String {
    format!("upgrade-{app}")
}

/// The name under which the cache flush after a rollout is recorded.
pub fn cache_flush_name(app: &str) -> String {
    format!("cache-flush-{app}")
}

fn for_app(app: &App, situation: &Situation<'_>) -> Vec<Component> {
    let mut all = Vec::new();
    if has_release(app) {
        all.push(component(
            &release_name(&app.name),
            &format!("Release of {}", app.name),
            Kind::Release(app.name.clone()),
            &[],
        ));
    }
    let has_images = !image_references(app).is_empty();
    if has_images {
        all.push(component(
            &image_name(&app.name),
            &format!("Images of {}", app.name),
            Kind::Image(app.name.clone()),
            &[],
        ));
    }
    let mut requires = vec![names::SCHEMAS.to_owned(), RESOLVER.to_owned()];
    requires.extend(has_images.then(|| image_name(&app.name)));
    requires.extend(has_release(app).then(|| release_name(&app.name)));
    requires.extend(situation.primaries.iter().map(|&name| name.to_owned()));
    let has = |stage| app.hooks.iter().any(|hook| hook.stage == stage);
    if has(HookStage::Install) {
        all.push(Component {
            name: install_name(&app.name),
            description: format!("First installation of {}", app.name),
            kind: Kind::Install(app.name.clone()),
            requires: requires.clone(),
        });
        requires.push(install_name(&app.name));
    }
    if has(HookStage::Upgrade) {
        all.push(Component {
            name: upgrade_name(&app.name),
            description: format!("Upgrade of {} to its release", app.name),
            kind: Kind::Upgrade(app.name.clone()),
            requires,
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_a_component_that_comes_before() {
        let settings = toml::from_str(
            "[app.shop]\npreset = \"storefront\"\nsource = \".\"\n[app.blog]\npreset = \"wordpress\"\nimage = \"blog:1\"\n[cache.memcached]\n",
        )
        .unwrap();
        let environment = mck_environment::Environment {
            project: "demo".to_owned(),
            name: "local".to_owned(),
            settings,
        };
        let blueprint = Blueprint::plan(&environment).unwrap();
        let situation = Situation {
            writer: "db-0",
            primaries: vec!["redis-cache-0", "redis-session-0"],
            lost: BTreeSet::new(),
            internet: true,
        };
        let all = components(&blueprint, &situation);
        assert!(all.iter().any(|it| it.name == "image-blog"));
        assert!(!all.iter().any(|it| it.name == "image-shop"));
        for (index, component) in all.iter().enumerate() {
            for required in &component.requires {
                let place = all.iter().position(|other| other.name == *required);
                assert!(place.is_some_and(|place| place < index), "{component:?}");
            }
        }
    }
}
