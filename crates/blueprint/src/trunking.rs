//! Where App Servers need more network interfaces than their type has. Each task has one of its own
//! (`awsvpc`). With the account setting `awsvpcTrunking` an instance has room for several times as
//! many (Amazon ECS developer guide, "Increasing Amazon ECS Linux container instance network
//! interfaces").

use crate::{
    Blueprint, instance_types,
    model::{App, AppCluster},
};

/// An App Cluster whose App Servers have room for more tasks than network interfaces without
/// trunking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowded<'a> {
    /// The App Cluster's name.
    pub cluster: &'a str,
    /// The instance type of which that is so.
    pub instance_type: &'a str,
    /// The most tasks that one App Server has CPU and memory for.
    pub tasks: u64,
    /// The most tasks that it has network interfaces for without trunking, 1 or more.
    pub interfaces: u32,
}

/// The App Clusters that need trunking, in their order; one whose type has none needs none.
pub fn crowded(blueprint: &Blueprint) -> Vec<Crowded<'_>> {
    let clusters = blueprint.clusters.iter();
    clusters
        .filter_map(|cluster| {
            let tasks = most_tasks(blueprint, cluster);
            let types = std::iter::once(&cluster.instance_type).chain(&cluster.spot_instance_types);
            let mut crowded = types.filter_map(|name| {
                let kind = instance_types::find(name)?;
                kind.tasks_with_trunking?;
                let interfaces = kind.network_interfaces - 1;
                (tasks > u64::from(interfaces)).then_some(Crowded {
                    cluster: &cluster.name,
                    instance_type: name,
                    tasks,
                    interfaces,
                })
            });
            crowded.next()
        })
        .collect()
}

/// The most tasks that may be on one App Server: those of the app whose tasks are the smallest, as
/// many as the cluster's apps and their jobs have at all.
fn most_tasks(blueprint: &Blueprint, cluster: &AppCluster) -> u64 {
    let apps = blueprint.apps.iter();
    let apps = apps.filter(|app| app.cluster == cluster.name);
    let all = apps.clone().map(|app| {
        let jobs = app.jobs.len() as u64;
        u64::from(app.tasks.maximum) + jobs
    });
    let room = apps.map(|app| room(cluster, app)).max();
    room.unwrap_or(0).min(all.sum())
}

/// How many tasks of an app one App Server has CPU and memory for.
fn room(cluster: &AppCluster, app: &App) -> u64 {
    let task = &app.task_definition;
    let by_cpu = cluster.capacity.cpu / task.cpu.max(1);
    let by_memory = cluster.capacity.memory.as_mib() / task.memory.as_mib().max(1);
    u64::from(by_cpu).min(by_memory)
}

#[cfg(test)]
mod tests {
    use mck_environment::EnvironmentFile;

    use super::*;

    /// The crowded clusters of a shop whose servers are of a type, and whose tasks have 512 units of
    /// CPU: as the type's name, tasks and interfaces.
    fn of(instance_type: &str, maximum: u32) -> Vec<(String, u64, u32)> {
        let text = format!(
            "project = \"shop\"\n\
             [cluster.app]\n\
             instance-type = \"{instance_type}\"\n\
             [app.shop]\n\
             preset = \"php\"\n\
             source = \"shop\"\n\
             routing.hosts = [\"shop.example.com\"]\n\
             tasks = {{ minimum = 1, desired = 1, maximum = {maximum} }}\n\
             [environment.production]\n"
        );
        let file = EnvironmentFile::parse("magecloudkit.toml", text.as_bytes()).expect("it parses");
        let environment = file.environment("production").expect("it is sound");
        let mut blueprint = Blueprint::plan(&environment).expect("it can be laid out");
        for app in &mut blueprint.apps {
            app.task_definition.cpu = 512;
            app.task_definition.memory = mck_environment::units::Size::from_mib(512);
        }
        let crowded = crowded(&blueprint);
        let told = crowded
            .iter()
            .map(|it| (it.instance_type.to_owned(), it.tasks, it.interfaces));
        told.collect()
    }

    #[test]
    fn servers_with_room_for_more_tasks_than_interfaces_are_crowded() {
        // 2 virtual CPUs for 4 tasks and 3 interfaces, of which one is the server's.
        assert_eq!(of("c6i.large", 8), [("c6i.large".to_owned(), 4, 2)]);
        // 8 virtual CPUs and 4 interfaces.
        assert_eq!(of("c6i.2xlarge", 30).len(), 1);
    }

    #[test]
    fn few_tasks_need_no_trunking() {
        assert!(of("c6i.large", 2).is_empty());
    }

    #[test]
    fn a_type_without_trunking_needs_none() {
        assert!(of("t3.large", 8).is_empty());
    }
}
