//! Failures that no metric tells of: AWS's services report them as events.

use std::collections::BTreeMap;

use mck_blueprint::model::Blueprint;
use mck_cloudformation::{
    Json, LogicalId, Render, Text, pseudo,
    resources::{
        events::{self, rule},
        rds,
    },
};
use serde_json::json;

use crate::{alarms, names, stack::Stack, synthesis::Scene};

/// Clusters in one rule: an event pattern has at most 2,048 characters (EventBridge quotas).
const CLUSTERS_PER_RULE: usize = 12;

pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>) {
    add_database(stack);
    add_deployments(stack, scene.blueprint);
    add_backups(stack, scene.blueprint);
}

fn add_database(stack: &mut Stack) {
    let cluster = stack.take(&names::data::database_cluster());
    stack.add(
        "DatabaseEvents",
        "Tells of failovers, failures and maintenance of the database",
        &rds::EventSubscription {
            sns_topic_arn: super::topic().reference(),
            source_type: "db-cluster".into(),
            source_ids: vec![cluster],
            event_categories: ["failover", "failure", "maintenance"]
                .map(Text::from)
                .to_vec(),
            ..Default::default()
        },
    );
}

/// A deployment that the circuit breaker gave up.
fn add_deployments(stack: &mut Stack, blueprint: &Blueprint) {
    let chunks = blueprint.clusters.chunks(CLUSTERS_PER_RULE).enumerate();
    for (index, clusters) in chunks {
        let services: Vec<Json> = clusters
            .iter()
            .map(|cluster| {
                let cluster = names::ecs_cluster(blueprint, &cluster.name);
                let prefix = pseudo::arn("ecs", format!("service/{cluster}/"));
                json!({ "prefix": prefix.render() })
            })
            .collect();
        let pattern = json!({
            "source": ["aws.ecs"],
            "detail-type": ["ECS Deployment State Change"],
            "resources": services,
            "detail": { "eventName": ["SERVICE_DEPLOYMENT_FAILED"] },
        });
        let message = Message {
            values: &[("service", "$.resources[0]"), ("reason", "$.detail.reason")],
            text: "The deployment of <service> failed: <reason>",
        };
        add_rule(
            stack,
            LogicalId::of(&["failed-deployments", &(index + 1).to_string()]),
            "Tells of deployments that failed",
            pattern,
            &message,
        );
    }
}

fn add_backups(stack: &mut Stack, blueprint: &Blueprint) {
    let mut resources: Vec<Text> = Vec::new();
    if blueprint.database.backup_plan.is_some() {
        let id = stack.take(&names::data::database_cluster());
        let id = Text::concat(["cluster:".into(), id]);
        resources.push(pseudo::arn("rds", id));
    }
    let files = blueprint.file_system.as_ref();
    if files.is_some_and(|files| files.backup_plan.is_some()) {
        let id = stack.take(&names::data::file_system());
        let id = Text::concat(["file-system/".into(), id]);
        resources.push(pseudo::arn("elasticfilesystem", id));
    }
    if !resources.is_empty() {
        tell_of_failed_backups(stack, &resources);
    }
}

/// Tells of backups of these resources, by ARN, that were not made; only where there are alarms.
pub(crate) fn tell_of_failed_backups(stack: &mut Stack, resources: &[Text]) {
    let resources: Vec<Json> = resources.iter().filter_map(Render::render).collect();
    let pattern = json!({
        "source": ["aws.backup"],
        "detail-type": ["Backup Job State Change"],
        "detail": { "state": ["FAILED", "ABORTED", "EXPIRED"], "resourceArn": resources },
    });
    let message = Message {
        values: &[
            ("resource", "$.detail.resourceArn"),
            ("state", "$.detail.state"),
            ("reason", "$.detail.statusMessage"),
        ],
        text: "The backup of <resource> ended as <state>: <reason>",
    };
    let description = "Tells of backups that failed";
    add_rule(
        stack,
        "FailedBackups".into(),
        description,
        pattern,
        &message,
    );
}

/// What is said of an event.
struct Message<'a> {
    /// Names, and where in the event they come from.
    values: &'a [(&'a str, &'a str)],
    /// One sentence with `<name>` for each.
    text: &'a str,
}

fn add_rule(
    stack: &mut Stack,
    id: LogicalId,
    description: &str,
    pattern: Json,
    message: &Message<'_>,
) {
    let values = message.values.iter();
    let paths: BTreeMap<String, Text> = values
        .map(|(name, path)| ((*name).to_owned(), (*path).into()))
        .collect();
    let target = rule::Target {
        id: "alarms".into(),
        arn: alarms::topic(stack),
        input_transformer: Some(rule::InputTransformer {
            input_paths_map: paths,
            input_template: format!("\"{}\"", message.text).into(),
        }),
        ..Default::default()
    };
    let rule = events::Rule {
        description: description.into(),
        event_pattern: pattern.into(),
        targets: vec![target],
        ..Default::default()
    };
    stack.add(id, description, &rule);
}
