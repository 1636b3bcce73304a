//! What an image says of itself: manifest and configuration of the OCI image specification 1.0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why an image can't be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is for another kind of machine.
    #[error("the image is for {image}, and this machine is {machine}")]
    Platform {
        /// Operating system and architecture of the image, in Go's words.
        image: String,
        /// This machine's.
        machine: String,
    },
    /// A digest that is not SHA-256 in hexadecimal digits.
    #[error("the image has a digest of an unknown kind: `{0}`")]
    Digest(String),
    /// A layer of a kind that can't be unpacked.
    #[error("the image has a layer of an unknown kind: `{0}`")]
    Layer(String),
    /// Manifest and configuration have different numbers of layers, or none.
    #[error("the image's manifest has {manifest} layers and its configuration {config}")]
    LayerCount {
        /// Layers of the manifest.
        manifest: usize,
        /// Layers of the configuration.
        config: usize,
    },
}

/// What an image says of how to run it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ImageConfig {
    /// The user, by name or number with an optional group; empty for root.
    pub user: String,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// What every command is given to, if anything.
    pub entrypoint: Vec<String>,
    /// The command, or the entry point's arguments.
    pub cmd: Vec<String>,
    /// The folder in which it starts; empty for `/`.
    pub working_dir: String,
    /// The TCP ports that it says it listens on, ascending.
    pub exposed_ports: Vec<u16>,
    /// The signal that asks it to stop, such as `SIGQUIT`.
    pub stop_signal: Option<String>,
}

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// A layer: the blob that it comes in and the digest of what that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) blob: String,
    pub(super) compression: Compression,
    pub(super) diff_id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Index {
    pub(super) manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    media_type: String,
    digest: String,
}

impl Descriptor {
    /// The hexadecimal digits of its digest.
    pub(super) fn hex(&self) -> Result<String, ConfigError> {
        hex_of(&self.digest)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    pub(super) config: Descriptor,
    layers: Vec<Descriptor>,
}

impl Manifest {
    /// The image's layers, the base first.
    pub(super) fn layers(&self, file: &ConfigFile) -> Result<Vec<Layer>, ConfigError> {
        let diff_ids = &file.rootfs.diff_ids;
        if self.layers.len() != diff_ids.len() || diff_ids.is_empty() {
            return Err(ConfigError::LayerCount {
                manifest: self.layers.len(),
                config: diff_ids.len(),
            });
        }
        let pairs = self.layers.iter().zip(diff_ids);
        pairs
            .map(|(descriptor, diff_id)| {
                Ok(Layer {
                    blob: descriptor.hex()?,
                    compression: compression(&descriptor.media_type)?,
                    diff_id: hex_of(diff_id)?,
                })
            })
            .collect()
    }
}

/// The configuration as it is in the image.
#[derive(Debug, Deserialize)]
pub(super) struct ConfigFile {
    architecture: String,
    os: String,
    #[serde(default)]
    config: Option<Execution>,
    rootfs: RootFileSystem,
}

#[derive(Debug, Deserialize)]
struct RootFileSystem {
    diff_ids: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Execution {
    user: String,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    working_dir: String,
    exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    stop_signal: String,
}

impl ConfigFile {
    /// What it says, once it is known to be for this kind of machine.
    pub(super) fn execution(&self) -> Result<ImageConfig, ConfigError> {
        let machine = format!("linux/{}", architecture());
        let image = format!("{}/{}", self.os, self.architecture);
        if image != machine {
            return Err(ConfigError::Platform { image, machine });
        }
        let nothing = Execution::default();
        let said = self.config.as_ref().unwrap_or(&nothing);
        let pairs = said.env.iter().flatten();
        let ports = said.exposed_ports.iter().flatten();
        let mut exposed_ports: Vec<u16> = ports.filter_map(|(port, _)| tcp_port(port)).collect();
        exposed_ports.sort_unstable();
        Ok(ImageConfig {
            user: said.user.clone(),
            env: pairs
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            entrypoint: said.entrypoint.clone().unwrap_or_default(),
            cmd: said.cmd.clone().unwrap_or_default(),
            working_dir: said.working_dir.clone(),
            exposed_ports,
            stop_signal: stop_signal(&said.stop_signal),
        })
    }
}

/// This machine's architecture in Go's words, which images use.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// `8080/tcp` and `8080` are TCP.
fn tcp_port(text: &str) -> Option<u16> {
    text.strip_suffix("/tcp").unwrap_or(text).parse().ok()
}

/// A signal's whole name: images may leave out `SIG` or give the number.
fn stop_signal(text: &str) -> Option<String> {
    let name = match text {
        "" => return None,
        "1" => "HUP",
        "2" => "INT",
        "3" => "QUIT",
        "9" => "KILL",
        "10" => "USR1",
        "12" => "USR2",
        "15" => "TERM",
        "28" => "WINCH",
        text => text.strip_prefix("SIG").unwrap_or(text),
    };
    Some(format!("SIG{name}"))
}

fn compression(media_type: &str) -> Result<Compression, ConfigError> {
    match media_type.strip_prefix("application/vnd.oci.image.layer.v1.tar") {
        Some("") => Ok(Compression::None),
        Some("+gzip") => Ok(Compression::Gzip),
        Some("+zstd") => Ok(Compression::Zstd),
        _ => Err(ConfigError::Layer(media_type.to_owned())),
    }
}

fn hex_of(digest: &str) -> Result<String, ConfigError> {
    digest
        .strip_prefix("sha256:")
        .filter(|hex| is_hex_digest(hex))
        .map(str::to_owned)
        .ok_or_else(|| ConfigError::Digest(digest.to_owned()))
}

/// Whether a text is a SHA-256 digest in lower-case hexadecimal digits, and so a safe file name.
pub(super) fn is_hex_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> ConfigFile {
        serde_json::from_str(text).unwrap()
    }

