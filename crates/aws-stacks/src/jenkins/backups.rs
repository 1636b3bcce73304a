//! Backups of Jenkins' home.

use mck_blueprint::{Blueprint, model::BackupPlan};
use mck_cloudformation::{
    PolicyDocument, pseudo,
    resources::{
        backup::{
            self,
            backup_plan::{BackupPlanResourceType, BackupRuleResourceType, LifecycleResourceType},
            backup_selection::BackupSelectionResourceType,
        },
        iam,
    },
};

use super::{NAME, home::Home};
use crate::{servers, stack::Stack};

const DAY: u64 = 86_400;

pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint, plan: &BackupPlan, home: &Home) {
    let name = servers::full_name(blueprint, NAME);
    let vault = backup::BackupVault {
        backup_vault_name: name.as_str().into(),
        ..Default::default()
    };
    let description = "Keeps the backups of Jenkins' home";
    let vault = stack
        .add("JenkinsBackupVault", description, &vault)
        .retained()
        .id();
    let days = u32::try_from(plan.retention.as_secs_ceil() / DAY).unwrap_or(u32::MAX);
    let rule = BackupRuleResourceType {
        rule_name: NAME.into(),
        target_backup_vault: vault.reference(),
        schedule_expression: plan.schedule.as_str().into(),
        lifecycle: Some(LifecycleResourceType {
            delete_after_days: f64::from(days).into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let properties = backup::BackupPlan {
        backup_plan: Some(BackupPlanResourceType {
            backup_plan_name: name.as_str().into(),
            backup_plan_rule: vec![rule],
            ..Default::default()
        }),
        ..Default::default()
    };
    let description = "When Jenkins' home is backed up, and for how long";
    let plan = stack
        .add("JenkinsBackupPlan", description, &properties)
        .id();
    let role = iam::Role {
        assume_role_policy_document: PolicyDocument::trust("backup.amazonaws.com").into(),
        description: "Backs the home of Jenkins up".into(),
        managed_policy_arns: vec![pseudo::global_arn(
            "iam",
            "aws",
            "policy/service-role/AWSBackupServiceRolePolicyForBackup",
        )],
        ..Default::default()
    };
    let description = "Lets AWS Backup read Jenkins' home";
    let role = stack.add("JenkinsBackupRole", description, &role).id();
    let selection = backup::BackupSelection {
        backup_plan_id: plan.reference(),
        backup_selection: Some(BackupSelectionResourceType {
            selection_name: NAME.into(),
            iam_role_arn: role.attribute("Arn"),
            resources: vec![home.file_system_arn()],
            ..Default::default()
        }),
    };
    let description = "What the backup plan of Jenkins is about: its home";
    stack.add("JenkinsBackupSelection", description, &selection);
}
