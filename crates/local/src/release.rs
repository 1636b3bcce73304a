//! Releases: an app's source as an immutable tree, named by its content.
//!
//! Files are kept once, by their content, in `objects/` and linked into each release, so that
//! releases share what did not change.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{command::Command, layout::write_atomically, text::hex};

/// Why a release was not made.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A file or folder could not be used.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The source is no folder.
    #[error("the source {} is no folder", path.display())]
    NoFolder {
        /// The path.
        path: PathBuf,
    },
}

/// A release of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Release {
    /// The first 12 hexadecimal digits of its content's SHA-256.
    pub id: String,
    /// What `/REVISION.txt` says: the source's git revision, or the id.
    pub revision: String,
}

/// A release that was made, and what of it was there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Built {
    /// The release.
    pub release: Release,
    /// Its tree.
    pub path: PathBuf,
    /// Whether there was none of this content.
    pub is_new: bool,
    /// Its files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Those of its files that were stored already, and are shared with other releases.
    pub shared_files: u64,
    /// Their size in bytes.
    pub shared_bytes: u64,
}

/// Names in a source that never go into a release.
pub const EXCLUDED: &[&str] = &[
    ".git",
    ".svn",
    ".hg",
    ".idea",
    ".vscode",
    "node_modules",
    ".DS_Store",
];

/// The releases of one app.
#[derive(Debug, Clone)]
pub struct ReleaseStore {
    top: PathBuf,
    app: String,
}

/// What was seen of a source last, so that an unchanged one need not be read again.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    fingerprint: String,
    release: Release,
}

impl ReleaseStore {
    /// The releases of an app below the environment's folder of releases.
    pub fn new(top: &Path, app: &str) -> Self {
        Self {
            top: top.to_owned(),
            app: app.to_owned(),
        }
    }

    /// The tree of a release.
    pub fn tree(&self, id: &str) -> PathBuf {
        self.top.join(&self.app).join(id)
    }

    fn seen(&self) -> PathBuf {
        self.top.join(&self.app).join("last-source.json")
    }

    /// Makes a release of a source; finds the one there is when nothing changed. `revision_paths`
    /// are where the tree gets its `REVISION.txt`, relative to it.
    ///
    /// # Errors
    /// When the source can't be read or the release not be written.
    pub fn build(&self, source: &Path, revision_paths: &[String]) -> Result<Release, ReleaseError> {
        self.build_as(source, revision_paths, None)
            .map(|built| built.release)
    }

    /// As [`Self::build`], with a revision of the caller's: one line, instead of git's.
    ///
    /// # Errors
    /// When the source can't be read or the release not be written.
    pub fn build_as(
        &self,
        source: &Path,
        revision_paths: &[String],
        revision: Option<&str>,
    ) -> Result<Built, ReleaseError> {
        if !source.is_dir() {
            return Err(ReleaseError::NoFolder {
                path: source.to_owned(),
            });
        }
        let mut entries = Vec::new();
        list(source, Path::new(""), &mut entries)?;
        let revision = revision.map(str::to_owned).or_else(|| git_revision(source));
        let fingerprint = fingerprint(&entries, revision.as_deref(), revision_paths);
        if let Some(release) = self.unchanged(&fingerprint) {
            return Ok(self.found(release, &entries));
        }
        let built = self.write(source, &entries, revision, revision_paths)?;
        let seen = Seen {
            fingerprint,
            release: built.release.clone(),
        };
        let path = self.seen();
        serde_json::to_vec(&seen)
            .map_err(io::Error::from)
            .and_then(|text| write_atomically(&path, &text))
            .map_err(at(&path))?;
        Ok(built)
    }

    /// A release that was there as a whole.
    fn found(&self, release: Release, entries: &[Entry]) -> Built {
        let sizes = entries
            .iter()
            .filter(|entry| matches!(entry.kind, Kind::File { .. }));
        let (files, bytes) = sizes.fold((0, 0), |(files, bytes), it| (files + 1, bytes + it.size));
        Built {
            path: self.tree(&release.id),
            release,
            is_new: false,
            files,
            bytes,
            shared_files: files,
            shared_bytes: bytes,
        }
    }

    fn unchanged(&self, fingerprint: &str) -> Option<Release> {
        let seen: Seen = serde_json::from_slice(&fs::read(self.seen()).ok()?).ok()?;
        let same = seen.fingerprint == fingerprint && self.tree(&seen.release.id).is_dir();
        same.then_some(seen.release)
    }

