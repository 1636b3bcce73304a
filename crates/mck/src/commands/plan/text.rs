//! A plan for people.

use mck_aws_stacks::difference::{
    Action, Cause, DataFate, Fate, PropertyChange, Requirement, ResourceDifference, StackAction,
    StackDifference,
};
use mck_checker::Severity;
use mck_cost::{LineDifference, Money};
use serde_json::Value;

use super::{Plan, readiness::SECRET_WITHOUT_VALUE};
use crate::{printer::Printer, style::Style};

/// Longer values are shown in part.
const LONGEST_VALUE: usize = 60;
/// So much is shown before the place where a long value differs.
const KEPT_BEFORE: usize = 12;
/// More properties of one resource are counted only.
const MOST_PROPERTIES: usize = 12;

pub fn print(printer: &Printer, plan: &Plan) {
    printer.result(render(plan, printer.out_style()));
    if plan.cost.incomplete {
        let hint = "`mck cost` names it";
        printer.warning("something has no known price and is in no sum", Some(hint));
    }
}

fn render(plan: &Plan, style: Style) -> String {
    let mut text = format!(
        "{} {}\n{}   {}\n\n",
        style.dim("From:"),
        plan.from,
        style.dim("To:"),
        plan.to
    );
    for stack in &plan.difference.stacks {
        text.push_str(&stack_text(stack, style));
        text.push('\n');
    }
    for note in plan.notes.iter().chain(&plan.readiness.notes()) {
        text.push_str(&format!("{} {note}\n", style.yellow("note:")));
    }
    for drifted in &plan.drifted {
        let told = format!(
            "{} was changed behind its back ({}): `mck drift` shows what",
            drifted.stack,
            match drifted.found.as_str() {
                "" => "found when that was last looked for".to_owned(),
                time => format!("found {time}"),
            }
        );
        text.push_str(&format!("{} {told}\n", style.yellow("drift:")));
    }
    text.push_str(&style.bold(summary(plan)));
    text.push_str(&cost_text(plan, style));
    text.push_str(&findings_text(plan, style));
    text
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
    if let Some(data) = &resource.data {
        let told = data_text(data);
        let told = if data.is_lost() {
            style.red(told)
        } else {
            told
        };
        text.push_str(&format!("      {told}\n"));
    }
    text
}

fn property_text(property: &PropertyChange, style: Style) -> String {
    let change = match &property.cause {
        Some(Cause::Resource { logical_id }) => format!("changes with {logical_id}"),
        Some(Cause::Output { stack, output }) => format!("changes with {output} of {stack}"),
        None => {
            let (before, after) = (
                json(property.before.as_ref()),
                json(property.after.as_ref()),
            );
            let same = before
                .chars()
                .zip(after.chars())
                .take_while(|(one, other)| one == other);
            let same = same.count();
            format!(
                "{} -> {}",
                shortened(&before, same),
                shortened(&after, same)
            )
        }
    };
    let requires = match property.requires {
        Requirement::InPlace => String::new(),
        Requirement::MayReplace => format!("  {}", style.red("may force replacement")),
        Requirement::Replace => format!("  {}", style.red("forces replacement")),
    };
    format!("{}: {change}{requires}", property.path)
}

