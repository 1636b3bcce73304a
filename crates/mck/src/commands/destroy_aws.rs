//! `mck destroy` of an environment on AWS.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use mck_aws::{Account, Destroyed, Keep, KeepReason, StackFailure};
use mck_aws_stacks::{StackId, difference::StackTemplate};
use mck_cost::{KeptPrice, KeptUnit};

use super::{
    confirm::{self, Question},
    destroy_shared::{self, End, Sharing},
    plan::account::{Connected, connect},
    stacks_at_work::{Display, descriptions, follow},
};
use crate::{
    account_failure::{Written, of_stacks},
    cli::DestroyOptions,
    exit::Exit,
    failure::Failure,
    printer::Printer,
    session::Session,
    time::elapsed,
    who,
};

pub fn run(session: &Session<'_>, options: &DestroyOptions) -> Result<(), Failure> {
    let printer = session.printer;
    let connected = connect(session)?;
    let sharing = Sharing::of(&connected)?;
    if options.global {
        sharing.refuse_in_use()?;
    }
    let mut existing = connected.account.existing(&connected.stacks)?;
    let stacks = &connected.stacks.stacks;
    let is_global = |name: &str| {
        let mut globals = stacks
            .iter()
            .filter(|it| matches!(it.id, StackId::Global(_)));
        globals.any(|it| it.name == name)
    };
    existing.retain(|it| !is_global(&it.name));
    refuse_protected(&existing, &options.unprotect)?;
    let environment = connected.blueprint.environment.clone();
    if existing.is_empty() {
        printer.note(format_args!("{environment} has no stacks."));
    } else if !options.yes {
        let account = &connected.identity.account;
        let names: Vec<&str> = existing.iter().map(|it| it.id.as_str()).collect();
        confirm::ask(
            session,
            &Question {
                what: &format!("removing {environment} with its data"),
                consequence: &format!(
                    "This removes {environment} from account {account}: {}.",
                    names.join(", ")
                ),
                word: &environment,
                declined: "nothing was removed",
            },
        )?;
    }
    let end = sharing.end(session, options)?;
    if existing.is_empty() && end.is_nothing() {
        printer.note("There is nothing to do.");
        return Ok(());
    }
    destroy(printer, connected, existing, end)
}

/// A protected stack goes only when it is told by name.
fn refuse_protected(existing: &[StackTemplate], named: &[String]) -> Result<(), Failure> {
    let protected: BTreeSet<String> = Account::protected(existing);
    let refused: Vec<&str> = protected
        .iter()
        .filter(|id| !named.contains(id))
        .map(String::as_str)
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let flags: Vec<String> = refused
        .iter()
        .map(|id| format!("--unprotect {id}"))
        .collect();
    let message = format!("protected against deletion: {}", refused.join(", "));
    Err(Failure::new(Exit::Declined, message)
        .hint(format!("`{}` deletes them all the same", flags.join(" "))))
}

fn destroy(
    printer: &Printer,
    connected: Connected,
    existing: Vec<StackTemplate>,
    end: End,
) -> Result<(), Failure> {
    let Connected {
        stacks,
        account,
        blueprint,
        file,
        ..
    } = connected;
    let (begin, environment) = (Instant::now(), &blueprint.environment);
    let display = Display {
        printer,
        title: environment,
        total: existing.len() + end.stacks.len(),
        descriptions: descriptions(existing.iter().chain(&end.stacks)),
        json: false,
        again: &format!("mck destroy --environment {environment}"),
    };
    let stacks = Arc::clone(&stacks);
    let has_stacks = !existing.is_empty();
    let (destroyed, shared) = follow(display, account, move |account, reporter| {
        let destroyed = if existing.is_empty() {
            Destroyed::default()
        } else {
            account.destroy(&stacks, &existing, &who::asks(), reporter)?
        };
        // What is shared may still be used by a stack that could not be removed.
        let shared = if destroyed.failed.is_empty() {
            destroy_shared::remove(account, &stacks, &end, reporter)?
        } else {
            destroy_shared::Removed::default()
        };
        Ok::<_, Failure>((destroyed, shared))
    })??;
    tell_kept(printer, &destroyed.kept, &blueprint.region);
    shared.tell(printer, &blueprint.region);
    let failed: Vec<StackFailure> = destroyed.failed.into_iter().chain(shared.failed).collect();
    if !failed.is_empty() {
        let written = Written {
            file: &file,
            environment,
        };
        return Err(of_stacks("stacks could not be removed", &failed, &written));
    }
    if has_stacks {
        let time = elapsed(begin.elapsed());
        printer.note(format_args!("{environment} is removed ({time})."));
    }
    Ok(())
}

/// Tells what stays in the account, and what it costs in the environment's region.
pub fn tell_kept(printer: &Printer, kept: &[Keep], region: &str) {
    if kept.is_empty() {
        return;
    }
    printer.note("These stay in the account:");
    for keep in kept {
        let why = match keep.why {
            KeepReason::Retained => "kept with its data",
            KeepReason::Snapshot => "a last snapshot",
            KeepReason::Undeletable => "could not be deleted",
        };
        printer.note(format_args!(
            "  {} {} ({}): {why}, {}. {}",
            keep.kind,
            keep.physical_id,
            keep.stack,
            cost_of(keep, region),
            keep.description
        ));
    }
}

/// What something that stays costs a month.
fn cost_of(keep: &Keep, region: &str) -> String {
    let is_snapshot = keep.why == KeepReason::Snapshot;
    match mck_cost::kept(&keep.kind, is_snapshot, region) {
        Some(KeptPrice { price, per }) => {
            let about = if price.approximate { "about " } else { "" };
            let per = match per {
                KeptUnit::Piece => "a month",
                KeptUnit::Gb => "a GB and month",
            };
            format!("{about}{} USD {per}", price.dollars)
        }
        None => "which goes on to cost what it costs".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_told_with_its_cost() {
        for (kind, why, told) in [
            ("AWS::KMS::Key", KeepReason::Retained, "1 USD a month"),
            (
                "AWS::RDS::DBCluster",
                KeepReason::Snapshot,
                "0.021 USD a GB and month",
            ),
            (
                "AWS::MQ::Unknown",
                KeepReason::Undeletable,
                "which goes on to cost what it costs",
            ),
        ] {
            let keep = Keep {
                stack: "data".to_owned(),
                logical_id: "Thing".to_owned(),
                kind: kind.to_owned(),
                physical_id: String::new(),
                description: String::new(),
                why,
            };
            assert_eq!(cost_of(&keep, "us-east-1"), told);
        }
    }
}
