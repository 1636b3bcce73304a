//! Log groups.

use super::{alarms::Parts, context::Context};
use crate::model::LogGroup;

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
