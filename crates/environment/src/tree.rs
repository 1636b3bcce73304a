//! The file as a tree in which everything knows where it was written.

use std::{collections::BTreeMap, ops::Range};

use toml::de::{DeTable, DeValue};

/// Where something was written: byte offsets into the file.
pub(crate) type Span = Range<usize>;

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// The value's own text; for a table the header or the braces.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// A TOML value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    String(String),
    /// Wider than TOML's 64 bits, so that a number which is too large can still be reported.
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Datetime,
    Array(Vec<Node>),
    Table(Table),
}

/// A table's entries by key.
pub(crate) type Table = BTreeMap<String, Entry>;

/// A key of a table and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Where the key was written.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

/// What a path leads to.
pub(crate) struct Found {
    /// The best place to point at.
    pub span: Span,
    /// Whether the path itself was written, rather than only a part that leads to it.
    pub exact: bool,
}

impl Node {
    /// The entries, where this is a table.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, where this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value's kind in plain words, with its article.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::String(_) => "a string",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::Boolean(_) => "true or false",
            Value::Datetime => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The place of `path`, or of the longest part of it that was written. A table is shown by its
    /// key, since its text may be spread over the file.
    pub fn locate(&self, path: &[&str]) -> Found {
        let mut node = self;
        let mut span = 0..0;
        for segment in path {
            match &node.value {
                Value::Table(table) if table.contains_key(*segment) => {
                    let entry = &table[*segment];
                    node = &entry.node;
                    span = match node.value {
                        Value::Table(_) => entry.key_span.clone(),
                        _ => node.span.clone(),
                    };
                }
                Value::Array(items) => {
                    let item = segment
                        .parse()
                        .ok()
                        .and_then(|index: usize| items.get(index));
                    let Some(item) = item else {
                        return Found { span, exact: false };
                    };
                    node = item;
                    span = item.span.clone();
                }
                _ => return Found { span, exact: false },
            }
        }
        Found { span, exact: true }
    }

    /// The place of the last key of `path`, where it was written.
    pub fn locate_key(&self, path: &[&str]) -> Found {
        let Some((last, parents)) = path.split_last() else {
            return self.locate(path);
        };
        let mut node = self;
        for segment in parents {
            match node.as_table().and_then(|table| table.get(*segment)) {
                Some(entry) => node = &entry.node,
                None => return self.locate(path),
            }
        }
        match node.as_table().and_then(|table| table.get(*last)) {
            Some(entry) => Found {
                span: entry.key_span.clone(),
                exact: true,
            },
            None => self.locate(path),
        }
    }

    /// The same value for serde.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::{Number, Value as Json};
        match &self.value {
            Value::String(text) => Json::String(text.clone()),
            Value::Integer(number) => match i64::try_from(*number) {
                Ok(number) => Json::Number(number.into()),
                Err(_) => Json::Null,
            },
            Value::Float(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Value::Boolean(flag) => Json::Bool(*flag),
            Value::Datetime => Json::Null,
            Value::Array(items) => items.iter().map(Self::to_json).collect(),
            Value::Table(table) => {
                let entries = table
                    .iter()
                    .map(|(key, entry)| (key.clone(), entry.node.to_json()));
                Json::Object(entries.collect())
            }
        }
    }
}

/// The root of a parsed document. Recursion is bounded, since the parser is only run on files
/// whose nesting was found to be shallow.
pub(crate) fn from_document(table: &DeTable<'_>, span: Span) -> Node {
    Node {
        span,
        value: Value::Table(from_table(table)),
    }
}

fn from_table(table: &DeTable<'_>) -> Table {
    let entry = |value: &toml::Spanned<DeValue<'_>>, key_span| Entry {
        key_span,
        node: from_value(value.get_ref(), value.span()),
    };
    table
        .iter()
        .map(|(key, value)| (key.get_ref().to_string(), entry(value, key.span())))
        .collect()
}

fn from_value(value: &DeValue<'_>, span: Span) -> Node {
    let value = match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => Value::Integer(integer(number.as_str(), number.radix())),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| from_value(item.get_ref(), item.span()))
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(from_table(table)),
    };
    Node { span, value }
}

/// The number, or the widest one of its sign where even 128 bits are too few.
fn integer(digits: &str, radix: u32) -> i128 {
    let widest = if digits.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    };
    i128::from_str_radix(digits, radix).unwrap_or(widest)
}

#[cfg(test)]
impl Node {
    /// A tree without places.
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => unreachable!("TOML has no null"),
            Json::Bool(flag) => Value::Boolean(*flag),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Value::Integer(number.into()),
                None => Value::Float(number.as_f64().unwrap()),
            },
            Json::String(text) => Value::String(text.clone()),
            Json::Array(items) => Value::Array(items.iter().map(Self::from_json).collect()),
            Json::Object(object) => {
                let entry = |inner| Entry {
                    key_span: 0..0,
                    node: Self::from_json(inner),
                };
                Value::Table(
                    object
                        .iter()
                        .map(|(key, it)| (key.clone(), entry(it)))
                        .collect(),
                )
            }
        };
        Self { span: 0..0, value }
    }
}
