//! Two versions of a stack, resource by resource.

use std::collections::{BTreeMap, BTreeSet};

use mck_cloudformation::schema;
use serde_json::{Value, json};

use super::{
    Action, ResourceDifference, StackAction, StackDifference, losses,
    paths::{self, PropertyChange, Requirement},
    references::{News, Upheaval},
    template::{self, StackTemplate},
};

/// Attributes of a resource in its template whose change is no change of its properties.
const ATTRIBUTES: [&str; 5] = [
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "CreationPolicy",
    "UpdatePolicy",
];

/// What happens to a stack that both sides have, and in the same region.
pub(super) fn compare_stacks(
    before: &StackTemplate,
    after: &StackTemplate,
    upheaval: &mut Upheaval,
) -> Option<StackDifference> {
    let (changed, news) = settle(before, after, upheaval);
    upheaval.note(before, after, &news);
    let mut resources: Vec<ResourceDifference> = after
        .resources()
        .filter_map(|(id, resource)| match before.resource(id) {
            None => Some(of_whole(id, resource, Action::Create)),
            Some(old) => changed
                .get(id)
                .map(|changes| differing(id, old, resource, changes)),
        })
        .collect();
    let gone = before
        .resources()
        .filter(|(id, _)| after.resource(id).is_none());
    resources.extend(gone.map(|(id, resource)| of_whole(id, resource, Action::Delete)));
    let settings = settings(before, after);
    if resources.is_empty() && settings.is_empty() {
        return None;
    }
    Some(StackDifference {
        id: after.id.clone(),
        name: after.name.clone(),
        region: after.region.clone(),
        action: StackAction::Update,
        resources,
        settings,
    })
}

type Changes = BTreeMap<String, Vec<PropertyChange>>;

/// The changes of all resources that both sides have, with replacements spread over references
/// until nothing new comes of it.
fn settle(before: &StackTemplate, after: &StackTemplate, upheaval: &Upheaval) -> (Changes, News) {
    let mut news = News {
        parameters: upheaval.parameters(after),
        ..News::default()
    };
    loop {
        let changed: Changes = after
            .resources()
            .filter_map(|(id, resource)| {
                let changes = changes(before.resource(id)?, resource, &news);
                (!changes.is_empty()).then(|| (id.to_owned(), changes))
            })
            .collect();
        let of = |least: Requirement| -> BTreeSet<String> {
            let changed = changed.iter();
            changed
                .filter(|(_, changes)| changes.iter().any(|change| change.requires >= least))
                .map(|(id, _)| id.clone())
                .collect()
        };
        let (replaced, updated) = (of(Requirement::Replace), of(Requirement::InPlace));
        if replaced == news.replaced && updated == news.updated {
            return (changed, news);
        }
        // Both only grow: what refers to more that changes changes at least as much.
        news.replaced = replaced;
        news.updated = updated;
    }
}

/// What differs between two versions of a resource.
fn changes(before: &Value, after: &Value, news: &News) -> Vec<PropertyChange> {
    let (old_kind, kind) = (template::kind(before), template::kind(after));
    if old_kind != kind {
        return vec![PropertyChange {
            path: "Type".to_owned(),
            before: Some(old_kind.into()),
            after: Some(kind.into()),
            requires: Requirement::Replace,
            cause: None,
        }];
    }
    let schema = schema::of(kind);
    let none = json!({});
    let (old, new) = (
        before.get("Properties").unwrap_or(&none),
        after.get("Properties").unwrap_or(&none),
    );
    let mut changes = paths::compare(Some(old), Some(new));
    for (path, cause, value) in news.moved(new) {
        if !changes.iter().any(|change| change.covers(&path)) {
            changes.push(PropertyChange {
                path,
                before: Some(value.clone()),
                after: Some(value),
                requires: Requirement::InPlace,
                cause: Some(cause),
            });
        }
    }
    for change in &mut changes {
        change.requires = paths::requirement(schema, after, change);
    }
    for name in ATTRIBUTES {
        let (old, new) = (before.get(name), after.get(name));
        if old != new {
            changes.push(PropertyChange {
                path: name.to_owned(),
                before: old.cloned(),
                after: new.cloned(),
                requires: Requirement::InPlace,
                cause: None,
            });
        }
    }
    changes
}

fn differing(
    id: &str,
    before: &Value,
    after: &Value,
    changes: &[PropertyChange],
) -> ResourceDifference {
    let worst = changes.iter().map(|change| change.requires).max();
    let action = match worst {
        Some(Requirement::Replace) => Action::Replace,
        Some(Requirement::MayReplace) => Action::MayReplace,
        Some(Requirement::InPlace) | None => Action::Update,
    };
    ResourceDifference {
        logical_id: id.to_owned(),
        kind: template::kind(after).to_owned(),
        description: template::description(after).to_owned(),
        action,
        properties: changes.to_vec(),
        data: losses::of(before, action),
    }
}

fn of_whole(id: &str, resource: &Value, action: Action) -> ResourceDifference {
    ResourceDifference {
        logical_id: id.to_owned(),
        kind: template::kind(resource).to_owned(),
        description: template::description(resource).to_owned(),
        action,
        properties: Vec::new(),
        data: losses::of(resource, action),
    }
}

/// What differs of a stack beside its resources. Descriptions and metadata, which name the file and
/// the program's version, do nothing.
fn settings(before: &StackTemplate, after: &StackTemplate) -> Vec<PropertyChange> {
    let whole = |stack: &StackTemplate| {
        let outputs: BTreeMap<&str, &Value> = stack
            .section("Outputs")
            .filter_map(|(name, output)| Some((name, output.get("Value")?)))
            .collect();
        let parameters: BTreeMap<&str, (Option<&Value>, Option<&Value>)> = stack
            .section("Parameters")
            .map(|(name, it)| (name, (it.get("Type"), it.get("Default"))))
            .collect();
        json!({
            "Name": stack.name,
            "TerminationProtection": stack.termination_protection,
            "Tags": stack.tags,
            "Parameters": parameters,
            "Conditions": stack.section("Conditions").collect::<BTreeMap<_, _>>(),
            "Outputs": outputs,
        })
    };
    paths::compare(Some(&whole(before)), Some(&whole(after)))
}
