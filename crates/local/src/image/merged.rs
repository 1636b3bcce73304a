//! A look into the tree that overlayfs would make of layers, without a mount.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    fs::{self, Metadata},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Component, Path, PathBuf},
};

/// The extended attribute of a folder that hides what lower layers have in it.
pub(super) const OPAQUE: &str = "trusted.overlay.opaque";
/// Its value.
pub(super) const OPAQUE_VALUE: &[u8] = b"y";

/// The most symbolic links on the way to a file, as in the kernel (path_resolution(7)).
const MOST_LINKS: usize = 40;
/// The most that is read of a file; account files are far smaller.
const MOST_BYTES: u64 = 1 << 20;

/// Whether a folder hides what lower layers have in it.
pub(super) fn is_opaque(folder: &Path) -> bool {
    let mut value = [0; OPAQUE_VALUE.len()];
    let length = rustix::fs::lgetxattr(folder, OPAQUE, value.as_mut_slice());
    length == Ok(OPAQUE_VALUE.len()) && value == OPAQUE_VALUE
}

/// The text of a file of layers, the topmost first; none where there is no such file. Symbolic
/// links lead no further than the layers' own root.
///
/// # Errors
/// When a layer can't be read.
pub(super) fn read(layers: &[PathBuf], path: &str) -> io::Result<Option<String>> {
    let mut pending: VecDeque<OsString> = parts(Path::new(path)).collect();
    let mut current = PathBuf::new();
    let mut found = None;
    let mut links = 0;
    while let Some(part) = pending.pop_front() {
        if part == ".." {
            current.pop();
            continue;
        }
        let next = current.join(&part);
        let Some((file, metadata)) = look_up(layers, &next)? else {
            return Ok(None);
        };
        if !metadata.is_symlink() {
            current = next;
            found = metadata.is_file().then_some(file);
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Ok(None);
        }
        let target = fs::read_link(file)?;
        if target.is_absolute() {
            current = PathBuf::new();
        }
        parts(&target)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .for_each(|part| pending.push_front(part));
    }
    let Some(file) = found else {
        return Ok(None);
    };
    let mut text = Vec::new();
    fs::File::open(file)?
        .take(MOST_BYTES)
        .read_to_end(&mut text)?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    })
}

/// What one layer says of a path.
enum Seen {
    There(PathBuf, Metadata),
    /// Neither here nor in any lower layer.
    Hidden,
    /// Perhaps in a lower layer.
    Below,
}

/// The topmost entry at a path that has no symbolic links above its last part.
fn look_up(layers: &[PathBuf], path: &Path) -> io::Result<Option<(PathBuf, Metadata)>> {
    for layer in layers {
        match look_up_in(layer, path)? {
            Seen::There(file, metadata) => return Ok(Some((file, metadata))),
            Seen::Hidden => return Ok(None),
            Seen::Below => {}
        }
    }
    Ok(None)
}

fn look_up_in(layer: &Path, path: &Path) -> io::Result<Seen> {
    let mut file = layer.to_owned();
    let mut opaque = is_opaque(layer);
    let parts: Vec<&OsStr> = path.iter().collect();
    for (index, part) in parts.iter().enumerate() {
        file.push(part);
        let metadata = match fs::symlink_metadata(&file) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(if opaque { Seen::Hidden } else { Seen::Below });
            }
            Err(error) => return Err(error),
        };
        if metadata.file_type().is_char_device() && metadata.rdev() == 0 {
            return Ok(Seen::Hidden);
        }
        if index + 1 == parts.len() {
            return Ok(Seen::There(file, metadata));
        }
        if !metadata.is_dir() {
            return Ok(Seen::Hidden);
        }
        opaque |= is_opaque(&file);
    }
    Ok(Seen::Below)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, XattrFlags, lsetxattr, makedev, mknodat};

    use super::*;

    /// Two layers, the topmost first.
    fn layers() -> (tempfile::TempDir, [PathBuf; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let layers = ["top", "base"].map(|name| folder.path().join(name));
        for layer in &layers {
            fs::create_dir_all(layer.join("etc")).unwrap();
        }
        (folder, layers)
    }

    fn read_in(layers: &[PathBuf], path: &str) -> Option<String> {
        read(layers, path).unwrap()
    }

    #[test]
    fn the_topmost_file_is_seen_and_the_hidden_is_not() {
        let (_folder, layers) = layers();
        let [top, base] = &layers;
        fs::write(base.join("etc/both"), "base").unwrap();
        fs::write(base.join("etc/base"), "base").unwrap();
        fs::write(top.join("etc/both"), "top").unwrap();
        fs::write(base.join("etc/gone"), "base").unwrap();
        let device = makedev(0, 0);
        let kind = FileType::CharacterDevice;
        mknodat(CWD, top.join("etc/gone"), kind, Mode::empty(), device).unwrap();
        assert_eq!(read_in(&layers, "/etc/both").as_deref(), Some("top"));
        assert_eq!(read_in(&layers, "/etc/base").as_deref(), Some("base"));
        assert_eq!(read_in(&layers, "/etc/gone"), None);
        assert_eq!(read_in(&layers, "/etc/base/below"), None);
        assert_eq!(read_in(&layers, "/etc"), None);

        lsetxattr(top.join("etc"), OPAQUE, OPAQUE_VALUE, XattrFlags::empty()).unwrap();
        assert_eq!(read_in(&layers, "/etc/both").as_deref(), Some("top"));
        assert_eq!(read_in(&layers, "/etc/base"), None);
    }

    #[test]
    fn links_lead_over_layers_but_never_out_of_them() {
        let (folder, layers) = layers();
        let [top, base] = &layers;
        fs::write(folder.path().join("secret"), "the host's").unwrap();
        fs::create_dir_all(base.join("usr/share")).unwrap();
        fs::write(base.join("usr/share/passwd"), "base").unwrap();
        fs::write(base.join("secret"), "the image's").unwrap();
        symlink("../usr/share", top.join("etc/share")).unwrap();
        symlink("/etc/share/passwd", top.join("etc/passwd")).unwrap();
        symlink("../../../../secret", top.join("etc/up")).unwrap();
        let outside = folder.path().join("secret");
        symlink(&outside, top.join("etc/out")).unwrap();
        symlink("loop", top.join("etc/loop")).unwrap();
        assert_eq!(read_in(&layers, "/etc/passwd").as_deref(), Some("base"));
        assert_eq!(read_in(&layers, "/etc/up").as_deref(), Some("the image's"));
        assert_eq!(read_in(&layers, "/etc/out"), None);
        assert_eq!(read_in(&layers, "/etc/loop"), None);
    }
}
