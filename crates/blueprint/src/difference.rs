//! What differs between two blueprints, path by path.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::Blueprint;

/// A difference at one path.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// Where, as a JSON pointer (RFC 6901); members of lists go by their name where they have one,
    /// such as `/apps/shop/tasks/minimum`.
    pub path: String,
    /// What kind of difference, with the values.
    pub kind: ChangeKind,
}

/// A kind of difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ChangeKind {
    /// Only in the new blueprint.
    Added {
        /// The value.
        value: Value,
    },
    /// Only in the old blueprint.
    Removed {
        /// The value.
        value: Value,
    },
    /// In both, but not the same.
    Changed {
        /// The old value.
        before: Value,
        /// The new value.
        after: Value,
    },
}

impl Blueprint {
    /// The blueprint as JSON, such as `mck show --json` prints it.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("a blueprint has text keys and finite numbers only")
    }
}

/// The differences between two blueprints as JSON, in the order of the new one, what is only in
/// the old one last. The old one may come from another version of the kit.
pub fn difference(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", before, after, &mut changes);
    changes
}

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            compare_maps(path, before, after, changes);
        }
        (Value::Array(before), Value::Array(after)) => match (by_name(before), by_name(after)) {
            (Some(before), Some(after)) => compare_maps(path, &before, &after, changes),
            _ => compare_maps(path, &by_index(before), &by_index(after), changes),
        },
        _ if before == after => {}
        _ => changes.push(Change {
            path: path.to_owned(),
            kind: ChangeKind::Changed {
                before: before.clone(),
                after: after.clone(),
            },
        }),
    }
}

fn compare_maps(
    path: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    changes: &mut Vec<Change>,
) {
    for (key, value) in after {
        let path = join(path, key);
        match before.get(key) {
            Some(old) => compare(&path, old, value, changes),
            None => changes.push(Change {
                path,
                kind: ChangeKind::Added {
                    value: value.clone(),
                },
            }),
        }
    }
    for (key, value) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        changes.push(Change {
            path: join(path, key),
            kind: ChangeKind::Removed {
                value: value.clone(),
            },
        });
    }
}

fn join(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A list of things with names as a map, unless two share a name.
fn by_name(list: &[Value]) -> Option<Map<String, Value>> {
    let mut map = Map::new();
    for value in list {
        let name = name(value)?;
        if map.insert(name.to_owned(), value.clone()).is_some() {
            return None;
        }
    }
    Some(map)
}

/// What a thing is called: its name, its path for mounts and files, or its node's name.
fn name(value: &Value) -> Option<&str> {
    ["name", "path", "stage"]
        .iter()
        .find_map(|key| value.get(key)?.as_str())
        .or_else(|| value.get("node")?.get("name")?.as_str())
}

fn by_index(list: &[Value]) -> Map<String, Value> {
    list.iter()
        .enumerate()
        .map(|(index, value)| (index.to_string(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(before: &Value, after: &Value) -> Vec<String> {
        difference(before, after)
            .into_iter()
            .map(|change| change.path)
            .collect()
    }

    #[test]
    fn equal_values_have_no_difference() {
        let value = json!({"apps": [{"name": "shop", "port": 80}], "zones": ["a", "b"]});
        assert_eq!(difference(&value, &value), []);
    }

    #[test]
    fn members_go_by_name_and_not_by_place() {
        let before = json!({"apps": [{"name": "shop", "port": 80}]});
        let after = json!({"apps": [{"name": "blog", "port": 80}, {"name": "shop", "port": 81}]});
        assert_eq!(paths(&before, &after), ["/apps/blog", "/apps/shop/port"]);
        assert_eq!(paths(&after, &before), ["/apps/shop/port", "/apps/blog"]);
    }

    #[test]
    fn keys_are_escaped_and_lists_of_plain_values_go_by_index() {
        let before = json!({"a/b": 1, "list": [1, 2]});
        let after = json!({"a/b": 2, "list": [1, 3]});
        assert_eq!(paths(&before, &after), ["/a~1b", "/list/1"]);
    }

    #[test]
    fn a_list_that_became_empty_loses_its_members() {
        let before = json!({"apps": [{"name": "shop"}]});
        let after = json!({"apps": []});
        assert_eq!(paths(&before, &after), ["/apps/shop"]);
    }
}
