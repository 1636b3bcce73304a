//! The environment file: what the user wrote in `magecloudkit.toml`, checked.
//!
//! The shape of the file is the Rust types in [`settings`]; the JSON Schema that editors use, the
//! reference page and the check of a file are all derived from those types, so they can't
//! disagree.
//!
//! The way of a file: bytes are parsed into a tree that knows its places (`parse`, `tree`), the
//! tree is checked against the schema (`validate`), an environment's tables are put over those it
//! inherits (`merge`), the result becomes [`Settings`], and rules that no schema can say are
//! checked on it (`rules`). Every mistake is a [`Diagnostic`] with its place; all are reported at
//! once.

mod diagnostic;
mod file;
pub mod init;
mod merge;
mod parse;
mod reference;
pub mod regions;
mod rules;
pub mod schedule;
mod schema;
mod secrecy;
pub mod settings;
pub mod subnets;
mod tree;
pub mod units;
mod validate;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use file::EnvironmentFile;
pub use parse::MAXIMUM_SIZE;
pub use reference::reference_markdown;
pub use rules::{PRESET_CONTAINERS, known_secrets};
pub use schema::schema;
pub use settings::Settings;

/// One environment of a project, with the common part and its parents already merged in.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Environment {
    /// The project's name: lower-case letters, digits and hyphens, at most 20 characters, so that
    /// every AWS name derived from it stays within its limit (32 for a load balancer).
    pub project: String,
    /// The environment's name, such as `production`, `staging` or `local`; at most 12 characters.
    pub name: String,
    /// Everything the file says of this environment, or the default where it says nothing.
    pub settings: Settings,
}

impl Environment {
    /// Where the environment runs: what the file says, else `local` for the environment of that
    /// name and `aws` for all others.
    pub fn target(&self) -> settings::Target {
        rules::target(&self.name, &self.settings)
    }
}
