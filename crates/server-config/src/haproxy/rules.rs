//! Listener rules.

use std::collections::BTreeSet;

use super::RenderError;
use super::groups::fail_open_backend;
use super::quote::{pattern_to_regex, quote};

/// A listener rule: a request goes to the target group when its host matches any of `hosts` and its
/// path any of `paths`; an empty list takes everything, but not both may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// 1 to 50000, unique; the lowest is tried first (ALB).
    pub priority: u32,
    /// Host names, compared without case and port; `*` and `?` are wildcards.
    pub hosts: Vec<String>,
    /// Paths, compared with case, without query; `*` and `?` are wildcards.
    pub paths: Vec<String>,
    /// Name of the target group.
    pub target_group: String,
}

/// The `use_backend` lines of all rules, in the order in which they are tried.
pub(super) fn render(rules: &[Rule], groups: &BTreeSet<&str>) -> Result<String, RenderError> {
    let mut ordered: Vec<&Rule> = rules.iter().collect();
    ordered.sort_by_key(|rule| rule.priority);
    for pair in ordered.windows(2) {
        if pair[0].priority == pair[1].priority {
            return Err(RenderError::DuplicatePriority(pair[0].priority));
        }
    }
    ordered
        .into_iter()
        .map(|rule| render_rule(rule, groups))
        .collect()
}

/// A rule per combination of a kind of host match and a kind of path match, since the conditions of
/// one line are all needed while the patterns of one condition are alternatives.
fn render_rule(rule: &Rule, groups: &BTreeSet<&str>) -> Result<String, RenderError> {
    if !(1..=50_000).contains(&rule.priority) {
        return Err(RenderError::OutOfRange {
            field: "the priority of a rule",
            value: rule.priority.into(),
            allowed: "1 to 50000",
        });
    }
    if rule.hosts.is_empty() && rule.paths.is_empty() {
        return Err(RenderError::NoCondition(rule.priority));
    }
    if !groups.contains(rule.target_group.as_str()) {
        return Err(RenderError::UnknownTargetGroup(rule.target_group.clone()));
    }
    let hosts = conditions(&rule.hosts, "var(txn.host)", "a host pattern", true)?;
    let paths = conditions(&rule.paths, "path", "a path pattern", false)?;
    let mut text = format!("  # rule {}\n", rule.priority);
    for host in &hosts {
        for path in &paths {
            text += &forward(&rule.target_group, &format!("{host}{path}"));
        }
    }
    Ok(text)
}

/// The lines that send what meets a condition to a group, or to all of its targets while none is
/// healthy. The condition is empty or ends with a space.
pub(super) fn forward(group: &str, condition: &str) -> String {
    let open = fail_open_backend(group);
    let unless_healthy = format!("{{ nbsrv({group}) eq 0 }} {{ nbsrv({open}) gt 0 }}");
    let healthy = match condition.trim_end() {
        "" => format!("  default_backend {group}\n"),
        condition => format!("  use_backend {group} if {condition}\n"),
    };
    format!("  use_backend {open} if {condition}{unless_healthy}\n{healthy}")
}

/// One condition for the literal patterns and one for those with wildcards; a single empty one when
/// there is no pattern.
fn conditions(
    patterns: &[String],
    sample: &str,
    field: &'static str,
    ignore_case: bool,
) -> Result<Vec<String>, RenderError> {
    if patterns.is_empty() {
        return Ok(vec![String::new()]);
    }
    let (wild, literal): (Vec<&String>, Vec<&String>) = patterns
        .iter()
        .partition(|pattern| pattern.contains(['*', '?']));
    let case = if ignore_case { " -i" } else { "" };
    let mut conditions = Vec::new();
    if !literal.is_empty() {
        let list = quoted(field, literal.iter().map(|pattern| (*pattern).clone()))?;
        conditions.push(format!("{{ {sample} -m str{case} --{list} }} "));
    }
    if !wild.is_empty() {
        let list = quoted(field, wild.iter().map(|pattern| pattern_to_regex(pattern)))?;
        conditions.push(format!("{{ {sample} -m reg{case} --{list} }} "));
    }
    Ok(conditions)
}

fn quoted(
    field: &'static str,
    patterns: impl Iterator<Item = String>,
) -> Result<String, RenderError> {
    patterns
        .map(|pattern| Ok(format!(" {}", quote(field, &pattern)?)))
        .collect()
}
