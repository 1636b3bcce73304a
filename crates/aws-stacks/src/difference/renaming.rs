//! Two environments of different names.

use serde_json::{Map, Value};

use super::StackTemplate;

/// The name of one environment in the place of another's, so that two environments can be compared
/// by what they are rather than by what they are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renaming<'a> {
    /// The name that is there.
    pub from: &'a str,
    /// The name that takes its place.
    pub to: &'a str,
}

impl Renaming<'_> {
    /// A stack with the other name in every text where the name stands as a word of its own.
    pub fn of(&self, stack: &StackTemplate) -> StackTemplate {
        let text = |text: &String| self.text(text);
        StackTemplate {
            id: stack.id.clone(),
            name: self.text(&stack.name),
            region: stack.region.clone(),
            termination_protection: stack.termination_protection,
            tags: stack
                .tags
                .iter()
                .map(|(key, value)| (key.clone(), text(value)))
                .collect(),
            parameters: stack.parameters.clone(),
            template: self.value(&stack.template),
        }
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(object) => {
                let entries = object.iter();
                let renamed = entries.map(|(key, inner)| (key.clone(), self.value(inner)));
                Value::Object(renamed.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        let mut renamed = String::with_capacity(text.len());
        let mut end = 0;
        for (start, found) in text.match_indices(self.from) {
            let after = start + found.len();
            let is_word = !text[..start].ends_with(char::is_alphanumeric)
                && !text[after..].starts_with(char::is_alphanumeric);
            if is_word {
                renamed.push_str(&text[end..start]);
                renamed.push_str(self.to);
                end = after;
            }
        }
        renamed.push_str(&text[end..]);
        renamed
    }
}
