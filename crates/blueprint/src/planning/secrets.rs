//! Secrets by name.

use std::collections::BTreeMap;

use mck_environment::settings::Settings;

use crate::model::{Secret, SecretOrigin};

/// The length of generated passwords: 190 bits in letters and digits, and within RDS' 41 characters
/// and ElastiCache's 16 to 128.
pub(super) const PASSWORD_LENGTH: u16 = 32;

/// Collects the secrets that anything refers to.
#[derive(Default)]
pub(super) struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// A secret that is made when there is none yet; gives its name back.
    pub(super) fn generated(&mut self, name: String, description: String, length: u16) -> String {
        self.add(name, description, SecretOrigin::Generated(length))
    }

    /// A secret that the user sets; gives its name back.
    pub(super) fn provided(&mut self, name: String, description: String) -> String {
        self.add(name, description, SecretOrigin::Provided)
    }

    /// Keeps the first that is said of a secret, but that it is generated before that it is not:
    /// a reference to a secret of the kit's own may come first.
    fn add(&mut self, name: String, description: String, origin: SecretOrigin) -> String {
        let known = self.0.get(&name).map(|secret| secret.origin);
        if known.is_none_or(|known| known == SecretOrigin::Provided && origin != known) {
            let secret = Secret {
                name: name.clone(),
                description,
                origin,
            };
            self.0.insert(name.clone(), secret);
        }
        name
    }

    /// All secrets by name; what the file says of a secret wins.
    pub(super) fn finish(mut self, settings: &Settings) -> Vec<Secret> {
        for (name, declared) in &settings.secret {
            let known = self.0.remove(name);
            let origin = match (declared.generate, &known) {
                (Some(length), _) => SecretOrigin::Generated(length),
                (None, Some(secret)) => secret.origin,
                (None, None) => SecretOrigin::Provided,
            };
            let description = declared
                .description
                .clone()
                .or(known.map(|secret| secret.description))
                .unwrap_or_else(|| "Declared in the environment file".to_owned());
            self.add(name.clone(), description, origin);
        }
        self.0.into_values().collect()
    }
}
