//! Why an image could not be had.

use std::{io, path::PathBuf};

use super::{ConfigError, LayerError};
use crate::command::CommandError;

/// Why an image could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// skopeo is missing or could not copy it.
    #[error("could not fetch the image {reference}")]
    Fetch {
        /// Where it was to come from.
        reference: String,
        /// Why.
        source: CommandError,
    },
    /// A file or folder of the store could not be used.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the image or the store is not what it should be.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It is not in the store.
    #[error("the image {id} is no longer there; `mck up` pulls it again")]
    Gone {
        /// Its id.
        id: String,
    },
    /// It can't be used here.
    #[error("can't use the image {reference}")]
    Config {
        /// Where it came from.
        reference: String,
        /// Why.
        source: ConfigError,
    },
    /// A layer could not be unpacked.
    #[error("could not unpack layer {layer} of the image {reference}")]
    Layer {
        /// Where the image came from.
        reference: String,
        /// The layer's diff-id.
        layer: String,
        /// Why.
        source: LayerError,
    },
}
