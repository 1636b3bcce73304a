//! How failures of images are told.

use mck_image::ImageError;

use crate::{exit::Exit, failure::Failure};

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        let exit = match &error {
            error if error.is_registry() => Exit::Registry,
            ImageError::Reference(_) => Exit::Usage,
            ImageError::File { source, .. } if source.raw_os_error() == Some(28) => Exit::DiskFull,
            ImageError::Unusable { .. } | ImageError::NoUser { .. } => Exit::Registry,
            ImageError::File { .. } | ImageError::Conflict { .. } => Exit::File,
            _ => Exit::Internal,
        };
        let failure = Self::from_error(exit, &error);
        match &error {
            ImageError::TagTaken { .. } => failure.hint(
                "images are never changed: commit, or name another revision with `--revision`",
            ),
            error if error.is_denied() => {
                failure.hint("`docker login`, `podman login` or `skopeo login` logs you in")
            }
            _ => failure,
        }
    }
}
