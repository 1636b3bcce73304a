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

/// What a server reports every minute of its life: silence over all the alarm's periods means that
/// it is gone. One metric for each kind of server, so that a server that is gone is told once.
const LIFE_SIGNS: [(&str, &str); 6] = [
    ("AWS/AmazonMQ", "SystemCpuUtilization"),
    ("AWS/EC2", "StatusCheckFailed"),
    ("AWS/ES", "CPUUtilization"),
    ("AWS/ElastiCache", "CPUUtilization"),
    ("AWS/ElastiCache", "EngineCPUUtilization"),
    ("AWS/RDS", "CPUUtilization"),
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
