//! The check of a file against the schema: unknown keys, wrong types, ranges, patterns, choices.
//!
//! It knows exactly the keywords that schemars makes of our types, and reports with places,
//! suggestions and the key's own description, which no general validator would.

mod scalar;

use std::collections::HashMap;

use regex_lite::Regex;
use serde_json::Value as Schema;

use crate::{
    diagnostic::{Diagnostic, quoted_choice, suggestion},
    schema,
    tree::{Entry, Node, Table, Value},
};

/// Checks a whole file, and takes out what is wrong so that the rest can be looked at further.
/// What is required is not looked at, since an environment may complete the common part.
pub(crate) fn check_file(root: &mut Node) -> Vec<Diagnostic> {
    let mut walk = Walk::default();
    walk.table(root, schema::file(), Spot::root());
    walk.found
}

/// Checks that an environment, merged, has all that is required, and takes out tables that are
/// not complete. `root` is shown for what is absent.
pub(crate) fn check_required(root: &mut Node) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let environment = &schema::file()["$defs"]["Environment"];
    required(root, environment, &mut Vec::new(), &mut found);
    found
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
            help = elsewhere(key, spot);
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

    /// A value of an enum, whose variants are texts or tables with a tag.
    fn choice(&mut self, node: &mut Node, choices: &'static [Schema], spot: Spot<'_>) -> bool {
        if choices
            .iter()
            .all(|choice| choice.get("const").is_some() || choice.get("enum").is_some())
        {
            let names = choices.iter().flat_map(|choice| {
                let many = choice
                    .get("enum")
                    .and_then(Schema::as_array)
                    .into_iter()
                    .flatten();
                choice.get("const").into_iter().chain(many)
            });
            return self.named_choice(node, &names.collect::<Vec<_>>(), spot);
        }
        self.tagged_choice(node, choices, spot)
    }

    fn named_choice(&mut self, node: &Node, choices: &[&'static Schema], spot: Spot<'_>) -> bool {
        let names = || choices.iter().filter_map(|choice| choice.as_str());
        let all = quoted_choice(names());
        let (code, message) = match node.as_str() {
            Some(text) if names().any(|name| name == text) => return true,
            Some(text) => {
                let value = crate::secrecy::quote(text);
                (
                    "unknown_value",
                    format!("`{}` can't be {value}.", spot.path()),
                )
            }
            None => {
                let message = format!("`{}` must be {all}, not {}.", spot.path(), node.kind());
                ("wrong_type", message)
            }
        };
        let close = suggestion(node.as_str().unwrap_or_default(), names());
        self.report(code, node, message, format!("{close}Allowed: {all}."), spot);
        false
    }

    fn tagged_choice(
        &mut self,
        node: &mut Node,
        choices: &'static [Schema],
        spot: Spot<'_>,
    ) -> bool {
        let Value::Table(table) = &node.value else {
            let message = format!("`{}` must be a table, not {}.", spot.path(), node.kind());
            self.report("wrong_type", node, message, String::new(), spot);
            return false;
        };
        let tag = tag_of(&choices[0]);
        let names: Vec<&'static Schema> = choices
            .iter()
            .map(|choice| &choice["properties"][tag]["const"])
            .collect();
        let inner = Spot {
            parent: Some(&spot),
            key: tag,
            description: None,
        };
        let Some(entry) = table.get(tag) else {
            let all = quoted_choice(names.iter().filter_map(|name| name.as_str()));
            let message = format!("`{}` has no `{tag}`.", spot.path());
            self.report(
                "missing_key",
                node,
                message,
                format!("It must be {all}."),
                spot,
            );
            return false;
        };
        if !self.named_choice(&entry.node, &names, inner) {
            return false;
        }
        let chosen = choices
            .iter()
            .find(|choice| choice["properties"][tag]["const"].as_str() == entry.node.as_str());
        self.table(node, chosen.expect("the name was found among them"), spot);
        true
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

/// The key that tells the variants of an enum of tables apart.
pub(crate) fn tag_of(choice: &'static Schema) -> &'static str {
    let properties = choice["properties"].as_object();
    let tagged = properties.and_then(|all| all.iter().find(|(_, it)| it.get("const").is_some()));
    tagged
        .map(|(name, _)| name.as_str())
        .expect("serde tags the enums that are tables")
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

/// Where a key belongs that is known in a table above or below, or in the common part only.
fn elsewhere(key: &str, spot: Spot<'_>) -> String {
    if key == "project" || key == "environment" {
        return format!("`{key}` belongs at the top of the file. ");
    }
    let mut above = spot.parent;
    while let Some(place) = above {
        if schema_of(place).is_some_and(|schema| schema["properties"].get(key).is_some()) {
            return format!("`{key}` belongs to {}. ", place.table_name());
        }
        above = place.parent;
    }
    let below = schema_of(&spot).and_then(|schema| schema["properties"].as_object());
    let within = below
        .into_iter()
        .flatten()
        .find(|(_, property)| schema::resolve(property)["properties"].get(key).is_some());
    match within {
        Some((name, _)) => {
            let inner = Spot {
                parent: Some(&spot),
                key: name,
                description: None,
            };
            format!("`{key}` belongs to {}. ", inner.table_name())
        }
        None => String::new(),
    }
}

fn schema_of(spot: &Spot<'_>) -> Option<&'static Schema> {
    let Some(parent) = spot.parent else {
        return Some(schema::file());
    };
    let parent = schema_of(parent)?;
    let others = parent
        .get("additionalProperties")
        .filter(|others| others.is_object());
    parent["properties"]
        .get(spot.key)
        .or(others)
        .map(schema::resolve)
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
    span: &crate::tree::Span,
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
