//! The checker: reads a blueprint and says what a careful engineer would say of it.
//!
//! The environment file's own checks find mistakes in the text; this finds choices that are
//! possible but unwise, and a few that cannot work. It changes nothing.

mod apps;
mod clusters;
mod data;
mod edge;
mod network;
mod operations;
mod services;

use mck_blueprint::Blueprint;
use mck_environment::settings::Target;
use serde::Serialize;

/// Something to know about a blueprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// A code that stays the same for ever, such as `MCK-N001`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is the case, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The setting that decides it, such as `database.readers`.
    pub setting: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It can't work.
    Error,
    /// It works, but sooner or later hurts.
    Warning,
    /// Worth knowing.
    Note,
}

type Check = fn(&Blueprint) -> Vec<Finding>;

/// All findings, the worst first, then by code.
pub fn check(blueprint: &Blueprint) -> Vec<Finding> {
    let groups: [&[Check]; 7] = [
        network::CHECKS,
        data::CHECKS,
        apps::CHECKS,
        clusters::CHECKS,
        edge::CHECKS,
        operations::CHECKS,
        services::CHECKS,
    ];
    let mut findings: Vec<Finding> = groups
        .into_iter()
        .flatten()
        .flat_map(|check| check(blueprint))
        .collect();
    findings.sort_by(|left, right| {
        (left.severity, left.code, &left.setting).cmp(&(right.severity, right.code, &right.setting))
    });
    findings
}

/// What distinguishes one finding of a check from another of the same check.
struct Kind {
    code: &'static str,
    severity: Severity,
    help: &'static str,
}

impl Kind {
    const fn error(code: &'static str, help: &'static str) -> Self {
        Self::new(code, Severity::Error, help)
    }

    const fn warning(code: &'static str, help: &'static str) -> Self {
        Self::new(code, Severity::Warning, help)
    }

    const fn note(code: &'static str, help: &'static str) -> Self {
        Self::new(code, Severity::Note, help)
    }

    const fn new(code: &'static str, severity: Severity, help: &'static str) -> Self {
        Self {
            code,
            severity,
            help,
        }
    }

    fn finding(&self, setting: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            code: self.code,
            severity: self.severity,
            message: message.into(),
            help: self.help.to_owned(),
            setting: setting.into(),
        }
    }

    /// One finding if it is the case.
    fn when(&self, is_so: bool, setting: &str, message: &str) -> Vec<Finding> {
        if is_so {
            vec![self.finding(setting, message)]
        } else {
            Vec::new()
        }
    }
}

fn is_production(blueprint: &Blueprint) -> bool {
    blueprint.environment == "production"
}

fn is_aws(blueprint: &Blueprint) -> bool {
    blueprint.target == Target::Aws
}