    fn write(
        &self,
        source: &Path,
        entries: &[Entry],
        revision: Option<String>,
        revision_paths: &[String],
    ) -> Result<Built, ReleaseError> {
        let objects = self.top.join("objects");
        let fresh = self
            .top
            .join(&self.app)
            .join(format!(".building-{}", std::process::id()));
        for folder in [&objects, &fresh] {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        let mut digest = Sha256::new();
        let (mut shared_files, mut shared_bytes) = (0, 0);
        for entry in entries {
            let from = source.join(&entry.path);
            let to = fresh.join(&entry.path);
            digest.update(entry.path.as_os_str().as_encoded_bytes());
            match &entry.kind {
                Kind::Folder => fs::create_dir_all(&to).map_err(at(&to))?,
                Kind::Link(target) => {
                    digest.update(target.as_os_str().as_encoded_bytes());
                    symlink(target, &to).map_err(at(&to))?;
                }
                Kind::File { executable } => {
                    let (name, was_there) = store_object(&objects, &from, *executable)?;
                    if was_there {
                        shared_files += 1;
                        shared_bytes += entry.size;
                    }
                    digest.update(name.as_bytes());
                    fs::hard_link(objects.join(&name), &to).map_err(at(&to))?;
                }
            }
        }
        if let Some(revision) = &revision {
            digest.update(revision);
        }
        let id = hex(&digest.finalize())[..12].to_owned();
        let revision = revision.unwrap_or_else(|| id.clone());
        for path in revision_paths {
            let path = fresh.join(path);
            fs::write(&path, format!("{revision}\n")).map_err(at(&path))?;
        }
        let release = Release {
            id: id.clone(),
            revision,
        };
        let manifest = self.manifest(&id);
        if !manifest.exists() {
            serde_json::to_vec(&release)
                .map_err(io::Error::from)
                .and_then(|text| write_atomically(&manifest, &text))
                .map_err(at(&manifest))?;
        }
        let tree = self.tree(&id);
        let is_new = !tree.exists();
        if !is_new {
            fs::remove_dir_all(&fresh).map_err(at(&fresh))?;
        } else {
            fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).map_err(at(&fresh))?;
            fs::rename(&fresh, &tree).map_err(at(&tree))?;
        }
        Ok(Built {
            is_new,
            shared_files,
            shared_bytes,
            ..self.found(release, entries)
        })
    }

    fn manifest(&self, id: &str) -> PathBuf {
        self.top.join(&self.app).join(format!("{id}.json"))
    }

    /// The release of an id, or of the beginning of one; none where there is none or several.
    pub fn find(&self, id: &str) -> Option<Release> {
        let mut found = self
            .list()
            .into_iter()
            .filter(|known| known.starts_with(id));
        let only = found.next().filter(|_| found.next().is_none())?;
        serde_json::from_slice(&fs::read(self.manifest(&only)).ok()?).ok()
    }

    /// When a release was made first.
    pub fn made(&self, id: &str) -> Option<std::time::SystemTime> {
        fs::metadata(self.manifest(id)).ok()?.modified().ok()
    }

