//! Each service's form of a pipeline.

use super::{Pipeline, Stage, filled};

/// A service of continuous integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// GitHub Actions.
    GitHub,
    /// CircleCI.
    CircleCi,
    /// GitLab CI/CD.
    GitLab,
    /// Jenkins, by a declarative pipeline.
    Jenkins,
}

impl Service {
    /// All of them.
    #[cfg(test)]
    pub const ALL: [Self; 4] = [Self::GitHub, Self::CircleCi, Self::GitLab, Self::Jenkins];

    /// Its name, as it stands in roles' names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::CircleCi => "circleci",
            Self::GitLab => "gitlab",
            Self::Jenkins => "jenkins",
        }
    }

    /// Where the service looks for a pipeline, from the repository's root.
    pub const fn path(self) -> &'static str {
        match self {
            Self::GitHub => ".github/workflows/magecloudkit.yml",
            Self::CircleCi => ".circleci/config.yml",
            Self::GitLab => ".gitlab-ci.yml",
            Self::Jenkins => "Jenkinsfile",
        }
    }
}

/// The pipeline's text.
pub fn render(pipeline: &Pipeline, service: Service) -> String {
    match service {
        Service::GitHub => github(pipeline),
        Service::CircleCi => circleci(pipeline),
        Service::GitLab => gitlab(pipeline),
        Service::Jenkins => jenkins(pipeline),
    }
}

fn github(pipeline: &Pipeline) -> String {
    let install = Pipeline::install();
    let fetch = filled(include_str!("github-fetch.yml"), &[("INSTALL", &install)]);
    let branches = pipeline
        .environments
        .first()
        .map(|it| it.branches.as_slice());
    let branches = branches.unwrap_or_default();
    let listed: Vec<String> = branches.iter().map(|it| quoted(it)).collect();
    let head = [
        ("PROJECT", pipeline.project.as_str()),
        ("BRANCHES", &listed.join(", ")),
        ("FILE", &quoted(&pipeline.file)),
        ("FETCH", &fetch),
        ("PLAN", &pipeline.plan()),
    ];
    let mut text = filled(include_str!("github.yml"), &head);
    let Some(first) = pipeline.first() else {
        return text;
    };
    let account = |stage: &Stage| {
        let values = of_account(stage);
        filled(include_str!("github-account.yml"), &values)
    };
    let build = [
        ("FETCH", fetch.as_str()),
        ("ACCOUNT", &account(first)),
        ("BUILD", &pipeline.build(first)),
    ];
    text.push_str(&filled(include_str!("github-build.yml"), &build));
    let mut before: Option<&Stage> = None;
    for stage in &pipeline.environments {
        let needs = match before {
            Some(before) => format!("[build, deploy-{}]", before.name),
            None => "build".to_owned(),
        };
        let condition = if stage.branches == branches {
            String::new()
        } else {
            let listed = serde_json::Value::from(stage.branches.clone());
            format!("if: contains(fromJSON('{listed}'), github.ref_name)")
        };
        let values = [
            ("ENVIRONMENT", stage.name.as_str()),
            ("NEEDS", &needs),
            ("CONDITION", &condition),
            ("FETCH", &fetch),
            ("ACCOUNT", &account(stage)),
            ("DEPLOY", &pipeline.deploy(stage)),
        ];
        text.push_str(&filled(include_str!("github-deploy.yml"), &values));
        before = Some(stage);
    }
    text
}

