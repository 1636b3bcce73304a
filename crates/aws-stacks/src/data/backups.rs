//! Backups in a vault of the environment's own (AWS Backup).

use mck_blueprint::{Blueprint, model::BackupPlan};
use mck_cloudformation::{LogicalId, Text, pseudo, resources::backup};

use crate::{backups, servers, stack::Stack};

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
    let description = "Lets AWS Backup read the data stores";
    let does = "Backs the data stores up";
    let role = backups::add_role(stack, "BackupRole", description, does);
    for one in kept {
        add_plan(stack, blueprint, one, &vault, &role);
    }
}

fn add_plan(
    stack: &mut Stack,
    blueprint: &Blueprint,
    (name, plan, resource): Kept<'_>,
    vault: &LogicalId,
    role: &LogicalId,
) {
    let id = LogicalId::of(&["backup-plan", name]);
    let description = format!("Plan of backups: {name}");
    let full_name = servers::full_name(blueprint, name);
    let names = (name, full_name.as_str());
    let plan = backups::add_plan(stack, (id, &description), names, plan, vault);
    let id = LogicalId::of(&["backup-selection", name]);
    let description = format!("What the plan of backups is about: {name}");
    backups::add_selection(stack, (id, &description), name, (&plan, role), resource);
}
