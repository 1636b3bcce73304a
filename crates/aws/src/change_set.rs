//! What a change set says, as the difference that people read.

use aws_sdk_cloudformation::types::{
    ChangeAction, Replacement, RequiresRecreation, ResourceAttribute, ResourceChange,
    ResourceChangeDetail,
};
use mck_aws_stacks::difference::{
    Action, Cause, PropertyChange, Requirement, ResourceDifference, data_fate,
};
use serde_json::Value;

/// A stack's templates on both sides of a change set, and what was foretold of it.
pub(crate) struct Sides<'a> {
    /// The template that the stack has.
    pub(crate) before: &'a Value,
    /// The template that is wanted.
    pub(crate) after: &'a Value,
    /// What the templates alone say; used for what the change set leaves out.
    pub(crate) foretold: &'a [ResourceDifference],
}

/// What a change set does to each resource, in its own order.
pub(crate) fn resources(changes: &[ResourceChange], sides: &Sides<'_>) -> Vec<ResourceDifference> {
    let all = changes.iter();
    all.filter_map(|change| resource(change, sides)).collect()
}

fn resource(change: &ResourceChange, sides: &Sides<'_>) -> Option<ResourceDifference> {
    let logical_id = change.logical_resource_id.clone()?;
    let foretold = sides.foretold.iter().find(|it| it.logical_id == logical_id);
    let action = action(change, foretold);
    let of = |template: &Value| template.get("Resources")?.get(&logical_id).cloned();
    let (before, after) = (of(sides.before), of(sides.after));
    // What goes is kept or not as the template says that it was made with.
    let data = before.as_ref().and_then(|it| data_fate(it, action));
    let described = after.as_ref().or(before.as_ref());
    let text = |it: &Value| it.as_str().map(str::to_owned);
    let kind = change.resource_type.clone();
    let kind = kind.or_else(|| described.and_then(|it| it.get("Type")).and_then(text));
    let description = described
        .and_then(|it| it.get("Metadata")?.get(mck_cloudformation::DESCRIPTION))
        .and_then(text);
    let mut properties = properties(change.details.as_deref().unwrap_or_default());
    fill(
        &mut properties,
        foretold
            .map(|it| it.properties.as_slice())
            .unwrap_or_default(),
    );
    Some(ResourceDifference {
        logical_id,
        kind: kind.unwrap_or_default(),
        description: description.unwrap_or_default(),
        action,
        properties,
        data,
    })
}

/// What a change set leaves out is taken from what the templates say: properties, or their values.
fn fill(properties: &mut Vec<PropertyChange>, foretold: &[PropertyChange]) {
    if properties.is_empty() {
        properties.extend_from_slice(foretold);
    }
    let told = std::mem::take(properties).into_iter();
    *properties = told.flat_map(|it| filled(it, foretold)).collect();
}

/// A property with its values; where the change set names a list or an object without them, those parts
/// of it that differ.
fn filled(mut property: PropertyChange, foretold: &[PropertyChange]) -> Vec<PropertyChange> {
    let is_silent = property.before.is_none() && property.after.is_none();
    if !is_silent || property.cause.is_some() {
        return vec![property];
    }
    if let Some(known) = foretold.iter().find(|it| it.path == property.path) {
        property.before.clone_from(&known.before);
        property.after.clone_from(&known.after);
        return vec![property];
    }
    let within = format!("{}/", property.path);
    let parts = foretold.iter().filter(|it| it.path.starts_with(&within));
    let parts: Vec<PropertyChange> = parts
        .map(|it| PropertyChange {
            requires: property.requires,
            ..it.clone()
        })
        .collect();
    if parts.is_empty() {
        vec![property]
    } else {
        parts
    }
}

fn action(change: &ResourceChange, foretold: Option<&ResourceDifference>) -> Action {
    match (&change.action, &change.replacement) {
        (Some(ChangeAction::Add | ChangeAction::Import), _) => Action::Create,
        (Some(ChangeAction::Remove), _) => Action::Delete,
        (_, Some(Replacement::True)) => Action::Replace,
        (Some(ChangeAction::Dynamic), _) | (_, Some(Replacement::Conditional)) => {
            Action::MayReplace
        }
        (_, Some(Replacement::False)) => Action::Update,
        _ => foretold.map_or(Action::Update, |it| it.action),
    }
}

