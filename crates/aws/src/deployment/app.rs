//! An app, as a deployment sees it.

use mck_aws_stacks::located::{LocatedApp, secret_name};
use mck_blueprint::model::{App, Blueprint, SecretOrigin};

/// An app, as a deployment sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedApp {
    /// Where it is found.
    pub located: LocatedApp,
    /// The region of its environment.
    pub region: String,
    /// After how many failed tasks in a row a deployment is given up; none where never.
    pub failure_threshold: Option<u16>,
    /// Whether a deployment that is given up goes back to the one before.
    pub rolls_back: bool,
    /// The secrets of its containers that people give a value: their names here and in Secrets
    /// Manager.
    pub provided_secrets: Vec<(String, String)>,
    /// Who asks, such as `ann@laptop`.
    pub by: String,
}

impl DeployedApp {
    /// An app of a blueprint, for somebody who asks.
    pub fn of(blueprint: &Blueprint, app: &App, by: String) -> Self {
        let containers = &app.task_definition.containers;
        let used = |name: &str| {
            let mut names = containers.iter().flat_map(|it| it.secrets.values());
            names.any(|it| it == name)
        };
        let provided = blueprint.secrets.iter();
        let provided = provided.filter(|it| it.origin == SecretOrigin::Provided && used(&it.name));
        let rules = &app.deployment;
        Self {
            located: LocatedApp::of(blueprint, app),
            region: blueprint.region.clone(),
            failure_threshold: rules.circuit_breaker.then_some(rules.failure_threshold),
            rolls_back: rules.rollback,
            provided_secrets: provided
                .map(|it| (it.name.clone(), secret_name(blueprint, &it.name)))
                .collect(),
            by,
        }
    }

    /// The ECR repositories of its images.
    pub(super) fn repositories(&self) -> Vec<&str> {
        let repositories = self.located.repositories.iter();
        repositories.map(|(_, name)| name.as_str()).collect()
    }
}
