//! The environment file: what the user wrote in `magecloudkit.toml`, checked.
//!
//! The shape of the file is the Rust types in [`settings`]; the JSON Schema that editors use and
//! the check of a file are both derived from those types, so they can't disagree.

pub mod settings;
pub mod units;

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
