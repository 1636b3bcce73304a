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
        self.generated_with_symbol(name, description, length, "")
    }

    /// The same with at least one of these symbols in it, for a service that demands one.
    pub(super) fn generated_with_symbol(
        &mut self,
        name: String,
        description: String,
        length: u16,
        symbols: &str,
    ) -> String {
        self.add(Secret {
            name,
            description,
            symbols: symbols.to_owned(),
            origin: SecretOrigin::Generated(length),
        })
    }

    /// A secret that the user sets; gives its name back.
    pub(super) fn provided(&mut self, name: String, description: String) -> String {
        self.add(Secret {
            name,
            description,
            symbols: String::new(),
            origin: SecretOrigin::Provided,
        })
    }

    /// Keeps the first that is said of a secret, but that it is generated before that it is not:
    /// a reference to a secret of the kit's own may come first.
    fn add(&mut self, secret: Secret) -> String {
        let name = secret.name.clone();
        let known = self.0.get(&name).map(|secret| secret.origin);
        if known.is_none_or(|known| known == SecretOrigin::Provided && secret.origin != known) {
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
            let symbols = known
                .as_ref()
                .map(|secret| secret.symbols.clone())
                .unwrap_or_default();
            let description = declared
                .description
                .clone()
                .or(known.map(|secret| secret.description))
                .unwrap_or_else(|| "Declared in the environment file".to_owned());
            self.add(Secret {
                name: name.clone(),
                description,
                symbols,
                origin,
            });
        }
        self.0.into_values().collect()
    }
}
