//! Log groups of the blueprint.

use mck_blueprint::Blueprint;
use mck_cloudformation::{Integer, LogicalId, Text, pseudo, resources::logs};
use mck_environment::units::Duration;

use crate::stack::Stack;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Adds the log group of that name, with the retention that the blueprint says. It is kept when the
/// stack goes: logs are read when something has gone wrong.
pub(crate) fn add(
    stack: &mut Stack,
    blueprint: &Blueprint,
    name: &str,
    description: &str,
) -> LogicalId {
    let group = logs::LogGroup {
        log_group_name: name.into(),
        retention_in_days: retention(blueprint, name),
        ..Default::default()
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    let id = LogicalId::of(&["log-group", last]);
    stack.add(id, description, &group).retained().id()
}

/// Times for which CloudWatch Logs can keep events, in days (API reference, `PutRetentionPolicy`).
const RETENTIONS: [u64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557,
    2_922, 3_288, 3_653,
];

/// Adds a log group whose name is a service's own, with the next retention that there is.
pub(crate) fn add_of_service(
    stack: &mut Stack,
    id: LogicalId,
    name: &str,
    retention: Duration,
    description: &str,
) -> LogicalId {
    let days = retention.as_secs_ceil().div_ceil(DAY);
    let days = RETENTIONS.iter().find(|offered| days <= **offered);
    let group = logs::LogGroup {
        log_group_name: name.into(),
        // Beyond the longest there is only for ever, which is said by saying nothing.
        retention_in_days: days
            .and_then(|days| u32::try_from(*days).ok())
            .map_or_else(Default::default, Into::into),
        ..Default::default()
    };
    stack.add(id, description, &group).retained().id()
}

/// How many days the log group of that name keeps its events; for ever where it is not the
/// blueprint's.
pub(crate) fn retention(blueprint: &Blueprint, name: &str) -> Integer {
    let mut groups = blueprint.log_groups.iter();
    groups
        .find(|group| group.name == name)
        .map(|group| group.retention.as_secs_ceil() / DAY)
        .and_then(|days| u32::try_from(days).ok())
        .map_or_else(Default::default, Into::into)
}

/// The ARN of a log group and of all its streams, for policies.
pub(crate) fn arns(name: &str) -> [Text; 2] {
    [
        pseudo::arn("logs", format!("log-group:{name}")),
        pseudo::arn("logs", format!("log-group:{name}:*")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StackId, testing};

    #[test]
    fn a_retention_is_the_next_that_there_is() {
        let mut stack = testing::stack(testing::SMALLEST, &StackId::Data);
        for (days, expected) in [
            (1, Some(1)),
            (8, Some(14)),
            (3_653, Some(3_653)),
            (4_000, None),
        ] {
            let id = LogicalId::of(&["log-group", &days.to_string()]);
            let retention = Duration::from_days(days);
            let id = add_of_service(&mut stack, id, "name", retention, "Keeps logs");
            let mut resources = stack.template.resources().iter();
            let (_, group) = resources.find(|(known, _)| *known == id).unwrap();
            let written = group.properties.get("RetentionInDays");
            assert_eq!(
                written.and_then(serde_json::Value::as_i64),
                expected,
                "{days}"
            );
        }
    }
}
