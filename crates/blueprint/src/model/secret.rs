//! Secrets, by name only.

use serde::Serialize;

use super::Blueprint;

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

/// Variables with the key that an app encrypts its stored data with.
const ENCRYPTION_KEYS: [&str; 3] = ["CRYPT_KEY", "MAGE_CRYPT_KEY", "MAGENTO_DC_CRYPT__KEY"];

impl Blueprint {
    /// Whether a secret is the key that an app encrypts stored data with: with another one it can't
    /// read them any more.
    pub fn is_encryption_key(&self, secret: &str) -> bool {
        let apps = self.apps.iter();
        let containers = apps.flat_map(|app| &app.task_definition.containers);
        containers
            .flat_map(|container| &container.secrets)
            .any(|(variable, name)| name == secret && ENCRYPTION_KEYS.contains(&variable.as_str()))
    }
}
