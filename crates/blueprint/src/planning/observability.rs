//! Log groups and alarms.

use mck_environment::units::Duration;

use super::{context::Context, data::DataStores};
use crate::model::{Alarm, App, AppCluster, Bastion, Jenkins, LoadBalancer, LogGroup};

const GREATER: &str = "GreaterThanThreshold";
const GREATER_OR_EQUAL: &str = "GreaterThanOrEqualToThreshold";
const LESS: &str = "LessThanThreshold";
const MINUTE: Duration = Duration::from_secs(60);
const FIVE_MINUTES: Duration = Duration::from_secs(300);
const GIB: f64 = 1_073_741_824.0;

/// What log groups and alarms are about.
pub(super) struct Parts<'a> {
    pub(super) apps: &'a [App],
    pub(super) clusters: &'a [AppCluster],
    pub(super) data: &'a DataStores,
    pub(super) load_balancer: &'a LoadBalancer,
    pub(super) bastion: Option<&'a Bastion>,
    pub(super) jenkins: Option<&'a Jenkins>,
}

pub(super) fn log_groups(context: &Context<'_>, parts: &Parts<'_>) -> Vec<LogGroup> {
    let mut names: Vec<String> = parts.apps.iter().map(|app| app.log_group.clone()).collect();
    names.extend(parts.clusters.iter().map(|it| it.log_group.clone()));
    names.push(context.log_group("database"));
    for redis in &parts.data.redis {
        names.push(context.log_group(&redis.name));
    }
    names.extend(parts.data.search.iter().map(|it| it.log_group.clone()));
    names.extend(parts.bastion.iter().map(|it| it.log_group.clone()));
    names.extend(parts.jenkins.iter().map(|it| it.log_group.clone()));
    if context.settings.network.flow_logs && !context.is_local() {
        names.push(context.log_group("flow-logs"));
    }
    names.sort();
    names
        .into_iter()
        .map(|name| LogGroup {
            name,
            retention: context.settings.logs.retention,
        })
        .collect()
}

/// What a metric is and when it is bad.
struct Metric {
    namespace: &'static str,
    name: &'static str,
    statistic: &'static str,
    comparison: &'static str,
    threshold: f64,
    period: Duration,
    periods: u8,
}

impl Metric {
    fn alarm(&self, context: &Context<'_>, name: &str, subject: &str, description: &str) -> Alarm {
        Alarm {
            name: context.name(name),
            description: description.to_owned(),
            namespace: self.namespace.to_owned(),
            metric: self.name.to_owned(),
            subject: subject.to_owned(),
            statistic: self.statistic.to_owned(),
            comparison: self.comparison.to_owned(),
            threshold: self.threshold,
            period: self.period,
            evaluation_periods: self.periods,
        }
    }
}

const fn metric(
    namespace: &'static str,
    name: &'static str,
    statistic: &'static str,
    comparison: &'static str,
    threshold: f64,
    (period, periods): (Duration, u8),
) -> Metric {
    Metric {
        namespace,
        name,
        statistic,
        comparison,
        threshold,
        period,
        periods,
    }
}

/// All alarms by name; none where they are switched off.
pub(super) fn alarms(context: &Context<'_>, parts: &Parts<'_>) -> Vec<Alarm> {
    if !context.settings.alarms.enabled {
        return Vec::new();
    }
    let mut alarms = load_balancer_alarms(context, parts.load_balancer);
    for app in parts.apps.iter().filter(|app| app.target_group.is_some()) {
        alarms.extend(app_alarms(context, app));
    }
    for cluster in parts.clusters {
        alarms.extend(cluster_alarms(context, cluster));
    }
    alarms.extend(database_alarms(context, parts.data));
    for redis in &parts.data.redis {
        alarms.extend(redis_alarms(context, &redis.name));
    }
    if let Some(file_system) = &parts.data.file_system {
        let burst = metric(
            "AWS/EFS",
            "BurstCreditBalance",
            "Minimum",
            LESS,
            192.0 * GIB,
            (FIVE_MINUTES, 3),
        );
        alarms.push(burst.alarm(
            context,
            "media-burst-credits",
            &file_system.name,
            "The shared file system runs out of burst credits and will slow down",
        ));
    }
    alarms.sort_by(|left, right| left.name.cmp(&right.name));
    alarms
}

fn load_balancer_alarms(context: &Context<'_>, load_balancer: &LoadBalancer) -> Vec<Alarm> {
    let errors = metric(
        "AWS/ApplicationELB",
        "HTTPCode_ELB_5XX_Count",
        "Sum",
        GREATER_OR_EQUAL,
        10.0,
        (MINUTE, 3),
    );
    vec![errors.alarm(
        context,
        "load-balancer-5xx",
        &load_balancer.name,
        "The load balancer itself answers with errors: no healthy task, or tasks that hang up",
    )]
}

