//! Alarms on the load balancer, apps, App Clusters and servers.

use super::{
    FIVE_MINUTES, GREATER, GREATER_OR_EQUAL, MINUTE, Metric, Parts, Watched, credits, metric,
};
use crate::{
    instance_types,
    model::{App, AppCluster, LoadBalancer, Node},
    planning::context::Context,
};

pub(super) fn watch(context: &Context<'_>, parts: &Parts<'_>) -> Vec<Watched> {
    let mut all = vec![load_balancer(parts.load_balancer)];
    for app in parts.apps {
        all.extend(requests(app));
        all.extend(tasks(app));
    }
    for cluster in parts.clusters {
        all.extend(reservation(cluster));
    }
    // The local target has no instance types, whatever the file says of them.
    if !context.is_local() {
        for cluster in parts.clusters {
            all.extend(server_credits(&cluster.name, &cluster.instance_type));
        }
        if let Some(bastion) = parts.bastion {
            all.push(status("bastion", &bastion.node));
        }
        if let Some(jenkins) = parts.jenkins {
            all.push(status("jenkins", &jenkins.node));
            all.extend(server_credits(&jenkins.node.name, &jenkins.instance_type));
        }
    }
    all
}

fn load_balancer(load_balancer: &LoadBalancer) -> Watched {
    metric(
        "AWS/ApplicationELB",
        "HTTPCode_ELB_5XX_Count",
        "Sum",
        GREATER_OR_EQUAL,
        10.0,
        (MINUTE, 3),
    )
    .of(
        &load_balancer.name,
        "load-balancer-5xx",
        "The load balancer itself answers with errors: no healthy task, or tasks that hang up",
    )
}

/// What visitors see of an app.
fn requests(app: &App) -> Vec<Watched> {
    if app.target_group.is_none() {
        return Vec::new();
    }
    let of_targets = |name, statistic, comparison, threshold, periods| {
        let time = (MINUTE, periods);
        metric(
            "AWS/ApplicationELB",
            name,
            statistic,
            comparison,
            threshold,
            time,
        )
    };
    [
        (
            of_targets(
                "HTTPCode_Target_5XX_Count",
                "Sum",
                GREATER_OR_EQUAL,
                10.0,
                3,
            ),
            "5xx",
            "answers with errors",
        ),
        (
            of_targets("TargetResponseTime", "p99", GREATER, 3.0, 5),
            "latency",
            "takes more than 3 s for one request in a hundred",
        ),
        (
            of_targets("UnHealthyHostCount", "Maximum", GREATER_OR_EQUAL, 1.0, 5),
            "unhealthy",
            "has unhealthy tasks",
        ),
    ]
    .map(|(metric, suffix, what)| of_app(metric, app, suffix, what))
    .into()
}

fn of_app(metric: Metric, app: &App, suffix: &str, what: &str) -> Watched {
    let name = format!("app-{}-{suffix}", app.name);
    metric.of(&app.name, name, format!("App `{}` {what}", app.name))
}

/// What an app's tasks use of what they reserve. Scaling keeps both lower, so that an app that stays
/// there has come to its maximum. Memory may exceed the reservation where there is no hard limit.
fn tasks(app: &App) -> [Watched; 2] {
    let used = |name, threshold| {
        let time = (FIVE_MINUTES, 3);
        metric("AWS/ECS", name, "Average", GREATER, threshold, time)
    };
    [
        of_app(
            used("CPUUtilization", 90.0),
            app,
            "cpu",
            "uses almost all CPU that its tasks reserve",
        ),
        of_app(
            used("MemoryUtilization", 100.0),
            app,
            "memory",
            "uses more memory than its tasks reserve",
        ),
    ]
}

/// A cluster that stays almost full although it scales has come to its maximum.
fn reservation(cluster: &AppCluster) -> [Watched; 2] {
    let full = |name| {
        let time = (FIVE_MINUTES, 3);
        metric("AWS/ECS", name, "Average", GREATER_OR_EQUAL, 95.0, time)
    };
    [
        (full("CPUReservation"), "cpu-reservation", "CPU"),
        (full("MemoryReservation"), "memory-reservation", "memory"),
    ]
    .map(|(metric, suffix, what)| {
        let description = format!(
            "Tasks reserve almost all {what} of cluster `{}`: new ones may find no place",
            cluster.name
        );
        let name = format!("cluster-{}-{suffix}", cluster.name);
        metric.of(&cluster.name, name, description)
    })
}

/// The credits of burstable servers; none for other types.
fn server_credits(subject: &str, instance_type: &str) -> Option<Watched> {
    let burstable = instance_types::find(instance_type).is_some_and(|found| found.burstable);
    burstable.then(|| {
        credits("AWS/EC2").of(
            subject,
            format!("servers-{subject}-cpu-credits"),
            format!("Servers of `{subject}` ({instance_type}) have used up their CPU credits"),
        )
    })
}

fn status(role: &str, node: &Node) -> Watched {
    metric(
        "AWS/EC2",
        "StatusCheckFailed",
        "Maximum",
        GREATER_OR_EQUAL,
        1.0,
        (MINUTE, 5),
    )
    .of(
        &node.name,
        format!("{role}-status"),
        format!("The server `{role}` fails AWS's status checks"),
    )
}
