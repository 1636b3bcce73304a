//! Flow logs: who talked to whom, and what was refused.

use mck_blueprint::Blueprint;
use mck_cloudformation::{
    PolicyDocument, Principal, Statement, pseudo,
    resources::{
        ec2,
        iam::{self, role},
    },
};

use super::{name_tag, vpc::Vpc};
use crate::{log_groups, stack::Stack};

/// The longest time between records, in seconds: fewer records, which are paid by volume.
const AGGREGATION_SECONDS: u16 = 600;

pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint, vpc: &Vpc) {
    let mut groups = blueprint.log_groups.iter();
    let Some(group) = groups.find(|group| group.name.ends_with("/flow-logs")) else {
        return;
    };
    let description = "Keeps the VPC's flow logs";
    let log_group = log_groups::add(stack, blueprint, &group.name, description);
    let [group_arn, streams] = log_groups::arns(&group.name);
    let all_groups = pseudo::arn("logs", "log-group:*");
    // Only for flow logs of this account (Amazon VPC user guide, "IAM role for publishing flow logs
    // to CloudWatch Logs").
    let trust = Statement::allow(["sts:AssumeRole"])
        .to(Principal::service("vpc-flow-logs.amazonaws.com"))
        .when("StringEquals", "aws:SourceAccount", [pseudo::account()]);
    let role = iam::Role {
        assume_role_policy_document: PolicyDocument::new([trust]).into(),
        description: "Writes the flow logs of the VPC".into(),
        policies: vec![role::Policy {
            policy_name: "flow-logs".into(),
            policy_document: PolicyDocument::new([
                Statement::allow([
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ])
                .on([group_arn, streams]),
                Statement::allow(["logs:DescribeLogGroups"]).on([all_groups]),
            ])
            .into(),
        }],
        ..Default::default()
    };
    let description = "Lets the VPC write its flow logs";
    let role = stack.add("FlowLogsRole", description, &role).id();
    let flow_log = ec2::FlowLog {
        resource_type: "VPC".into(),
        resource_id: vpc.id.reference(),
        traffic_type: "ALL".into(),
        log_destination_type: "cloud-watch-logs".into(),
        log_group_name: log_group.reference(),
        deliver_logs_permission_arn: role.attribute("Arn"),
        max_aggregation_interval: AGGREGATION_SECONDS.into(),
        tags: name_tag(blueprint, "flow-logs"),
        ..Default::default()
    };
    stack.add("FlowLog", "Records who talks to whom", &flow_log);
}
