//! The AWS target's stacks: a blueprint as CloudFormation.
//!
//! [`Stacks::synthesise`] is pure. It decides nothing about the architecture, which the blueprint
//! did; it knows how CloudFormation says it. Each module is one stack, or a part of several.

mod alarms;
mod app;
mod backups;
mod bastion;
mod check;
mod cluster;
mod data;
pub mod difference;
mod edge;
mod global;
mod hexadecimal;
mod index;
mod jenkins;
mod listener_rules;
pub mod located;
mod log_groups;
mod names;
mod network;
mod observability;
mod origin;
pub mod parallel;
mod registry;
mod releases;
mod roles;
mod secrets;
mod security_groups;
mod servers;
mod stack;
mod synthesis;
mod target_groups;
mod task_definition;
#[cfg(test)]
mod testing;
mod units;

pub use check::StackProblem;
pub use hexadecimal::hexadecimal;
pub use origin::origin;
pub use releases::NO_RELEASE;
pub use stack::{Capability, Handed, ParameterSource, ServiceLinkedRole, Stack, StackId};
pub use synthesis::{Source, Stacks};
pub use task_definition::{files_digest, files_label};
