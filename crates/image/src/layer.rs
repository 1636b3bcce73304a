//! Layers: archives that are the same to the byte wherever they are made.
//!
//! Entries are sorted, owners and modes are given, and a file's time comes of its content: nginx
//! makes a file's `ETag` of its time and size, so with one time for all files a browser would keep an
//! old file beside a changed one of the same size.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read, Seek},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use mck_aws_stacks::hexadecimal;
use sha2::{Digest, Sha256};

use crate::{
    content::Content,
    error::{ImageError, at},
    layout::{FreshBlob, Layout},
    manifest::{Descriptor, GZIP_LAYER},
    users::Owner,
};

const ROOT: Owner = Owner { user: 0, group: 0 };
/// The first of the times that files get, in seconds: 2020-01-01.
const FIRST_TIME: u64 = 1_577_836_800;
/// In how many seconds from then they lie: a year's.
const TIMES: u64 = 365 * 86_400;
/// What the names of marks begin with that hide something of the layers below (OCI image layer
/// specification, "Whiteouts").
pub(crate) const WHITEOUT: &str = ".wh.";
/// Composer's folder: it changes less often than the rest, and has most of the files.
const VENDOR: &str = "vendor";
/// Folders of every base image (Debian's `base-files`), whose owners and modes stay as they are.
const OF_BASE: &[&str] = &[
    "etc",
    "home",
    "mnt",
    "opt",
    "run",
    "srv",
    "tmp",
    "usr",
    "var",
    "var/cache",
    "var/lib",
    "var/local",
    "var/log",
    "var/run",
    "var/tmp",
];

/// An archive's entries by path, without the leading slash.
pub(crate) type Entries = BTreeMap<PathBuf, Entry>;

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Folder(Owner),
    Link(PathBuf),
    File { from: PathBuf, executable: bool },
    Text { content: String, executable: bool },
}

/// A layer's blob, and its digest before compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenLayer {
    pub(crate) descriptor: Descriptor,
    pub(crate) diff_id: String,
    pub(crate) entries: usize,
}

/// The release's tree at a path, in two layers: Composer's packages, and the rest. One that would be
/// empty is left out.
pub(crate) fn of_release(tree: &Path, at_path: &str) -> Result<Vec<(bool, Entries)>, ImageError> {
    let mut vendor = Entries::new();
    let mut rest = Entries::new();
    let top = relative(at_path);
    rest.insert(top.clone(), Entry::Folder(ROOT));
    list(tree, Path::new(""), &mut |path, entry| {
        let entries = if path.starts_with(VENDOR) {
            &mut vendor
        } else {
            &mut rest
        };
        entries.insert(top.join(path), entry);
    })?;
    let layers = [(true, vendor), (false, rest)];
    let layers = layers.into_iter().filter(|(_, it)| !it.is_empty());
    Ok(layers
        .map(|(is_vendor, entries)| (is_vendor, with_parents(entries)))
        .collect())
}

/// Configuration files, and folders that are not the release's.
pub(crate) fn of_content(
    content: &Content,
    owner: impl Fn(&str) -> Result<Owner, ImageError>,
) -> Result<Entries, ImageError> {
    let mut entries = Entries::new();
    for (path, folder) in &content.folders {
        entries.insert(relative(path), Entry::Folder(owner(&folder.owner)?));
    }
    for (path, file) in &content.files {
        let entry = Entry::Text {
            content: file.content.clone(),
            executable: file.executable,
        };
        entries.insert(relative(path), entry);
    }
    // A parent inside the release is the release's.
    let release = content.release.as_deref().map(relative);
    let mut all = with_parents(entries.clone());
    all.retain(|path, _| {
        let of_release = release.as_ref().is_some_and(|it| path.starts_with(it));
        entries.contains_key(path) || !of_release
    });
    Ok(all)
}

fn relative(path: &str) -> PathBuf {
    PathBuf::from(path.trim_matches('/'))
}

/// With the folders that entries lie in, except those of every base image.
fn with_parents(mut entries: Entries) -> Entries {
    let parents: BTreeSet<PathBuf> = entries
        .keys()
        .flat_map(|path| path.ancestors().skip(1))
        .filter(|path| !path.as_os_str().is_empty())
        .filter(|path| !OF_BASE.iter().any(|of_base| path == &Path::new(of_base)))
        .map(Path::to_owned)
        .collect();
    for parent in parents {
        entries.entry(parent).or_insert(Entry::Folder(ROOT));
    }
    entries
}

