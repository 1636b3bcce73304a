//! What the verbs for environments on AWS begin with: all environments of a file that are there,
//! and the one that is meant.

use mck_aws_stacks::{Source, StackProblem, Stacks};
use mck_blueprint::Blueprint;
use mck_cloudformation::Problem;
use mck_cost::Usage;
use mck_environment::{EnvironmentFile, settings::Target};

use crate::{
    cli::UsageOptions,
    exit::Exit,
    failure::{Failure, unknown},
    session::{ReadFile, plan},
};

/// The environment that is meant where none is named and there are several.
const PRODUCTION: &str = "production";

/// A file's environments on AWS.
#[derive(Debug)]
pub struct AwsFile {
    /// The file.
    pub read: ReadFile,
    /// Their blueprints, by name.
    blueprints: Vec<Blueprint>,
    /// Names of the environments that are elsewhere.
    others: Vec<String>,
}

impl AwsFile {
    /// The environments of a file that was read. All of them must be right: they share a stack.
    pub fn new(read: ReadFile) -> Result<Self, Failure> {
        let file = EnvironmentFile::parse(&read.shown, &read.bytes)?;
        let mut blueprints = Vec::new();
        let mut others = Vec::new();
        for environment in file.check()? {
            if environment.target() == Target::Aws {
                blueprints.push(plan(&environment)?);
            } else {
                others.push(environment.name);
            }
        }
        Ok(Self {
            read,
            blueprints,
            others,
        })
    }

    /// The other environments that are on AWS in the same region.
    pub fn neighbours<'a>(&'a self, of: &Blueprint) -> Vec<&'a Blueprint> {
        let all = self.blueprints.iter();
        all.filter(|it| it.region == of.region && it.environment != of.environment)
            .collect()
    }

    /// The named environment; without a name the only one, or `production`.
    pub fn choose(&self, name: Option<&str>) -> Result<&Blueprint, Failure> {
        let names: Vec<String> = self
            .blueprints
            .iter()
            .map(|blueprint| blueprint.environment.clone())
            .collect();
        let wanted = match (name, names.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, []) => return Err(self.none()),
            (None, several) if several.iter().any(|name| name == PRODUCTION) => PRODUCTION,
            (None, several) => {
                let message = format!("name one of the environments {}", several.join(", "));
                return Err(
                    Failure::new(Exit::Usage, message).hint("`--environment NAME` names it")
                );
            }
        };
        let found = self
            .blueprints
            .iter()
            .find(|blueprint| blueprint.environment == wanted);
        found.ok_or_else(|| self.elsewhere(wanted, &names))
    }

    /// All environments of the file that are on AWS.
    pub fn blueprints(&self) -> &[Blueprint] {
        &self.blueprints
    }

    fn none(&self) -> Failure {
        let message = format!("no environment of {} is on AWS", self.read.shown);
        Failure::new(Exit::Unknown, message)
            .hint("`[environment.production]` in the file makes one")
    }

    fn elsewhere(&self, name: &str, names: &[String]) -> Failure {
        if names.is_empty() {
            return self.none();
        }
        if !self.others.iter().any(|other| other == name) {
            return unknown("environment", name, names);
        }
        let message = format!("environment `{name}` is not on AWS");
        let hint = format!("these are: {}", names.join(", "));
        Failure::new(Exit::Usage, message).hint(hint)
    }

    /// The stacks of one of the file's environments.
    ///
    /// # Errors
    /// Where CloudFormation would not take them, such as for a template that is too large.
    pub fn stacks(&self, blueprint: &Blueprint) -> Result<Stacks, Failure> {
        let name = self.read.path.file_name().unwrap_or_default();
        let source = Source::new(&name.to_string_lossy(), &self.read.bytes);
        let siblings: Vec<&Blueprint> = self.blueprints.iter().collect();
        let stacks = Stacks::synthesise(blueprint, &siblings, &source);
        match stacks.problems().as_slice() {
            [] => Ok(stacks),
            problems => Err(impossible(problems)),
        }
    }
}

/// Templates pass CloudFormation's limits because of what the file asks for; whatever else is wrong
/// with stacks is our own mistake.
fn impossible(problems: &[StackProblem]) -> Failure {
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let message = format!(
        "CloudFormation would not take these stacks:\n  {}",
        told.join("\n  ")
    );
    let is_limit = |problem: &StackProblem| match problem {
        StackProblem::Template { problem, .. } => matches!(problem, Problem::TooMany { .. }),
        StackProblem::Untaken { .. } | StackProblem::Duplicate(_) => false,
    };
    if problems.iter().all(is_limit) {
        Failure::new(Exit::Stacks, message)
            .hint("spread jobs and containers over more apps, or apps over more clusters")
    } else {
        Failure::new(Exit::Internal, message)
    }
}

impl UsageOptions {
    /// The defaults with what the command line assumes.
    pub fn usage(&self) -> Result<Usage, Failure> {
        let mut usage = Usage::default();
        for pair in &self.assumptions {
            usage
                .set(pair)
                .map_err(|error| Failure::from_error(Exit::Usage, &error))?;
        }
        Ok(usage)
    }
}