    fn whole(execution: &str) -> ConfigFile {
        file(&format!(
            r#"{{"architecture":"{}","os":"linux","config":{execution},
                "rootfs":{{"type":"layers","diff_ids":[]}}}}"#,
            architecture()
        ))
    }

    #[test]
    fn an_image_tells_how_to_run_it() {
        let config = whole(
            r#"{"User":"app:web","Env":["A=1","B=x=y","C=","bad"],"Entrypoint":["/entry"],
                "Cmd":["serve"],"WorkingDir":"/srv","StopSignal":"QUIT",
                "ExposedPorts":{"8080/tcp":{},"443":{},"53/udp":{}}}"#,
        )
        .execution()
        .unwrap();
        let env = [("A", "1"), ("B", "x=y"), ("C", "")];
        let expected = ImageConfig {
            user: "app:web".to_owned(),
            env: env
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            entrypoint: vec!["/entry".to_owned()],
            cmd: vec!["serve".to_owned()],
            working_dir: "/srv".to_owned(),
            exposed_ports: vec![443, 8080],
            stop_signal: Some("SIGQUIT".to_owned()),
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn an_image_may_say_nothing() {
        for text in ["null", "{}", r#"{"Env":null,"Cmd":null}"#] {
            assert_eq!(
                whole(text).execution(),
                Ok(ImageConfig::default()),
                "{text}"
            );
        }
    }

    #[test]
    fn an_image_for_another_machine_is_refused() {
        let other = file(r#"{"architecture":"mips","os":"plan9","rootfs":{"diff_ids":[]}}"#);
        let error = other.execution().unwrap_err().to_string();
        assert!(
            error.starts_with("the image is for plan9/mips, and"),
            "{error}"
        );
    }

    #[test]
    fn stop_signals_get_their_whole_name() {
        for (text, name) in [
            ("SIGQUIT", "SIGQUIT"),
            ("WINCH", "SIGWINCH"),
            ("3", "SIGQUIT"),
        ] {
            assert_eq!(stop_signal(text).as_deref(), Some(name));
        }
        assert_eq!(stop_signal(""), None);
    }

    #[test]
    fn a_digest_that_would_be_a_path_is_refused() {
        for digest in ["sha256:../../etc", "md5:abc", "sha256:ABC", ""] {
            assert!(hex_of(digest).is_err(), "{digest}");
        }
    }

    #[test]
    fn layers_of_unknown_kinds_and_numbers_are_refused() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let manifest = |kind: &str| -> Manifest {
            let blob = format!(r#"{{"mediaType":"{kind}","digest":"{digest}"}}"#);
            serde_json::from_str(&format!(r#"{{"config":{blob},"layers":[{blob}]}}"#)).unwrap()
        };
        let config = file(&format!(
            r#"{{"architecture":"a","os":"b","rootfs":{{"diff_ids":["{digest}"]}}}}"#
        ));
        let zstd = manifest("application/vnd.oci.image.layer.v1.tar+zstd");
        let layers = zstd.layers(&config).unwrap();
        assert_eq!(layers[0].compression, Compression::Zstd);
        let unknown = manifest("application/vnd.oci.image.layer.nondistributable.v1.tar");
        assert!(matches!(
            unknown.layers(&config),
            Err(ConfigError::Layer(_))
        ));
        let none = file(r#"{"architecture":"a","os":"b","rootfs":{"diff_ids":[]}}"#);
        assert!(matches!(
            zstd.layers(&none),
            Err(ConfigError::LayerCount { .. })
        ));
    }
}
