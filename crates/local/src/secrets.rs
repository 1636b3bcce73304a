//! The local secret store: one file a secret, readable by root alone.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use mck_blueprint::model::{Secret, SecretOrigin};

use crate::layout::write_atomically;

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// A file could not be read or written.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Secrets that the user must set were not set.
    #[error("no value for the secret{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", "))]
    Missing {
        /// Their names.
        names: Vec<String>,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random(#[source] io::Error),
}

/// Values of secrets by name; never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretValues(BTreeMap<String, String>);

impl SecretValues {
    /// The value of a secret; empty for a name that the blueprint does not declare, which planning
    /// rules out.
    pub fn value(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl fmt::Debug for SecretValues {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

/// The folder of an environment's secrets.
#[derive(Debug, Clone)]
pub struct SecretStore {
    folder: PathBuf,
}

impl SecretStore {
    /// The store in a folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The value of a secret, if it has one.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn get(&self, name: &str) -> Result<Option<String>, SecretError> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SecretError::File { path, source }),
        }
    }

    /// Sets a secret.
    ///
    /// # Errors
    /// When its file can't be written.
    pub fn set(&self, name: &str, value: &str) -> Result<(), SecretError> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder)
            .and_then(|()| write_atomically(&path, value.as_bytes()))
            .map_err(|source| SecretError::File {
                path: path.clone(),
                source,
            })
    }

    /// All values that a blueprint needs; those that the kit makes are made when there are none.
    ///
    /// # Errors
    /// When a secret that the user sets has no value, or the store can't be used.
    pub fn ensure(&self, secrets: &[Secret]) -> Result<SecretValues, SecretError> {
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for secret in secrets {
            match (self.get(&secret.name)?, secret.origin) {
                (Some(value), _) => {
                    values.insert(secret.name.clone(), value);
                }
                (None, SecretOrigin::Generated(length)) => {
                    let value = random_text(length.into()).map_err(SecretError::Random)?;
                    self.set(&secret.name, &value)?;
                    values.insert(secret.name.clone(), value);
                }
                (None, SecretOrigin::Provided) => missing.push(secret.name.clone()),
            }
        }
        if missing.is_empty() {
            Ok(SecretValues(values))
        } else {
            Err(SecretError::Missing { names: missing })
        }
    }
}

/// Random letters and digits.
///
/// # Errors
/// When the system gives no random bytes.
pub fn random_text(length: usize) -> io::Result<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
        // Bytes past the last whole multiple of the alphabet would favour its first letters.
        let fair = bytes
            .iter()
            .filter(|byte| usize::from(**byte) < ALPHABET.len() * 4);
        let letters = fair.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
        text.extend(letters.take(length - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, origin: SecretOrigin) -> Secret {
        Secret {
            name: name.to_owned(),
            description: String::new(),
            symbols: String::new(),
            origin,
        }
    }

    #[test]
    fn made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = SecretStore::new(folder.path().to_owned());
        let secrets = [secret("password", SecretOrigin::Generated(32))];
        let first = store.ensure(&secrets).unwrap();
        assert_eq!(first.value("password").len(), 32);
        assert_eq!(store.ensure(&secrets).unwrap(), first);
        assert!(!format!("{first:?}").contains(first.value("password")));
    }

    #[test]
    fn all_that_are_missing_are_named_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = SecretStore::new(folder.path().to_owned());
        let secrets = ["one", "two"].map(|name| secret(name, SecretOrigin::Provided));
        let error = store.ensure(&secrets).unwrap_err();
        assert_eq!(error.to_string(), "no value for the secrets one, two");
        store.set("one", "1").unwrap();
        store.set("two", "2").unwrap();
        assert_eq!(store.ensure(&secrets).unwrap().value("two"), "2");
    }

    #[test]
    fn files_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        SecretStore::new(folder.path().to_owned())
            .set("one", "1")
            .unwrap();
        let mode = fs::metadata(folder.path().join("one"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
