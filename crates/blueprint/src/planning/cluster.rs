//! App Clusters and their App Servers.

use std::collections::BTreeMap;

use mck_environment::{
    settings::{Architecture, Cluster},
    units::Size,
};

use super::{PlanningError, addresses::Addresses, context::Context, groups};
use crate::{
    instance_types,
    model::{
        AppCluster, AppServer, Container, Daemon, InstanceRefresh, Network, ServerCapacity,
        TaskDefinition, Tier, Zone,
    },
};

/// A new server is in service before an old one goes, and no more than one in ten at a time.
const INSTANCE_REFRESH: InstanceRefresh = InstanceRefresh {
    minimum_healthy_percent: 100,
    maximum_healthy_percent: 110,
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
        .map(|(name, cluster)| plan_one(context, name, cluster, network, addresses))
        .collect()
}

fn plan_one(
    context: &Context<'_>,
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
        image_id: settings.image_id,
        capacity,
        minimum: settings.servers.minimum,
        maximum: settings.servers.maximum,
        servers,
        volume_size: settings.volume_size,
        spot_percent: settings.spot_percent,
        spot_instance_types: settings.spot_instance_types,
        warm_servers: settings.warm_servers,
        target_capacity_percent: settings.target_capacity_percent,
        instance_refresh: settings.instance_refresh.then_some(INSTANCE_REFRESH),
        scaling: settings.scaling,
        draining_timeout: settings.draining_timeout,
        daemons: Vec::new(),
        log_group: context.log_group(&format!("cluster/{name}")),
        exec: settings.exec,
        security_group: group,
        name,
    })
}

/// Puts daemons on all servers of a cluster; what they reserve is not for tasks.
pub(super) fn add_daemons(
    context: &Context<'_>,
    cluster: &mut AppCluster,
    containers: &[Container],
) {
    for container in containers {
        let capacity = &mut cluster.capacity;
        capacity.cpu = capacity.cpu.saturating_sub(container.cpu);
        let memory = capacity.memory.as_mib();
        let left = memory.saturating_sub(container.memory_reservation.as_mib());
        capacity.memory = Size::from_mib(left);
        cluster.daemons.push(Daemon {
            name: container.name.clone(),
            description: container.description.clone(),
            task_definition: TaskDefinition {
                family: context.name(&format!("{}-{}", cluster.name, container.name)),
                cpu: container.cpu,
                memory: container.memory_reservation,
                containers: vec![container.clone()],
            },
        });
    }
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
