//! Where what a blueprint describes is found in an account: the names with which a command that goes
//! around CloudFormation, such as a deployment, calls AWS.

use mck_blueprint::model::{App, Blueprint, Container, HookStage};

use crate::{names, servers, stack::StackId};

/// The full name of one of an environment's own stacks: not `Global`, which is the project's.
pub fn stack_name(blueprint: &Blueprint, id: &StackId) -> String {
    let Blueprint {
        project,
        environment,
        ..
    } = blueprint;
    format!("{project}-{environment}-{}", id.name())
}

/// The name of a secret in Secrets Manager.
pub fn secret_name(blueprint: &Blueprint, secret: &str) -> String {
    names::secret(blueprint, secret)
}

/// The identifier of the database cluster.
pub fn database_cluster(blueprint: &Blueprint) -> String {
    servers::full_name(blueprint, "db")
}

/// The name of an ECS cluster.
pub fn ecs_cluster(blueprint: &Blueprint, cluster: &str) -> String {
    names::ecs_cluster(blueprint, cluster)
}

/// Where the id of the Bastion's instance is found: the full name of a stack, and its output.
pub fn bastion_output(blueprint: &Blueprint) -> (String, String) {
    let handed = names::network::bastion();
    (stack_name(blueprint, &handed.stack), handed.output)
}

/// The full names of the stacks that an environment may have in its own region, in the order in which
/// they are made.
pub fn own_stacks(blueprint: &Blueprint) -> Vec<String> {
    let first = [StackId::Network, StackId::Data, StackId::Edge];
    let clusters = blueprint.clusters.iter();
    let clusters = clusters.map(|it| StackId::Cluster(it.name.clone()));
    let apps = blueprint
        .apps
        .iter()
        .map(|it| StackId::App(it.name.clone()));
    let last = [StackId::Jenkins, StackId::Observability];
    let releases = [StackId::Releases(1)];
    let ids = first.into_iter().chain(clusters).chain(releases);
    let ids = ids.chain(apps).chain(last);
    ids.map(|id| stack_name(blueprint, &id)).collect()
}

/// Where an app is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedApp {
    /// The app.
    pub app: String,
    /// The full name of its stack.
    pub stack: String,
    /// The name of its ECS cluster.
    pub cluster: String,
    /// The name of its ECS service.
    pub service: String,
    /// The family of its service's task definition.
    pub family: String,
    /// The families of its scheduled jobs, by the job's name.
    pub jobs: Vec<(String, String)>,
    /// The families of its hooks, in the order of their stages.
    pub hooks: Vec<(HookStage, String)>,
    /// The family of commands that people run.
    pub run_family: String,
    /// The parameter in Parameter Store with its deployed release.
    pub release_parameter: String,
    /// The log group of its containers; streams are named `<prefix>/<container>/<task id>`.
    pub log_group: String,
    /// The ECR repositories of the images that are made for it, by image.
    pub repositories: Vec<(String, String)>,
}

impl LocatedApp {
    /// Where the app of a blueprint is found.
    pub fn of(blueprint: &Blueprint, app: &App) -> Self {
        let mut images: Vec<&str> = app
            .task_definition
            .containers
            .iter()
            .filter_map(Container::made_image)
            .collect();
        images.sort_unstable();
        images.dedup();
        Self {
            app: app.name.clone(),
            stack: stack_name(blueprint, &StackId::App(app.name.clone())),
            cluster: names::ecs_cluster(blueprint, &app.cluster),
            service: names::ecs_service(&app.name),
            family: app.task_definition.family.clone(),
            jobs: app
                .jobs
                .iter()
                .map(|job| (job.name.clone(), names::job_family(app, &job.name)))
                .collect(),
            hooks: app
                .hooks
                .iter()
                .map(|hook| (hook.stage, names::hook_family(app, hook.stage)))
                .collect(),
            run_family: names::run_family(app),
            release_parameter: names::release_parameter(blueprint, &app.name),
            log_group: app.log_group.clone(),
            repositories: images
                .into_iter()
                .map(|image| {
                    let repository = names::repository(blueprint, &app.name, image);
                    (image.to_owned(), repository)
                })
                .collect(),
        }
    }
}
