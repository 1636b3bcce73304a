//! What continuous integration may do to one environment: push images, deploy them, run its
//! one-off tasks, and read why something failed.

use mck_blueprint::model::Blueprint;
use mck_cloudformation::{LogicalId, PolicyDocument, Statement, Text, pseudo, resources::iam};

use crate::{
    names, registry,
    stack::{Stack, StackId},
};

/// Clusters in one policy: a managed policy has at most 6,144 characters (IAM quotas), and a cluster
/// needs about 600.
const CLUSTERS_PER_POLICY: usize = 6;

/// Adds the environment's policies and gives their logical ids.
pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint, stacks: usize) -> Vec<LogicalId> {
    let environment = &blueprint.environment;
    let releases = PolicyDocument::new(releases(blueprint, stacks));
    let mut policies = vec![("releases".to_owned(), releases)];
    let clusters = blueprint.clusters.chunks(CLUSTERS_PER_POLICY).enumerate();
    policies.extend(clusters.map(|(index, clusters)| {
        let clusters: Vec<String> = clusters
            .iter()
            .map(|cluster| names::ecs_cluster(blueprint, &cluster.name))
            .collect();
        let policy = PolicyDocument::new(deployments(blueprint, &clusters));
        (format!("clusters-{}", index + 1), policy)
    }));
    let mut ids = Vec::new();
    for (what, policy) in policies {
        let description = format!(
            "What continuous integration may do to the environment {environment}: {}",
            what.replace('-', " ")
        );
        let id = LogicalId::of(&["ci-policy", environment, &what]);
        let properties = iam::ManagedPolicy {
            description: (&description).into(),
            policy_document: policy.into(),
            ..Default::default()
        };
        ids.push(stack.add(id, description, &properties).id());
    }
    ids
}

fn releases(blueprint: &Blueprint, stacks: usize) -> Vec<Statement> {
    let Blueprint {
        project,
        environment,
        ..
    } = blueprint;
    let prefix = format!("{project}-{environment}");
    vec![
        registry::login("RegistryLogin"),
        Statement::allow(registry::push_and(&[
            "ecr:DescribeImageScanFindings",
            "ecr:DescribeRepositories",
            "ecr:ListImages",
        ]))
        .named("Images")
        // A policy has no room for the names of hundreds of apps.
        .on([pseudo::arn(
            "ecr",
            format!("repository/{}*", names::repository_prefix(blueprint)),
        )]),
        // A task definition does nothing by itself: the clusters that it may run on and the roles
        // that it may have are said below.
        Statement::allow(["ecs:RegisterTaskDefinition", "ecs:TagResource"])
            .named("TaskDefinitions")
            .on([task_definitions(&prefix)]),
        Statement::allow(["ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"])
            .named("ReadTaskDefinitions")
            .on_all(),
        Statement::allow(["iam:PassRole"])
            .named("TaskRoles")
            .on([task_roles(blueprint)])
            .when(
                "StringEquals",
                "iam:PassedToService",
                ["ecs-tasks.amazonaws.com"],
            ),
        Statement::allow([
            "ssm:GetParameter",
            "ssm:GetParameterHistory",
            "ssm:GetParameters",
            "ssm:PutParameter",
        ])
        .named("DeployedReleases")
        .on([pseudo::arn(
            "ssm",
            format!("parameter/{project}/{environment}/*/release"),
        )]),
        Statement::allow([
            "logs:DescribeLogStreams",
            "logs:FilterLogEvents",
            "logs:GetLogEvents",
            "logs:StartLiveTail",
        ])
        .named("Logs")
        .on([pseudo::arn(
            "logs",
            format!("log-group:/mck/{project}/{environment}/*"),
        )]),
        Statement::allow([
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStackResources",
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplate",
            "cloudformation:ListStackResources",
        ])
        .named("ReadStacks")
        .on([pseudo::arn("cloudformation", format!("stack/{prefix}-*/*"))])
        .on((1..=stacks).map(|number| {
            let name = StackId::Global(number).name();
            pseudo::arn("cloudformation", format!("stack/{project}-{name}/*"))
        })),
        Statement::allow([
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
        ])
        .named("ReadTargets")
        .on_all(),
    ]
}

/// Clusters are named one by one: `shop-eu-*` would also be those of a project `shop-eu`.
fn deployments(blueprint: &Blueprint, clusters: &[String]) -> Vec<Statement> {
    let prefix = format!("{}-{}", blueprint.project, blueprint.environment);
    let arns = || {
        let names = clusters.iter();
        names.map(|name| pseudo::arn("ecs", format!("cluster/{name}")))
    };
    let of_clusters = |kinds: &'static [&'static str]| {
        let pairs = clusters
            .iter()
            .flat_map(move |name| kinds.iter().map(move |kind| format!("{kind}/{name}/*")));
        pairs.map(|resource| pseudo::arn("ecs", resource))
    };
    vec![
        Statement::allow(["ecs:DescribeClusters"])
            .named("ReadClusters")
            .on(arns()),
        Statement::allow([
            "ecs:DescribeServiceDeployments",
            "ecs:DescribeServiceRevisions",
            "ecs:DescribeServices",
            "ecs:ListServiceDeployments",
            "ecs:StopServiceDeployment",
            "ecs:UpdateService",
        ])
        .named("Services")
        .on(of_clusters(&[
            "service",
            "service-deployment",
            "service-revision",
        ])),
        Statement::allow(["ecs:RunTask"])
            .named("OneOffTasks")
            .on([task_definitions(&prefix)])
            .when("ArnEquals", "ecs:cluster", arns()),
        Statement::allow(["ecs:DescribeTasks", "ecs:StopTask", "ecs:TagResource"])
            .named("Tasks")
            .on(of_clusters(&["task"])),
        Statement::allow(["ecs:ListServices", "ecs:ListTasks"])
            .named("List")
            .on_all()
            .when("ArnEquals", "ecs:cluster", arns()),
    ]
}

fn task_definitions(prefix: &str) -> Text {
    pseudo::arn("ecs", format!("task-definition/{prefix}-*:*"))
}

fn task_roles(blueprint: &Blueprint) -> Text {
    let path = names::task_role_path(blueprint);
    Text::concat([
        "arn:".into(),
        pseudo::partition(),
        ":iam::".into(),
        pseudo::account(),
        format!(":role{path}*").into(),
    ])
}
