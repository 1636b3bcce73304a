//! Logs, alarms and vendors.

use mck_environment::units::Duration;
use serde::Serialize;

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LogGroup {
    /// Its name, such as `/mck/shop/production/app/shop`.
    pub name: String,
    /// How long its events are kept.
    pub retention: Duration,
}

/// An alarm on a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// What it means, for a person.
    pub description: String,
    /// CloudWatch's namespace, such as `AWS/RDS`.
    pub namespace: String,
    /// CloudWatch's metric name.
    pub metric: String,
    /// What it watches: the name of an app, a data store or the load balancer.
    pub subject: String,
    /// CloudWatch's statistic, such as `Average` or `p99`.
    pub statistic: String,
    /// CloudWatch's comparison operator.
    pub comparison: String,
    /// The threshold, in the metric's unit.
    pub threshold: f64,
    /// The length of a period.
    pub period: Duration,
    /// Periods in a row.
    pub evaluation_periods: u8,
}

/// A vendor that is switched on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Integration {
    /// The vendor's name, as in the file.
    pub name: String,
    /// What it adds to the environment, one sentence each.
    pub contributions: Vec<String>,
    /// The names of the secrets that it needs.
    pub secrets: Vec<String>,
    /// URLs that it watches from outside.
    pub health_urls: Vec<String>,
}
