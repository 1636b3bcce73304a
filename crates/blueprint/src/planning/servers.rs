//! The Bastion and Jenkins.

use mck_environment::{settings::Architecture, units::Duration};

use super::{
    PlanningError,
    addresses::Addresses,
    context::{Context, shortened},
    data, edge, groups,
    secrets::{PASSWORD_LENGTH, Secrets},
};
use crate::{
    instance_types,
    model::{Bastion, HealthCheck, Jenkins, JenkinsHome, ListenerRule, Network, Tier},
};

/// The offset of the Bastion in the first public subnet.
const BASTION_OFFSET: u32 = 6;
/// The port of a network file system.
const NFS_PORT: u16 = 2049;
/// The port of Jenkins.
const JENKINS_PORT: u16 = 8080;

pub(super) fn plan_bastion(
    context: &Context<'_>,
    addresses: &mut Addresses<'_>,
) -> Result<Option<Bastion>, PlanningError> {
    let settings = &context.settings.bastion;
    if !settings.enabled {
        return Ok(None);
    }
    let node = addresses.node(
        "bastion".to_owned(),
        Tier::Public,
        0,
        BASTION_OFFSET,
        &groups::bastion(),
    )?;
    Ok(Some(Bastion {
        node,
        instance_type: settings.instance_type.clone(),
        architecture: architecture(&settings.instance_type),
        volume_size: settings.volume_size,
        allow_ssh_from: settings.allow_ssh_from.clone(),
        authorized_keys: settings.authorized_keys.clone(),
        log_group: context.log_group("bastion"),
    }))
}

/// Jenkins; `priority` is its listener rule's.
pub(super) fn plan_jenkins(
    context: &Context<'_>,
    network: &Network,
    addresses: &mut Addresses<'_>,
    priority: u16,
    secrets: &mut Secrets,
) -> Result<Option<Jenkins>, PlanningError> {
    let settings = &context.settings.jenkins;
    if !settings.enabled {
        return Ok(None);
    }
    let node = addresses.last_node("jenkins".to_owned(), Tier::App, &groups::jenkins())?;
    let admin_password_secret = "jenkins-admin-password".to_owned();
    if !context.is_local() {
        secrets.generated(
            admin_password_secret.clone(),
            "Password of the administrator of Jenkins".to_owned(),
            PASSWORD_LENGTH,
        );
    }
    Ok(Some(Jenkins {
        node,
        admin_password_secret,
        instance_type: settings.instance_type.clone(),
        architecture: architecture(&settings.instance_type),
        volume_size: settings.volume_size,
        version: settings.version.clone(),
        java_version: settings.java_version,
        home: JenkinsHome {
            path: "/mnt/jenkins".to_owned(),
            subnets: network
                .subnets
                .iter()
                .filter(|subnet| subnet.tier == Tier::Persistence)
                .map(|subnet| subnet.name.clone())
                .collect(),
            port: NFS_PORT,
            backup_plan: settings.backups.then(|| data::storage_backup_plan(context)),
            security_group: groups::jenkins_home(),
        },
        port: JENKINS_PORT,
        target_group: shortened(&context.name("jenkins"), edge::NAME_LIMIT),
        health_check: health_check(settings.host.clone()),
        deregistration_delay: Duration::from_secs(30),
        log_group: context.log_group("jenkins"),
        listener_rule: settings.host.clone().map(|host| ListenerRule {
            priority,
            hosts: vec![host],
            paths: Vec::new(),
        }),
        host: settings.host.clone(),
        allow_from: settings.allow_from.clone(),
        plugins: settings.plugins.clone(),
    }))
}

/// The processor architecture of a server by its instance type; a type that the table lacks is
/// taken for the most usual one.
fn architecture(instance_type: &str) -> Architecture {
    instance_types::find(instance_type).map_or(Architecture::X86_64, |found| found.architecture)
}

/// The check of Jenkins: its login page answers to everyone, and 503 until it has started.
fn health_check(host: Option<String>) -> HealthCheck {
    HealthCheck {
        path: "/login".to_owned(),
        host,
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        healthy_threshold: 2,
        unhealthy_threshold: 5,
        matcher: vec![(200, 200)],
        grace_period: Duration::from_secs(600),
    }
}
