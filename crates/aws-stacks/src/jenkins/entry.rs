//! How requests come to Jenkins.

use mck_blueprint::model;
use mck_cloudformation::{
    LogicalId,
    resources::elasticloadbalancingv2::{
        self as elb,
        listener_rule::{Action, RuleCondition, SourceIpConfig},
        target_group::TargetGroupAttribute,
    },
};

use crate::{
    listener_rules::Piece,
    names,
    stack::{Handed, Stack},
    synthesis::Scene,
    target_groups,
    units::seconds,
};

/// Adds the target group, and the rule of the load balancer where Jenkins has a host.
pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>, jenkins: &model::Jenkins) -> LogicalId {
    let target_group = add_target_group(stack, jenkins);
    let priority = scene.index.listener_rules.of_jenkins();
    if let Some((rule, priority)) = jenkins.listener_rule.as_ref().zip(priority) {
        let listener = names::edge::listener(scene.blueprint);
        add_rule(stack, jenkins, rule, (&listener, priority), &target_group);
    }
    target_group
}

fn add_target_group(stack: &mut Stack, jenkins: &model::Jenkins) -> LogicalId {
    let properties = elb::TargetGroup {
        name: jenkins.target_group.as_str().into(),
        vpc_id: stack.take(&names::network::vpc()),
        target_type: "instance".into(),
        port: jenkins.port.into(),
        target_group_attributes: vec![TargetGroupAttribute {
            key: "deregistration_delay.timeout_seconds".into(),
            value: seconds(jenkins.deregistration_delay).to_string().into(),
        }],
        ..target_groups::checked_by(&jenkins.health_check)
    };
    let description = "Checks Jenkins and hands it its requests";
    stack
        .add("JenkinsTargetGroup", description, &properties)
        .id()
}

/// Only the host, and only from the listed ranges: others get what any unknown host gets.
fn add_rule(
    stack: &mut Stack,
    jenkins: &model::Jenkins,
    rule: &model::ListenerRule,
    (listener, priority): (&Handed, u16),
    target_group: &LogicalId,
) {
    let mut conditions = Piece::whole(rule).conditions();
    if !jenkins.allow_from.is_empty() {
        conditions.push(RuleCondition {
            field: "source-ip".into(),
            source_ip_config: Some(SourceIpConfig {
                values: jenkins.allow_from.iter().map(Into::into).collect(),
                ..Default::default()
            }),
            ..Default::default()
        });
    }
    let properties = elb::ListenerRule {
        listener_arn: stack.take(listener),
        priority: priority.into(),
        conditions,
        actions: vec![Action {
            type_: "forward".into(),
            target_group_arn: target_group.reference(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let description = "Which requests come to Jenkins: its host, from the listed ranges";
    stack.add("JenkinsListenerRule", description, &properties);
}
