//! What must be there once an environment is merged.

use serde_json::Value as Schema;

use super::{display_key, tag_of};
use crate::{
    diagnostic::Diagnostic,
    schema,
    tree::{Node, Span, Table, Value},
};

/// Checks that an environment, merged, has all that is required, and takes out tables that are
/// not complete. `root` is shown for what is absent.
pub(crate) fn check_required(root: &mut Node) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let environment = &schema::file()["$defs"]["Environment"];
    required(root, environment, &mut Vec::new(), &mut found);
    found
}

fn required(
    node: &mut Node,
    schema: &'static Schema,
    path: &mut Vec<String>,
    found: &mut Vec<Diagnostic>,
) -> bool {
    let mut schema = schema::resolve(schema);
    if let (Some(choices), Value::Table(table)) = (schema["oneOf"].as_array(), &node.value) {
        let tag = tag_of(&choices[0]);
        let written = table.get(tag).and_then(|entry| entry.node.as_str());
        let chosen = choices
            .iter()
            .find(|it| it["properties"][tag]["const"].as_str() == written);
        let Some(chosen) = chosen else { return false };
        schema = chosen;
    }
    let span = node.span.clone();
    match &mut node.value {
        Value::Table(table) => {
            let before = found.len();
            required_keys(table, &span, schema, path, found);
            let whole = found.len() == before;
            table.retain(|key, entry| {
                let others = &schema["additionalProperties"];
                let inner = schema["properties"].get(key).unwrap_or(others);
                path.push(display_key(key));
                let kept = required(&mut entry.node, inner, path, found);
                path.pop();
                kept
            });
            whole
        }
        Value::Array(items) => {
            let mut kept = true;
            for (index, item) in items.iter_mut().enumerate() {
                path.push(index.to_string());
                kept &= required(item, &schema["items"], path, found);
                path.pop();
            }
            kept
        }
        _ => true,
    }
}

fn required_keys(
    table: &Table,
    span: &Span,
    schema: &'static Schema,
    path: &[String],
    found: &mut Vec<Diagnostic>,
) {
    let wanted = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Schema::as_str);
    for key in wanted.filter(|key| !table.contains_key(*key)) {
        let message = format!("`{}` has no `{key}`.", path.join("."));
        let property = &schema["properties"][key];
        let mut missing = Diagnostic::new("missing_key", message).at(span.clone());
        if let Some(description) = property["description"].as_str() {
            missing = missing.help(format!("`{key}`: {}", description.replace('\n', " ")));
        }
        found.push(missing);
    }
}
