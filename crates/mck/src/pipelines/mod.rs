//! Pipelines for services of continuous integration: check, a plan for each proposed change, build,
//! deploy.
//!
//! What a pipeline does is one shell script a step, the same for all services; around them is each
//! service's own form. Rendering is pure.

mod services;
mod template;

use mck_blueprint::{Blueprint, model::CiRole};

pub use services::Service;
use template::filled;

/// The branch that is deployed where the environment file names none.
const MAIN: &str = "main";
/// The environment that is deployed last.
const PRODUCTION: &str = "production";

/// What a pipeline is written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// The project's name.
    pub project: String,
    /// The environment file's path from the repository's root.
    pub file: String,
    /// Apps that releases are made of.
    pub apps: Vec<String>,
    /// Environments on AWS in the order in which they are deployed, production last.
    pub environments: Vec<Stage>,
}

/// An environment that a pipeline deploys to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// The role that a job comes into the account with.
    pub role: String,
    /// The branches whose jobs may.
    pub branches: Vec<String>,
}

impl Pipeline {
    /// The pipeline of a project's environments on AWS.
    pub fn of(service: Service, project: &str, file: &str, blueprints: &[Blueprint]) -> Self {
        let mut blueprints: Vec<&Blueprint> = blueprints.iter().collect();
        blueprints.sort_by_key(|it| (it.environment == PRODUCTION, it.environment.clone()));
        let mut apps: Vec<String> = Vec::new();
        for app in blueprints.iter().flat_map(|it| &it.apps) {
            if app.source.is_some() && !apps.contains(&app.name) {
                apps.push(app.name.clone());
            }
        }
        Self {
            project: project.to_owned(),
            file: file.to_owned(),
            apps,
            environments: blueprints.iter().map(|it| stage(service, it)).collect(),
        }
    }

    /// The pipeline's text in the service's form.
    pub fn render(&self, service: Service) -> String {
        services::render(self, service)
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self
            .environments
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        names.join(" ")
    }

    fn install() -> String {
        include_str!("install.sh").to_owned()
    }

    fn plan(&self) -> String {
        filled(include_str!("plan.sh"), &[("ENVIRONMENTS", &self.names())])
    }

    fn build(&self, first: &Stage) -> String {
        let apps = self.apps.join(" ");
        let values = [("APPS", apps.as_str()), ("FIRST", &first.name)];
        filled(include_str!("build.sh"), &values)
    }

    fn deploy(&self, stage: &Stage) -> String {
        let apps = self.apps.join(" ");
        let values = [("APPS", apps.as_str()), ("ENVIRONMENT", &stage.name)];
        filled(include_str!("deploy.sh"), &values)
    }

    /// The environment that releases are made in; none where there is nothing to deploy.
    fn first(&self) -> Option<&Stage> {
        self.environments.first().filter(|_| !self.apps.is_empty())
    }

    /// The branch that is deployed, for services whose roles do not name branches.
    fn branch(&self) -> &str {
        let branches = self.environments.first().map(|it| it.branches.as_slice());
        branches.and_then(|it| it.first()).map_or(MAIN, |it| it)
    }
}

fn stage(service: Service, blueprint: &Blueprint) -> Stage {
    let ci = blueprint.ci.as_ref();
    let branches = match service {
        Service::GitHub => ci.and_then(|ci| ci.github.as_ref()).map(|it| &it.branches),
        Service::GitLab => ci.and_then(|ci| ci.gitlab.as_ref()).map(|it| &it.branches),
        Service::CircleCi | Service::Jenkins => None,
    };
    Stage {
        name: blueprint.environment.clone(),
        region: blueprint.region.clone(),
        role: CiRole::name_of(&blueprint.project, &blueprint.environment, service.name()),
        branches: branches.map_or_else(|| vec![MAIN.to_owned()], Clone::clone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &str, region: &str, branches: &[&str]) -> Stage {
        Stage {
            name: name.to_owned(),
            region: region.to_owned(),
            role: format!("shop-{name}-ci-github"),
            branches: branches.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    fn pipeline() -> Pipeline {
        Pipeline {
            project: "shop".to_owned(),
            file: "magecloudkit.toml".to_owned(),
            apps: vec!["blog".to_owned(), "shop".to_owned()],
            environments: vec![
                stage("staging", "eu-central-1", &["develop", "main"]),
                stage("production", "cn-north-1", &["main"]),
            ],
        }
    }

    #[test]
    fn every_service_has_its_form() {
        for service in Service::ALL {
            insta::assert_snapshot!(service.name(), pipeline().render(service));
        }
    }

    #[test]
    fn no_placeholder_stays_and_no_line_ends_in_a_space() {
        for service in Service::ALL {
            for apps in [vec![], vec!["shop".to_owned()]] {
                let text = Pipeline { apps, ..pipeline() }.render(service);
                for line in text.lines() {
                    assert_eq!(line, line.trim_end());
                    let left = line
                        .split_whitespace()
                        .filter(|it| it.len() > 2 && it.starts_with('@') && it.ends_with('@'));
                    assert_eq!(left.count(), 0, "{line}");
                }
                assert!(!text.contains("@APPS@") && !text.contains("@FILE@"));
            }
        }
    }

    #[test]
    fn without_an_app_that_has_a_source_nothing_is_deployed() {
        for service in Service::ALL {
            let apps = Vec::new();
            let text = Pipeline { apps, ..pipeline() }.render(service);
            assert!(text.contains("mck check") && text.contains("mck plan"));
            assert!(!text.contains("mck deploy") && !text.contains("mck build"));
        }
    }
}
