//! Where an image comes from, as written in `image = "…"`.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    path::Path,
};

/// Why a text names no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It is empty, or has a character that no reference has.
    #[error("`{0}` is no image: write NAME:TAG, oci:FOLDER or docker-archive:FILE")]
    Malformed(String),
    /// It has a user name or password in it; the text is not repeated.
    #[error("an image's name holds no credentials: `skopeo login` keeps them in a file of its own")]
    Credentials,
    /// A place that is not read.
    #[error("`{0}` is not supported: use a registry, oci:FOLDER or docker-archive:FILE")]
    Transport(String),
    /// skopeo ends a path at its first colon.
    #[error("the path `{0}` has a colon in it")]
    Colon(String),
}

/// Places that skopeo knows and that are refused: they would need a daemon or another store.
const REFUSED: &[&str] = &[
    "containers-storage:",
    "docker-daemon:",
    "oci-archive:",
    "ostree:",
];

/// Where an image comes from; prints as skopeo's name of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    source: String,
    loopback: bool,
    pinned: bool,
}

impl Reference {
    /// Reads `oci:FOLDER[:TAG]`, `docker-archive:FILE[:NAME]`, `docker://NAME` or just `NAME`;
    /// paths are relative to `base`.
    ///
    /// # Errors
    /// When the text is none of them.
    pub fn parse(text: &str, base: &Path) -> Result<Self, ReferenceError> {
        for transport in ["oci", "docker-archive"] {
            let rest = text.strip_prefix(transport);
            if let Some(rest) = rest.and_then(|rest| rest.strip_prefix(':')) {
                return Self::file(transport, rest, base);
            }
        }
        if let Some(refused) = REFUSED.iter().find(|prefix| text.starts_with(**prefix)) {
            return Err(ReferenceError::Transport((*refused).to_owned()));
        }
        Self::registry(text.strip_prefix("docker://").unwrap_or(text))
    }

    fn file(transport: &str, rest: &str, base: &Path) -> Result<Self, ReferenceError> {
        let (path, name) = match rest.split_once(':') {
            Some((path, name)) => (path, Some(name)),
            None => (rest, None),
        };
        let malformed = || ReferenceError::Malformed(format!("{transport}:{rest}"));
        let name_is_good = name.is_none_or(|name| !name.is_empty() && name.chars().all(in_name));
        if path.is_empty() || !name_is_good || rest.chars().any(char::is_control) {
            return Err(malformed());
        }
        let path = base.join(path);
        let path = path.to_str().ok_or_else(malformed)?;
        if path.contains(':') {
            return Err(ReferenceError::Colon(path.to_owned()));
        }
        let name = name.map(|name| format!(":{name}")).unwrap_or_default();
        Ok(Self {
            source: format!("{transport}:{path}{name}"),
            loopback: false,
            pinned: false,
        })
    }

    fn registry(name: &str) -> Result<Self, ReferenceError> {
        let malformed = || ReferenceError::Malformed(name.to_owned());
        let (name, digest) = match name.split_once('@') {
            Some((name, digest)) if is_digest(digest) => (without_tag(name), Some(digest)),
            Some(_) => return Err(ReferenceError::Credentials),
            None => (name, None),
        };
        let well_formed = name.chars().all(in_name)
            && name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
            && !name.contains("//");
        if !well_formed {
            return Err(malformed());
        }
        let digest_part = digest
            .map(|digest| format!("@{digest}"))
            .unwrap_or_default();
        Ok(Self {
            source: format!("docker://{name}{digest_part}"),
            loopback: is_loopback(name),
            pinned: digest.is_some(),
        })
    }

    /// Whether it is a registry on this machine, which need not have a certificate.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Whether it names its content by a digest, and so never leads to another image.
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.source)
    }
}

fn in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._-/:[]".contains(character)
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(super::config::is_hex_digest)
}

/// A digest says all; skopeo takes no tag beside it.
fn without_tag(name: &str) -> &str {
    let last = name.rfind('/').unwrap_or(0);
    name[last..]
        .find(':')
        .map_or(name, |colon| &name[..last + colon])
}

fn is_loopback(name: &str) -> bool {
    let Some((host, _)) = name.split_once('/') else {
        return false;
    };
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address
            .parse()
            .is_ok_and(|address: Ipv6Addr| address.is_loopback());
    }
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: Ipv4Addr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Reference, ReferenceError> {
        Reference::parse(text, Path::new("/project"))
    }

    #[test]
    fn every_form_becomes_the_name_that_skopeo_knows() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let pinned = format!("registry.test:5000/team/shop:1@{digest}");
        let unpinned = format!("docker://registry.test:5000/team/shop@{digest}");
        for (text, source, loopback) in [
            ("oci:build/shop", "oci:/project/build/shop", false),
            ("oci:/images/shop:1.2", "oci:/images/shop:1.2", false),
            (
                "docker-archive:shop.tar",
                "docker-archive:/project/shop.tar",
                false,
            ),
            (
                "docker-archive:shop.tar:team/shop:1",
                "docker-archive:/project/shop.tar:team/shop:1",
                false,
            ),
            ("nginx:1.27", "docker://nginx:1.27", false),
            (
                "127.0.0.1:5000/shop:1",
                "docker://127.0.0.1:5000/shop:1",
                true,
            ),
            ("docker://[::1]:5000/shop", "docker://[::1]:5000/shop", true),
            ("localhost/shop", "docker://localhost/shop", true),
            (
                "127.0.0.1.example.com/shop",
                "docker://127.0.0.1.example.com/shop",
                false,
            ),
            (
                "localhost.example.com/shop",
                "docker://localhost.example.com/shop",
                false,
            ),
            (&pinned, &unpinned, false),
        ] {
            let reference = parse(text).unwrap();
            assert_eq!(reference.to_string(), source);
            assert_eq!(reference.is_loopback(), loopback, "{text}");
            assert_eq!(reference.is_pinned(), text.contains('@'), "{text}");
        }
    }

    #[test]
    fn what_names_no_image_is_refused() {
        for text in [
            "",
            "-v",
            "shop 1",
            "shop\n",
            "https://registry.test/shop",
            "oci:",
            "oci:a:",
            "docker-archive::x",
            "--src-creds=a/shop",
        ] {
            assert!(
                matches!(parse(text), Err(ReferenceError::Malformed(_))),
                "{text:?}"
            );
        }
        let transport = parse("docker-daemon:shop:1").unwrap_err();
        assert_eq!(
            transport,
            ReferenceError::Transport("docker-daemon:".to_owned())
        );
        let colon = Reference::parse("oci:shop", Path::new("/a:b")).unwrap_err();
        assert_eq!(colon, ReferenceError::Colon("/a:b/shop".to_owned()));
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        let error = parse("docker://me:hunter2@registry.test/shop").unwrap_err();
        assert_eq!(error, ReferenceError::Credentials);
        assert!(!error.to_string().contains("hunter2"));
    }
}
