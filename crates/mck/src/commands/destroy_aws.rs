//! `mck destroy` of an environment on AWS.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use mck_aws::{Account, Keep, KeepReason};
use mck_aws_stacks::{StackId, difference::StackTemplate};

use super::{
    confirm::{self, Question},
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
    let mut existing = connected.account.existing(&connected.stacks)?;
    for stack in &connected.stacks.stacks {
        let is_there = existing.iter().any(|it| it.name == stack.name);
        if matches!(stack.id, StackId::Global(_)) && is_there {
            let name = &stack.name;
            printer.note(format_args!(
                "{name} stays: all the project's environments share it."
            ));
            existing.retain(|it| it.name != *name);
        }
    }
    let environment = connected.blueprint.environment.clone();
    if existing.is_empty() {
        printer.note(format_args!("{environment} has no stacks."));
        return Ok(());
    }
    refuse_protected(&existing, &options.unprotect)?;
    if !options.yes {
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
    destroy(printer, connected, existing)
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
        total: existing.len(),
        descriptions: descriptions(&existing),
        json: false,
        again: &format!("mck destroy --environment {environment}"),
    };
    let stacks = Arc::clone(&stacks);
    let destroyed = follow(display, account, move |account, reporter| {
        account.destroy(&stacks, &existing, &who::asks(), reporter)
    })??;
    tell_kept(printer, &destroyed.kept);
    if !destroyed.failed.is_empty() {
        let written = Written {
            file: &file,
            environment,
        };
        let what = "stacks could not be removed";
        return Err(of_stacks(what, &destroyed.failed, &written));
    }
    let time = elapsed(begin.elapsed());
    printer.note(format_args!("{environment} is removed ({time})."));
    Ok(())
}

/// Tells what stays in the account.
pub fn tell_kept(printer: &Printer, kept: &[Keep]) {
    if kept.is_empty() {
        return;
    }
    printer.note("These stay in the account, and go on to cost what they cost:");
    for keep in kept {
        let why = match keep.why {
            KeepReason::Retained => "kept with its data",
            KeepReason::Snapshot => "a last snapshot",
            KeepReason::Undeletable => "could not be deleted",
        };
        printer.note(format_args!(
            "  {} {} ({}): {why}. {}",
            keep.kind, keep.physical_id, keep.stack, keep.description
        ));
    }
}