/// One change a path: a change set may tell one twice, by its text and by what it refers to.
fn properties(details: &[ResourceChangeDetail]) -> Vec<PropertyChange> {
    let mut found: Vec<PropertyChange> = Vec::new();
    for detail in details {
        let Some(change) = property(detail) else {
            continue;
        };
        match found.iter_mut().find(|it| it.path == change.path) {
            Some(known) => {
                known.requires = known.requires.max(change.requires);
                known.before = known.before.take().or(change.before);
                known.after = known.after.take().or(change.after);
                known.cause = known.cause.take().or(change.cause);
            }
            None => found.push(change),
        }
    }
    found
}

fn property(detail: &ResourceChangeDetail) -> Option<PropertyChange> {
    let target = detail.target.as_ref()?;
    let path = target.path.as_deref().map(|path| {
        let path = path.trim_start_matches('/');
        path.strip_prefix("Properties/").unwrap_or(path).to_owned()
    });
    let attribute = match &target.attribute {
        Some(ResourceAttribute::Properties) | None => None,
        Some(other) => Some(other.as_str().to_owned()),
    };
    let path = path.or_else(|| target.name.clone()).or(attribute)?;
    let requires = match target.requires_recreation {
        Some(RequiresRecreation::Always) => Requirement::Replace,
        Some(RequiresRecreation::Conditionally) => Requirement::MayReplace,
        _ => Requirement::InPlace,
    };
    let before = target.before_value.as_deref().map(value);
    let after = target.after_value.as_deref().map(value);
    let cause = match (&before, &after, &detail.causing_entity) {
        (None, None, Some(entity)) => Some(Cause::Resource {
            logical_id: entity.split('.').next().unwrap_or(entity).to_owned(),
        }),
        _ => None,
    };
    Some(PropertyChange {
        path,
        before,
        after,
        requires,
        cause,
    })
}

/// A value as a change set writes it: a text, or JSON.
fn value(text: &str) -> Value {
    if text.starts_with(['{', '[']) {
        serde_json::from_str(text).unwrap_or_else(|_| text.into())
    } else {
        text.into()
    }
}