fn list(top: &Path, below: &Path, found: &mut dyn FnMut(&Path, Entry)) -> Result<(), ImageError> {
    let folder = top.join(below);
    for entry in fs::read_dir(&folder).map_err(at(&folder))? {
        let name = entry.map_err(at(&folder))?.file_name();
        let (path, full) = (below.join(&name), folder.join(&name));
        if name.as_encoded_bytes().starts_with(WHITEOUT.as_bytes()) {
            let reason = format!("an image can't hold it: {WHITEOUT} means that a file is gone");
            return Err(ImageError::unusable(&path.to_string_lossy(), reason));
        }
        let metadata = fs::symlink_metadata(&full).map_err(at(&full))?;
        if metadata.is_dir() {
            found(&path, Entry::Folder(ROOT));
            list(top, &path, found)?;
        } else if metadata.is_symlink() {
            found(&path, Entry::Link(fs::read_link(&full).map_err(at(&full))?));
        } else if metadata.is_file() {
            let executable = metadata.mode() & 0o111 != 0;
            let from = full;
            found(&path, Entry::File { from, executable });
        } else {
            let reason = "it is neither a file nor a folder nor a link";
            return Err(ImageError::unusable(&path.to_string_lossy(), reason));
        }
    }
    Ok(())
}

/// Writes a layer into a layout.
pub(crate) fn write(layout: &Layout, entries: &Entries) -> Result<WrittenLayer, ImageError> {
    let blob = layout.begin()?;
    let archive = Hashed {
        // Its header has no time and no name, so it depends on the content alone.
        inner: GzEncoder::new(blob, Compression::default()),
        hash: Sha256::new(),
    };
    let mut archive = tar::Builder::new(archive);
    for (path, entry) in entries {
        append(&mut archive, path, entry)?;
    }
    let top = layout.path();
    let hashed = archive.into_inner().map_err(at(top))?;
    let diff_id = format!("sha256:{}", hexadecimal(&hashed.hash.finalize()));
    let blob = hashed.inner.finish().map_err(at(top))?;
    let (digest, size) = layout.finish(blob)?;
    Ok(WrittenLayer {
        descriptor: Descriptor::new(GZIP_LAYER, digest, size),
        diff_id,
        entries: entries.len(),
    })
}

fn append(
    archive: &mut tar::Builder<Hashed>,
    path: &Path,
    entry: &Entry,
) -> Result<(), ImageError> {
    let mode = |executable: bool| if executable { 0o755 } else { 0o644 };
    match entry {
        Entry::Folder(owner) => {
            let mut header = header(tar::EntryType::Directory, *owner, 0o755);
            archive.append_data(&mut header, path, io::empty())
        }
        Entry::Link(target) => {
            let mut header = header(tar::EntryType::Symlink, ROOT, 0o777);
            archive.append_link(&mut header, path, target)
        }
        Entry::File { from, executable } => {
            let mut header = header(tar::EntryType::Regular, ROOT, mode(*executable));
            let mut file = File::open(from).map_err(at(from))?;
            let (size, hash) = measure(&mut file).map_err(at(from))?;
            header.set_size(size);
            header.set_mtime(time(hash));
            archive.append_data(&mut header, path, file)
        }
        Entry::Text {
            content,
            executable,
        } => {
            let mut header = header(tar::EntryType::Regular, ROOT, mode(*executable));
            header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
            header.set_mtime(time(Sha256::new().chain_update(content)));
            archive.append_data(&mut header, path, content.as_bytes())
        }
    }
    .map_err(at(path))
}

/// The size of a file and what its content comes to; leaves the file at its beginning.
fn measure(file: &mut File) -> io::Result<(u64, Sha256)> {
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            file.rewind()?;
            return Ok((size, hash));
        }
        hash.update(&buffer[..count]);
        size += u64::try_from(count).unwrap_or(u64::MAX);
    }
}

/// The header of an entry without content.
fn header(kind: tar::EntryType, owner: Owner, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner.user);
    header.set_gid(owner.group);
    header.set_mtime(FIRST_TIME);
    header.set_size(0);
    header
}

/// The time of a file, by what its content comes to.
fn time(content: Sha256) -> u64 {
    let digest = content.finalize();
    let number = u64::from_be_bytes([0, 0, 0, 0, digest[0], digest[1], digest[2], digest[3]]);
    FIRST_TIME + number % TIMES
}

/// What is written is hashed before it is compressed.
struct Hashed {
    inner: GzEncoder<FreshBlob>,
    hash: Sha256,
}

impl io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests;
