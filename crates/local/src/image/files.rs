//! The store's files and folders, each failure with its path.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

use super::error::ImageError;
use crate::layout::write_atomically;

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> ImageError + use<> {
    let path = path.to_owned();
    move |source| ImageError::File { path, source }
}

pub(super) fn make_private(folder: &Path) -> Result<(), ImageError> {
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(folder).map_err(at(folder))
}

/// Removes a file or folder; all is well if there is none.
pub(super) fn remove(path: &Path) -> Result<(), ImageError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

/// The names in a folder; none where there is no folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, ImageError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(at(folder))?,
    };
    entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()
        .map_err(at(folder))
}

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ImageError> {
    serde_json::to_vec(value)
        .map_err(io::Error::from)
        .and_then(|text| write_atomically(path, &text))
        .map_err(at(path))
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ImageError> {
    let text = fs::read(path).map_err(at(path))?;
    serde_json::from_slice(&text).map_err(|source| ImageError::Damaged {
        path: path.to_owned(),
        source,
    })
}

pub(super) fn read_json_if_there<T: DeserializeOwned>(
    path: &Path,
) -> Result<Option<T>, ImageError> {
    match read_json(path) {
        Err(ImageError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        other => other.map(Some),
    }
}
