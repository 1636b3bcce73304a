//! How requests come to an app's tasks: its target group and its rules of the load balancer.
//!
//! A load balancer's checks call a task by its address and can't say another host. That is met in the
//! images: the health check's path is answered for any host, by nginx's only server.

use mck_blueprint::model::{ListenerRule, TargetGroup};
use mck_cloudformation::{
    LogicalId,
    resources::elasticloadbalancingv2::{
        self as elb, listener_rule::Action, target_group::TargetGroupAttribute,
    },
};
use mck_environment::settings::Algorithm;

use super::Parts;
use crate::{listener_rules, names, stack::Stack, target_groups, units::seconds};

/// The port of a target group, which each task replaces by its own when ECS registers it; were it the
/// container's, another port would replace the group, whose name can't be had twice.
const PORT: u16 = 80;

/// How requests come.
pub(super) struct Route {
    /// The target group.
    pub(super) target_group: LogicalId,
    /// The rules.
    pub(super) rules: Vec<LogicalId>,
}

/// Adds target group and rules; nothing for an internal app.
pub(super) fn add(stack: &mut Stack, parts: &Parts<'_>) -> Option<Route> {
    let group = parts.app.target_group.as_ref()?;
    let target_group = add_target_group(stack, parts, group);
    let mut route = Route {
        target_group,
        rules: Vec::new(),
    };
    if let Some(rule) = &parts.app.listener_rule {
        add_rules(stack, parts, rule, &mut route);
    }
    stack.template.output(
        "TargetGroupFullName",
        "The target group, as CloudWatch's dimension has it",
        route.target_group.attribute("TargetGroupFullName"),
    );
    Some(route)
}

fn add_target_group(stack: &mut Stack, parts: &Parts<'_>, group: &TargetGroup) -> LogicalId {
    let properties = elb::TargetGroup {
        name: (&group.name).into(),
        vpc_id: stack.take(&names::network::vpc()),
        target_type: "ip".into(),
        port: PORT.into(),
        target_group_attributes: attributes(parts, group),
        ..target_groups::checked_by(&group.health_check)
    };
    let description = format!(
        "Checks the tasks of the app {} and hands them requests",
        parts.app.name
    );
    stack.add("TargetGroup", description, &properties).id()
}

fn attributes(parts: &Parts<'_>, group: &TargetGroup) -> Vec<TargetGroupAttribute> {
    let stickiness = group.stickiness;
    let algorithm = match parts.scene.blueprint.load_balancer.algorithm {
        Algorithm::LeastOutstandingRequests => "least_outstanding_requests",
        Algorithm::RoundRobin => "round_robin",
    };
    let mut attributes = vec![
        (
            "deregistration_delay.timeout_seconds",
            seconds(group.deregistration_delay).to_string(),
        ),
        ("load_balancing.algorithm.type", algorithm.to_owned()),
        ("stickiness.enabled", stickiness.enabled.to_string()),
        ("stickiness.type", "lb_cookie".to_owned()),
    ];
    if stickiness.enabled {
        let duration = seconds(stickiness.duration).to_string();
        attributes.push(("stickiness.lb_cookie.duration_seconds", duration));
    }
    attributes
        .into_iter()
        .map(|(key, value)| TargetGroupAttribute {
            key: key.into(),
            value: value.into(),
        })
        .collect()
}

fn add_rules(stack: &mut Stack, parts: &Parts<'_>, rule: &ListenerRule, route: &mut Route) {
    let first = parts.scene.index.listener_rules.first(&parts.app.name);
    let pieces = listener_rules::pieces(rule);
    let is_only = pieces.len() == 1;
    let listeners = names::edge::listeners(parts.scene.blueprint);
    let listeners = ["", "http"].into_iter().zip(listeners);
    let each = listeners.flat_map(|listener| {
        let pieces = (0..).zip(&pieces);
        pieces.map(move |piece| (listener.clone(), piece))
    });
    for ((prefix, listener), (number, piece)) in each {
        let properties = elb::ListenerRule {
            listener_arn: stack.take(&listener),
            priority: (first + number).into(),
            conditions: piece.conditions(),
            actions: vec![Action {
                type_: "forward".into(),
                target_group_arn: route.target_group.reference(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let number = if is_only {
            String::new()
        } else {
            (number + 1).to_string()
        };
        let id = LogicalId::of(&[prefix, "listener-rule", &number]);
        let description = format!("Which requests come to the app {}", parts.app.name);
        route
            .rules
            .push(stack.add(id, description, &properties).id());
    }
}
