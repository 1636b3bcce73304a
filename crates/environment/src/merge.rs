//! An environment's tables over those that it inherits.

use std::collections::btree_map;

use crate::tree::{Node, Value};

/// `overlay` over `base`: tables are merged key by key, everything else is replaced. What is kept
/// keeps its place in the file; a key that both have is shown where it was written first.
pub(crate) fn merge(base: &mut Node, overlay: &Node) {
    match (&mut base.value, &overlay.value) {
        (Value::Table(below), Value::Table(above)) => {
            for (key, entry) in above {
                match below.entry(key.clone()) {
                    btree_map::Entry::Occupied(mut slot) => {
                        merge(&mut slot.get_mut().node, &entry.node);
                    }
                    btree_map::Entry::Vacant(slot) => {
                        slot.insert(entry.clone());
                    }
                }
            }
        }
        _ => *base = overlay.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::document;

    fn merged(base: &str, overlay: &str) -> serde_json::Value {
        let mut base = document(base).unwrap();
        merge(&mut base, &document(overlay).unwrap());
        base.to_json()
    }

    #[test]
    fn tables_merge_deep_and_everything_else_is_replaced() {
        assert_eq!(
            merged(
                "a = 1\nl = [1, 2]\n[t]\nx = 1\n[t.u]\ny = 1",
                "l = [3]\n[t]\nz = 2\n[t.u]\ny = 2"
            ),
            serde_json::json!({ "a": 1, "l": [3], "t": { "x": 1, "z": 2, "u": { "y": 2 } } })
        );
    }

    #[test]
    fn a_value_replaces_a_table_and_a_table_a_value() {
        assert_eq!(merged("[t]\nx = 1", "t = 1"), serde_json::json!({ "t": 1 }));
        assert_eq!(
            merged("t = 1", "[t]\nx = 1"),
            serde_json::json!({ "t": { "x": 1 } })
        );
    }
}
