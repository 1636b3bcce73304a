//! `docs/aws-coverage.md`: what it says is where it says.
//!
//! Its tables name, for each sentence of the architecture and each resource of the kit before,
//! what of our templates is its counterpart, as `stack/LogicalId` (of a resource or parameter) or
//! `stack/AWS::Service::Type`, with `has TEXT` where the resource's JSON must contain a text.

use std::{fmt, fs};

use mck_cloudformation::Resource;
use serde_json::Value;

use crate::support::{Case, case_named, repository};

/// Resources of the kit before, by its own account.
const RESOURCES_BEFORE: usize = 117;

/// A row of a table whose last two cells are an environment and places in its templates.
struct Row {
    what: String,
    environment: String,
    places: Vec<String>,
}

/// Resources that no stand-in can make: of a type, and with a text in their properties.
pub struct Unmakeable {
    kind: String,
    text: String,
}

impl Unmakeable {
    /// Whether a resource is one of them.
    pub fn is(&self, resource: &Resource) -> bool {
        resource.kind == self.kind && resource.properties.to_string().contains(&self.text)
    }
}

impl fmt::Display for Unmakeable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.kind, self.text)
    }
}

/// What the page lists as checked by schema only.
pub fn checked_by_schema_only() -> Vec<Unmakeable> {
    let page = page();
    let section = section(&page, "Checked by schema only");
    let items = section.lines().filter_map(|line| line.strip_prefix("| `"));
    items
        .filter_map(|item| item.split_once('`'))
        .map(|(item, _)| {
            let (kind, text) = item.split_once(" has ").unwrap_or((item, ""));
            Unmakeable {
                kind: kind.to_owned(),
                text: text.to_owned(),
            }
        })
        .collect()
}

#[test]
fn every_sentence_of_the_architecture_is_in_the_templates() {
    let page = page();
    let rows = rows(section(&page, "The architecture, sentence by sentence"));
    assert!(rows.len() > 50, "{} sentences", rows.len());
    check(&rows);
}

#[test]
fn every_resource_of_the_kit_before_has_its_counterpart() {
    let page = page();
    let rows = rows(section(&page, "The kit before, resource by resource"));
    assert_eq!(rows.len(), RESOURCES_BEFORE);
    check(&rows);
}

/// A check that accepts anything proves nothing.
#[test]
fn a_wrong_place_is_seen() {
    for wrong in [
        "nowhere/AWS::EC2::VPC",
        "network/AWS::EC2::Nothing",
        "network/Nothing",
        "network/AWS::EC2::VPC has NoSuchThing",
    ] {
        assert!(missing(case_named("smallest"), wrong).is_some(), "{wrong}");
    }
    let right = "network/AWS::EC2::VPC has \"EnableDnsHostnames\":true";
    assert_eq!(missing(case_named("smallest"), right), None);
}

fn check(rows: &[Row]) {
    let mut wrong = Vec::new();
    for row in rows {
        let case = case_named(&row.environment);
        assert!(!row.places.is_empty(), "{} has no place", row.what);
        let missing = row.places.iter().filter_map(|place| missing(case, place));
        wrong.extend(missing.map(|why| format!("{}: {why}", row.what)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Why a place is not in an environment's templates.
fn missing(case: &Case, place: &str) -> Option<String> {
    let (path, text) = match place.split_once(" has ") {
        Some((path, text)) => (path, Some(text)),
        None => (place, None),
    };
    let Some((stack, selector)) = path.split_once('/') else {
        return Some(format!("{place} is no place"));
    };
    let Some(template) = case.template(stack) else {
        return Some(format!("{} has no stack {stack}", case.name));
    };
    let sections = ["Resources", "Parameters"].map(|name| template[name].as_object());
    let mut found = sections
        .into_iter()
        .flatten()
        .flatten()
        .filter(|(id, resource)| *id == selector || resource["Type"] == selector)
        .peekable();
    if found.peek().is_none() {
        return Some(format!("{stack} of {} has no {selector}", case.name));
    }
    let text = text?;
    let contains = |resource: &Value| resource.to_string().contains(text);
    if found.any(|(_, resource)| contains(resource)) {
        return None;
    }
    Some(format!(
        "no {selector} in {stack} of {} has {text}",
        case.name
    ))
}

fn page() -> String {
    let path = repository().join("docs/aws-coverage.md");
    fs::read_to_string(path).expect("docs/aws-coverage.md")
}

fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let head = format!("\n## {title}\n");
    let (_, rest) = page
        .split_once(&head)
        .unwrap_or_else(|| panic!("no section {title}"));
    rest.split("\n## ").next().unwrap_or_default()
}

fn rows(section: &str) -> Vec<Row> {
    let lines = section.lines().filter(|line| line.starts_with("| "));
    let cells = lines.map(|line| {
        let inner = line.trim_matches('|');
        inner
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect::<Vec<_>>()
    });
    let rows = cells.filter(|cells| {
        !cells[0].starts_with("---") && cells.last().is_some_and(|it| it.contains('`'))
    });
    rows.map(|cells| {
        let places = cells.last().expect("a row has cells");
        let places = places.split('`').skip(1).step_by(2).map(str::to_owned);
        Row {
            what: cells[..cells.len() - 2].join(" "),
            environment: cells[cells.len() - 2].clone(),
            places: places.collect(),
        }
    })
    .collect()
}
