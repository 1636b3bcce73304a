//! Writing a folder of stacks.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use mck_aws_stacks::parallel;

use super::{Assembly, MANIFEST, Manifest, StackEntry};
use crate::{client_failure, exit::Exit, failure::Failure};

/// Writes a folder. All files are written before the first is put in its place, so that a disk without
/// room leaves the folder as it was; the manifest comes last, and what a former manifest names and this
/// one does not is removed. Nothing else in the folder is touched: a file
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
    let manifest = serde_json::to_string_pretty(&assembly.manifest)
        .map_err(|error| Failure::from_error(Exit::Internal, &error))?;
    let manifest = format!("{manifest}\n");
    let texts = assembly.templates.iter().map(String::as_bytes);
    let mut texts: Vec<_> = files.clone().zip(texts).collect();
    texts.push((MANIFEST, manifest.as_bytes()));
    let written = parallel::map(&texts, |(name, text)| Beside::write(folder, name, text));
    let written: Result<Vec<_>, Failure> = written.into_iter().collect();
    // Up to here the folder is as it was; what follows needs no room.
    for file in written? {
        file.put()?;
    }
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

/// A file that is written beside its place; where it is not put there, it is removed. A file that is right
/// already stays. Nothing is forced to the disk, which would take longer than all else: what a power cut
/// damages is noticed by its digest, and made again.
struct Beside {
    /// None where the file is right already.
    written: Option<PathBuf>,
    place: PathBuf,
}

impl Beside {
    fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let place = folder.join(name);
        if fs::read(&place).is_ok_and(|there| there == bytes) {
            let written = None;
            return Ok(Self { written, place });
        }
        let beside = folder.join(format!(".{name}.{}", std::process::id()));
        let file = Self {
            written: Some(beside.clone()),
            place,
        };
        fs::write(beside, bytes).map_err(|error| client_failure::file(&file.place, &error))?;
        Ok(file)
    }

    fn put(mut self) -> Result<(), Failure> {
        let Some(beside) = &self.written else {
            return Ok(());
        };
        let put = fs::rename(beside, &self.place);
        put.map_err(|error| client_failure::file(&self.place, &error))?;
        self.written = None;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(beside) = &self.written {
            let _ = fs::remove_file(beside);
        }
    }
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(client_failure::file(path, &error))
        }
        _ => Ok(()),
    }
}
