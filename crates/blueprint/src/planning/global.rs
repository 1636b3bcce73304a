//! What a project has once in each region: image repositories and the doors of continuous
//! integration.

use std::collections::{BTreeMap, BTreeSet};

use mck_environment::{
    settings::{CircleCi, GitHub, GitLab, Target},
    units::Duration,
};

use crate::model::{Blueprint, CiRole, CiUser, Global, IdentityProvider, ImageRepository};

/// An image without a tag is one that was pushed over: nothing can run it by its name.
const UNTAGGED_AFTER: Duration = Duration::from_days(1);
/// GitHub's issuer (GitHub documentation, "Configuring OpenID Connect in Amazon Web Services").
const GITHUB_HOST: &str = "token.actions.githubusercontent.com";
/// The audience of GitHub's and GitLab's tokens for AWS.
const AWS_AUDIENCE: &str = "sts.amazonaws.com";
/// CircleCI's issuer, before the organization (CircleCI documentation, "Using OpenID Connect
/// tokens in jobs").
const CIRCLECI_HOST: &str = "oidc.circleci.com/org";

impl Global {
    /// What the project has in each region in which an environment on AWS is, by region. Other
    /// blueprints have no part in it.
    pub fn plan(project: &str, blueprints: &[&Blueprint]) -> Vec<Self> {
        let mut regions: BTreeMap<&str, Vec<&Blueprint>> = BTreeMap::new();
        for blueprint in blueprints.iter().filter(|it| it.target == Target::Aws) {
            regions
                .entry(&blueprint.region)
                .or_default()
                .push(blueprint);
        }
        let mut globals: Vec<Self> = regions
            .into_iter()
            .map(|(region, mut blueprints)| {
                blueprints.sort_by(|left, right| left.environment.cmp(&right.environment));
                in_region(project, region, &blueprints)
            })
            .collect();
        let providers = providers_to_make(&globals);
        if let Some(first) = globals.first_mut() {
            first.identity_providers = providers;
        }
        globals
    }
}

fn in_region(project: &str, region: &str, blueprints: &[&Blueprint]) -> Global {
    let mut repositories = Vec::new();
    let (mut roles, mut users) = (Vec::new(), Vec::new());
    for blueprint in blueprints {
        repositories.extend(repositories_of(project, blueprint));
        roles.extend(roles_of(blueprint));
        if blueprint.ci.as_ref().is_some_and(|ci| ci.user) {
            users.push(CiUser {
                name: format!("{}-{}-ci", blueprint.project, blueprint.environment),
                environment: blueprint.environment.clone(),
            });
        }
    }
    Global {
        project: project.to_owned(),
        region: region.to_owned(),
        repositories,
        identity_providers: Vec::new(),
        roles,
        users,
    }
}

/// A repository for each image that is made for an app.
fn repositories_of(project: &str, blueprint: &Blueprint) -> Vec<ImageRepository> {
    let keep_images = blueprint.ci.as_ref().map_or(0, |ci| ci.keep_images);
    let mut repositories = BTreeMap::new();
    for app in &blueprint.apps {
        for container in &app.task_definition.containers {
            let Some(image) = container.made_image() else {
                continue;
            };
            let environment = &blueprint.environment;
            let name = format!("{project}/{environment}/{}/{image}", app.name);
            repositories.insert(
                name.clone(),
                ImageRepository {
                    name,
                    environment: environment.clone(),
                    app: app.name.clone(),
                    image: image.to_owned(),
                    keep_images,
                    untagged_after: UNTAGGED_AFTER,
                },
            );
        }
    }
    repositories.into_values().collect()
}

fn roles_of(blueprint: &Blueprint) -> Vec<CiRole> {
    let Some(ci) = &blueprint.ci else {
        return Vec::new();
    };
    let role = |service: &str, provider, provider_arn, subjects| CiRole {
        name: CiRole::name_of(&blueprint.project, &blueprint.environment, service),
        environment: blueprint.environment.clone(),
        service: service.to_owned(),
        provider,
        provider_arn,
        subjects,
    };
    let github = ci.github.as_ref().map(|it| {
        let provider = IdentityProvider {
            host: GITHUB_HOST.to_owned(),
            audience: AWS_AUDIENCE.to_owned(),
        };
        role(
            "github",
            provider,
            it.oidc_provider_arn.clone(),
            github_subjects(it),
        )
    });
    let circleci = ci.circleci.as_ref().map(|it| {
        let provider = IdentityProvider {
            host: format!("{CIRCLECI_HOST}/{}", it.organization_id),
            audience: it.organization_id.clone(),
        };
        role(
            "circleci",
            provider,
            it.oidc_provider_arn.clone(),
            vec![circleci_subject(it)],
        )
    });
    let gitlab = ci.gitlab.as_ref().map(|it| {
        let provider = IdentityProvider {
            host: it.host.clone(),
            audience: AWS_AUDIENCE.to_owned(),
        };
        role(
            "gitlab",
            provider,
            it.oidc_provider_arn.clone(),
            gitlab_subjects(it),
        )
    });
    circleci.into_iter().chain(github).chain(gitlab).collect()
}

fn github_subjects(settings: &GitHub) -> Vec<String> {
    let branches = settings.branches.iter();
    branches
        .map(|branch| format!("repo:{}:ref:refs/heads/{branch}", settings.repository))
        .collect()
}

/// GitLab documentation, "OpenID Connect (OIDC) Authentication Using ID Tokens".
fn gitlab_subjects(settings: &GitLab) -> Vec<String> {
    let branches = settings.branches.iter();
    branches
        .map(|branch| {
            let project = &settings.project;
            format!("project_path:{project}:ref_type:branch:ref:{branch}")
        })
        .collect()
}

fn circleci_subject(settings: &CircleCi) -> String {
    let project = settings.project_id.as_deref().unwrap_or("*");
    format!("org/{}/project/{project}/user/*", settings.organization_id)
}

/// The providers of all roles that name no provider that exists, each once.
fn providers_to_make(globals: &[Global]) -> Vec<IdentityProvider> {
    let roles = || globals.iter().flat_map(|global| &global.roles);
    let existing: BTreeSet<&str> = roles()
        .filter(|role| role.provider_arn.is_some())
        .map(|role| role.provider.host.as_str())
        .collect();
    let wanted: BTreeMap<&str, &IdentityProvider> = roles()
        .map(|role| (role.provider.host.as_str(), &role.provider))
        .filter(|(host, _)| !existing.contains(host))
        .collect();
    wanted.into_values().cloned().collect()
}
