//! A stack as it is written and read.

use std::collections::BTreeMap;

use mck_cloudformation::DESCRIPTION;
use serde_json::{Map, Value};

use crate::stack::{ParameterSource, Stack};

/// A stack, as much of it as there is in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct StackTemplate {
    /// Its name within the environment, such as `data`.
    pub id: String,
    /// Its full name.
    pub name: String,
    /// The region that it is made in.
    pub region: String,
    /// Whether CloudFormation refuses to delete it.
    pub termination_protection: bool,
    /// Tags of all its resources.
    pub tags: BTreeMap<String, String>,
    /// Parameters that are outputs of other stacks: the stack's id and the output's name.
    pub parameters: BTreeMap<String, (String, String)>,
    /// Its template.
    pub template: Value,
}

impl StackTemplate {
    /// A stack that was synthesised.
    pub fn of(stack: &Stack) -> Self {
        Self {
            id: stack.id.name(),
            name: stack.name.clone(),
            region: stack.region.clone(),
            termination_protection: stack.termination_protection,
            tags: stack.tags.clone(),
            parameters: Self::outputs_taken(stack).collect(),
            template: stack.template.json(),
        }
    }

    /// Parameters of a stack that are outputs of others: the parameter's name, the other stack's id
    /// and the output's name.
    pub fn outputs_taken(stack: &Stack) -> impl Iterator<Item = (String, (String, String))> {
        stack.parameters.iter().filter_map(|(name, source)| {
            let ParameterSource::Output(handed) = source else {
                return None;
            };
            let from = (handed.stack.name(), handed.output.clone());
            Some((name.clone(), from))
        })
    }

    /// A section of the template, such as `Outputs`.
    pub(super) fn section(&self, name: &str) -> impl Iterator<Item = (&str, &Value)> {
        let section = self.template.get(name).and_then(Value::as_object);
        let entries = section.into_iter().flat_map(Map::iter);
        entries.map(|(key, value)| (key.as_str(), value))
    }

    /// The resources by logical id, in the template's order.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.section("Resources")
    }

    /// A resource.
    pub(super) fn resource(&self, id: &str) -> Option<&Value> {
        self.template.get("Resources")?.get(id)
    }
}

/// A resource's type.
pub(super) fn kind(resource: &Value) -> &str {
    resource
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A resource's sentence.
pub(super) fn description(resource: &Value) -> &str {
    let metadata = resource.get("Metadata");
    let text = metadata.and_then(|it| it.get(DESCRIPTION));
    text.and_then(Value::as_str).unwrap_or_default()
}
