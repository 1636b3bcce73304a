//! App Clusters and their App Servers.

use std::collections::BTreeMap;

use mck_environment::settings::{Architecture, Cluster};

use super::{PlanningError, addresses::Addresses, context::Context, groups};
use crate::{
    instance_types,
    model::{AppCluster, AppServer, Network, ServerCapacity, Tier, Zone},
};

/// The clusters of the file; one named `app` where it has none.
pub(super) fn settings(context: &Context<'_>) -> BTreeMap<String, Cluster> {
    let mut clusters = context.settings.cluster.clone();
    if clusters.is_empty() {
        clusters.insert("app".to_owned(), Cluster::default());
    }
    clusters
}

pub(super) fn plan(
    context: &Context<'_>,
    network: &Network,
    addresses: &mut Addresses<'_>,
) -> Result<Vec<AppCluster>, PlanningError> {
    settings(context)
        .into_iter()
        .map(|(name, cluster)| plan_one(name, cluster, network, addresses))
        .collect()
}

fn plan_one(
    name: String,
    settings: Cluster,
    network: &Network,
    addresses: &mut Addresses<'_>,
) -> Result<AppCluster, PlanningError> {
    let zones = zones(&name, &settings, network)?;
    let capacity = capacity(&name, &settings)?;
    let group = groups::servers(&name);
    let desired = settings.servers.desired.unwrap_or(settings.servers.minimum);
    let servers = (0..desired)
        .zip(zones.iter().cycle())
        .map(|(number, (zone, _))| {
            let name = format!("{name}-{}", number + 1);
            let node = addresses.node(name, Tier::App, *zone, 0, &group)?;
            Ok(AppServer { node })
        })
        .collect::<Result<_, _>>()?;
    Ok(AppCluster {
        zones: zones
            .into_iter()
            .map(|(_, zone)| zone.name.clone())
            .collect(),
        instance_type: settings.instance_type,
        architecture: settings.architecture,
        capacity,
        minimum: settings.servers.minimum,
        maximum: settings.servers.maximum,
        servers,
        volume_size: settings.volume_size,
        spot_percent: settings.spot_percent,
        warm_servers: settings.warm_servers,
        scaling: settings.scaling,
        draining_timeout: settings.draining_timeout,
        exec: settings.exec,
        security_group: group,
        name,
    })
}

/// The cluster's zones with their index in the network.
fn zones<'a>(
    name: &str,
    settings: &Cluster,
    network: &'a Network,
) -> Result<Vec<(usize, &'a Zone)>, PlanningError> {
    let all = network.zones.iter().enumerate();
    let Some(letters) = settings.zones.as_ref().filter(|list| !list.is_empty()) else {
        return Ok(all.collect());
    };
    letters
        .iter()
        .map(|letter| {
            all.clone()
                .find(|(_, zone)| zone.letter == *letter)
                .ok_or_else(|| PlanningError::UnknownZone {
                    cluster: name.to_owned(),
                    zone: letter.clone(),
                })
        })
        .collect()
}

fn capacity(name: &str, settings: &Cluster) -> Result<ServerCapacity, PlanningError> {
    let Some(found) = instance_types::find(&settings.instance_type) else {
        return Err(PlanningError::UnknownInstanceType {
            cluster: name.to_owned(),
            instance_type: settings.instance_type.clone(),
            families: instance_types::families(),
        });
    };
    if found.architecture != settings.architecture {
        return Err(PlanningError::Architecture {
            cluster: name.to_owned(),
            instance_type: settings.instance_type.clone(),
            actual: architecture_name(found.architecture),
            wanted: architecture_name(settings.architecture),
        });
    }
    Ok(ServerCapacity {
        cpu: found.virtual_cpus * 1024,
        memory: found.memory_for_tasks(),
    })
}

fn architecture_name(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86-64",
        Architecture::Arm64 => "arm64",
    }
}
