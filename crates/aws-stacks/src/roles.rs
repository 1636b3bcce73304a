//! Roles of tasks: what their containers may do, and what the ECS agent may do for them.

use mck_blueprint::model::{AppCluster, Blueprint, Container, Image};
use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Statement, Text, pseudo,
    resources::iam::{self, role},
};

use crate::{log_groups, names, registry, secrets, stack::Stack, synthesis::Scene};

const TASKS: &str = "ecs-tasks.amazonaws.com";

/// A way into the shared file system.
#[derive(Debug, Clone)]
pub(crate) struct FileSystemAccess {
    /// The file system's id.
    pub(crate) file_system: Text,
    /// The access point.
    pub(crate) access_point: LogicalId,
    /// Whether nothing may be written.
    pub(crate) read_only: bool,
}

/// Adds the role of a task's containers: its file systems, and what ECS Exec needs in a cluster that
/// allows it. Nothing else: secrets come as variables, and no container calls AWS.
pub(crate) fn add_task_role(
    stack: &mut Stack,
    scene: &Scene<'_>,
    id: LogicalId,
    whose: &str,
    file_systems: &[FileSystemAccess],
    exec: Option<&AppCluster>,
) -> LogicalId {
    let mut statements: Vec<Statement> = file_systems.iter().map(mount).collect();
    if let Some(cluster) = exec {
        let key = stack.have_or_take(&names::cluster::exec_key(&cluster.name));
        statements.extend(exec_statements(cluster, key));
    }
    let description = format!("What {whose} may do in the account");
    add(stack, scene.blueprint, id, &description, statements)
}

/// Adds the role with which the ECS agent starts tasks: it pulls the containers' images, reads their
/// secrets and opens their log streams.
pub(crate) fn add_execution_role(
    stack: &mut Stack,
    scene: &Scene<'_>,
    id: LogicalId,
    whose: &str,
    log_group: &str,
    containers: &Containers<'_>,
) -> LogicalId {
    let mut statements = vec![
        Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"])
            .named("Logs")
            .on([pseudo::arn("logs", format!("log-group:{log_group}:*"))]),
    ];
    statements.extend(pull(scene.blueprint, containers));
    let mut names: Vec<&String> = containers
        .all
        .iter()
        .flat_map(|container| container.secrets.values())
        .collect();
    names.sort();
    names.dedup();
    let arns: Vec<Text> = names
        .into_iter()
        .map(|name| secrets::arn(stack, scene, name))
        .collect();
    if !arns.is_empty() {
        let read = Statement::allow(["secretsmanager:GetSecretValue"]);
        statements.push(read.named("Secrets").on(arns));
    }
    let description = format!("What the ECS agent may do to start {whose}");
    add(stack, scene.blueprint, id, &description, statements)
}

/// Containers, and the app whose images they are.
pub(crate) struct Containers<'a> {
    /// The app; none for daemons.
    pub(crate) app: Option<&'a str>,
    /// All containers that the role is for.
    pub(crate) all: &'a [Container],
}

fn add(
    stack: &mut Stack,
    blueprint: &Blueprint,
    id: LogicalId,
    description: &str,
    statements: Vec<Statement>,
) -> LogicalId {
    let policies = if statements.is_empty() {
        Vec::new()
    } else {
        vec![role::Policy {
            policy_name: id.as_str().into(),
            policy_document: PolicyDocument::new(statements).into(),
        }]
    };
    let role = iam::Role {
        path: names::task_role_path(blueprint).into(),
        description: description.into(),
        assume_role_policy_document: PolicyDocument::new([trust()]).into(),
        policies,
        ..Default::default()
    };
    stack.add(id, description, &role).id()
}

/// ECS takes the role for tasks of this account only (ECS developer guide, "Cross-service confused
/// deputy prevention").
fn trust() -> Statement {
    Statement::allow(["sts:AssumeRole"])
        .to(Principal::service(TASKS))
        .when("StringEquals", "aws:SourceAccount", [pseudo::account()])
        .when("ArnLike", "aws:SourceArn", [pseudo::arn("ecs", "*")])
}

fn mount(access: &FileSystemAccess) -> Statement {
    let mut actions = vec!["elasticfilesystem:ClientMount"];
    if !access.read_only {
        actions.push("elasticfilesystem:ClientWrite");
    }
    let resource = Text::concat([Text::from("file-system/"), access.file_system.clone()]);
    Statement::allow(actions)
        .named(access.access_point.as_str())
        .on([pseudo::arn("elasticfilesystem", resource)])
        .when(
            "StringEquals",
            "elasticfilesystem:AccessPointArn",
            [access.access_point.attribute("Arn")],
        )
}

/// ECS developer guide, "ECS Exec permissions" and "Logging and auditing".
fn exec_statements(cluster: &AppCluster, key: Text) -> [Statement; 4] {
    [
        Statement::allow([
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ])
        .named("ExecChannels")
        .on_all(),
        Statement::allow(["logs:DescribeLogGroups"])
            .named("ExecLogGroups")
            .on_all(),
        Statement::allow([
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
        ])
        .named("ExecLogs")
        .on(log_groups::arns(&names::exec_log_group(cluster))),
        Statement::allow(["kms:Decrypt"]).named("ExecKey").on([key]),
    ]
}

/// The repositories that the images come from; those outside ECR need no permission.
fn pull(blueprint: &Blueprint, containers: &Containers<'_>) -> Vec<Statement> {
    let mut repositories: Vec<Text> = Vec::new();
    for container in containers.all {
        let repository = match (container.made_image(), containers.app, &container.image) {
            (Some(made), Some(app), _) => {
                let name = names::repository(blueprint, app, made);
                Some(pseudo::arn("ecr", format!("repository/{name}")))
            }
            (_, _, Image::Oci(reference)) => private_repository(reference),
            (_, _, Image::Base(_)) => None,
        };
        repositories.extend(repository.filter(|it| !repositories.contains(it)));
    }
    if repositories.is_empty() {
        return Vec::new();
    }
    vec![
        registry::login("Registry"),
        Statement::allow(registry::PULL)
            .named("Images")
            .on(repositories),
    ]
}

/// The repository's ARN, where an image is of a private ECR:
/// `<account>.dkr.ecr.<region>.amazonaws.com/<name>:<tag>`.
fn private_repository(reference: &str) -> Option<Text> {
    let (host, path) = reference.split_once('/')?;
    let (account, rest) = host.split_once(".dkr.ecr.")?;
    let (region, _) = rest.split_once('.')?;
    let name = path.split(['@', ':']).next()?;
    Some(Text::concat([
        Text::from("arn:"),
        pseudo::partition(),
        format!(":ecr:{region}:{account}:repository/{name}").into(),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_of_a_private_registry_need_permission() {
        assert_eq!(private_repository("nginx:1"), None);
        assert_eq!(private_repository("public.ecr.aws/datadog/agent:7"), None);
        let private = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app@sha256:ab";
        let arn = Text::concat([
            Text::from("arn:"),
            pseudo::partition(),
            ":ecr:eu-west-1:123456789012:repository/team/app".into(),
        ]);
        assert_eq!(private_repository(private), Some(arn));
    }
}
