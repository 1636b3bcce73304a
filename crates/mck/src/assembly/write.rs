//! Writing a folder of stacks.

use std::{collections::BTreeSet, fs, io, path::Path};

use mck_aws_stacks::parallel;

use super::{Assembly, MANIFEST, Manifest, StackEntry};
use crate::{client_failure, exit::Exit, failure::Failure};

/// Writes a folder. Each file is whole or not there, the manifest comes last, and what a former
/// manifest names and this one does not is removed. Nothing else in the folder is touched: a file
/// in the way that no manifest names is an error.
pub fn write(folder: &Path, assembly: &Assembly) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| client_failure::file(folder, &error))?;
    let former = former(folder)?;
    let files = assembly
        .manifest
        .stacks
        .iter()
        .map(|entry| entry.template.as_str());
    let strangers = files
        .clone()
        .chain([MANIFEST])
        .filter(|name| *name != MANIFEST || former.is_none())
        .filter(|name| !former.as_ref().is_some_and(|former| former.contains(*name)))
        .find(|name| folder.join(name).symlink_metadata().is_ok());
    if let Some(name) = strangers {
        let message = format!(
            "{} is there, and not from `mck synth`",
            folder.join(name).display()
        );
        return Err(Failure::new(Exit::Exists, message)
            .hint("move it away, or name another folder with `--out`"));
    }
    let texts: Vec<_> = files.clone().zip(&assembly.templates).collect();
    let put_one = |(name, text): &(&str, &String)| put(folder, name, text.as_bytes());
    for done in parallel::map(&texts, put_one) {
        done?;
    }
    let manifest = serde_json::to_string_pretty(&assembly.manifest)
        .map_err(|error| Failure::from_error(Exit::Internal, &error))?;
    put(folder, MANIFEST, format!("{manifest}\n").as_bytes())?;
    let files: BTreeSet<&str> = files.collect();
    for name in former.unwrap_or_default() {
        if !files.contains(name.as_str()) {
            remove(&folder.join(name))?;
        }
    }
    Ok(())
}

/// The templates that the folder's manifest names; none where there is no manifest of ours.
fn former(folder: &Path) -> Result<Option<BTreeSet<String>>, Failure> {
    let path = folder.join(MANIFEST);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(client_failure::file(&path, &error)),
    };
    let Ok(manifest) = serde_json::from_slice::<Manifest>(&text) else {
        return Ok(None);
    };
    let names = manifest
        .stacks
        .into_iter()
        .map(|StackEntry { template, .. }| template);
    // A name with a folder in it is not one that was written here.
    Ok(Some(names.filter(|name| !name.contains('/')).collect()))
}

/// Writes a file beside its place, then puts it there; a file that is right already stays. Nothing
/// is forced to the disk, which would take longer than all else: what a power cut damages is noticed
/// by its digest, and made again.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    if fs::read(&path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, &path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        client_failure::file(&path, &error)
    })
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(client_failure::file(path, &error))
        }
        _ => Ok(()),
    }
}
