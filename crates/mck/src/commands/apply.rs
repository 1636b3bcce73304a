//! `mck apply`

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use mck_aws::{Account, Applied, ApplyOptions as Applying, Destroyed};
use mck_aws_stacks::difference::StackTemplate;
use mck_blueprint::Blueprint;
use serde_json::json;

use super::{
    confirm::{self, Question},
    plan::{
        self,
        account::{Connected, connect},
    },
    stacks_at_work::{Display, descriptions, follow},
};
use crate::{
    account_failure::{Written, of_stacks},
    cli::ApplyOptions,
    failure::Failure,
    printer::Printer,
    session::Session,
    time::elapsed,
    who,
};

pub fn run(session: &Session<'_>, options: &ApplyOptions) -> Result<(), Failure> {
    let printer = session.printer;
    let connected = connect(session)?;
    let planned = connected.plan(&options.usage)?;
    if options.json {
        let plan = plan::described(&planned.plan, &options.allow_data_loss);
        printer.json_line(&json!({ "event": "plan", "plan": plan }));
    } else {
        plan::show(printer, &planned.plan);
    }
    let difference = planned.plan.difference();
    plan::warn_of_idle_names(printer, difference, &options.allow_data_loss);
    let refused = plan::refused(difference, &options.allow_data_loss);
    if !refused.is_empty() {
        return Err(plan::refusal(&refused));
    }
    if planned.plan.is_empty() {
        return Ok(());
    }
    let readiness = planned.plan.readiness();
    readiness.refuse(&connected, difference)?;
    let environment = connected.blueprint.environment.clone();
    if !options.yes {
        let account = &connected.identity.account;
        confirm::ask(
            session,
            &Question {
                what: &format!("changing {environment}"),
                consequence: &format!("This changes {environment} in account {account}."),
                word: &environment,
                declined: "nothing was changed",
            },
        )?;
    }
    // While somebody thought about the question, a deployment may have begun.
    let readiness = connected.readiness(|id| planned.existing.iter().any(|it| it == id))?;
    readiness.refuse(&connected, difference)?;
    connected.settle(&readiness, printer, options.json)?;
    // Before the App Servers start: an instance has what was on when it started.
    connected.turn_on(&planned.trunking, printer, options.json)?;
    let lost = plan::refused(difference, &[]);
    apply(printer, connected, planned.obsolete, lost, options.json)
}

fn apply(
    printer: &Printer,
    connected: Connected,
    obsolete: Vec<StackTemplate>,
    lost: Vec<String>,
    json: bool,
) -> Result<(), Failure> {
    let Connected {
        stacks,
        account,
        blueprint,
        file,
        ..
    } = connected;
    let begin = Instant::now();
    let environment = &blueprint.environment;
    let kept = Account::protected(&obsolete);
    let (obsolete, protected): (Vec<_>, Vec<_>) =
        obsolete.into_iter().partition(|it| !kept.contains(&it.id));
    for stack in protected {
        let hint = "switch its termination protection off to let the next apply delete it";
        let message = format!("{} is not in the file any more, but protected", stack.name);
        printer.warning(message, Some(hint));
    }
    let templates: Vec<StackTemplate> = stacks.stacks.iter().map(StackTemplate::of).collect();
    let display = Display {
        printer,
        title: environment,
        total: templates.len() + obsolete.len(),
        descriptions: descriptions(templates.iter().chain(&obsolete)),
        json,
        again: &format!("mck apply --environment {environment}"),
    };
    let applying = Applying {
        who: who::asks(),
        accepted_losses: BTreeSet::from_iter(lost),
    };
    let done = follow(display, account, move |account, reporter| {
        let applied = account.apply(&stacks, &applying, reporter)?;
        // What is still used by a stack that failed must not go.
        let removed = if applied.failed.is_empty() && !obsolete.is_empty() {
            let stacks = Arc::clone(&stacks);
            account.destroy(&stacks, &obsolete, &applying.who, reporter)?
        } else {
            Destroyed::default()
        };
        Ok::<_, Failure>((applied, removed))
    })?;
    let (applied, removed) = done?;
    tell(printer, &blueprint, &applied, &removed, begin);
    let written = Written {
        file: &file,
        environment,
    };
    match (applied.failed.as_slice(), removed.failed.as_slice()) {
        ([], []) => Ok(()),
        ([], failed) => Err(of_stacks("stacks could not be removed", failed, &written)),
        (failed, _) => Err(of_stacks("stacks failed", failed, &written)),
    }
}

fn tell(
    printer: &Printer,
    blueprint: &Blueprint,
    applied: &Applied,
    removed: &Destroyed,
    begin: Instant,
) {
    let mut parts = vec![format!("{} changed", applied.changed.len())];
    for (list, word) in [
        (applied.unchanged.len(), "as they were"),
        (removed.removed.len(), "removed"),
        (applied.failed.len() + removed.failed.len(), "failed"),
        (applied.skipped.len() + removed.skipped.len(), "not touched"),
    ] {
        if list > 0 {
            parts.push(format!("{list} {word}"));
        }
    }
    let time = elapsed(begin.elapsed());
    printer.note(format_args!(
        "{}: stacks {} ({time}).",
        blueprint.environment,
        parts.join(", ")
    ));
    super::destroy_aws::tell_kept(printer, &removed.kept, &blueprint.region);
}
