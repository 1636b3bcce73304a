//! `mck drift`

use mck_aws::{Drift, DriftedResource};

use super::plan::account::connect;
use crate::{cli::DriftOptions, exit::Exit, failure::Failure, session::Session, style::Style};

pub fn run(session: &Session<'_>, options: &DriftOptions) -> Result<(), Failure> {
    let printer = session.printer;
    let connected = connect(session)?;
    let existing = connected.account.existing(&connected.stacks)?;
    let drifts = connected.account.drift(&existing)?;
    if options.json {
        printer.json(&drifts);
    } else {
        printer.result(render(&drifts, printer.out_style()));
    }
    for drift in drifts.iter().filter(|it| !it.incomplete.is_empty()) {
        let message = format!(
            "not all of {} was looked at: {}",
            drift.stack, drift.incomplete
        );
        printer.warning(message, None);
    }
    if drifts.iter().all(|it| it.resources.is_empty()) {
        return Ok(());
    }
    Err(Failure::said(Exit::Drifted))
}

fn render(drifts: &[Drift], style: Style) -> String {
    let mut text = String::new();
    for drift in drifts.iter().filter(|it| !it.resources.is_empty()) {
        text.push_str(&format!("{}\n", style.bold(&drift.stack)));
        for resource in &drift.resources {
            text.push_str(&resource_text(resource, style));
        }
    }
    let count: usize = drifts.iter().map(|it| it.resources.len()).sum();
    text.push_str(&match count {
        0 => format!("Nothing was changed, in {} stacks.", drifts.len()),
        1 => "1 resource is not as its stack says.".to_owned(),
        count => format!("{count} resources are not as their stacks say."),
    });
    text
}

fn resource_text(resource: &DriftedResource, style: Style) -> String {
    let what = if resource.is_deleted {
        style.red("deleted")
    } else {
        style.yellow("changed")
    };
    let kind = style.dim(&resource.kind);
    let mut text = format!("  {what} {} {kind}\n", resource.logical_id);
    for property in &resource.properties {
        let say = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let (expected, actual) = (say(&property.expected), say(&property.actual));
        text.push_str(&format!(
            "      {}: {expected} -> {actual}\n",
            property.path
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use mck_aws::DriftedProperty;

    use super::*;

    #[test]
    fn what_was_changed_is_told_as_a_difference() {
        let resource =
            |id: &str, is_deleted: bool, properties: Vec<DriftedProperty>| DriftedResource {
                logical_id: id.to_owned(),
                physical_id: String::new(),
                kind: "AWS::SNS::Topic".to_owned(),
                description: String::new(),
                is_deleted,
                properties,
            };
        let property = DriftedProperty {
            path: "DisplayName".to_owned(),
            expected: Some("alarms".to_owned()),
            actual: None,
        };
        let drift = |stack: &str, resources| Drift {
            stack: stack.to_owned(),
            resources,
            incomplete: String::new(),
        };
        let resources = vec![
            resource("Alarms", false, vec![property]),
            resource("Old", true, vec![]),
        ];
        let text = render(
            &[drift("data", vec![]), drift("observability", resources)],
            Style::new(false),
        );
        assert_eq!(
            text,
            "observability\n  changed Alarms AWS::SNS::Topic\n      DisplayName: alarms -> none\n  \
             deleted Old AWS::SNS::Topic\n2 resources are not as their stacks say."
        );
        assert_eq!(
            render(&[drift("data", vec![])], Style::new(false)),
            "Nothing was changed, in 1 stacks."
        );
    }
}
