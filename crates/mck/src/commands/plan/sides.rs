//! The two sides of a plan: what there is, and what is wanted.

use std::path::{Path, PathBuf};

use mck_aws_stacks::difference::StackTemplate;
use mck_blueprint::Blueprint;
use mck_cost::{CostDifference, Estimate, Money, Usage};

use crate::{
    assembly, aws::AwsFile, cli::PlanOptions, exit::Exit, failure::Failure, session::Session,
};

/// Both sides.
pub struct Sides {
    pub there: There,
    pub wanted: Wanted,
}

/// What there is.
pub struct There {
    pub label: String,
    pub environment: String,
    pub templates: Vec<StackTemplate>,
    pub cost: Cost,
}

/// What is wanted.
pub struct Wanted {
    pub label: String,
    pub blueprint: Blueprint,
    pub templates: Vec<StackTemplate>,
    pub estimate: Estimate,
}

/// What an environment costs, as far as it is known.
pub enum Cost {
    /// Line by line.
    Lines(Box<Estimate>),
    /// Its sum.
    Total(Money),
}

impl Cost {
    /// The way from here to what is wanted.
    pub fn until(&self, wanted: &Estimate) -> CostDifference {
        match self {
            Self::Lines(estimate) => CostDifference::between(Some(estimate), Some(wanted)),
            Self::Total(total) => CostDifference {
                before: *total,
                after: wanted.total,
                change: wanted.total - *total,
                lines: Vec::new(),
                incomplete: !wanted.unknown.is_empty(),
            },
        }
    }
}

/// Reads both sides, as the command line names them.
pub fn read(session: &Session<'_>, options: &PlanOptions) -> Result<Sides, Failure> {
    let usage = options.usage.usage()?;
    let there = match (&options.from, &options.against) {
        (Some(from), _) => of_environment(of_file(session, Some(from), &usage)?),
        (None, Some(folder)) => of_folder(folder)?,
        (None, None) => {
            let message = "a plan without an account compares with a file or a folder";
            return Err(Failure::new(Exit::Internal, message));
        }
    };
    let wanted = of_file(session, options.to.as_deref(), &usage)?;
    Ok(Sides { there, wanted })
}

fn of_environment(from: Wanted) -> There {
    There {
        label: from.label,
        environment: from.blueprint.environment,
        templates: from.templates,
        cost: Cost::Lines(Box::new(from.estimate)),
    }
}

fn of_file(
    session: &Session<'_>,
    reference: Option<&str>,
    usage: &Usage,
) -> Result<Wanted, Failure> {
    let (path, environment) = reference.map_or((None, None), parse);
    let read = match path {
        Some(path) => session.read_other_file(&path)?,
        None => session.read_file()?,
    };
    let file = AwsFile::new(read)?;
    let environment = environment.as_deref().or(session.named_environment());
    let blueprint = file.choose(environment)?;
    let stacks = file.stacks(blueprint)?;
    Ok(Wanted {
        label: format!("{} of {}", blueprint.environment, file.read.shown),
        templates: stacks.stacks.iter().map(StackTemplate::of).collect(),
        estimate: Estimate::of(blueprint, usage),
        blueprint: blueprint.clone(),
    })
}

fn of_folder(folder: &Path) -> Result<There, Failure> {
    let assembly = assembly::read(folder)?;
    let templates = assembly.stack_templates().map_err(|error| {
        let message = format!("a template in {} is not JSON", folder.display());
        Failure::new(Exit::File, message).caused_by(&error)
    })?;
    Ok(There {
        label: format!("{} of {}", assembly.manifest.environment, folder.display()),
        cost: Cost::Total(assembly.total()),
        environment: assembly.manifest.environment,
        templates,
    })
}

/// `FILE`, `FILE:ENVIRONMENT` or `ENVIRONMENT`: what has a folder or an ending, or is there, is a
/// file.
pub fn parse(text: &str) -> (Option<PathBuf>, Option<String>) {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    match text.rsplit_once(':') {
        Some((file, environment)) => (some(file).map(PathBuf::from), some(environment)),
        None if text.contains(['/', '.']) || Path::new(text).exists() => {
            (Some(PathBuf::from(text)), None)
        }
        None => (None, some(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_environments_are_told_apart() {
        for (text, file, environment) in [
            ("staging", None, Some("staging")),
            (":staging", None, Some("staging")),
            ("old.toml", Some("old.toml"), None),
            (
                "../old/magecloudkit.toml:staging",
                Some("../old/magecloudkit.toml"),
                Some("staging"),
            ),
            ("old.toml:", Some("old.toml"), None),
        ] {
            let expected = (file.map(PathBuf::from), environment.map(str::to_owned));
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
