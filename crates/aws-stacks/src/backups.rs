//! Backups by AWS Backup: a vault's plans, and the role that reads what they are about.

use mck_blueprint::model::BackupPlan;
use mck_cloudformation::{
    LogicalId, PolicyDocument, Text, pseudo,
    resources::{
        backup::{
            self,
            backup_plan::{BackupPlanResourceType, BackupRuleResourceType, LifecycleResourceType},
            backup_selection::BackupSelectionResourceType,
        },
        iam,
    },
};

use crate::{stack::Stack, units};

/// The role that backs something up.
pub(crate) fn add_role(stack: &mut Stack, id: &str, description: &str, does: &str) -> LogicalId {
    let role = iam::Role {
        assume_role_policy_document: PolicyDocument::trust("backup.amazonaws.com").into(),
        description: does.into(),
        managed_policy_arns: vec![pseudo::global_arn(
            "iam",
            "aws",
            "policy/service-role/AWSBackupServiceRolePolicyForBackup",
        )],
        ..Default::default()
    };
    stack.add(id, description, &role).id()
}

/// The plan `name` into a vault; `id` and `description` are of its resource.
pub(crate) fn add_plan(
    stack: &mut Stack,
    (id, description): (LogicalId, &str),
    (name, full_name): (&str, &str),
    plan: &BackupPlan,
    vault: &LogicalId,
) -> LogicalId {
    let rule = BackupRuleResourceType {
        rule_name: name.into(),
        target_backup_vault: vault.reference(),
        schedule_expression: plan.schedule.as_str().into(),
        lifecycle: Some(LifecycleResourceType {
            delete_after_days: f64::from(units::days(plan.retention)).into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let properties = backup::BackupPlan {
        backup_plan: Some(BackupPlanResourceType {
            backup_plan_name: full_name.into(),
            backup_plan_rule: vec![rule],
            ..Default::default()
        }),
        ..Default::default()
    };
    stack.add(id, description, &properties).id()
}

/// What a plan is about: one resource, by its ARN.
pub(crate) fn add_selection(
    stack: &mut Stack,
    (id, description): (LogicalId, &str),
    name: &str,
    (plan, role): (&LogicalId, &LogicalId),
    resource: Text,
) {
    let selection = backup::BackupSelection {
        backup_plan_id: plan.reference(),
        backup_selection: Some(BackupSelectionResourceType {
            selection_name: name.into(),
            iam_role_arn: role.attribute("Arn"),
            resources: vec![resource],
            ..Default::default()
        }),
    };
    stack.add(id, description, &selection);
}
