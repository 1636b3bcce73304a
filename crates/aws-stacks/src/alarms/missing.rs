//! What a period without a data point means.

use mck_blueprint::model::Alarm;

/// Metrics of events, and of what is only measured while there is something to measure: nothing
/// reported means that nothing happened.
const EVENTS: [&str; 4] = [
    "TargetResponseTime",
    "UnHealthyHostCount",
    "BurstCreditBalance",
    "CPUCreditBalance",
];

/// Metrics that a data store reports every minute of its life: silence means that it is gone.
const LIFE_SIGNS: [(&str, &str); 4] = [
    ("AWS/RDS", "CPUUtilization"),
    ("AWS/ElastiCache", "EngineCPUUtilization"),
    ("AWS/ES", "ClusterStatus.red"),
    ("AWS/EC2", "StatusCheckFailed"),
];

/// CloudWatch's `TreatMissingData` (CloudWatch user guide, "Configuring how alarms treat missing
/// data").
pub(super) fn treatment(alarm: &Alarm) -> &'static str {
    let metric = alarm.metric.as_str();
    if LIFE_SIGNS.contains(&(alarm.namespace.as_str(), metric)) {
        "breaching"
    } else if alarm.statistic == "Sum" || EVENTS.contains(&metric) {
        "notBreaching"
    } else {
        "missing"
    }
}
