//! Backups in a vault of the environment's own (AWS Backup).

use mck_blueprint::{Blueprint, model::BackupPlan};
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

use crate::{servers, stack::Stack};

const DAY: u64 = 86_400;

/// Something with a plan: its name, the plan, its ARN.
type Kept<'a> = (&'static str, &'a BackupPlan, Text);

pub(super) fn add(
    stack: &mut Stack,
    blueprint: &Blueprint,
    database: &LogicalId,
    files: Option<&LogicalId>,
    key: &LogicalId,
) {
    let of_database = blueprint.database.backup_plan.as_ref();
    let of_database = of_database.map(|plan| {
        let resource = Text::concat([Text::from("cluster:"), database.reference()]);
        ("database", plan, pseudo::arn("rds", resource))
    });
    let of_files = blueprint.file_system.as_ref();
    let of_files = of_files.and_then(|it| it.backup_plan.as_ref()).zip(files);
    let of_files = of_files.map(|(plan, id)| ("files", plan, id.attribute("Arn")));
    let kept: Vec<Kept<'_>> = of_database.into_iter().chain(of_files).collect();
    if kept.is_empty() {
        return;
    }
    let vault = backup::BackupVault {
        backup_vault_name: servers::full_name(blueprint, "data").into(),
        encryption_key_arn: key.attribute("Arn"),
        ..Default::default()
    };
    let description = "Keeps the backups of the data stores";
    let vault = stack.add("BackupVault", description, &vault).retained();
    let vault = vault.id();
    let role = add_role(stack);
    for one in kept {
        add_plan(stack, blueprint, one, &vault, &role);
    }
}

fn add_role(stack: &mut Stack) -> LogicalId {
    let role = iam::Role {
        assume_role_policy_document: PolicyDocument::trust("backup.amazonaws.com").into(),
        description: "Backs the data stores up".into(),
        managed_policy_arns: vec![pseudo::global_arn(
            "iam",
            "aws",
            "policy/service-role/AWSBackupServiceRolePolicyForBackup",
        )],
        ..Default::default()
    };
    let description = "Lets AWS Backup read the data stores";
    stack.add("BackupRole", description, &role).id()
}

fn add_plan(
    stack: &mut Stack,
    blueprint: &Blueprint,
    (name, plan, resource): Kept<'_>,
    vault: &LogicalId,
    role: &LogicalId,
) {
    let days = u32::try_from(plan.retention.as_secs_ceil() / DAY).unwrap_or(u32::MAX);
    let rule = BackupRuleResourceType {
        rule_name: name.into(),
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
            backup_plan_name: servers::full_name(blueprint, name).into(),
            backup_plan_rule: vec![rule],
            ..Default::default()
        }),
        ..Default::default()
    };
    let id = LogicalId::of(&["backup-plan", name]);
    let description = format!("Plan of backups: {name}");
    let plan = stack.add(id, description, &properties).id();
    let selection = backup::BackupSelection {
        backup_plan_id: plan.reference(),
        backup_selection: Some(BackupSelectionResourceType {
            selection_name: name.into(),
            iam_role_arn: role.attribute("Arn"),
            resources: vec![resource],
            ..Default::default()
        }),
    };
    let id = LogicalId::of(&["backup-selection", name]);
    let description = format!("What the plan of backups is about: {name}");
    stack.add(id, description, &selection);
}
