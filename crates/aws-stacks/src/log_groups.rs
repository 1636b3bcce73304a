//! Log groups of the blueprint.

use mck_blueprint::Blueprint;
use mck_cloudformation::{LogicalId, Text, pseudo, resources::logs};

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
    let mut groups = blueprint.log_groups.iter();
    let known = groups.find(|group| group.name == name);
    let group = logs::LogGroup {
        log_group_name: name.into(),
        retention_in_days: known
            .map(|group| group.retention.as_secs_ceil() / DAY)
            .and_then(|days| u32::try_from(days).ok())
            .map_or_else(Default::default, Into::into),
        ..Default::default()
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    let id = LogicalId::of(&["log-group", last]);
    stack.add(id, description, &group).retained().id()
}

/// The ARN of a log group and of all its streams, for policies.
pub(crate) fn arns(name: &str) -> [Text; 2] {
    [
        pseudo::arn("logs", format!("log-group:{name}")),
        pseudo::arn("logs", format!("log-group:{name}:*")),
    ]
}
