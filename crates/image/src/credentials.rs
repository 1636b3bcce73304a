//! Who we are to a registry.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;

/// A user name and password, as HTTP's basic authentication sends them. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    encoded: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// Of `USER:PASSWORD` in base64, the form of ECR's tokens and of Docker's file.
    pub fn from_base64(encoded: impl Into<String>) -> Self {
        Self {
            encoded: encoded.into(),
        }
    }

    /// The value of the header `Authorization`.
    pub(crate) fn basic(&self) -> String {
        format!("Basic {}", self.encoded)
    }

    /// What `docker login`, `podman login` or `skopeo login` left for a registry; none where there is
    /// nothing, or a credential helper keeps it. `variable` reads an environment variable.
    pub fn of_machine(registry: &str, variable: &dyn Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        files(variable)
            .iter()
            .find_map(|path| of_file(path, registry))
    }
}

fn files(variable: &dyn Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let of = |name: &str, below: &str| Some(variable(name)?.join(below));
    [
        variable("REGISTRY_AUTH_FILE"),
        of("XDG_RUNTIME_DIR", "containers/auth.json"),
        of("DOCKER_CONFIG", "config.json"),
        of("HOME", ".docker/config.json"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_file(path: &Path, registry: &str) -> Option<Credentials> {
    let file: Json = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let encoded = file["auths"][registry]["auth"].as_str()?;
    (!encoded.is_empty()).then(|| Credentials::from_base64(encoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_of_dockers_is_found_and_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"auths":{"example.com":{"auth":"dTpw"},"other":{}}}"#;
        fs::write(folder.path().join("config.json"), text).unwrap();
        let variable = |name: &str| (name == "DOCKER_CONFIG").then(|| folder.path().to_owned());
        let found = Credentials::of_machine("example.com", &variable).unwrap();
        assert_eq!(found.basic(), "Basic dTpw");
        assert_eq!(format!("{found:?}"), "Credentials(…)");
        assert_eq!(Credentials::of_machine("other", &variable), None);
    }
}
