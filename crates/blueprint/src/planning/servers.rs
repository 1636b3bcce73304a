//! The Bastion and Jenkins.

use super::{PlanningError, addresses::Addresses, context::Context, groups};
use crate::model::{Bastion, Jenkins, ListenerRule, Tier};

/// The offset of the Bastion in the first public subnet.
const BASTION_OFFSET: u32 = 6;
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
        allow_ssh_from: settings.allow_ssh_from.clone(),
    }))
}

/// Jenkins; `priority` is its listener rule's.
pub(super) fn plan_jenkins(
    context: &Context<'_>,
    addresses: &mut Addresses<'_>,
    priority: u16,
) -> Result<Option<Jenkins>, PlanningError> {
    let settings = &context.settings.jenkins;
    if !settings.enabled {
        return Ok(None);
    }
    let node = addresses.last_node("jenkins".to_owned(), Tier::App, &groups::jenkins())?;
    Ok(Some(Jenkins {
        node,
        instance_type: settings.instance_type.clone(),
        port: JENKINS_PORT,
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
