//! What can go wrong.

use std::{io, path::PathBuf};

/// Why an image was not made, fetched or sent.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file or folder could not be used.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A text names no image.
    #[error("`{0}` is no image: write HOST/NAME:TAG, HOST/NAME@sha256:DIGEST or oci:FOLDER[:TAG]")]
    Reference(String),
    /// A reference leads to nothing that can be used.
    #[error("{subject}: {reason}")]
    Unusable {
        /// The image.
        subject: String,
        /// What is wrong.
        reason: String,
    },
    /// Two containers want other content at one path of their common image.
    #[error("the containers of the image {image} want different files at {path}")]
    Conflict {
        /// The image.
        image: String,
        /// The path.
        path: String,
    },
    /// A user is in none of the base image's layers.
    #[error("the base image {base} has no user `{user}` in its /etc/passwd")]
    NoUser {
        /// The base image.
        base: String,
        /// The user.
        user: String,
    },
    /// A registry could not be reached.
    #[error("could not reach the registry {registry} ({request})")]
    Unreachable {
        /// The registry's host.
        registry: String,
        /// What was asked for: method and path, without its query.
        request: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// A registry said no.
    #[error(
        "the registry {registry} answered {request} with {status}{}",
        said(reason)
    )]
    Refused {
        /// The registry's host.
        registry: String,
        /// What was asked for: method and path, without its query.
        request: String,
        /// The HTTP status.
        status: u16,
        /// Its own words; may be empty.
        reason: String,
    },
    /// The tag leads to another image, and tags are not moved.
    #[error("{repository} has an image {tag} with other content")]
    TagTaken {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
    },
}

impl ImageError {
    /// Whether it is a registry's doing, rather than this machine's or the caller's.
    pub const fn is_registry(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Refused { .. } | Self::TagTaken { .. }
        )
    }

    /// Whether a registry wants other credentials.
    pub const fn is_denied(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 401 | 403,
                ..
            }
        )
    }

    /// Whether a registry refused for what was asked, not for its own state.
    pub(crate) const fn is_client_error(&self) -> bool {
        matches!(self, Self::Refused { status: 400..=428 | 430..=499, .. })
    }

    /// Whether another attempt may go better.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    pub(crate) fn unusable(subject: &str, reason: impl Into<String>) -> Self {
        Self::Unusable {
            subject: subject.to_owned(),
            reason: reason.into(),
        }
    }
}

fn said(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    }
}

/// An error of a file.
pub(crate) fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> ImageError + use<> {
    let path = path.to_owned();
    move |source| ImageError::File { path, source }
}
