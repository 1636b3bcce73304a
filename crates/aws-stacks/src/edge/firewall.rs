//! The web application firewall before the front.

use mck_blueprint::{
    Blueprint,
    model::{Front, ManagedRuleGroup, WebAcl},
};
use mck_cloudformation::{
    LogicalId,
    resources::wafv2::{
        self,
        logging_configuration::{
            Condition, ConditionActionCondition, FieldToMatch, FieldToMatchSingleHeader, Filter,
            LoggingConfigurationLoggingFilter,
        },
        web_acl::{
            AllowAction, BlockAction, CountAction, DefaultAction, ForwardedIpConfiguration,
            ManagedRuleGroupStatement, OverrideAction, RateBasedStatement, Rule, RuleAction,
            RuleActionOverride, Statement, VisibilityConfig,
        },
    },
};
use serde_json::json;

use super::name_tag;
use crate::{log_groups, names, stack::Stack, units::seconds};

/// The rule that limits requests of one address.
const RATE_RULE: &str = "rate-limit";
/// How names of WAF's log groups begin (AWS WAF developer guide, "Sending web ACL traffic logs to an
/// Amazon CloudWatch Logs log group").
const LOG_GROUP_PREFIX: &str = "aws-waf-logs-";
/// Headers that open an account or a session; logs have none of them.
const SECRET_HEADERS: [&str; 2] = ["authorization", "cookie"];

/// Adds the web ACL with its log.
pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint, web_acl: &WebAcl) -> LogicalId {
    let rate = rate_rule(web_acl);
    let groups = web_acl.rule_groups.iter().zip(1..);
    let groups = groups.map(|(group, priority)| group_rule(group, priority, web_acl.count_only));
    let properties = wafv2::WebAcl {
        name: web_acl.name.as_str().into(),
        scope: match web_acl.front {
            Front::ContentDelivery => "CLOUDFRONT",
            Front::LoadBalancer => "REGIONAL",
        }
        .into(),
        default_action: Some(DefaultAction {
            allow: Some(AllowAction::default()),
            ..Default::default()
        }),
        rules: std::iter::once(rate).chain(groups).collect(),
        visibility_config: Some(visibility(names::edge::web_acl_metric(web_acl))),
        tags: name_tag(blueprint, "edge"),
        ..Default::default()
    };
    let description = "The firewall: refuses attacks, and who asks too often";
    let id = stack.add(logical_id(web_acl), description, &properties);
    let id = id.id();
    add_log(stack, blueprint, web_acl, &id);
    id
}

/// Another one for each front: were it the same, a CDN more would replace it by one of the same name,
/// which CloudFormation refuses to do.
fn logical_id(web_acl: &WebAcl) -> LogicalId {
    match web_acl.front {
        Front::ContentDelivery => LogicalId::from("CdnWebAcl"),
        Front::LoadBalancer => LogicalId::from("WebAcl"),
    }
}

/// Puts the web ACL before the load balancer.
pub(super) fn associate(stack: &mut Stack, web_acl: &LogicalId, balancer: &LogicalId) {
    let association = wafv2::WebAclAssociation {
        resource_arn: balancer.reference(),
        web_acl_arn: web_acl.attribute("Arn"),
    };
    let description = "Puts the firewall before the load balancer";
    stack.add("WebAclAssociation", description, &association);
}

fn rate_rule(web_acl: &WebAcl) -> Rule {
    let header = web_acl.client_address_header.as_ref();
    let statement = RateBasedStatement {
        aggregate_key_type: if header.is_some() {
            "FORWARDED_IP"
        } else {
            "IP"
        }
        .into(),
        forwarded_ip_config: header.map(|header| ForwardedIpConfiguration {
            header_name: header.into(),
            // Only the front comes in, and it always says who asks.
            fallback_behavior: "NO_MATCH".into(),
        }),
        limit: web_acl.rate_limit.into(),
        evaluation_window_sec: seconds(web_acl.rate_window).into(),
        ..Default::default()
    };
    let action = if web_acl.count_only {
        RuleAction {
            count: Some(CountAction::default()),
            ..Default::default()
        }
    } else {
        RuleAction {
            block: Some(BlockAction::default()),
            ..Default::default()
        }
    };
    Rule {
        name: RATE_RULE.into(),
        priority: 0.into(),
        action: Some(action),
        statement: Some(Statement {
            rate_based_statement: Some(Box::new(statement)),
            ..Default::default()
        }),
        visibility_config: Some(visibility(RATE_RULE)),
        ..Default::default()
    }
}

fn group_rule(group: &ManagedRuleGroup, priority: i32, count_only: bool) -> Rule {
    let counted = group.counted_rules.iter().map(|name| RuleActionOverride {
        name: name.into(),
        action_to_use: Some(RuleAction {
            count: Some(CountAction::default()),
            ..Default::default()
        }),
    });
    let statement = ManagedRuleGroupStatement {
        vendor_name: "AWS".into(),
        name: (&group.name).into(),
        rule_action_overrides: counted.collect(),
        ..Default::default()
    };
    let as_it_says = OverrideAction {
        none: json!({}).into(),
        ..Default::default()
    };
    let count = OverrideAction {
        count: json!({}).into(),
        ..Default::default()
    };
    Rule {
        name: (&group.name).into(),
        priority: priority.into(),
        override_action: Some(if count_only { count } else { as_it_says }),
        statement: Some(Statement {
            managed_rule_group_statement: Some(Box::new(statement)),
            ..Default::default()
        }),
        visibility_config: Some(visibility(&group.name)),
        ..Default::default()
    }
}

fn visibility(metric: &str) -> VisibilityConfig {
    VisibilityConfig {
        metric_name: metric.into(),
        cloud_watch_metrics_enabled: true.into(),
        sampled_requests_enabled: true.into(),
    }
}

/// What is refused or counted is logged, for as long as the front's access logs, which have the rest.
fn add_log(stack: &mut Stack, blueprint: &Blueprint, web_acl: &WebAcl, id: &LogicalId) {
    let retention = blueprint.load_balancer.access_logs_retention;
    if retention.as_millis() == 0 {
        return;
    }
    let name = format!("{LOG_GROUP_PREFIX}{}", web_acl.name);
    let description = "Keeps what the firewall refused";
    let group = LogicalId::from("LogGroupWebAcl");
    let group = log_groups::add_of_service(stack, group, &name, retention, description);
    let [arn, _] = log_groups::arns(&name);
    let refused = ["BLOCK", "COUNT", "EXCLUDED_AS_COUNT"].map(|action| Condition {
        action_condition: Some(ConditionActionCondition {
            action: action.into(),
        }),
        ..Default::default()
    });
    let secret = SECRET_HEADERS.map(|name| FieldToMatch {
        single_header: Some(FieldToMatchSingleHeader { name: name.into() }),
        ..Default::default()
    });
    let logging = wafv2::LoggingConfiguration {
        resource_arn: id.attribute("Arn"),
        log_destination_configs: vec![arn],
        redacted_fields: secret.into(),
        logging_filter: Some(LoggingConfigurationLoggingFilter {
            default_behavior: "DROP".into(),
            filters: vec![Filter {
                behavior: "KEEP".into(),
                requirement: "MEETS_ANY".into(),
                conditions: refused.into(),
            }],
        }),
    };
    let description = "Logs what the firewall refuses";
    let id = LogicalId::of(&[logical_id(web_acl).as_str(), "logging"]);
    stack.add(id, description, &logging).after([&group]);
}