fn app_alarms(context: &Context<'_>, app: &App) -> Vec<Alarm> {
    let errors = metric(
        "AWS/ApplicationELB",
        "HTTPCode_Target_5XX_Count",
        "Sum",
        GREATER_OR_EQUAL,
        10.0,
        (MINUTE, 3),
    );
    let latency = metric(
        "AWS/ApplicationELB",
        "TargetResponseTime",
        "p99",
        GREATER,
        3.0,
        (MINUTE, 5),
    );
    let unhealthy = metric(
        "AWS/ApplicationELB",
        "UnHealthyHostCount",
        "Maximum",
        GREATER_OR_EQUAL,
        1.0,
        (MINUTE, 5),
    );
    [
        (errors, "5xx", "answers with errors"),
        (
            latency,
            "latency",
            "takes more than 3 s for one request in a hundred",
        ),
        (unhealthy, "unhealthy", "has unhealthy tasks"),
    ]
    .map(|(metric, suffix, what)| {
        let description = format!("App `{}` {what}", app.name);
        metric.alarm(
            context,
            &format!("app-{}-{suffix}", app.name),
            &app.name,
            &description,
        )
    })
    .to_vec()
}

/// A cluster that stays almost full although it scales has come to its maximum.
fn cluster_alarms(context: &Context<'_>, cluster: &AppCluster) -> Vec<Alarm> {
    let full = |name| {
        metric(
            "AWS/ECS",
            name,
            "Average",
            GREATER_OR_EQUAL,
            95.0,
            (FIVE_MINUTES, 3),
        )
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
        metric.alarm(context, &name, &cluster.name, &description)
    })
    .to_vec()
}

fn database_alarms(context: &Context<'_>, data: &DataStores) -> Vec<Alarm> {
    let database = &data.database;
    let cpu = metric(
        "AWS/RDS",
        "CPUUtilization",
        "Average",
        GREATER,
        80.0,
        (FIVE_MINUTES, 3),
    );
    let storage = metric(
        "AWS/RDS",
        "FreeLocalStorage",
        "Minimum",
        LESS,
        2.0 * GIB,
        (FIVE_MINUTES, 2),
    );
    let connections = metric(
        "AWS/RDS",
        "DatabaseConnections",
        "Maximum",
        GREATER,
        f64::from(database.max_connections) * 0.8,
        (MINUTE, 5),
    );
    let mut all = vec![
        (cpu, "cpu", "The database's processors are busy"),
        (
            storage,
            "free-storage",
            "The database runs out of local storage",
        ),
        (
            connections,
            "connections",
            "The database is close to its greatest number of connections",
        ),
    ];
    if database.members.len() > 1 {
        let lag = metric(
            "AWS/RDS",
            "AuroraReplicaLagMaximum",
            "Maximum",
            GREATER,
            1_000.0,
            (MINUTE, 5),
        );
        all.push((
            lag,
            "replica-lag",
            "Database readers are more than a second behind",
        ));
    }
    all.into_iter()
        .map(|(metric, suffix, text)| {
            metric.alarm(context, &format!("database-{suffix}"), "database", text)
        })
        .collect()
}

fn redis_alarms(context: &Context<'_>, name: &str) -> Vec<Alarm> {
    let cpu = metric(
        "AWS/ElastiCache",
        "EngineCPUUtilization",
        "Average",
        GREATER,
        80.0,
        (MINUTE, 5),
    );
    let memory = metric(
        "AWS/ElastiCache",
        "DatabaseMemoryUsagePercentage",
        "Maximum",
        GREATER,
        80.0,
        (MINUTE, 5),
    );
    // A cache is there to evict; only a flood of evictions says that it is too small.
    let tolerated = if name == super::data::REDIS_SESSION {
        0.0
    } else {
        10_000.0
    };
    let evictions = metric(
        "AWS/ElastiCache",
        "Evictions",
        "Sum",
        GREATER,
        tolerated,
        (FIVE_MINUTES, 3),
    );
    [
        (cpu, "cpu", "'s processor is busy"),
        (memory, "memory", " is almost full"),
        (
            evictions,
            "evictions",
            " throws data away for lack of memory",
        ),
    ]
    .map(|(metric, suffix, text)| {
        metric.alarm(
            context,
            &format!("{name}-{suffix}"),
            name,
            &format!("`{name}`{text}"),
        )
    })
    .to_vec()
}
