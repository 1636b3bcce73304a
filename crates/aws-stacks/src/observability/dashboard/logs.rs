//! Errors in the apps' logs.

use mck_blueprint::model::Blueprint;

use super::widget::{Section, Widget};

/// Log groups of one query (CloudWatch Logs quotas, "Log groups queried").
const GROUPS_OF_A_QUERY: usize = 50;
/// PHP's and Magento's words for what should not happen.
const ERRORS: &str = "fields @timestamp, @log, @message \
    | filter @message like /(?i)(fatal|critical|emergency|uncaught|exception|error)/ \
    | sort @timestamp desc | limit 50";

pub(super) fn section(blueprint: &Blueprint) -> Section {
    let groups: Vec<String> = blueprint
        .apps
        .iter()
        .map(|app| app.log_group.clone())
        .collect();
    let chunks = groups.chunks(GROUPS_OF_A_QUERY).enumerate();
    let widgets = chunks.map(|(index, groups)| Widget::Logs {
        title: if index == 0 {
            "The latest errors in the apps' logs".to_owned()
        } else {
            format!("The latest errors in the apps' logs ({})", index + 1)
        },
        groups: groups.to_vec(),
        query: ERRORS,
    });
    Section {
        title: "Logs",
        widgets: widgets.collect(),
    }
}