    /// Removes all releases but the needed ones and the newest `keep`, and the files that only they
    /// had.
    ///
    /// # Errors
    /// When something can't be removed; the rest is.
    pub fn prune(&self, needed: &[String], keep: usize) -> Result<(), ReleaseError> {
        let mut known: Vec<String> = self.list().into_iter().collect();
        known.sort_by_key(|id| std::cmp::Reverse(self.made(id)));
        let old = known.iter().skip(keep).filter(|id| !needed.contains(id));
        let mut first_error = None;
        for id in old {
            for result in [
                fs::remove_dir_all(self.tree(id)).map_err(at(&self.tree(id))),
                fs::remove_file(self.manifest(id)).map_err(at(&self.manifest(id))),
            ] {
                first_error = first_error.or(result.err());
            }
        }
        let objects = fs::read_dir(self.top.join("objects"))
            .into_iter()
            .flatten()
            .flatten();
        for object in objects {
            let is_old = |metadata: &fs::Metadata| {
                metadata.modified().is_ok_and(|time| {
                    time.elapsed()
                        .is_ok_and(|age| age > Duration::from_secs(600))
                })
            };
            // No release links to it any more; a young one may be about to be linked to.
            let unused = |metadata: fs::Metadata| metadata.nlink() == 1 && is_old(&metadata);
            if object.metadata().is_ok_and(unused) {
                let _ = fs::remove_file(object.path());
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// The ids of the releases that are kept.
    pub fn list(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.top.join(&self.app))
            .into_iter()
            .flatten()
            .flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|name| name.len() == 12 && !name.contains('.'))
            .collect()
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ReleaseError + use<> {
    let path = path.to_owned();
    move |source| ReleaseError::File { path, source }
}

/// Something in a source, by its path relative to it.
struct Entry {
    path: PathBuf,
    kind: Kind,
    size: u64,
    modified: (i64, i64),
    inode: u64,
}

enum Kind {
    Folder,
    File { executable: bool },
    Link(PathBuf),
}

fn list(source: &Path, below: &Path, entries: &mut Vec<Entry>) -> Result<(), ReleaseError> {
    let folder = source.join(below);
    let mut names: Vec<_> = fs::read_dir(&folder)
        .and_then(|found| {
            found
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect()
        })
        .map_err(at(&folder))?;
    names.retain(|name| !EXCLUDED.iter().any(|excluded| name == excluded));
    names.sort();
    for name in names {
        let path = below.join(name);
        let full = source.join(&path);
        let metadata = fs::symlink_metadata(&full).map_err(at(&full))?;
        let kind = if metadata.is_dir() {
            Kind::Folder
        } else if metadata.is_symlink() {
            Kind::Link(fs::read_link(&full).map_err(at(&full))?)
        } else if metadata.is_file() {
            Kind::File {
                executable: metadata.mode() & 0o111 != 0,
            }
        } else {
            continue;
        };
        let folder = matches!(kind, Kind::Folder);
        entries.push(Entry {
            path: path.clone(),
            kind,
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            inode: metadata.ino(),
        });
        if folder {
            list(source, &path, entries)?;
        }
    }
    Ok(())
}

/// What can be told of a source without reading its files.
fn fingerprint(entries: &[Entry], revision: Option<&str>, revision_paths: &[String]) -> String {
    let mut digest = Sha256::new();
    for entry in entries {
        digest.update(entry.path.as_os_str().as_encoded_bytes());
        if !matches!(entry.kind, Kind::Folder) {
            digest.update(format!(
                "\0{} {:?} {}\0",
                entry.size, entry.modified, entry.inode
            ));
        }
        if let Kind::File { executable: true } = entry.kind {
            digest.update("x");
        }
    }
    digest.update(revision.unwrap_or_default());
    revision_paths.iter().for_each(|path| digest.update(path));
    hex(&digest.finalize())
}

/// Puts a file's content among the objects; its name there is its digest and mode. Also says whether
/// it was there already.
fn store_object(
    objects: &Path,
    file: &Path,
    executable: bool,
) -> Result<(String, bool), ReleaseError> {
    let content = fs::read(file).map_err(at(file))?;
    let mode = if executable { 0o755 } else { 0o644 };
    let name = format!("{}-{mode:o}", hex(&Sha256::digest(&content)));
    let object = objects.join(&name);
    let was_there = object.exists();
    if !was_there {
        let fresh = objects.join(format!(".{name}-{}", std::process::id()));
        fs::write(&fresh, content)
            .and_then(|()| fs::set_permissions(&fresh, fs::Permissions::from_mode(mode)))
            .and_then(|()| fs::rename(&fresh, &object))
            .map_err(at(&object))?;
    }
    Ok((name, was_there))
}

/// The source's git revision, marked when it has changes that are not committed.
fn git_revision(source: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        Command::new("git")
            .arg("-C")
            .arg(source)
            .args(arguments)
            .run()
            .ok()
            .map(|out| out.text())
    };
    let revision = git(&["rev-parse", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--", "."])?;
    let mark = if changed.trim().is_empty() {
        ""
    } else {
        "-modified"
    };
    Some(format!("{}{mark}", revision.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_source_is_the_same_release_and_a_change_shares_what_did_not_change() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::create_dir_all(source.join("pub")).unwrap();
        fs::create_dir_all(source.join(".git")).unwrap();
        fs::write(source.join("pub/index.php"), "<?php").unwrap();
        fs::write(source.join("same.txt"), "same").unwrap();
        let store = ReleaseStore::new(&folder.path().join("releases"), "shop");
        let paths = ["REVISION.txt".to_owned(), "pub/REVISION.txt".to_owned()];

        let first = store.build(&source, &paths).unwrap();
        assert_eq!(store.build(&source, &paths).unwrap(), first);
        let tree = store.tree(&first.id);
        assert!(!tree.join(".git").exists());
        let revision = fs::read_to_string(tree.join("pub/REVISION.txt")).unwrap();
        assert_eq!(revision.trim(), first.revision);

        fs::write(source.join("pub/index.php"), "<?php echo 1;").unwrap();
        let second = store.build(&source, &paths).unwrap();
        assert_ne!(second.id, first.id);
        let inode = |id: &str| fs::metadata(store.tree(id).join("same.txt")).unwrap().ino();
        assert_eq!(inode(&first.id), inode(&second.id));
        assert_eq!(store.list().len(), 2);
    }

    #[test]
    fn a_release_of_a_given_revision_is_another_one_and_shares_all_files() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::create_dir_all(&source).unwrap();
        fs::write(source.join("index.php"), "<?php").unwrap();
        fs::write(source.join("other.php"), "<?php echo 2;").unwrap();
        let store = ReleaseStore::new(&folder.path().join("releases"), "shop");
        let paths = ["REVISION.txt".to_owned()];

        let first = store.build_as(&source, &paths, None).unwrap();
        assert!(first.is_new);
        assert_eq!((first.files, first.bytes, first.shared_files), (2, 18, 0));
        let second = store.build_as(&source, &paths, Some("v2")).unwrap();
        assert!(second.is_new);
        assert_ne!(second.release.id, first.release.id);
        assert_eq!((second.shared_files, second.shared_bytes), (2, 18));
        let text = fs::read_to_string(second.path.join("REVISION.txt")).unwrap();
        assert_eq!(text, "v2\n");
        let again = store.build_as(&source, &paths, Some("v2")).unwrap();
        assert_eq!((again.is_new, again.release), (false, second.release));
    }

    #[test]
    fn a_missing_source_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = ReleaseStore::new(folder.path(), "shop");
        let error = store.build(&folder.path().join("none"), &[]).unwrap_err();
        assert!(error.to_string().contains("none is no folder"), "{error}");
    }
}
