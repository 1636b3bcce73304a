//! Reading a folder of stacks.

use std::{fs, path::Path};

use super::{Assembly, FORMAT, MANIFEST, Manifest, digest};
use crate::{client_failure, exit::Exit, failure::Failure};

/// Reads a folder that `mck synth` wrote.
///
/// # Errors
/// Where it is not there, of another form, or its templates are not those that its manifest names.
pub fn read(folder: &Path) -> Result<Assembly, Failure> {
    let path = folder.join(MANIFEST);
    let text = fs::read(&path).map_err(|error| {
        client_failure::file(&path, &error).hint("`mck synth --out DIR` writes such a folder")
    })?;
    let damaged = |path: &Path, why: &str| {
        let message = format!("{} {why}", path.display());
        Failure::new(Exit::File, message).hint("write the folder again with `mck synth --out DIR`")
    };
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| damaged(&path, "is not a manifest of `mck synth`").caused_by(&error))?;
    if manifest.format != FORMAT {
        return Err(damaged(&path, "is of another version of `mck`"));
    }
    let mut templates = Vec::new();
    for entry in &manifest.stacks {
        let path = folder.join(&entry.template);
        let bytes = fs::read(&path).map_err(|error| client_failure::file(&path, &error))?;
        if digest(&bytes) != entry.sha256 {
            return Err(damaged(&path, "is not what the manifest says"));
        }
        let text = String::from_utf8(bytes).map_err(|_| damaged(&path, "is not text"))?;
        templates.push(text);
    }
    Ok(Assembly {
        manifest,
        templates,
    })
}
