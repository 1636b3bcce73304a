//! Configuration files of containers: they come into the image when it is built, so templates hold
//! their digests alone. Where one changes, `mck plan` shows it: the images must be built again.

use mck_blueprint::model::Container;
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use crate::hexadecimal;

/// The digest of each container's files, of those that have any.
pub(super) fn digests(containers: &[Container]) -> Map<String, Json> {
    containers
        .iter()
        .filter(|container| !container.files.is_empty())
        .map(|container| (container.name.clone(), files_digest(container).into()))
        .collect()
}

/// The label of an image that holds the digest of a container's files, as the metadata `mck:Files` of
/// its task definition does: whether an image has the files of a template can be seen by it.
pub fn files_label(container: &str) -> String {
    format!("mck.files.{container}")
}

/// The SHA-256 of the paths, contents and modes of a container's files, in hexadecimal; lengths keep
/// them apart.
pub fn files_digest(container: &Container) -> String {
    let mut hash = Sha256::new();
    for file in &container.files {
        for text in [&file.path, &file.content] {
            hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(text);
        }
        hash.update([u8::from(file.executable)]);
    }
    hexadecimal(&hash.finalize())
}
