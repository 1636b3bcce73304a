//! ECS Exec: commands in containers are encrypted on their way and kept in a log group.

use mck_blueprint::{Blueprint, model::AppCluster};
use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Statement, Text, pseudo,
    resources::{
        ecs::cluster::{ExecuteCommandConfiguration, ExecuteCommandLogConfiguration},
        kms, logs,
    },
};

use crate::{log_groups, names, stack::Stack};

/// Adds key and log group; gives the cluster's configuration.
pub(super) fn add(
    stack: &mut Stack,
    blueprint: &Blueprint,
    cluster: &AppCluster,
) -> ExecuteCommandConfiguration {
    let name = names::exec_log_group(cluster);
    let key = add_key(stack, cluster, &name);
    let log_group = add_log_group(stack, blueprint, cluster, &name, &key);
    stack.hand_over(
        &names::cluster::exec_key(&cluster.name),
        "The key of commands run in containers",
        key.attribute("Arn"),
    );
    ExecuteCommandConfiguration {
        kms_key_id: key.reference(),
        logging: "OVERRIDE".into(),
        log_configuration: Some(ExecuteCommandLogConfiguration {
            cloud_watch_log_group_name: log_group.reference(),
            cloud_watch_encryption_enabled: true.into(),
            ..Default::default()
        }),
    }
}

fn add_key(stack: &mut Stack, cluster: &AppCluster, log_group: &str) -> LogicalId {
    let account = Text::concat([
        Text::from("arn:"),
        pseudo::partition(),
        ":iam::".into(),
        pseudo::account(),
        ":root".into(),
    ]);
    let logs = Text::concat([
        Text::from("logs."),
        pseudo::region(),
        ".".into(),
        pseudo::url_suffix(),
    ]);
    let [arn, _] = log_groups::arns(log_group);
    // CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS KMS".
    let statements = [
        Statement::allow(["kms:*"])
            .named("Account")
            .to(Principal::Aws(vec![account]))
            .on_all(),
        Statement::allow([
            "kms:Decrypt",
            "kms:Describe*",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ])
        .named("Logs")
        .to(Principal::Services(vec![logs]))
        .on_all()
        .when("ArnEquals", "kms:EncryptionContext:aws:logs:arn", [arn]),
    ];
    let properties = kms::Key {
        description: format!("Commands run in containers of the cluster {}", cluster.name).into(),
        enable_key_rotation: true.into(),
        key_policy: PolicyDocument::new(statements).into(),
        ..Default::default()
    };
    let description = format!(
        "Encrypts commands run in containers of the cluster {}, and their logs",
        cluster.name
    );
    // Without it the kept log group could not be read.
    stack
        .add("ExecKey", description, &properties)
        .retained()
        .id()
}

fn add_log_group(
    stack: &mut Stack,
    blueprint: &Blueprint,
    cluster: &AppCluster,
    name: &str,
    key: &LogicalId,
) -> LogicalId {
    let properties = logs::LogGroup {
        log_group_name: name.into(),
        kms_key_id: key.attribute("Arn"),
        retention_in_days: log_groups::retention(blueprint, &cluster.log_group),
        ..Default::default()
    };
    let description = format!(
        "Keeps what was typed and answered in containers of the cluster {}",
        cluster.name
    );
    stack
        .add("LogGroupExec", description, &properties)
        .retained()
        .id()
}