/// Whether a change set failed only because there is nothing to do.
pub(crate) fn is_empty(status: &str, reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    status == "FAILED"
        && [
            "didn't contain changes",
            "no updates are to be performed",
            "no changes",
        ]
        .iter()
        .any(|words| reason.contains(words))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::types::ResourceTargetDefinition;
    use serde_json::json;

    use super::*;

    fn change(
        id: &str,
        action: ChangeAction,
    ) -> aws_sdk_cloudformation::types::builders::ResourceChangeBuilder {
        ResourceChange::builder()
            .logical_resource_id(id)
            .action(action)
    }

    fn detail(
        path: &str,
        recreation: RequiresRecreation,
        values: Option<(&str, &str)>,
    ) -> ResourceChangeDetail {
        let target = ResourceTargetDefinition::builder()
            .attribute(ResourceAttribute::Properties)
            .path(path)
            .requires_recreation(recreation);
        let target = match values {
            Some((before, after)) => target.before_value(before).after_value(after),
            None => target,
        };
        ResourceChangeDetail::builder()
            .target(target.build())
            .build()
    }

    fn template(policy: &str) -> Value {
        json!({"Resources": {
            "Database": {
                "Type": "AWS::RDS::DBCluster",
                "DeletionPolicy": policy,
                "UpdateReplacePolicy": policy,
                "Metadata": {"mck:Description": "The database"},
            },
            "Group": {"Type": "AWS::EC2::SecurityGroup"},
        }})
    }

    fn read(
        changes: &[ResourceChange],
        foretold: &[ResourceDifference],
    ) -> Vec<ResourceDifference> {
        let before = template("Snapshot");
        let after = template("Retain");
        resources(
            changes,
            &Sides {
                before: &before,
                after: &after,
                foretold,
            },
        )
    }

    #[test]
    fn a_list_without_values_is_told_by_the_parts_that_differ() {
        let of = |path: &str, values: Option<(&str, &str)>| PropertyChange {
            path: path.to_owned(),
            before: values.map(|it| it.0.into()),
            after: values.map(|it| it.1.into()),
            requires: Requirement::InPlace,
            cause: None,
        };
        let mut told = vec![PropertyChange {
            requires: Requirement::MayReplace,
            ..of("Containers", None)
        }];
        let foretold = [
            of("Containers/0/Memory", Some(("1", "2"))),
            of("ContainersOfOthers", Some(("a", "b"))),
        ];
        fill(&mut told, &foretold);
        let expected = PropertyChange {
            requires: Requirement::MayReplace,
            ..of("Containers/0/Memory", Some(("1", "2")))
        };
        assert_eq!(told, [expected]);
        let mut unknown = vec![of("Tags", None)];
        fill(&mut unknown, &foretold);
        assert_eq!(unknown, [of("Tags", None)]);
    }

    #[test]
    fn actions_are_read() {
        for (action, replacement, expected) in [
            (ChangeAction::Add, None, Action::Create),
            (ChangeAction::Import, None, Action::Create),
            (ChangeAction::Remove, None, Action::Delete),
            (ChangeAction::Dynamic, None, Action::MayReplace),
            (ChangeAction::Modify, None, Action::Update),
            (
                ChangeAction::Modify,
                Some(Replacement::False),
                Action::Update,
            ),
            (
                ChangeAction::Modify,
                Some(Replacement::Conditional),
                Action::MayReplace,
            ),
            (
                ChangeAction::Modify,
                Some(Replacement::True),
                Action::Replace,
            ),
        ] {
            let change = change("Group", action.clone()).set_replacement(replacement.clone());
            let read = read(&[change.build()], &[]);
            assert_eq!(read[0].action, expected, "{action} {replacement:?}");
            assert_eq!(read[0].kind, "AWS::EC2::SecurityGroup");
        }
    }

    #[test]
    fn a_replaced_store_loses_its_data_as_its_old_template_says() {
        let change = change("Database", ChangeAction::Modify).replacement(Replacement::True);
        let read = read(&[change.build()], &[]);
        assert_eq!(read[0].description, "The database");
        assert!(read[0].data.is_some_and(|data| data.is_lost()));
    }

    #[test]
    fn properties_are_told_once_with_the_worst_that_they_do() {
        let change = change("Group", ChangeAction::Modify)
            .details(detail(
                "/Properties/Tags/0/Value",
                RequiresRecreation::Never,
                Some(("a", "b")),
            ))
            .details(detail(
                "/Properties/VpcId",
                RequiresRecreation::Conditionally,
                None,
            ))
            .details(detail(
                "/Properties/VpcId",
                RequiresRecreation::Always,
                Some(("x", "[1]")),
            ));
        let read = read(&[change.build()], &[]);
        let told: Vec<(&str, Requirement)> = read[0]
            .properties
            .iter()
            .map(|it| (it.path.as_str(), it.requires))
            .collect();
        assert_eq!(
            told,
            [
                ("Tags/0/Value", Requirement::InPlace),
                ("VpcId", Requirement::Replace)
            ]
        );
        assert_eq!(read[0].properties[1].after, Some(json!([1])));
    }

    #[test]
    fn what_a_stand_in_leaves_out_is_taken_from_the_templates() {
        let foretold = ResourceDifference {
            logical_id: "Group".to_owned(),
            kind: "AWS::EC2::SecurityGroup".to_owned(),
            description: String::new(),
            action: Action::Replace,
            properties: properties(&[detail(
                "/Properties/VpcId",
                RequiresRecreation::Always,
                None,
            )]),
            data: None,
        };
        let read = read(
            &[change("Group", ChangeAction::Modify).build()],
            &[foretold],
        );
        assert_eq!(read[0].action, Action::Replace);
        assert_eq!(read[0].properties.len(), 1);
        assert!(
            super::resources(
                &[ResourceChange::builder().build()],
                &Sides {
                    before: &json!({}),
                    after: &json!({}),
                    foretold: &[],
                }
            )
            .is_empty()
        );
    }

    #[test]
    fn nothing_to_do_is_no_failure() {
        let aws = "The submitted information didn't contain changes. Submit different information to create a change set.";
        assert!(is_empty("FAILED", aws));
        assert!(is_empty("FAILED", "No updates are to be performed."));
        assert!(!is_empty("FAILED", "Template error"));
        assert!(!is_empty("CREATE_COMPLETE", ""));
    }
}
