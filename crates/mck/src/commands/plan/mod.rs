//! `mck plan`

pub mod account;
pub mod readiness;
mod sides;
mod text;
mod trunking;

use std::process::ExitCode;

use mck_aws_stacks::difference::{Difference, Renaming, StackTemplate};
use mck_checker::Finding;
use mck_cost::CostDifference;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cli::PlanOptions, client_failure, exit::Exit, failure::Failure, printer::Printer,
    session::Session,
};
use readiness::Readiness;
use sides::{Sides, Wanted};

/// How `mck plan` ends where nothing is to do.
const NOTHING: u8 = 0;
/// How `mck plan` ends where it failed, whatever the reason.
pub const FAILED: u8 = 1;
/// How `mck plan` ends where something changes.
const CHANGES: u8 = 2;

/// What a plan says.
pub struct Plan {
    from: String,
    to: String,
    difference: Difference,
    notes: Vec<String>,
    drifted: Vec<Drifted>,
    cost: CostDifference,
    currency: String,
    prices_of: String,
    findings: Vec<Finding>,
    readiness: Readiness,
}

/// A stack that was changed behind its back when that was last looked for.
#[derive(Debug, Serialize)]
struct Drifted {
    /// Its id.
    stack: String,
    /// When it was looked for, in RFC 3339; empty where the account does not say.
    found: String,
}

/// Runs the command. Its exit codes are not those of other commands, so that a script can ask
/// whether something changes.
pub fn run(session: &Session<'_>, options: &PlanOptions) -> ExitCode {
    let planned = plan(session, options).and_then(|is_empty| match session.printer.broken() {
        Some(error) => Err(client_failure::output(&error)),
        None => Ok(is_empty),
    });
    match planned {
        Ok(true) => NOTHING.into(),
        Ok(false) => CHANGES.into(),
        Err(failure) => {
            session.printer.failure(&failure);
            FAILED.into()
        }
    }
}

/// Prints the plan, and says whether there is nothing to do.
fn plan(session: &Session<'_>, options: &PlanOptions) -> Result<bool, Failure> {
    let plan = if options.from.is_some() || options.against.is_some() {
        make(&sides::read(session, options)?)?
    } else {
        account::of_wanted(session, options)?
    };
    print(session.printer, &plan, options);
    warn_of_idle_names(session.printer, &plan.difference, &options.allow_data_loss);
    let refused = refused(&plan.difference, &options.allow_data_loss);
    match refused.as_slice() {
        [] => Ok(plan.is_empty()),
        names => Err(refusal(names)),
    }
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.difference.is_empty() && self.notes.is_empty() && !self.readiness.has_to_settle()
    }
}

fn make(sides: &Sides) -> Result<Plan, Failure> {
    let Sides { there, wanted } = sides;
    let renaming = Renaming {
        from: &there.environment,
        to: &wanted.blueprint.environment,
    };
    // Two environments are compared by what they are, not by what they are called.
    let before: Vec<StackTemplate> = if renaming.from == renaming.to {
        there.templates.clone()
    } else {
        there.templates.iter().map(|it| renaming.of(it)).collect()
    };
    let Wanted {
        label,
        blueprint,
        templates,
        estimate,
    } = wanted;
    Ok(Plan {
        from: there.label.clone(),
        to: label.clone(),
        difference: Difference::between(&before, templates),
        notes: Vec::new(),
        drifted: Vec::new(),
        cost: there.cost.until(estimate),
        currency: estimate.currency.clone(),
        prices_of: estimate.prices_of.clone(),
        findings: mck_checker::check(blueprint),
        readiness: Readiness::default(),
    })
}

/// What would lose data and is not accepted, as `STACK/NAME`.
pub fn refused(difference: &Difference, allowed: &[String]) -> Vec<String> {
    let refused = difference.refused(allowed);
    refused
        .map(|(stack, resource)| format!("{}/{}", stack.id, resource.logical_id))
        .collect()
}

/// A name that accepts nothing is a mistake, or was needed once.
pub fn warn_of_idle_names(printer: &Printer, difference: &Difference, allowed: &[String]) {
    let lost = refused(difference, &[]);
    for name in allowed {
        let is_meant =
            |lost: &String| lost == name || lost.split_once('/').is_some_and(|(_, id)| id == name);
        if !lost.iter().any(is_meant) {
            printer.warning(format_args!("`{name}` loses no data"), None);
        }
    }
}

pub fn refusal(names: &[String]) -> Failure {
    let message = format!("data would be lost: {}", names.join(", "));
    let flags: Vec<String> = names
        .iter()
        .map(|name| format!("--allow-data-loss {name}"))
        .collect();
    Failure::new(Exit::Declined, message).hint(format!("`{}` accepts that", flags.join(" ")))
}

fn print(printer: &Printer, plan: &Plan, options: &PlanOptions) {
    if options.json {
        printer.json(&described(plan, &options.allow_data_loss));
    } else {
        text::print(printer, plan);
    }
}

/// Prints a plan for people.
pub fn show(printer: &Printer, plan: &Plan) {
    text::print(printer, plan);
}

/// A plan for programs.
pub fn described(plan: &Plan, allowed: &[String]) -> Value {
    json!({
            "from": plan.from,
            "to": plan.to,
            "empty": plan.is_empty(),
            "counts": plan.difference.counts(),
            "stacks": plan.difference.stacks,
            "notes": plan.notes,
            "deployments": plan.readiness.described(),
            "drifted": plan.drifted,
            "refused": refused(&plan.difference, allowed),
            "cost": plan.cost,
            "currency": plan.currency,
            "prices-of": plan.prices_of,
            "findings": plan.findings,
    })
}
