//! What refers to what, and how a replacement spreads.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{paths::is_expression, template::StackTemplate};

/// Why a property changes though its text stays the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Cause {
    /// It refers to a resource that is replaced or changed.
    Resource {
        /// The resource.
        logical_id: String,
    },
    /// It comes from another stack, where it changes.
    Output {
        /// The stack's name within the environment.
        stack: String,
        /// The output.
        output: String,
    },
}

/// What has another value after the change, over all stacks so far.
#[derive(Debug, Default)]
pub(super) struct Upheaval {
    /// Outputs whose value changes: stack and output.
    outputs: BTreeSet<(String, String)>,
}

impl Upheaval {
    /// Every output of a stack changes.
    pub(super) fn all_of(&mut self, stack: &StackTemplate) {
        let outputs = stack.section("Outputs");
        self.outputs
            .extend(outputs.map(|(name, _)| (stack.id.clone(), name.to_owned())));
    }

    /// Parameters of a stack whose value changes, each with its cause.
    pub(super) fn parameters(&self, stack: &StackTemplate) -> BTreeMap<String, Cause> {
        let changed = stack
            .parameters
            .iter()
            .filter(|(_, from)| self.outputs.contains(*from));
        changed
            .map(|(name, (stack, output))| {
                let cause = Cause::Output {
                    stack: stack.clone(),
                    output: output.clone(),
                };
                (name.clone(), cause)
            })
            .collect()
    }

    /// Notes which outputs of a stack change: those that differ themselves, and those that refer to
    /// what changed.
    pub(super) fn note(&mut self, before: &StackTemplate, after: &StackTemplate, news: &News) {
        let old: BTreeMap<&str, &Value> = before.section("Outputs").collect();
        for (name, output) in after.section("Outputs") {
            let value = output.get("Value");
            let same = old.get(name).is_some_and(|old| old.get("Value") == value);
            let moved = value.is_some_and(|value| news.cause(value).is_some());
            if !same || moved {
                self.outputs.insert((after.id.clone(), name.to_owned()));
            }
        }
    }
}

/// What has another value within a stack.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Parameters with their causes.
    pub(super) parameters: BTreeMap<String, Cause>,
    /// Resources that are replaced: all that refers to them changes.
    pub(super) replaced: BTreeSet<String>,
    /// Resources that change in place: their versions change.
    pub(super) updated: BTreeSet<String>,
}

/// Attributes that change with every update of their resource.
const VERSIONS: [&str; 2] = ["LatestVersionNumber", "DefaultVersionNumber"];

impl News {
    /// Why an expression has another value, if it has.
    fn cause(&self, value: &Value) -> Option<Cause> {
        match value {
            Value::Array(items) => items.iter().find_map(|item| self.cause(item)),
            Value::Object(object) => {
                let own = references(object)
                    .into_iter()
                    .find_map(|it| self.of_reference(&it));
                own.or_else(|| object.values().find_map(|inner| self.cause(inner)))
            }
            _ => None,
        }
    }

    fn of_reference(&self, (name, attribute): &(String, Option<String>)) -> Option<Cause> {
        if let Some(cause) = self.parameters.get(name) {
            return Some(cause.clone());
        }
        let is_version = attribute
            .as_deref()
            .is_some_and(|attribute| VERSIONS.contains(&attribute));
        let changes = self.replaced.contains(name) || (is_version && self.updated.contains(name));
        changes.then(|| Cause::Resource {
            logical_id: name.clone(),
        })
    }

    /// The paths of properties that have another value because of what they refer to.
    pub(super) fn moved(&self, properties: &Value) -> Vec<(String, Cause, Value)> {
        let mut found = Vec::new();
        self.search(&mut Vec::new(), properties, &mut found);
        found
    }

    fn search(
        &self,
        path: &mut Vec<String>,
        value: &Value,
        found: &mut Vec<(String, Cause, Value)>,
    ) {
        let mut within = |key: String, inner: &Value| {
            path.push(key);
            self.search(path, inner, found);
            path.pop();
        };
        match value {
            Value::Object(object) if is_expression(object) => {
                if let Some(cause) = self.cause(value) {
                    found.push((path.join("/"), cause, value.clone()));
                }
            }
            Value::Object(object) => {
                for (key, inner) in object {
                    within(key.clone(), inner);
                }
            }
            Value::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    within(index.to_string(), inner);
                }
            }
            _ => {}
        }
    }
}

/// What an intrinsic function refers to: names, and the attributes that are asked for.
fn references(object: &serde_json::Map<String, Value>) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    if let Some(name) = object.get("Ref").and_then(Value::as_str) {
        found.push((name.to_owned(), None));
    }
    match object.get("Fn::GetAtt") {
        Some(Value::Array(parts)) => {
            let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
            if let [name, attribute] = parts[..] {
                found.push((name.to_owned(), Some(attribute.to_owned())));
            }
        }
        Some(Value::String(text)) => found.push(split(text)),
        _ => {}
    }
    let text = match object.get("Fn::Sub") {
        Some(Value::String(text)) => Some(text),
        Some(Value::Array(parts)) => parts.first().and_then(|part| match part {
            Value::String(text) => Some(text),
            _ => None,
        }),
        _ => None,
    };
    let pieces = text.into_iter().flat_map(|text| text.split("${").skip(1));
    found.extend(
        pieces
            .filter_map(|piece| piece.split_once('}'))
            .map(|(name, _)| split(name)),
    );
    found
}

/// `Name.Attribute` or `Name`.
fn split(text: &str) -> (String, Option<String>) {
    match text.split_once('.') {
        Some((name, attribute)) => (name.to_owned(), Some(attribute.to_owned())),
        None => (text.to_owned(), None),
    }
}
