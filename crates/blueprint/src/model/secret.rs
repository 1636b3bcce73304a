//! Secrets, by name only.

use serde::Serialize;

/// A secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Secret {
    /// Its name in the environment.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Characters beside letters and digits of which a generated value has at least one, where its
    /// user demands that; else empty.
    pub symbols: String,
    /// Where its value comes from.
    pub origin: SecretOrigin,
}

/// Where a secret's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "length")]
pub enum SecretOrigin {
    /// Random letters and digits, this many, made when there is none yet.
    Generated(u16),
    /// The user sets it, with `mck secret set`.
    Provided,
}
