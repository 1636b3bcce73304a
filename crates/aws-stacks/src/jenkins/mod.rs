//! The stack `jenkins`: an Auto Scaling group of one, its home on a file system of its own, behind
//! the load balancer for its host and the listed ranges.

mod backups;
mod entry;
mod home;
mod server;

use mck_blueprint::model;

use crate::{
    alarms, log_groups, observability, security_groups,
    stack::{Stack, StackId},
    synthesis::Scene,
};

/// What everything of Jenkins' own is called.
const NAME: &str = "jenkins";

pub(crate) fn stack(scene: &Scene<'_>, jenkins: &model::Jenkins) -> Stack {
    let blueprint = scene.blueprint;
    let mut stack = scene.stack(StackId::Jenkins, "Jenkins and its home");
    let rules = security_groups::add(&mut stack, scene);
    let description = "Keeps the system logs of Jenkins";
    log_groups::add(&mut stack, blueprint, &jenkins.log_group, description);
    let home = home::add(&mut stack, scene, jenkins);
    if let Some(plan) = &jenkins.home.backup_plan {
        backups::add(&mut stack, blueprint, plan, &home);
        if !blueprint.alarms.is_empty() {
            let arn = home.file_system_arn();
            observability::tell_of_failed_backups(&mut stack, &[arn]);
        }
    }
    let target_group = entry::add(&mut stack, scene, jenkins);
    let parts = server::Parts {
        home: &home,
        target_group: &target_group,
        rules: &rules,
    };
    let group = server::add(&mut stack, scene, jenkins, &parts);
    let own = alarms::Own {
        auto_scaling_group: Some(&group),
        target_group: Some(&target_group),
    };
    alarms::add(&mut stack, scene, own);
    stack
}

#[cfg(test)]
mod tests;
