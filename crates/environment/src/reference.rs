//! The reference page of the file, made from its schema.

use std::fmt::Write;

use serde_json::Value as Schema;

use crate::{schema, validate::tag_of};

const INTRODUCTION: &str = "\
Every key of the file, made from the program itself. `mck schema` prints the same for editors, \
`mck check` checks a file against it and against the rules of AWS, ECS and Magento.

Keys outside of `[environment.NAME]` are common to all environments. An environment has the same \
keys; its tables are merged over the common ones key by key, its lists and single values replace \
them. NAME stands for a name of your choice.
";

/// A Markdown page with a table for each section: every key, its type and range, its default.
pub fn reference_markdown() -> String {
    let mut page = format!("# magecloudkit.toml\n\n{INTRODUCTION}\n");
    section(&mut page, "", schema::file());
    page
}

fn section(page: &mut String, path: &str, schema: &'static Schema) {
    let mut tables = Vec::new();
    let mut rows = String::new();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Schema::as_str)
        .collect();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let resolved = schema::resolve(property);
        let others = schema::resolve(&resolved["additionalProperties"]);
        let joined = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        if resolved.get("properties").is_some() {
            tables.push((joined, property, resolved));
        } else if others.get("properties").is_some() {
            tables.push((format!("{joined}.NAME"), property, others));
        } else {
            row(
                &mut rows,
                key,
                property,
                resolved,
                required.contains(&key.as_str()),
            );
        }
    }
    if !rows.is_empty() {
        let _ = write!(
            page,
            "| key | value | default | meaning |\n|---|---|---|---|\n{rows}\n"
        );
    }
    for (name, property, inner) in tables {
        let _ = write!(
            page,
            "## `[{name}]`\n\n{}\n\n",
            one_line(description(property, inner))
        );
        if name == "environment.NAME" {
            page.push_str("All keys of this page, and:\n\n");
            let mut rows = String::new();
            let inherits = &inner["properties"]["inherits"];
            row(&mut rows, "inherits", inherits, inherits, false);
            let _ = write!(
                page,
                "| key | value | default | meaning |\n|---|---|---|---|\n{rows}\n"
            );
        } else {
            section(page, &name, inner);
        }
    }
}

fn row(
    rows: &mut String,
    key: &str,
    property: &'static Schema,
    resolved: &'static Schema,
    required: bool,
) {
    let default = match property.get("default") {
        _ if required => "required".to_owned(),
        Some(default) => format!("`{}`", toml_value(default)),
        None => String::new(),
    };
    let meaning = one_line(description(property, resolved));
    let kind = kind(resolved).replace('|', "\\|");
    let _ = writeln!(
        rows,
        "| `{key}` | {kind} | {default} | {} |",
        meaning.replace('|', "\\|")
    );
}

/// The property's own words, or those of its type.
fn description(property: &'static Schema, resolved: &'static Schema) -> &'static str {
    let own = property["description"].as_str();
    own.or(resolved["description"].as_str()).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind(schema: &'static Schema) -> String {
    let schema = schema::resolve(schema);
    if let Some(choices) = schema["oneOf"].as_array() {
        let names = choices.iter().map(|choice| match choice.get("const") {
            Some(name) => format!("`{name}`"),
            None => tagged(choice),
        });
        return names.collect::<Vec<_>>().join(", ");
    }
    match schema["type"].as_str().unwrap_or_default() {
        "string" => match schema["format"].as_str() {
            Some("mck-duration") => "duration".to_owned(),
            Some("mck-size") => "size".to_owned(),
            Some("mck-ipv4-network") => "IPv4 range".to_owned(),
            Some("mck-ip-network") => "IP range".to_owned(),
            Some("mck-ip-address") => "IP address".to_owned(),
            _ => "string".to_owned(),
        },
        "integer" => format!("whole number{}", range(schema)),
        "number" => format!("number{}", range(schema)),
        "boolean" => "`true`, `false`".to_owned(),
        "array" => format!("list of {}", kind(&schema["items"])),
        _ => format!("table of {}", kind(&schema["additionalProperties"])),
    }
}

fn tagged(choice: &'static Schema) -> String {
    let tag = tag_of(choice);
    let keys = choice["properties"].as_object().into_iter().flatten();
    let others = keys.map(|(key, _)| key.as_str()).filter(|key| *key != tag);
    let others: Vec<String> = others.map(|key| format!("`{key}`")).collect();
    let name = &choice["properties"][tag]["const"];
    format!("`{{ {tag} = {name} }}` with {}", others.join(", "))
}

fn range(schema: &Schema) -> String {
    match (&schema["minimum"], &schema["maximum"]) {
        (Schema::Null, Schema::Null) => String::new(),
        (least, Schema::Null) => format!(", {least} or more"),
        (Schema::Null, most) => format!(", at most {most}"),
        (least, most) => format!(", {least} to {most}"),
    }
}

fn toml_value(value: &Schema) -> String {
    match value {
        Schema::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(toml_value).collect::<Vec<_>>().join(", ")
            )
        }
        Schema::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, it)| format!("{key} = {}", toml_value(it)));
            let entries = entries.collect::<Vec<_>>().join(", ");
            if entries.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {entries} }}")
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_key_of_the_schema() {
        let page = reference_markdown();
        for (name, definition) in schema::file()["$defs"].as_object().unwrap() {
            for (key, property) in definition["properties"].as_object().into_iter().flatten() {
                let table = schema::resolve(property).get("properties").is_some();
                let found = page.contains(&format!("| `{key}` |"))
                    || page.contains(&format!(".{key}]`"))
                    || page.contains(&format!("`[{key}"))
                    || page.contains(&format!(".{key}.NAME]`"));
                assert!(found, "{name}.{key} {table}");
            }
        }
        insta::assert_snapshot!(page);
    }
}
