//! Texts and numbers: ranges, lengths, patterns, formats.

use std::{net::IpAddr, str::FromStr};

use ipnet::{IpNet, Ipv4Net};
use regex_lite::Regex;
use serde_json::Value as Schema;

use super::{Spot, Walk, counted};
use crate::{
    secrecy,
    tree::{Node, Value},
    units::{Duration, Size},
};

/// A format of texts: how to read one, and what one looks like.
struct TextFormat {
    name: &'static str,
    read: fn(&str) -> Result<(), String>,
    form: &'static str,
}

const TEXTS: [TextFormat; 5] = [
    TextFormat {
        name: "mck-duration",
        read: read::<Duration>,
        form: "a whole number with one of the units `ms`, `s`, `m`, `h`, `d`, such as \"90s\"",
    },
    TextFormat {
        name: "mck-size",
        read: read::<Size>,
        form: "a whole number with one of the units `MiB`, `GiB`, `TiB`, such as \"768MiB\"",
    },
    TextFormat {
        name: "mck-ipv4-network",
        read: read::<Ipv4Net>,
        form: "an IPv4 range in CIDR notation, such as \"10.0.0.0/16\"",
    },
    TextFormat {
        name: "mck-ip-network",
        read: read::<IpNet>,
        form: "a range in CIDR notation, such as \"203.0.113.0/24\"",
    },
    TextFormat {
        name: "mck-ip-address",
        read: read::<IpAddr>,
        form: "an IP address, such as \"127.0.0.1\"",
    },
];

/// Formats of numbers, which bound them where nothing else does.
const NUMBERS: [(&str, i128); 4] = [
    ("uint8", 255),
    ("uint16", 65_535),
    ("uint32", 4_294_967_295),
    ("double", i128::MAX),
];

fn read<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(), String> {
    text.parse::<T>()
        .map(drop)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
pub(super) fn knows_format(name: &str) -> bool {
    TEXTS.iter().any(|format| format.name == name) || NUMBERS.iter().any(|(it, _)| *it == name)
}

fn text_format(schema: &Schema) -> Option<&'static TextFormat> {
    let name = schema.get("format")?.as_str()?;
    TEXTS.iter().find(|format| format.name == name)
}

/// The least and the most that a number may be.
fn bounds(schema: &Schema) -> (Option<f64>, Option<f64>) {
    let format = schema
        .get("format")
        .and_then(Schema::as_str)
        .unwrap_or_default();
    let widest = NUMBERS
        .iter()
        .find(|(name, most)| *name == format && *most < i128::MAX);
    let least = schema.get("minimum").and_then(Schema::as_f64);
    let most = schema.get("maximum").and_then(Schema::as_f64);
    (least, most.or(widest.map(|(_, most)| *most as f64)))
}

/// What is allowed, as a sentence; empty where the type says it all.
pub(super) fn allowed(schema: &Schema) -> String {
    if let Some(format) = text_format(schema) {
        return format!("Allowed: {}.", format.form);
    }
    match bounds(schema) {
        (Some(least), Some(most)) => format!("Allowed: {least} to {most}."),
        (Some(least), None) => format!("Allowed: {least} or more."),
        (None, Some(most)) => format!("Allowed: at most {most}."),
        (None, None) => String::new(),
    }
}

/// The pattern, after an example where there is one.
fn pattern_in_words(schema: &Schema) -> String {
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    let example = schema["examples"][0]
        .as_str()
        .or(schema["default"].as_str());
    match example {
        Some(example) => format!("Allowed: such as `{example}` (pattern `{pattern}`)."),
        None => format!("Allowed: what the pattern `{pattern}` matches."),
    }
}

impl Walk {
    pub(super) fn scalar(&mut self, node: &Node, schema: &'static Schema, spot: Spot<'_>) -> bool {
        match &node.value {
            Value::String(text) => self.text(node, text, schema, spot),
            Value::Integer(number) => self.number(node, *number as f64, schema, spot),
            Value::Float(number) => self.number(node, *number, schema, spot),
            _ => true,
        }
    }

    fn number(
        &mut self,
        node: &Node,
        number: f64,
        schema: &'static Schema,
        spot: Spot<'_>,
    ) -> bool {
        let (least, most) = bounds(schema);
        let fits = number.is_finite()
            && least.is_none_or(|least| number >= least)
            && most.is_none_or(|most| number <= most);
        if !fits {
            let message = format!("`{}` can't be {number}.", spot.path());
            self.report("out_of_range", node, message, allowed(schema), spot);
        }
        fits
    }

    fn text(&mut self, node: &Node, text: &str, schema: &'static Schema, spot: Spot<'_>) -> bool {
        let value = secrecy::quote(text);
        let length = text.chars().count() as u64;
        let limit = |name: &str| schema.get(name).and_then(Schema::as_u64);
        let (least, most) = (limit("minLength"), limit("maxLength"));
        let (code, allowed) = if let Some(least) = least.filter(|least| length < *least) {
            (
                "wrong_length",
                format!("Allowed: at least {}.", counted(least, "character")),
            )
        } else if let Some(most) = most.filter(|most| length > *most) {
            (
                "wrong_length",
                format!(
                    "Allowed: at most {}, this has {length}.",
                    counted(most, "character")
                ),
            )
        } else if text_format(schema).is_some_and(|format| (format.read)(text).is_err()) {
            ("wrong_form", allowed(schema))
        } else if !self.matches(text, schema) {
            ("wrong_form", pattern_in_words(schema))
        } else {
            return true;
        };
        let message = if length > 128 {
            format!("`{}` can't be this text.", spot.path())
        } else {
            format!("`{}` can't be {value}.", spot.path())
        };
        self.report(code, node, message, allowed, spot);
        false
    }

    fn matches(&mut self, text: &str, schema: &'static Schema) -> bool {
        let Some(pattern) = schema.get("pattern").and_then(Schema::as_str) else {
            return true;
        };
        let compiled = self.patterns.entry(pattern).or_insert_with(|| {
            Regex::new(pattern).expect("a test compiles every pattern of the schema")
        });
        compiled.is_match(text)
    }
}
