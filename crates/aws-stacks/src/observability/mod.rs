//! The stack `observability`: the topic of alarms, alarms and failures of what is not an app's or a
//! cluster's, the dashboard.

mod dashboard;
mod events;
mod topic;

pub(crate) use events::tell_of_failed_backups;
use mck_cloudformation::LogicalId;

use crate::{
    alarms::{self, Own},
    names,
    stack::{Stack, StackId},
    synthesis::Scene,
};

/// The logical id of the topic that alarms go to.
pub(crate) fn topic() -> LogicalId {
    LogicalId::from("AlarmTopic")
}

/// There is a topic only where there are alarms.
pub(crate) fn stack(scene: &Scene<'_>) -> Stack {
    let mut stack = scene.stack(StackId::Observability, "Alarms and dashboard");
    if !scene.blueprint.alarms.is_empty() {
        topic::add(&mut stack, scene);
        events::add(&mut stack, scene);
        alarms::add(&mut stack, scene, Own::default());
        stack.hand_over(
            &names::observability::topic(),
            "The ARN of the topic that alarms go to",
            topic().reference(),
        );
    }
    dashboard::add(&mut stack, scene);
    stack
}

#[cfg(test)]
mod tests;
