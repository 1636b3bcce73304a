//! Alarms: which metrics are watched, and when they are bad.

mod compute;
mod data;
mod services;

use mck_environment::units::Duration;

use super::{context::Context, data::DataStores};
use crate::model::{Alarm, App, AppCluster, Bastion, Jenkins, LoadBalancer};

const GREATER: &str = "GreaterThanThreshold";
const GREATER_OR_EQUAL: &str = "GreaterThanOrEqualToThreshold";
const LESS: &str = "LessThanThreshold";
const MINUTE: Duration = Duration::from_secs(60);
const FIVE_MINUTES: Duration = Duration::from_secs(300);
const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1_073_741_824.0;

/// What alarms are about.
pub(super) struct Parts<'a> {
    pub(super) apps: &'a [App],
    pub(super) clusters: &'a [AppCluster],
    pub(super) data: &'a DataStores,
    pub(super) load_balancer: &'a LoadBalancer,
    pub(super) bastion: Option<&'a Bastion>,
    pub(super) jenkins: Option<&'a Jenkins>,
}

/// All alarms by name; none where they are switched off.
pub(super) fn plan(context: &Context<'_>, parts: &Parts<'_>) -> Vec<Alarm> {
    if !context.settings.alarms.enabled {
        return Vec::new();
    }
    let mut watched = compute::watch(context, parts);
    watched.extend(data::watch(parts.data));
    watched.extend(services::watch(parts.data));
    let mut alarms: Vec<Alarm> = watched.into_iter().map(|it| it.alarm(context)).collect();
    alarms.sort_by(|left, right| left.name.cmp(&right.name));
    alarms
}

/// A metric of something and when it is bad.
struct Watched {
    /// The alarm's name in the environment.
    name: String,
    /// What it watches.
    subject: String,
    /// What it means.
    description: String,
    metric: Metric,
}

/// When a metric is bad.
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
    fn of(self, subject: &str, name: impl Into<String>, description: impl Into<String>) -> Watched {
        Watched {
            name: name.into(),
            subject: subject.to_owned(),
            description: description.into(),
            metric: self,
        }
    }
}

impl Watched {
    fn alarm(self, context: &Context<'_>) -> Alarm {
        let metric = self.metric;
        Alarm {
            name: context.name(&self.name),
            description: self.description,
            namespace: metric.namespace.to_owned(),
            metric: metric.name.to_owned(),
            subject: self.subject,
            statistic: metric.statistic.to_owned(),
            comparison: metric.comparison.to_owned(),
            threshold: metric.threshold,
            period: metric.period,
            evaluation_periods: metric.periods,
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

/// Credits of a burstable type that are almost used up: afterwards it runs at its baseline, or costs
/// more.
fn credits(namespace: &'static str) -> Metric {
    metric(
        namespace,
        "CPUCreditBalance",
        "Minimum",
        LESS,
        20.0,
        (FIVE_MINUTES, 3),
    )
}
