//! A plan for people.

use mck_aws_stacks::difference::{
    Action, Cause, DataLoss, Fate, PropertyChange, Requirement, ResourceDifference, StackAction,
    StackDifference,
};
use mck_checker::Severity;
use mck_cost::LineDifference;
use serde_json::Value;

use super::Plan;
use crate::{printer::Printer, style::Style};

/// Longer values end with an ellipsis.
const LONGEST_VALUE: usize = 60;
/// More properties of one resource are counted only.
const MOST_PROPERTIES: usize = 12;

pub fn print(printer: &Printer, plan: &Plan) {
    let style = printer.out_style();
    printer.result(format_args!(
        "{} {}\n{}   {}\n",
        style.dim("From:"),
        plan.from,
        style.dim("To:"),
        plan.to
    ));
    for stack in &plan.difference.stacks {
        printer.result(stack_text(stack, style));
    }
    printer.result(style.bold(summary(plan)));
    cost(printer, plan);
    findings(printer, plan);
}

fn stack_text(stack: &StackDifference, style: Style) -> String {
    let action = match stack.action {
        StackAction::Create => style.green("create"),
        StackAction::Update => style.yellow("change"),
        StackAction::Delete => style.red("delete"),
        StackAction::Move => style.red("move to another region"),
    };
    let mut text = format!("{} ({}): {action}\n", style.bold(&stack.name), stack.region);
    for resource in &stack.resources {
        text.push_str(&resource_text(resource, style));
    }
    for setting in &stack.settings {
        text.push_str(&format!("  {}\n", property_text(setting, style)));
    }
    text
}

fn resource_text(resource: &ResourceDifference, style: Style) -> String {
    let action = match resource.action {
        Action::Create => style.green("create"),
        Action::Update => style.yellow("change"),
        Action::MayReplace => style.red("may replace"),
        Action::Replace => style.red("replace"),
        Action::Delete => style.red("delete"),
    };
    let kind = style.dim(&resource.kind);
    let mut text = format!("  {action} {}  {kind}\n", resource.logical_id);
    for property in resource.properties.iter().take(MOST_PROPERTIES) {
        text.push_str(&format!("      {}\n", property_text(property, style)));
    }
    let more = resource.properties.len().saturating_sub(MOST_PROPERTIES);
    if more > 0 {
        text.push_str(&format!("      and {more} more; `--json` shows all\n"));
    }
    if let Some(loss) = &resource.data_loss {
        text.push_str(&format!("      {}\n", style.red(loss_text(loss))));
    }
    text
}

fn property_text(property: &PropertyChange, style: Style) -> String {
    let change = match &property.cause {
        Some(Cause::Resource { logical_id }) => format!("changes with {logical_id}"),
        Some(Cause::Output { stack, output }) => format!("changes with {output} of {stack}"),
        None => format!(
            "{} -> {}",
            value(property.before.as_ref()),
            value(property.after.as_ref())
        ),
    };
    let requires = match property.requires {
        Requirement::InPlace => String::new(),
        Requirement::MayReplace => format!("  {}", style.red("may force replacement")),
        Requirement::Replace => format!("  {}", style.red("forces replacement")),
    };
    format!("{}: {change}{requires}", property.path)
}

fn value(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "none".to_owned();
    };
    let text = value.to_string();
    if text.chars().count() <= LONGEST_VALUE {
        return text;
    }
    let short: String = text.chars().take(LONGEST_VALUE - 1).collect();
    format!("{short}…")
}

fn loss_text(loss: &DataLoss) -> String {
    let fate = match loss.fate {
        Fate::Gone => "nothing of it stays",
        Fate::Snapshot => "a last snapshot stays",
        Fate::LeftBehind => "the old one stays, unused, and the new one is empty",
    };
    format!("loses {}; {fate}", loss.what)
}

fn summary(plan: &Plan) -> String {
    if plan.difference.is_empty() {
        return "Nothing to do.".to_owned();
    }
    let counts = plan.difference.counts();
    let parts = [
        (counts.create, "to create"),
        (counts.update, "to change"),
        (counts.may_replace, "to change or replace"),
        (counts.replace, "to replace"),
        (counts.delete, "to delete"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let stacks = match plan.difference.stacks.len() {
        1 => "1 stack".to_owned(),
        count => format!("{count} stacks"),
    };
    match told.as_slice() {
        [] => format!("No resource changes, only settings of {stacks}."),
        told => format!("{} in {stacks}.", told.join(", ")),
    }
}

fn cost(printer: &Printer, plan: &Plan) {
    let cost = &plan.cost;
    printer.result(format_args!(
        "{} {} -> {} {} a month ({})",
        printer.out_style().bold("Cost:"),
        cost.before,
        cost.after,
        plan.currency,
        cost.change.signed()
    ));
    for line in &cost.lines {
        printer.result(format_args!(
            "  {:>12}  {}",
            line.change().signed(),
            line_text(line)
        ));
    }
    if cost.incomplete {
        let hint = "`mck cost` names it";
        printer.warning("something has no known price and is in no sum", Some(hint));
    }
}

fn line_text(line: &LineDifference) -> String {
    let size = match (&line.detail_before, &line.detail_after) {
        (Some(before), Some(after)) if before == after => before.clone(),
        (Some(before), Some(after)) => format!("{before} -> {after}"),
        (None, Some(after)) => format!("new, {after}"),
        (Some(before), None) => format!("gone, {before}"),
        (None, None) => String::new(),
    };
    format!("{}, {}: {size}", line.component.title(), line.what)
}

fn findings(printer: &Printer, plan: &Plan) {
    let style = printer.out_style();
    let told = plan
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Note);
    for (index, finding) in told.enumerate() {
        if index == 0 {
            printer.result(style.bold("Findings:"));
        }
        let label = match finding.severity {
            Severity::Error => style.red("error:"),
            Severity::Warning | Severity::Note => style.yellow("warning:"),
        };
        let code = style.dim(format_args!("[{}]", finding.code));
        printer.result(format_args!("  {label} {} {code}", finding.message));
    }
}
