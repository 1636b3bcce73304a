//! The JSON Schema of the file, made from the types in [`crate::settings`].

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::Settings;

static FILE: LazyLock<Value> = LazyLock::new(generate);

/// The JSON Schema (draft 2020-12) of `magecloudkit.toml`, for editors.
pub fn schema() -> Value {
    FILE.clone()
}

/// The schema that files are checked against.
pub(crate) fn file() -> &'static Value {
    &FILE
}

/// The schema that `schema` stands for, its references followed.
pub(crate) fn resolve(mut schema: &'static Value) -> &'static Value {
    while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = reference
            .strip_prefix('#')
            .expect("all references are within the file");
        schema = FILE
            .pointer(pointer)
            .expect("schemars defines what it refers to");
    }
    schema
}

fn generate() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut root = Value::from(generator.into_root_schema_for::<Settings>());
    without_null(&mut root);
    let settings = take_object(&mut root, "properties");
    let mut definitions = take_object(&mut root, "$defs");
    for (name, definition) in &mut definitions {
        definition["title"] = json!(name);
    }
    definitions.insert("Environment".to_owned(), environment(&settings));

    let mut properties = Map::new();
    properties.insert("project".to_owned(), project());
    properties.insert("environment".to_owned(), environments());
    properties.extend(settings);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "magecloudkit.toml",
        "description": "A project and its environments. What stands outside of \
            `[environment.NAME]` is common to all of them.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "required": ["project"],
        "$defs": definitions,
    })
}

fn take_object(value: &mut Value, key: &str) -> Map<String, Value> {
    match value[key].take() {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn project() -> Value {
    json!({
        "description": "The project's name: lower-case letters, digits and hyphens, at most 20, \
            beginning with a letter. Every AWS name is derived from it.",
        "type": "string",
    })
}

fn environments() -> Value {
    json!({
        "description": "Environments by name; each has all keys of the common part. `local` always \
            exists. Default: `production` and `local`.",
        "type": "object",
        "additionalProperties": { "$ref": "#/$defs/Environment" },
        "default": {},
    })
}

fn environment(settings: &Map<String, Value>) -> Value {
    let mut properties = Map::new();
    let inherits = json!({
        "description": "The environment whose settings this one begins with, instead of the \
            common part alone.",
        "type": "string",
    });
    properties.insert("inherits".to_owned(), inherits);
    properties.extend(settings.clone());
    json!({
        "title": "Environment",
        "description": "An environment: what differs from the common part.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// TOML has no null: a key that may be left out is simply one that is not required.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, inner| !inner.is_null());
            if let Some(Value::Array(kinds)) = object.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            unwrap_optional(object);
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// `anyOf: [X, null]` becomes X.
fn unwrap_optional(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else {
        return;
    };
    choices.retain(|choice| choice["type"] != "null");
    if let [Value::Object(only)] = choices.as_mut_slice() {
        let only = std::mem::take(only);
        object.remove("anyOf");
        object.extend(only);
    }
}

/// Texts with a meaning that a pattern can't say; the check of a file parses them.
pub(crate) mod formats {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    macro_rules! format {
        ($(#[$doc:meta])* $name:ident, $format:literal, $example:literal) => {
            $(#[$doc])*
            pub(crate) struct $name;

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": "string", "format": $format, "examples": [$example] })
                }
            }
        };
    }

    format!(
        /// An IPv4 range in CIDR notation.
        Ipv4Network, "mck-ipv4-network", "10.0.0.0/16"
    );
    format!(
        /// An IPv4 or IPv6 range in CIDR notation.
        IpNetwork, "mck-ip-network", "203.0.113.0/24"
    );
    format!(
        /// An IPv4 or IPv6 address.
        IpAddress, "mck-ip-address", "127.0.0.1"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_holds_no_null_and_no_dangling_reference() {
        fn walk(value: &'static Value) {
            assert!(!value.is_null());
            match value {
                Value::Object(object) => {
                    assert!(!object.contains_key("$ref") || resolve(value).is_object());
                    object.values().for_each(walk);
                }
                Value::Array(items) => items.iter().for_each(walk),
                _ => assert_ne!(value, "null"),
            }
        }
        walk(file());
    }

    #[test]
    fn every_key_says_what_it_is() {
        fn walk(schema: &Value, path: &str) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let said = property.get("description").or(property.get("const"));
                assert!(said.is_some(), "{path}.{name}");
            }
            let choices = schema["oneOf"].as_array().into_iter().flatten();
            choices.for_each(|choice| walk(choice, path));
        }
        walk(file(), "");
        for (name, definition) in file()["$defs"].as_object().unwrap() {
            walk(definition, name);
        }
    }
}
