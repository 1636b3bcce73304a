//! Where a key belongs that was written in the wrong table.

use serde_json::Value as Schema;

use super::Spot;
use crate::schema;

/// Where a key belongs that is known in a table above or below, or in the common part only.
pub(super) fn elsewhere(key: &str, spot: Spot<'_>) -> String {
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
