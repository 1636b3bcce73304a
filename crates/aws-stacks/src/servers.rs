//! What all servers have: a role, and how their launch templates are.

use mck_blueprint::{Blueprint, model::SecurityGroupName};
use mck_cloudformation::{
    Expression, LogicalId, PolicyDocument, Statement, Tag, Text, pseudo,
    resources::{
        ec2::{
            self,
            launch_template::{
                BlockDeviceMapping, Ebs, IamInstanceProfile, LaunchTemplateData, MetadataOptions,
                TagSpecification,
            },
        },
        iam::{self, role},
    },
};

use mck_environment::units::Size;

use crate::{log_groups, security_groups, stack::Stack, synthesis::Scene};

/// What the CloudWatch agent calls its metrics' namespace.
const AGENT_NAMESPACE: &str = "CWAgent";

/// Adds a server's role and its instance profile: Session Manager, the CloudWatch agent on its log
/// group, and what else it may do. Gives the profile.
pub(crate) fn add_profile(
    stack: &mut Stack,
    name: &str,
    log_group: &str,
    more: impl IntoIterator<Item = Statement>,
) -> LogicalId {
    let mut statements = agent_statements(log_group);
    statements.extend(more);
    let role = iam::Role {
        assume_role_policy_document: PolicyDocument::trust("ec2.amazonaws.com").into(),
        description: format!("Role of the server {name}").into(),
        managed_policy_arns: vec![pseudo::global_arn(
            "iam",
            "aws",
            "policy/AmazonSSMManagedInstanceCore",
        )],
        policies: vec![role::Policy {
            policy_name: name.into(),
            policy_document: PolicyDocument::new(statements).into(),
        }],
        ..Default::default()
    };
    let description = format!("What the server {name} may do in the account");
    let role = stack
        .add(LogicalId::of(&[name, "role"]), description, &role)
        .id();
    let profile = iam::InstanceProfile {
        roles: vec![role.reference()],
        ..Default::default()
    };
    let description = format!("Gives the server {name} its role");
    stack
        .add(
            LogicalId::of(&[name, "instance-profile"]),
            description,
            &profile,
        )
        .id()
}

/// What the CloudWatch agent of a server needs: less than AWS's policy `CloudWatchAgentServerPolicy`,
/// which lets it write to every log group.
pub(crate) fn agent_statements(log_group: &str) -> Vec<Statement> {
    vec![
        Statement::allow([
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
        ])
        .named("Logs")
        .on(log_groups::arns(log_group)),
        Statement::allow(["cloudwatch:PutMetricData"])
            .named("Metrics")
            .on_all()
            .when("StringEquals", "cloudwatch:namespace", [AGENT_NAMESPACE]),
    ]
}

/// Instance metadata for the server alone: with a token, and one hop far, which keeps containers on a
/// bridge away (EC2 user guide, "Use the Instance Metadata Service").
fn metadata_options() -> MetadataOptions {
    MetadataOptions {
        http_endpoint: "enabled".into(),
        http_tokens: "required".into(),
        http_put_response_hop_limit: 1.into(),
        ..Default::default()
    }
}

/// An encrypted gp3 volume as the root device, `size` in GiB.
pub(crate) fn root_volume(device: &str, size: u32) -> BlockDeviceMapping {
    BlockDeviceMapping {
        device_name: device.into(),
        ebs: Some(Ebs {
            volume_type: "gp3".into(),
            volume_size: size.into(),
            encrypted: true.into(),
            delete_on_termination: true.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// How a server is started.
pub(crate) struct Server<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its image.
    pub(crate) image: Text,
    /// Its instance type.
    pub(crate) instance_type: &'a str,
    /// The instance profile.
    pub(crate) profile: &'a LogicalId,
    /// Its security group.
    pub(crate) security_group: &'a SecurityGroupName,
    /// Its root volume.
    pub(crate) root_volume: BlockDeviceMapping,
    /// What it does at its first start.
    pub(crate) user_data: Text,
}

/// Adds the launch template of a server.
pub(crate) fn add_launch_template(
    stack: &mut Stack,
    scene: &Scene<'_>,
    (id, description): (&str, &str),
    server: Server<'_>,
) -> LogicalId {
    let data = LaunchTemplateData {
        image_id: server.image,
        instance_type: server.instance_type.into(),
        iam_instance_profile: Some(IamInstanceProfile {
            arn: server.profile.attribute("Arn"),
            ..Default::default()
        }),
        security_group_ids: vec![security_groups::id(stack, scene, server.security_group)],
        metadata_options: Some(metadata_options()),
        block_device_mappings: vec![server.root_volume],
        tag_specifications: tag_specifications(scene.blueprint, server.name),
        user_data: Expression::base64(server.user_data).into(),
        ..Default::default()
    };
    let template = ec2::LaunchTemplate {
        launch_template_data: Some(data),
        ..Default::default()
    };
    stack.add(id, description, &template).id()
}

/// The blueprint's tags on what EC2 makes from a launch template: tags of the stack don't get there.
fn tag_specifications(blueprint: &Blueprint, name: &str) -> Vec<TagSpecification> {
    let tags: Vec<Tag> = std::iter::once(Tag::name(full_name(blueprint, name)))
        .chain(blueprint.tags.iter().map(|(key, value)| Tag {
            key: key.clone(),
            value: value.into(),
        }))
        .collect();
    ["instance", "volume", "network-interface"]
        .map(|kind| TagSpecification {
            resource_type: kind.into(),
            tags: tags.clone(),
        })
        .into()
}

/// A size in whole GiB, rounded up, as EBS counts volumes.
pub(crate) fn gibibytes(size: Size) -> u32 {
    u32::try_from(size.as_gib_ceil()).unwrap_or(u32::MAX)
}

/// `<project>-<environment>-<name>`.
pub(crate) fn full_name(blueprint: &Blueprint, name: &str) -> String {
    format!("{}-{}-{name}", blueprint.project, blueprint.environment)
}

/// An image by its public parameter, which EC2 looks up when it starts an instance (EC2 user guide,
/// "Use a Systems Manager parameter instead of an AMI ID in a launch template"): the template stays
/// the same when AWS publishes a new image, so that an apply does not replace the server for it.
pub(crate) fn newest_image(parameter: &str) -> Text {
    format!("resolve:ssm:{parameter}").into()
}
