//! The check of a file against the schema: unknown keys, wrong types, ranges, patterns, choices.
//!
//! It knows exactly the keywords that schemars makes of our types, and reports with places,
//! suggestions and the key's own description, which no general validator would.

mod choice;
mod hints;
mod required;
mod scalar;

pub(crate) use choice::tag_of;
pub(crate) use required::check_required;

use std::collections::HashMap;

use regex_lite::Regex;
use serde_json::Value as Schema;

use crate::{
    diagnostic::{Diagnostic, suggestion},
    schema,
    tree::{Entry, Node, Value},
};

/// Checks a whole file, and takes out what is wrong so that the rest can be looked at further.
/// What is required is not looked at, since an environment may complete the common part.
pub(crate) fn check_file(root: &mut Node) -> Vec<Diagnostic> {
    let mut walk = Walk::default();
    walk.table(root, schema::file(), Spot::root());
    walk.found
}

/// The place in the file that is being checked.
#[derive(Clone, Copy)]
struct Spot<'a> {
    parent: Option<&'a Spot<'a>>,
    key: &'a str,
    /// The key's own description.
    description: Option<&'static str>,
}

impl Spot<'_> {
    fn root() -> Self {
        Self {
            parent: None,
            key: "",
            description: None,
        }
    }

    /// `app.shop.tasks.minimum`
    fn path(&self) -> String {
        match self.parent {
            None => String::new(),
            Some(parent) if parent.parent.is_none() => display_key(self.key),
            Some(parent) => format!("{}.{}", parent.path(), display_key(self.key)),
        }
    }

    /// `` `[app.shop]` ``, or "the file" at the top.
    fn table_name(&self) -> String {
        match self.parent {
            None => "the file".to_owned(),
            Some(_) => format!("`[{}]`", self.path()),
        }
    }
}

/// A key as TOML has it: in quotes where it needs them, and shortened where it is absurdly long.
fn display_key(key: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let shown: String = key.chars().take(64).collect();
    if !key.is_empty() && shown.chars().all(bare) {
        shown
    } else {
        format!("{shown:?}")
    }
}

#[derive(Default)]
struct Walk {
    found: Vec<Diagnostic>,
    patterns: HashMap<&'static str, Regex>,
}

impl Walk {
    /// Whether the value may stay.
    fn value(&mut self, node: &mut Node, schema: &'static Schema, spot: Spot<'_>) -> bool {
        let schema = schema::resolve(schema);
        if let Some(choices) = schema.get("oneOf").and_then(Schema::as_array) {
            return self.choice(node, choices, spot);
        }
        if let Some(choices) = schema.get("enum").and_then(Schema::as_array) {
            return self.named_choice(node, &choices.iter().collect::<Vec<_>>(), spot);
        }
        if !self.has_type(node, schema, spot) {
            return false;
        }
        match &mut node.value {
            Value::Table(_) => {
                self.table(node, schema, spot);
                true
            }
            Value::Array(_) => self.array(node, schema, spot),
            _ => self.scalar(node, schema, spot),
        }
    }

    fn has_type(&mut self, node: &Node, schema: &'static Schema, spot: Spot<'_>) -> bool {
        let wanted = schema["type"]
            .as_str()
            .expect("every schema of ours has one type");
        let fits = match node.value {
            Value::String(_) => wanted == "string",
            Value::Integer(_) => wanted == "integer" || wanted == "number",
            Value::Float(_) => wanted == "number",
            Value::Boolean(_) => wanted == "boolean",
            Value::Datetime => false,
            Value::Array(_) => wanted == "array",
            Value::Table(_) => wanted == "object",
        };
        if !fits {
            let wanted = match wanted {
                "string" => "a string in quotes",
                "integer" => "a whole number",
                "number" => "a number",
                "boolean" => "true or false",
                "array" => "a list",
                _ => "a table",
            };
            let message = format!("`{}` must be {wanted}, not {}.", spot.path(), node.kind());
            self.report("wrong_type", node, message, scalar::allowed(schema), spot);
        }
        fits
    }

    fn table(&mut self, node: &mut Node, schema: &'static Schema, spot: Spot<'_>) {
        let Value::Table(table) = &mut node.value else {
            return;
        };
        let properties = schema.get("properties").and_then(Schema::as_object);
        let others = schema
            .get("additionalProperties")
            .filter(|others| others.is_object());
        table.retain(|key, entry| {
            let property = properties.and_then(|properties| properties.get(key));
            let Some(schema) = property.or(others) else {
                self.unknown_key(key, entry, schema, spot);
                return false;
            };
            let description = schema.get("description").and_then(Schema::as_str);
            let description = description.or(spot.description.filter(|_| property.is_none()));
            let inner = Spot {
                parent: Some(&spot),
                key,
                description,
            };
            self.value(&mut entry.node, schema, inner)
        });
    }

