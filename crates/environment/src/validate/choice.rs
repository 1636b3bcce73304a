//! Enums: a text of several, or a table with a tag.

use serde_json::Value as Schema;

use super::{Spot, Walk};
use crate::{
    diagnostic::{quoted_choice, suggestion},
    secrecy,
    tree::{Node, Value},
};

impl Walk {
    /// A value of an enum, whose variants are texts or tables with a tag.
    pub(super) fn choice(
        &mut self,
        node: &mut Node,
        choices: &'static [Schema],
        spot: Spot<'_>,
    ) -> bool {
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

    pub(super) fn named_choice(
        &mut self,
        node: &Node,
        choices: &[&'static Schema],
        spot: Spot<'_>,
    ) -> bool {
        let names = || choices.iter().filter_map(|choice| choice.as_str());
        let all = quoted_choice(names());
        let (code, message) = match node.as_str() {
            Some(text) if names().any(|name| name == text) => return true,
            Some(text) => {
                let value = secrecy::quote(text);
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
}

/// The key that tells the variants of an enum of tables apart.
pub(crate) fn tag_of(choice: &'static Schema) -> &'static str {
    let properties = choice["properties"].as_object();
    let tagged = properties.and_then(|all| all.iter().find(|(_, it)| it.get("const").is_some()));
    tagged
        .map(|(name, _)| name.as_str())
        .expect("serde tags the enums that are tables")
}
