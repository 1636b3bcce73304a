//! Backups of Jenkins' home.

use mck_blueprint::{Blueprint, model::BackupPlan};
use mck_cloudformation::resources::backup;

use super::{NAME, home::Home};
use crate::{backups, servers, stack::Stack};

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
    let description = "When Jenkins' home is backed up, and for how long";
    let resource = ("JenkinsBackupPlan".into(), description);
    let plan = backups::add_plan(stack, resource, (NAME, &name), plan, &vault);
    let description = "Lets AWS Backup read Jenkins' home";
    let does = "Backs the home of Jenkins up";
    let role = backups::add_role(stack, "JenkinsBackupRole", description, does);
    let description = "What the backup plan of Jenkins is about: its home";
    let resource = ("JenkinsBackupSelection".into(), description);
    let home = home.file_system_arn();
    backups::add_selection(stack, resource, NAME, (&plan, &role), home);
}
