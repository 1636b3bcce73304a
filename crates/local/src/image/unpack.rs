//! A layer's archive as a folder that overlayfs takes for a layer.
//!
//! The rules are the OCI image specification's (`layer.md`): `.wh.NAME` hides `NAME` of the layers
//! below, `.wh..wh..opq` all that they have in a folder; both become overlayfs's own marks. Paths
//! are resolved by the kernel inside the folder (openat2(2), `RESOLVE_IN_ROOT`), so that no
//! symbolic link leads out of it. Left out are device nodes, since a container has a `/dev` of its
//! own, and file capabilities, since it never gains privileges.

mod entry;

use std::{
    ffi::OsStr,
    fs, io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, FileType, Mode, OFlags, ResolveFlags, linkat, mknodat, open, openat, openat2,
        symlinkat, utimensat,
    },
    io::Errno,
};
use tar::EntryType;

use entry::{
    Attributes, FOLDER, Present, clear, make_folder, make_whiteout, mark_opaque, present,
    same_file, times,
};

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive can't be read to its end.
    #[error("the archive is damaged")]
    Archive(#[source] io::Error),
    /// An entry could not be written.
    #[error("could not unpack {}", path.display())]
    Entry {
        /// The entry.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An entry's path has `..` in it or a name that no file can have.
    #[error("the archive has an entry that is not allowed: {}", .0.display())]
    Forbidden(PathBuf),
}

/// Unpacks an archive into an empty folder.
///
/// # Errors
/// When the archive is damaged, has an entry that would lie elsewhere, or can't be written.
pub(super) fn unpack(archive: impl io::Read, folder: &Path) -> Result<(), UnpackError> {
    let root = open(folder, FOLDER, Mode::empty()).map_err(|error| UnpackError::Entry {
        path: folder.to_owned(),
        source: error.into(),
    })?;
    let mut tree = Tree {
        root,
        folder_times: Vec::new(),
    };
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().map_err(UnpackError::Archive)? {
        tree.add(entry.map_err(UnpackError::Archive)?)?;
    }
    tree.finish()
}

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE_WHITEOUT: &[u8] = b".wh..wh..opq";
/// Marks of AUFS for itself, which mean nothing here.
const AUFS: &[u8] = b".wh..wh.";

struct Tree {
    root: OwnedFd,
    /// Set when all is there, since every new entry changes its folder's.
    folder_times: Vec<(PathBuf, i64)>,
}

impl Tree {
    fn add<R: io::Read>(&mut self, mut entry: tar::Entry<'_, R>) -> Result<(), UnpackError> {
        let bytes = entry.path_bytes().into_owned();
        let path = PathBuf::from(OsStr::from_bytes(&bytes));
        let inside = inside(&path).ok_or_else(|| UnpackError::Forbidden(path.clone()))?;
        let failed = |source| UnpackError::Entry { path, source };
        let kind = match entry.header().entry_type() {
            // How archives from before 1988 say that it is a folder.
            EntryType::Regular if bytes.ends_with(b"/") => EntryType::Directory,
            kind => kind,
        };
        let attributes = Attributes::of(entry.header()).map_err(UnpackError::Archive)?;
        let Some((parent, name)) = split(&inside) else {
            if kind == EntryType::Directory {
                self.folder_times.push((inside.clone(), attributes.seconds));
                return attributes.set(&self.root, OsStr::new(".")).map_err(failed);
            }
            return Ok(());
        };
        if let Some(hidden) = name.as_bytes().strip_prefix(WHITEOUT) {
            return match Whiteout::of(hidden, name) {
                Some(whiteout) => self.hide(parent, &whiteout).map_err(failed),
                None => Err(UnpackError::Forbidden(inside.clone())),
            };
        }
        match kind {
            EntryType::Directory => self.add_folder(&inside, parent, name, &attributes),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                self.add_file(parent, name, &attributes, &mut entry)
            }
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                self.add_link(parent, name, &attributes, OsStr::from_bytes(&target))
            }
            EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                self.add_hard_link(parent, name, Path::new(OsStr::from_bytes(&target)))
            }
            EntryType::Fifo => self.add_fifo(parent, name, &attributes),
            _ => Ok(()),
        }
        .map_err(failed)
    }

    fn add_folder(
        &mut self,
        inside: &Path,
        parent: &Path,
        name: &OsStr,
        attributes: &Attributes,
    ) -> io::Result<()> {
        let parent = self.folder(parent)?;
        make_folder(&parent, name)?;
        self.folder_times
            .push((inside.to_owned(), attributes.seconds));
        attributes.set(&parent, name)
    }

    fn add_file(
        &self,
        parent: &Path,
        name: &OsStr,
        attributes: &Attributes,
        content: &mut impl io::Read,
    ) -> io::Result<()> {
        let parent = self.folder(parent)?;
        clear(&parent, name)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = fs::File::from(openat(&parent, name, flags, Mode::RUSR)?);
        io::copy(content, &mut file)?;
        drop(file);
        attributes.set(&parent, name)
    }

    fn add_link(
        &self,
        parent: &Path,
        name: &OsStr,
        attributes: &Attributes,
        target: &OsStr,
    ) -> io::Result<()> {
        let parent = self.folder(parent)?;
        clear(&parent, name)?;
        symlinkat(target, &parent, name)?;
        attributes.set_owner_and_time(&parent, name)
    }

    fn add_hard_link(&self, parent: &Path, name: &OsStr, target: &Path) -> io::Result<()> {
        let not_there = || {
            let text = format!(
                "it is a hard link to {}, which is no file of the layer",
                target.display()
            );
            io::Error::new(io::ErrorKind::NotFound, text)
        };
        let inside = inside(target).ok_or_else(not_there)?;
        let (target_parent, target_name) = split(&inside).ok_or_else(not_there)?;
        let target_parent = self.existing(target_parent).map_err(|_| not_there())?;
        if present(&target_parent, target_name)? != Present::Other {
            return Err(not_there());
        }
        let parent = self.folder(parent)?;
        if same_file(&target_parent, target_name, &parent, name) {
            return Ok(());
        }
        clear(&parent, name)?;
        linkat(&target_parent, target_name, &parent, name, AtFlags::empty())?;
        Ok(())
    }

    fn add_fifo(&self, parent: &Path, name: &OsStr, attributes: &Attributes) -> io::Result<()> {
        let parent = self.folder(parent)?;
        clear(&parent, name)?;
        mknodat(&parent, name, FileType::Fifo, Mode::RUSR, 0)?;
        attributes.set(&parent, name)
    }

    fn hide(&self, parent: &Path, whiteout: &Whiteout<'_>) -> io::Result<()> {
        let name = match whiteout {
            Whiteout::Ignored => return Ok(()),
            Whiteout::Below => return mark_opaque(&self.folder(parent)?),
            Whiteout::Name(name) => *name,
        };
        let parent = self.folder(parent)?;
        match present(&parent, name)? {
            Present::Nothing => Ok(make_whiteout(&parent, name)?),
            // It hides what is below, not what the layer itself has at that name.
            Present::Folder => mark_opaque(&openat(&parent, name, FOLDER, Mode::empty())?),
            Present::Whiteout | Present::Other => Ok(()),
        }
    }

    fn existing(&self, path: &Path) -> rustix::io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        openat2(
            &self.root,
            path,
            FOLDER,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )
    }

    /// A folder of the tree; it and those above it are made where the archive left them out.
    fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.existing(path) {
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            other => return Ok(other?),
        }
        if let Some((parent, name)) = split(path) {
            let parent = self.folder(parent)?;
            if matches!(
                present(&parent, name)?,
                Present::Nothing | Present::Whiteout
            ) {
                make_folder(&parent, name)?;
            }
        }
        Ok(self.existing(path)?)
    }

    fn finish(self) -> Result<(), UnpackError> {
        for (path, seconds) in self.folder_times.iter().rev() {
            let set = || {
                let folder = self.existing(path)?;
                utimensat(&folder, ".", &times(*seconds), AtFlags::empty())
            };
            match set() {
                // Something else took its place later in the archive.
                Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => {
                    return Err(UnpackError::Entry {
                        path: path.clone(),
                        source: error.into(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// What a whiteout hides.
enum Whiteout<'a> {
    Name(&'a OsStr),
    Below,
    Ignored,
}

impl<'a> Whiteout<'a> {
    fn of(hidden: &'a [u8], whole: &OsStr) -> Option<Self> {
        match hidden {
            _ if whole.as_bytes() == OPAQUE_WHITEOUT => Some(Self::Below),
            _ if whole.as_bytes().starts_with(AUFS) => Some(Self::Ignored),
            b"" | b"." | b".." => None,
            name => Some(Self::Name(OsStr::from_bytes(name))),
        }
    }
}

/// A path relative to the root; none where it climbs.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => inside.push(part),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}

fn split(path: &Path) -> Option<(&Path, &OsStr)> {
    Some((path.parent()?, path.file_name()?))
}

#[cfg(test)]
mod tests;