fn json(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// A long text around the place where it begins to differ from another.
fn shortened(text: &str, same: usize) -> String {
    let length = text.chars().count();
    if length <= LONGEST_VALUE {
        return text.to_owned();
    }
    let start = same.saturating_sub(KEPT_BEFORE);
    let part: String = text.chars().skip(start).take(LONGEST_VALUE).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if start + LONGEST_VALUE < length {
        "…"
    } else {
        ""
    };
    format!("{before}{part}{after}")
}

fn data_text(data: &DataFate) -> String {
    let what = data.what;
    match data.fate {
        Fate::Gone => format!("loses {what}; nothing of it stays"),
        Fate::Snapshot => format!("loses {what}; a last snapshot stays"),
        Fate::LeftBehind => {
            format!("loses {what}: the old one stays, unused, the new one is empty")
        }
        Fate::Kept => format!("keeps {what}, without its stack"),
    }
}

fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        return "Nothing to do.".to_owned();
    }
    if plan.difference.is_empty() {
        return "No resource changes.".to_owned();
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

fn cost_text(plan: &Plan, style: Style) -> String {
    let cost = &plan.cost;
    let mut text = format!(
        "\n{} {} -> {} {} a month ({})",
        style.bold("Cost:"),
        cost.before,
        cost.after,
        plan.currency,
        cost.change.signed()
    );
    // Where there was nothing, the difference is all that there is.
    if cost.before == Money::ZERO && !cost.lines.is_empty() {
        text.push_str("; `mck cost` shows what for");
        return text;
    }
    for line in &cost.lines {
        let change = line.change().signed();
        text.push_str(&format!("\n  {change:>12}  {}", line_text(line)));
    }
    text
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

fn findings_text(plan: &Plan, style: Style) -> String {
    let told: Vec<String> = plan
        .findings
        .iter()
        .filter_map(|finding| {
            let label = match finding.severity {
                Severity::Error => style.red("error:"),
                Severity::Warning => style.yellow("warning:"),
                Severity::Note => return None,
            };
            let code = style.dim(format_args!("[{}]", finding.code));
            let hint = if finding.code == SECRET_WITHOUT_VALUE {
                format!("\n    {} {}", style.cyan("hint:"), finding.help)
            } else {
                String::new()
            };
            Some(format!("\n  {label} {} {code}{hint}", finding.message))
        })
        .collect();
    if told.is_empty() {
        return String::new();
    }
    format!("\n{}{}", style.bold("Findings:"), told.concat())
}

#[cfg(test)]
mod tests {
    use mck_aws_stacks::difference::{Difference, StackTemplate};
    use mck_checker::Finding;
    use mck_cost::{Component, CostDifference};
    use serde_json::json;

    use super::{super::Drifted, *};

    fn stack(id: &str, resources: &Value) -> StackTemplate {
        StackTemplate {
            id: id.to_owned(),
            name: format!("shop-production-{id}"),
            region: "us-east-1".to_owned(),
            termination_protection: false,
            tags: std::collections::BTreeMap::new(),
            parameters: std::collections::BTreeMap::new(),
            template: json!({ "Resources": resources }),
        }
    }

    fn difference() -> Difference {
        let network = |cidr: &str| {
            json!({
                "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}},
                "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": {"Ref": "Vpc"}}},
            })
        };
        let database = |retention: u8, engine: &str, key: &Value| {
            json!({ "Database": {
                "Type": "AWS::RDS::DBCluster",
                "UpdateReplacePolicy": "Snapshot",
                "Properties": {
                    "BackupRetentionPeriod": retention,
                    "Engine": engine,
                    "KmsKeyId": key,
                },
            }})
        };
        let long = json!({"Fn::Join": ["", ["arn:aws:kms:us-east-1:", {"Ref": "AWS::AccountId"}, ":key/0123"]]});
        let search = json!({"Search": {"Type": "AWS::OpenSearchService::Domain"}});
        let logs = json!({"Logs": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain"}});
        let topic = json!({"Alarms": {"Type": "AWS::SNS::Topic"}});
        let mut protected = stack("data", &database(9, "aurora", &json!("key")));
        protected.termination_protection = true;
        Difference::between(
            &[
                stack("network", &network("10.0.0.0/16")),
                stack("data", &database(7, "aurora-mysql", &long)),
                stack("search", &search),
                stack("app-blog", &logs),
            ],
            &[
                stack("network", &network("10.1.0.0/16")),
                protected,
                stack("observability", &topic),
            ],
        )
    }

    #[test]
    fn long_values_are_shown_where_they_differ() {
        let long = "abcdefghij".repeat(20);
        assert_eq!(shortened("short", 3), "short");
        assert_eq!(shortened(&long, 0), format!("{}…", &long[..60]));
        assert_eq!(shortened(&long, 100), format!("…{}…", &long[88..148]));
        assert_eq!(shortened(&long, 200), format!("…{}", &long[188..]));
    }

    #[test]
    fn every_kind_of_change_is_told() {
        let plan = Plan {
            from: "production of old.toml".to_owned(),
            to: "production of magecloudkit.toml".to_owned(),
            difference: difference(),
            notes: Vec::new(),
            drifted: vec![Drifted {
                stack: "data".to_owned(),
                found: "2026-11-24T15:00:00Z".to_owned(),
            }],
            cost: CostDifference {
                before: Money::from_cents(200_000),
                after: Money::from_cents(180_050),
                change: Money::from_cents(-19_950),
                lines: vec![LineDifference {
                    component: Component::Search,
                    what: "instances".to_owned(),
                    detail_before: Some("3 × m6g.large.search".to_owned()),
                    detail_after: None,
                    before: Some(Money::from_cents(19_950)),
                    after: None,
                }],
                incomplete: false,
            },
            currency: "USD".to_owned(),
            prices_of: "2026-11-24".to_owned(),
            findings: vec![Finding {
                code: "MCK-D001",
                severity: Severity::Warning,
                message: "the database has no reader".to_owned(),
                help: String::new(),
                setting: "database.readers".to_owned(),
            }],
            readiness: Default::default(),
        };
        insta::assert_snapshot!(render(&plan, Style::new(false)));
    }
}
