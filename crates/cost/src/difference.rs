//! What a change costs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Component, Estimate, Line, Money};

/// The difference between two estimates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CostDifference {
    /// The total before.
    pub before: Money,
    /// The total after.
    pub after: Money,
    /// After less before.
    pub change: Money,
    /// Lines that differ, in the order of the estimate after, what is gone last.
    pub lines: Vec<LineDifference>,
    /// Whether something without a price is on either side, so that the sums say too little.
    pub incomplete: bool,
}

/// A line that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LineDifference {
    /// What it belongs to.
    pub component: Component,
    /// What is paid for.
    pub what: String,
    /// Its size or assumption before; none where it is new.
    pub detail_before: Option<String>,
    /// Its size or assumption after; none where it is gone.
    pub detail_after: Option<String>,
    /// What it cost a month; none where it is new or has no price.
    pub before: Option<Money>,
    /// What it costs a month; none where it is gone or has no price.
    pub after: Option<Money>,
}

impl LineDifference {
    /// After less before.
    pub fn change(&self) -> Money {
        self.after.unwrap_or_default() - self.before.unwrap_or_default()
    }
}

impl CostDifference {
    /// The difference from one estimate to another; `before` is none for what does not exist yet.
    pub fn between(before: Option<&Estimate>, after: Option<&Estimate>) -> Self {
        let old = before.map_or(&[][..], |estimate| &estimate.lines);
        let new = after.map_or(&[][..], |estimate| &estimate.lines);
        let mut known: BTreeMap<(Component, &str), &Line> =
            old.iter().map(|line| (key(line), line)).collect();
        let mut lines: Vec<LineDifference> = new
            .iter()
            .filter_map(|line| compare(known.remove(&key(line)), Some(line)))
            .collect();
        let gone = old.iter().filter(|line| known.contains_key(&key(line)));
        lines.extend(gone.filter_map(|line| compare(Some(line), None)));
        let total = |estimate: Option<&Estimate>| estimate.map_or(Money::ZERO, |it| it.total);
        let (before_total, after_total) = (total(before), total(after));
        Self {
            before: before_total,
            after: after_total,
            change: after_total - before_total,
            lines,
            incomplete: [before, after]
                .into_iter()
                .flatten()
                .any(|estimate| !estimate.unknown.is_empty()),
        }
    }
}

fn key(line: &Line) -> (Component, &str) {
    (line.component, &line.what)
}

fn compare(before: Option<&Line>, after: Option<&Line>) -> Option<LineDifference> {
    let of = |line: &Line| (line.detail.clone(), line.monthly);
    let (old, new) = (before.map(of), after.map(of));
    let line = after.or(before)?;
    (old != new).then(|| LineDifference {
        component: line.component,
        what: line.what.clone(),
        detail_before: old.as_ref().map(|(detail, _)| detail.clone()),
        detail_after: new.as_ref().map(|(detail, _)| detail.clone()),
        before: old.and_then(|(_, monthly)| monthly),
        after: new.and_then(|(_, monthly)| monthly),
    })
}