fn circleci(pipeline: &Pipeline) -> String {
    let head = [
        ("PROJECT", pipeline.project.as_str()),
        ("FILE", &quoted(&pipeline.file)),
        ("INSTALL", &Pipeline::install()),
        ("BRANCH", pipeline.branch()),
        ("PLAN", &pipeline.plan()),
    ];
    let mut text = filled(include_str!("circleci.yml"), &head);
    let mut jobs = "- check\n- plan:\n    filters:\n      branches:\n        ignore: @BRANCH@\n"
        .replace("@BRANCH@", pipeline.branch());
    if let Some(first) = pipeline.first() {
        let build = pipeline.build(first);
        let mut values = vec![("BUILD", build.as_str())];
        values.extend(of_account(first));
        text.push_str(&filled(include_str!("circleci-jobs.yml"), &values));
        jobs.push_str(&circleci_job("build", "check", pipeline.branch()));
        let mut before = "build".to_owned();
        for stage in &pipeline.environments {
            let deploy = pipeline.deploy(stage);
            let mut values = vec![("ENVIRONMENT", stage.name.as_str()), ("DEPLOY", &deploy)];
            values.extend(of_account(stage));
            text.push_str(&filled(include_str!("circleci-deploy.yml"), &values));
            let job = format!("deploy-{}", stage.name);
            jobs.push_str(&circleci_job(&job, &before, pipeline.branch()));
            before = job;
        }
    }
    let workflows = "\nworkflows:\n  magecloudkit:\n    jobs:\n      @JOBS@\n";
    text + &filled(workflows, &[("JOBS", &jobs)])
}

fn circleci_job(name: &str, needs: &str, branch: &str) -> String {
    format!(
        "- {name}:\n    requires: [{needs}]\n    filters:\n      branches:\n        only: {branch}\n"
    )
}

fn gitlab(pipeline: &Pipeline) -> String {
    let head = [
        ("PROJECT", pipeline.project.as_str()),
        ("FILE", &quoted(&pipeline.file)),
        ("INSTALL", &Pipeline::install()),
        ("BRANCH", pipeline.branch()),
        ("PLAN", &pipeline.plan()),
    ];
    let mut text = filled(include_str!("gitlab.yml"), &head);
    let Some(first) = pipeline.first() else {
        return text;
    };
    let build = pipeline.build(first);
    let mut values = vec![
        ("BRANCH", pipeline.branch()),
        ("ENVIRONMENT", &first.name),
        ("BUILD", &build),
    ];
    values.extend(of_account(first));
    text.push_str(&filled(include_str!("gitlab-account.yml"), &values));
    let mut needs = "build".to_owned();
    for stage in &pipeline.environments {
        let deploy = pipeline.deploy(stage);
        let mut values = vec![
            ("ENVIRONMENT", stage.name.as_str()),
            ("NEEDS", &needs),
            ("DEPLOY", &deploy),
        ];
        values.extend(of_account(stage));
        text.push_str(&filled(include_str!("gitlab-deploy.yml"), &values));
        needs = format!("build, deploy-{}", stage.name);
    }
    text
}

fn jenkins(pipeline: &Pipeline) -> String {
    let mut stages = String::new();
    if let Some(first) = pipeline.first() {
        let values = [
            ("BRANCH", pipeline.branch()),
            ("BUILD", &pipeline.build(first)),
        ];
        stages.push_str(&filled(include_str!("Jenkinsfile-build"), &values));
        for stage in &pipeline.environments {
            let values = [
                ("BRANCH", pipeline.branch()),
                ("ENVIRONMENT", &stage.name),
                ("DEPLOY", &pipeline.deploy(stage)),
            ];
            stages.push_str(&filled(include_str!("Jenkinsfile-deploy"), &values));
        }
    }
    let file = pipeline.file.replace('\\', "\\\\").replace('\'', "\\'");
    let values = [
        ("PROJECT", pipeline.project.as_str()),
        ("FILE", &format!("'{file}'")),
        ("INSTALL", &Pipeline::install()),
        ("PLAN", &pipeline.plan()),
        ("STAGES", &stages),
    ];
    filled(include_str!("Jenkinsfile"), &values)
}

/// The values with which a job comes into the account.
fn of_account(stage: &Stage) -> [(&'static str, &str); 3] {
    [
        ("ROLE", stage.role.as_str()),
        ("REGION", &stage.region),
        ("PARTITION", partition(&stage.region)),
    ]
}

/// The part of AWS that a region belongs to (AWS General Reference, "Partitions").
fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// A string of YAML: every one of JSON is one.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