    fn unknown_key(&mut self, key: &str, entry: &Entry, schema: &'static Schema, spot: Spot<'_>) {
        let known = || {
            schema["properties"]
                .as_object()
                .into_iter()
                .flat_map(|keys| keys.keys().map(String::as_str))
        };
        let mut help = suggestion(&key.replace('_', "-"), known());
        if help.is_empty() {
            help = hints::elsewhere(key, spot);
        }
        help.push_str(&format!(
            "{} has the keys {}.",
            capital(&spot.table_name()),
            { crate::diagnostic::quoted_list(known()) }
        ));
        let message = format!(
            "{} has no key `{}`.",
            capital(&spot.table_name()),
            display_key(key)
        );
        let unknown = Diagnostic::new("unknown_key", message);
        self.found
            .push(unknown.at(entry.key_span.clone()).help(help));
    }

    fn array(&mut self, node: &mut Node, schema: &'static Schema, spot: Spot<'_>) -> bool {
        let Value::Array(items) = &mut node.value else {
            return true;
        };
        let before = self.found.len();
        let count = items.len() as u64;
        for (index, item) in items.iter_mut().enumerate() {
            let key = index.to_string();
            let inner = Spot {
                parent: Some(&spot),
                key: &key,
                description: spot.description,
            };
            self.value(item, &schema["items"], inner);
        }
        let most = schema.get("maxItems").and_then(Schema::as_u64);
        let least = schema.get("minItems").and_then(Schema::as_u64);
        let wrong = match (least, most) {
            (Some(least), _) if count < least => {
                Some(format!("at least {}", counted(least, "value")))
            }
            (_, Some(most)) if count > most => Some(format!("at most {}", counted(most, "value"))),
            _ => None,
        };
        if let Some(limit) = wrong {
            let message = format!("`{}` must have {limit}, but has {count}.", spot.path());
            self.report("wrong_count", node, message, String::new(), spot);
        }
        self.found.len() == before
    }

    fn report(
        &mut self,
        code: &'static str,
        node: &Node,
        message: String,
        allowed: String,
        spot: Spot<'_>,
    ) {
        let description = spot.description.unwrap_or_default().replace('\n', " ");
        let help = [allowed, description]
            .into_iter()
            .filter(|part| !part.is_empty());
        let help = help.collect::<Vec<_>>().join(" ");
        let mut wrong = Diagnostic::new(code, message).at(node.span.clone());
        if !help.is_empty() {
            wrong = wrong.help(help);
        }
        self.found.push(wrong);
    }
}

/// "1 value", "5 values".
fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn capital(text: &str) -> String {
    match text.strip_prefix("the ") {
        Some(rest) => format!("The {rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that the walk understands or may leave aside. A new keyword in the schema must be taught
    /// to the walk first.
    const KNOWN: [&str; 23] = [
        "$schema",
        "$defs",
        "$ref",
        "title",
        "description",
        "default",
        "examples",
        "type",
        "properties",
        "required",
        "additionalProperties",
        "oneOf",
        "enum",
        "const",
        "format",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "pattern",
        "items",
    ];

    fn walk(schema: &'static Schema, path: &str) {
        let Some(object) = schema.as_object() else {
            return;
        };
        for (keyword, value) in object {
            assert!(KNOWN.contains(&keyword.as_str()), "{path}: {keyword}");
            match keyword.as_str() {
                "properties" | "$defs" => {
                    for (name, inner) in value.as_object().unwrap() {
                        walk(inner, &format!("{path}.{name}"));
                    }
                }
                "oneOf" => value
                    .as_array()
                    .unwrap()
                    .iter()
                    .for_each(|inner| walk(inner, path)),
                "items" | "additionalProperties" => walk(value, path),
                "format" => assert!(
                    scalar::knows_format(value.as_str().unwrap()),
                    "{path}: {value}"
                ),
                "type" => assert!(value.is_string(), "{path}: {value}"),
                "pattern" => assert!(
                    Regex::new(value.as_str().unwrap()).is_ok(),
                    "{path}: {value}"
                ),
                _ => {}
            }
        }
    }

    #[test]
    fn the_schema_holds_no_keyword_that_the_check_does_not_know() {
        walk(schema::file(), "");
    }

    #[test]
    fn every_default_of_the_schema_passes_the_check_itself() {
        for (name, property) in schema::file()["properties"].as_object().unwrap() {
            let Some(default) = property.get("default") else {
                continue;
            };
            let mut root = Node::from_json(&serde_json::json!({ name: default }));
            assert_eq!(check_file(&mut root), [], "{name}");
        }
    }
}
