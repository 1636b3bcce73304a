//! Names, from which AWS names, DNS names and paths are made.

use std::collections::BTreeMap;

use super::Rules;
use crate::{diagnostic::Diagnostic, tree::Span};

/// The longest name of a project.
const LONGEST_PROJECT: usize = 20;

/// The longest name of an environment.
const LONGEST_ENVIRONMENT: usize = 12;

/// Roles that apps and clusters must not take the names of.
const RESERVED: [&str; 10] = [
    "bastion",
    "database",
    "jenkins",
    "load-balancer",
    "memcached",
    "message-broker",
    "redis-cache",
    "redis-session",
    "search",
    "storage",
];

/// Beginnings of a project's name that AWS keeps for itself: the release of each app is a parameter
/// below `/<project>`, and "a parameter name can't be prefixed with "aws" or "ssm"
/// (case-insensitive)" (AWS Systems Manager API reference, `PutParameter`).
const KEPT_BY_AWS: [&str; 2] = ["aws", "ssm"];

/// What is wrong with the project's name.
pub(crate) fn check_project_name(name: &str, span: Span) -> Option<Diagnostic> {
    let kept = KEPT_BY_AWS.iter().find(|kept| name.starts_with(**kept));
    check_name("project's", name, LONGEST_PROJECT, span.clone()).or_else(|| {
        let message = format!("The project's name begins with `{}`.", kept?);
        let help = "Give it another name: AWS keeps parameters of Parameter Store whose names begin \
                    with `aws` or `ssm` for itself, and the releases of apps are parameters below \
                    the project's name.";
        Some(Diagnostic::new("bad_name", message).at(span).help(help))
    })
}

/// What is wrong with an environment's name.
pub(crate) fn check_environment_name(name: &str, span: Span) -> Option<Diagnostic> {
    check_name("environment's", name, LONGEST_ENVIRONMENT, span)
}

fn check_name(kind: &str, name: &str, longest: usize, span: Span) -> Option<Diagnostic> {
    let allowed =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    let wrong = if name.is_empty() {
        "is empty".to_owned()
    } else if name.len() > longest {
        format!(
            "has {} characters, more than {longest}",
            name.chars().count().max(longest + 1)
        )
    } else if !name.bytes().all(allowed) {
        "has other characters than lower-case letters, digits and hyphens".to_owned()
    } else if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        "does not begin with a letter".to_owned()
    } else if name.ends_with('-') || name.contains("--") {
        "has a hyphen at its end or two in a row".to_owned()
    } else {
        return None;
    };
    let help = format!(
        "Allowed: 1 to {longest} lower-case letters, digits and single hyphens, beginning with a \
         letter; AWS names and DNS names are made of it."
    );
    Some(
        Diagnostic::new("bad_name", format!("The {kind} name {wrong}."))
            .at(span)
            .help(help),
    )
}

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    distinct(rules, &["app"], settings.app.keys());
    distinct(rules, &["cluster"], settings.cluster.keys());
    distinct(rules, &["secret"], settings.secret.keys());
    for name in settings.app.keys() {
        distinct(rules, &["app", name, "job"], settings.app[name].job.keys());
        named(rules, "app's", &["app", name], 24);
        reserved(rules, "app", name);
        for container in settings.app[name].container.keys() {
            named(
                rules,
                "container's",
                &["app", name, "container", container],
                32,
            );
        }
        for job in settings.app[name].job.keys() {
            named(rules, "job's", &["app", name, "job", job], 32);
        }
    }
    for name in settings.cluster.keys() {
        named(rules, "cluster's", &["cluster", name], 24);
        reserved(rules, "cluster", name);
    }
    for name in settings.secret.keys() {
        named(rules, "secret's", &["secret", name], 64);
    }
    tags(rules);
}

fn named(rules: &mut Rules<'_>, kind: &str, path: &[&str], longest: usize) {
    let span = rules.tree.locate_key(path).span;
    let name = path.last().copied().unwrap_or_default();
    rules.found.extend(check_name(kind, name, longest, span));
}

/// A logical id of CloudFormation has letters and digits only, so that names which differ by hyphens
/// alone would be one (CloudFormation user guide, "Resources section structure").
fn distinct<'a>(rules: &mut Rules<'_>, section: &[&str], names: impl Iterator<Item = &'a String>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for name in names {
        let Some(before) = seen.insert(name.replace('-', ""), name) else {
            continue;
        };
        let message = format!("`{name}` and `{before}` differ by hyphens only.");
        let help = "Give one of them another name: resources on AWS have names without hyphens, \
                    in which the two would be the same.";
        let path: Vec<&str> = section.iter().copied().chain([name.as_str()]).collect();
        rules.wrong_key("names_too_alike", &path, message, help);
    }
}

fn reserved(rules: &mut Rules<'_>, section: &str, name: &str) {
    if RESERVED.contains(&name) {
        let message = format!("`{name}` is the name of a part that every environment has.");
        let help = format!(
            "Reserved are {}.",
            crate::diagnostic::quoted_list(RESERVED.iter())
        );
        rules.wrong_key("reserved_name", &[section, name], message, &help);
    }
}

/// AWS: 50 tags, of which the kit needs some; keys of 128 and values of 256 characters; `aws:` is
/// AWS's own.
fn tags(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    if settings.tags.len() > 40 {
        let message = format!("There are {} tags.", settings.tags.len());
        let help = "At most 40: AWS allows 50 on a resource, and the kit adds its own.";
        rules.wrong("too_many_tags", &["tags"], message, help);
    }
    for (key, value) in &settings.tags {
        let wrong = if key.to_lowercase().starts_with("aws:") {
            "begins with `aws:`, which is AWS's own"
        } else if key.is_empty() || key.chars().count() > 128 {
            "must have a key of 1 to 128 characters"
        } else if value.chars().count() > 256 {
            "has a value of more than 256 characters"
        } else if !key.chars().chain(value.chars()).all(tag_letter) {
            "has characters that AWS does not take"
        } else {
            continue;
        };
        let shown: String = key.chars().take(40).collect();
        let help = "Tags are letters, digits, spaces and `_.:/=+-@`; keys at most 128 characters, \
                    values at most 256.";
        rules.wrong_key(
            "bad_tag",
            &["tags", key],
            format!("The tag `{shown}` {wrong}."),
            help,
        );
    }
}

fn tag_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter)
}
