//! Where an image is.

use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
};

use crate::error::ImageError;

/// Docker's own registry, where names without a host are.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// A repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The registry's host, with its port where it has one.
    pub registry: String,
    /// Its name there.
    pub name: String,
}

impl fmt::Display for Repository {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.registry, self.name)
    }
}

/// An image to build on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// Of a registry, by tag or digest.
    Registry {
        /// Its repository.
        repository: Repository,
        /// A tag, or `sha256:` and a digest.
        version: String,
    },
    /// Of an OCI layout in a folder; without a tag its only image.
    Layout {
        /// The folder.
        folder: PathBuf,
        /// The tag.
        tag: Option<String>,
    },
}

impl Reference {
    /// Reads `HOST/NAME[:TAG]`, `HOST/NAME@sha256:DIGEST`, `NAME` (of Docker Hub) or
    /// `oci:FOLDER[:TAG]`, whose folder is relative to `base`.
    ///
    /// # Errors
    /// When the text is none of them.
    pub fn parse(text: &str, base: &Path) -> Result<Self, ImageError> {
        let malformed = || ImageError::Reference(text.to_owned());
        if let Some(rest) = text.strip_prefix("oci:") {
            let (folder, tag) = match rest.split_once(':') {
                Some((folder, tag)) => (folder, Some(tag.to_owned())),
                None => (rest, None),
            };
            if folder.is_empty() || tag.as_deref() == Some("") {
                return Err(malformed());
            }
            let folder = base.join(folder);
            return Ok(Self::Layout { folder, tag });
        }
        let (name, version) = split_version(text);
        let (registry, name) = match name.split_once('/') {
            Some((host, rest)) if is_host(host) => (host, rest.to_owned()),
            Some(_) => (DOCKER_HUB, name.to_owned()),
            None => (DOCKER_HUB, format!("library/{name}")),
        };
        if !is_name(&name) || !is_version(version) || !registry.chars().all(in_host) {
            return Err(malformed());
        }
        let repository = Repository {
            registry: registry.to_owned(),
            name,
        };
        Ok(Self::Registry {
            repository,
            version: version.to_owned(),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry {
                repository,
                version,
            } if version.contains(':') => write!(out, "{repository}@{version}"),
            Self::Registry {
                repository,
                version,
            } => write!(out, "{repository}:{version}"),
            Self::Layout { folder, tag: None } => write!(out, "oci:{}", folder.display()),
            Self::Layout {
                folder,
                tag: Some(tag),
            } => write!(out, "oci:{}:{tag}", folder.display()),
        }
    }
}

fn split_version(text: &str) -> (&str, &str) {
    if let Some((name, digest)) = text.split_once('@') {
        return (name, digest);
    }
    let last = text.rfind('/').unwrap_or(0);
    match text[last..].rfind(':') {
        Some(colon) => (&text[..last + colon], &text[last + colon + 1..]),
        None => (text, "latest"),
    }
}

fn is_host(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost"
}

fn in_host(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || ".-:[]".contains(letter)
}

/// Whether it is a repository's name (OCI distribution specification).
fn is_name(text: &str) -> bool {
    let in_name = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-".contains(letter)
    };
    text.split('/').all(|part| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.chars().all(in_name)
    })
}

fn is_version(text: &str) -> bool {
    if let Some(digest) = text.strip_prefix("sha256:") {
        return digest.len() == 64 && digest.bytes().all(|it| it.is_ascii_hexdigit());
    }
    let in_tag = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    (1..=128).contains(&text.len()) && text.chars().all(in_tag)
}

/// Whether a registry is on this machine, and so needs no certificate.
pub(crate) fn is_loopback(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => registry.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|it: IpAddr| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let read = Reference::parse(text, Path::new("/project"));
        read.ok().map(|it| it.to_string())
    }

    #[test]
    fn every_form_is_read() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, meant) in [
            ("nginx", "registry-1.docker.io/library/nginx:latest"),
            ("team/nginx:1.2", "registry-1.docker.io/team/nginx:1.2"),
            ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
            ("[::1]:5000/a:1", "[::1]:5000/a:1"),
            ("oci:base/nginx", "oci:/project/base/nginx"),
            ("oci:/base:1", "oci:/base:1"),
        ] {
            assert_eq!(read(text).as_deref(), Some(meant), "{text}");
        }
        let pinned = format!("example.com/a@{digest}");
        assert_eq!(read(&pinned), Some(pinned.clone()));
    }

    #[test]
    fn what_names_no_image_is_refused() {
        for text in [
            "",
            "oci:",
            "oci:a:",
            "A/b",
            "a:",
            "a@sha256:12",
            "a b",
            "user@host/a",
            "x.y/../z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn loopback_is_told_from_the_rest() {
        for host in ["localhost:1", "127.0.0.1:5000", "[::1]:80", "127.9.9.9"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["example.com", "localhost.example.com:1", "10.0.0.1:5000"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
