//! A plan against the account.

use std::sync::Arc;

use mck_aws::{Account, AccountPlan, Identity};
use mck_aws_stacks::{Stacks, difference::Difference};
use mck_blueprint::Blueprint;
use mck_cost::{CostDifference, DeployedStack, Estimate};
use mck_environment::EnvironmentFile;

use super::{Drifted, Plan, readiness::Readiness, sides, trunking::Trunking};
use crate::{
    aws::AwsFile,
    cli::{PlanOptions, UsageOptions},
    failure::Failure,
    session::Session,
};

/// An environment, and the account that it is in.
pub struct Connected {
    pub blueprint: Blueprint,
    pub stacks: Arc<Stacks>,
    pub account: Account,
    pub identity: Identity,
    /// The file that it is written in.
    pub file: EnvironmentFile,
    label: String,
}

/// A plan against the account, with what an apply needs.
pub struct Planned {
    pub plan: Plan,
    pub obsolete: Vec<mck_aws_stacks::difference::StackTemplate>,
    /// The ids of the stacks that are there.
    pub existing: Vec<String>,
    pub trunking: Trunking,
}

/// Reads the file's environment, and finds out who we are in the account.
pub fn connect(session: &Session<'_>) -> Result<Connected, Failure> {
    let file = AwsFile::new(session.read_file()?)?;
    connect_to(&file, session.named_environment())
}

fn connect_to(file: &AwsFile, environment: Option<&str>) -> Result<Connected, Failure> {
    let blueprint = file.choose(environment)?;
    let stacks = file.stacks(blueprint)?;
    let regions = stacks.stacks.iter().map(|stack| stack.region.as_str());
    let account = Account::connect(&stacks.project, regions)?;
    let identity = account.identity()?;
    Ok(Connected {
        label: format!("{} of {}", blueprint.environment, file.read.shown),
        blueprint: blueprint.clone(),
        stacks: Arc::new(stacks),
        account,
        identity,
        file: EnvironmentFile::parse(&file.read.shown, &file.read.bytes)?,
    })
}

impl Connected {
    /// Asks the account what would change.
    pub fn plan(&self, usage: &UsageOptions) -> Result<Planned, Failure> {
        let usage = usage.usage()?;
        let estimate = Estimate::of(&self.blueprint, &usage);
        let AccountPlan {
            difference,
            foretold,
            unsettled,
            obsolete,
            existing,
            drifted,
        } = self.account.plan(&self.stacks)?;
        let states = unsettled.iter().map(|(stack, status)| {
            format!("{stack} is {status}: an apply first finds the way out")
        });
        let texts = foretold.iter().map(|stack| {
            format!(
                "{stack} is told by its template alone: what it needs of others is not there yet"
            )
        });
        let stacks = existing.iter().map(|it| DeployedStack {
            id: &it.id,
            template: &it.template,
        });
        let stacks: Vec<DeployedStack<'_>> = stacks.collect();
        let before = Estimate::of_deployed(&stacks, &self.blueprint, &usage);
        let readiness = self.readiness(|id| existing.iter().any(|it| it.id == id))?;
        let mut findings = mck_checker::check(&self.blueprint);
        findings.extend(readiness.findings(&self.blueprint.environment));
        let trunking = self.trunking()?;
        let settings = trunking.notes().iter().cloned();
        let plan = Plan {
            from: format!("account {}", self.identity.account),
            to: self.label.clone(),
            drifted: drifted
                .into_iter()
                .map(|(stack, found)| Drifted { stack, found })
                .collect(),
            notes: states.chain(texts).chain(settings).collect(),
            cost: CostDifference::between(before.as_ref(), Some(&estimate)),
            currency: estimate.currency,
            prices_of: estimate.prices_of,
            findings,
            readiness,
            difference,
        };
        let existing = existing.into_iter().map(|it| it.id).collect();
        Ok(Planned {
            plan,
            obsolete,
            existing,
            trunking,
        })
    }
}

impl Plan {
    /// What changes.
    pub const fn difference(&self) -> &Difference {
        &self.difference
    }

    /// What only the account knows of the apps.
    pub const fn readiness(&self) -> &Readiness {
        &self.readiness
    }
}

/// The plan of the wanted environment, as the command line names it.
pub fn of_wanted(session: &Session<'_>, options: &PlanOptions) -> Result<Plan, Failure> {
    let (path, environment) = options.to.as_deref().map_or((None, None), sides::parse);
    let read = match path {
        Some(path) => session.read_other_file(&path)?,
        None => session.read_file()?,
    };
    let environment = environment.as_deref().or(session.named_environment());
    let connected = connect_to(&AwsFile::new(read)?, environment)?;
    Ok(connected.plan(&options.usage)?.plan)
}
