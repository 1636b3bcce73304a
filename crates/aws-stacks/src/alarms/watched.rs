//! What an alarm watches, in CloudWatch's terms: which stack knows it, and by what dimensions.

use std::collections::HashMap;

use mck_blueprint::model::{Alarm, App, Blueprint};

use crate::{
    names,
    stack::{Handed, StackId},
};

/// What an alarm watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watched {
    /// The stack that the alarm belongs into.
    pub(super) stack: StackId,
    /// The time series that it is about, each by its dimensions: one, or one for each server where
    /// CloudWatch has none of all servers together.
    pub(super) series: Vec<Dimensions>,
}

/// Dimensions: name and value.
pub(super) type Dimensions = Vec<(&'static str, Name)>;

/// The value of a dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// Known now.
    Known(String),
    /// Handed over by another stack.
    Handed(Handed),
    /// A node of an ElastiCache replication group, counted from 1: `<group>-001`.
    Node(Handed, usize),
    /// The account's id.
    Account,
    /// The full name of the stack's own target group.
    OwnTargetGroup,
    /// The name of the stack's own Auto Scaling group.
    OwnAutoScalingGroup,
}

/// Apps by name.
pub(super) type Apps<'a> = HashMap<&'a str, &'a App>;

/// The apps of a blueprint.
pub(super) fn apps(blueprint: &Blueprint) -> Apps<'_> {
    let apps = blueprint.apps.iter();
    apps.map(|app| (app.name.as_str(), app)).collect()
}

/// What an alarm watches. A namespace has one kind of subjects, or kinds that differ in metrics.
pub(super) fn of(blueprint: &Blueprint, apps: &Apps<'_>, alarm: &Alarm) -> Watched {
    match alarm.namespace.as_str() {
        "AWS/ApplicationELB" => requests(alarm),
        "AWS/ECS" | "ECS/ContainerInsights" => tasks(blueprint, apps, alarm),
        "AWS/RDS" => infrastructure(database(alarm)),
        "AWS/ElastiCache" => Watched {
            stack: StackId::Observability,
            series: cache(blueprint, &alarm.subject),
        },
        "AWS/EFS" => infrastructure(vec![(
            "FileSystemId",
            Name::Handed(names::data::file_system()),
        )]),
        "AWS/ES" => infrastructure(vec![
            ("DomainName", Name::Known(alarm.subject.clone())),
            ("ClientId", Name::Account),
        ]),
        "AWS/AmazonMQ" => infrastructure(vec![("Broker", Name::Known(alarm.subject.clone()))]),
        "AWS/EC2" => servers(blueprint, &alarm.subject),
        _ => infrastructure(Vec::new()),
    }
}

fn infrastructure(dimensions: Dimensions) -> Watched {
    Watched {
        stack: StackId::Observability,
        series: vec![dimensions],
    }
}

/// The load balancer's own answers, or those of an app behind it.
fn requests(alarm: &Alarm) -> Watched {
    let load_balancer = (
        "LoadBalancer",
        Name::Handed(names::edge::load_balancer_full_name()),
    );
    if alarm.metric.contains("_ELB_") {
        return infrastructure(vec![load_balancer]);
    }
    Watched {
        stack: StackId::App(alarm.subject.clone()),
        series: vec![vec![("TargetGroup", Name::OwnTargetGroup), load_balancer]],
    }
}

/// What the tasks of a cluster reserve of it, or what those of an app use.
fn tasks(blueprint: &Blueprint, apps: &Apps<'_>, alarm: &Alarm) -> Watched {
    let cluster_name = |name: &str| {
        let name = names::ecs_cluster(blueprint, name);
        ("ClusterName", Name::Known(name))
    };
    match apps.get(alarm.subject.as_str()) {
        Some(app) if !alarm.metric.ends_with("Reservation") => Watched {
            stack: StackId::App(app.name.clone()),
            series: vec![vec![
                cluster_name(&app.cluster),
                ("ServiceName", Name::Known(names::ecs_service(&app.name))),
            ]],
        },
        _ => Watched {
            stack: StackId::Cluster(alarm.subject.clone()),
            series: vec![vec![cluster_name(&alarm.subject)]],
        },
    }
}

/// A mean is one of the writer, which idle readers would hide; an extreme is one of all members.
fn database(alarm: &Alarm) -> Dimensions {
    let cluster = (
        "DBClusterIdentifier",
        Name::Handed(names::data::database_cluster()),
    );
    if alarm.statistic == "Average" {
        vec![cluster, ("Role", Name::Known("WRITER".to_owned()))]
    } else {
        vec![cluster]
    }
}

/// A Redis' nodes each have time series of their own, and no common one; Memcached's nodes have.
fn cache(blueprint: &Blueprint, name: &str) -> Vec<Dimensions> {
    let group = names::data::cache(name);
    let Some(redis) = blueprint.redis.iter().find(|it| it.name == name) else {
        return vec![vec![("CacheClusterId", Name::Handed(group))]];
    };
    (1..=redis.members.len())
        .map(|number| vec![("CacheClusterId", Name::Node(group.clone(), number))])
        .collect()
}

fn servers(blueprint: &Blueprint, name: &str) -> Watched {
    let bastion = blueprint.bastion.as_ref();
    if bastion.is_some_and(|bastion| bastion.node.name == name) {
        return infrastructure(vec![(
            "InstanceId",
            Name::Handed(names::network::bastion()),
        )]);
    }
    let jenkins = blueprint.jenkins.as_ref();
    let stack = if jenkins.is_some_and(|jenkins| jenkins.node.name == name) {
        StackId::Jenkins
    } else {
        StackId::Cluster(name.to_owned())
    };
    Watched {
        stack,
        series: vec![vec![("AutoScalingGroupName", Name::OwnAutoScalingGroup)]],
    }
}
