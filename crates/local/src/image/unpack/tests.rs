//! Archives of every kind, and layers in every combination against a plain model.

use std::{
    collections::BTreeMap,
    os::unix::fs::{FileTypeExt, MetadataExt, symlink},
};

use proptest::prelude::*;

use super::*;
use crate::image::merged;

/// An archive under construction.
struct Archive(tar::Builder<Vec<u8>>);

impl Archive {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    /// Adds an entry whose name is taken as it is, however wrong.
    fn add(mut self, kind: EntryType, name: &str, mode: u32, content: &str) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(mode);
        header.set_uid(33);
        header.set_gid(34);
        header.set_mtime(1_000_000);
        header.set_size(0);
        let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
        let body = if is_link {
            header.set_link_name_literal(content).unwrap();
            ""
        } else {
            header.set_size(content.len() as u64);
            content
        };
        header.set_cksum();
        self.0.append(&header, body.as_bytes()).unwrap();
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.add(EntryType::Regular, name, 0o644, content)
    }

    fn folder(self, name: &str) -> Self {
        self.add(EntryType::Directory, name, 0o755, "")
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.add(EntryType::Symlink, name, 0o777, target)
    }

    fn hard_link(self, name: &str, target: &str) -> Self {
        self.add(EntryType::Link, name, 0o644, target)
    }

    fn unpack(self, folder: &Path) -> Result<(), UnpackError> {
        unpack(self.0.into_inner().unwrap().as_slice(), folder)
    }
}

/// A folder to unpack into, and beside it a victim that no layer may touch.
fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let top = tempfile::tempdir().unwrap();
    let (folder, victim) = (top.path().join("layer"), top.path().join("victim"));
    fs::create_dir(&folder).unwrap();
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("file"), "untouched").unwrap();
    (top, folder, victim)
}

fn assert_untouched(victim: &Path) {
    assert_eq!(fs::read_dir(victim).unwrap().count(), 1);
    let file = victim.join("file");
    assert_eq!(fs::read_to_string(&file).unwrap(), "untouched");
    assert_eq!(fs::metadata(&file).unwrap().nlink(), 1);
}

#[test]
fn owners_modes_times_and_kinds_are_kept() {
    let (_top, folder, _) = place();
    Archive::new()
        .add(EntryType::Directory, "./", 0o711, "")
        .add(EntryType::Directory, "tmp/", 0o1777, "")
        .add(EntryType::Regular, "bin/su", 0o4755, "program")
        .hard_link("bin/also", "bin/su")
        .link("bin/sh", "su")
        .add(EntryType::Fifo, "tmp/fifo", 0o600, "")
        .add(EntryType::Block, "dev/disk", 0o666, "")
        .unpack(&folder)
        .unwrap();
    let of = |name: &str| fs::symlink_metadata(folder.join(name)).unwrap();
    assert_eq!(of("").mode() & 0o7777, 0o711);
    assert_eq!(of("tmp").mode() & 0o7777, 0o1777);
    assert_eq!(of("tmp").mtime(), 1_000_000);
    let program = of("bin/su");
    assert_eq!((program.uid(), program.gid()), (33, 34));
    assert_eq!(program.mode() & 0o7777, 0o4755);
    assert_eq!(program.mtime(), 1_000_000);
    assert_eq!(program.ino(), of("bin/also").ino());
    assert_eq!(
        (of("bin").uid(), of("bin").mode() & 0o7777),
        (0, 0o755),
        "left out"
    );
    assert_eq!((of("bin/sh").uid(), of("bin/sh").mtime()), (33, 1_000_000));
    assert!(of("tmp/fifo").file_type().is_fifo());
    assert!(
        !folder.join("dev").exists(),
        "a container gets no device of the host"
    );
}

#[test]
fn links_never_lead_out() {
    let (top, folder, victim) = place();
    let absolute = victim.to_str().unwrap();
    Archive::new()
        .folder("victim")
        .link("up", "../../../../victim")
        .link("root", "/")
        .file("up/file", "inside")
        .file("root/victim/other", "inside")
        .hard_link("hard", "up/file")
        .unpack(&folder)
        .unwrap();
    assert_untouched(&victim);
    for name in ["victim/file", "victim/other", "hard"] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(text, "inside", "{name}");
    }

    let climbing = format!("../{}", victim.file_name().unwrap().to_str().unwrap());
    for archive in [
        Archive::new().link("out", absolute).file("out/file", "x"),
        Archive::new()
            .link("out", absolute)
            .file("out/.wh.file", ""),
        Archive::new().link("out", absolute).folder("out/new"),
        Archive::new()
            .link("out", absolute)
            .hard_link("stolen", "out/file"),
        Archive::new().hard_link("stolen", &format!("{absolute}/file")),
        Archive::new().hard_link("stolen", &format!("{climbing}/file")),
        Archive::new().file(&format!("{climbing}/file"), "x"),
        Archive::new().file("a/../../victim/file", "x"),
        Archive::new().file("a/.wh...", ""),
        Archive::new().file(".wh.", ""),
    ] {
        let folder = tempfile::tempdir_in(top.path()).unwrap();
        archive.unpack(folder.path()).unwrap_err();
        assert_untouched(&victim);
    }
}

#[test]
fn an_entry_takes_the_place_of_a_link_instead_of_following_it() {
    let (_top, folder, victim) = place();
    let target = victim.join("file");
    Archive::new()
        .link("a", target.to_str().unwrap())
        .file("a", "new")
        .link("b", victim.to_str().unwrap())
        .folder("b")
        .file("b/file", "new")
        .unpack(&folder)
        .unwrap();
    assert_untouched(&victim);
    assert_eq!(fs::read_to_string(folder.join("a")).unwrap(), "new");
    assert_eq!(fs::read_to_string(folder.join("b/file")).unwrap(), "new");
}

#[test]
fn a_folder_that_is_replaced_does_not_reach_through_a_link_in_it() {
    let (_top, folder, victim) = place();
    Archive::new()
        .folder("a")
        .link("a/out", victim.to_str().unwrap())
        .file("a", "a file now")
        .unpack(&folder)
        .unwrap();
    assert_untouched(&victim);
    assert!(folder.join("a").is_file());
}

#[test]
fn damage_is_told() {
    let (_top, folder, _) = place();
    let whole = Archive::new().file("a", &"x".repeat(5_000));
    let bytes = whole.0.into_inner().unwrap();
    let error = unpack(&bytes[..2_000], &folder).unwrap_err();
    assert!(matches!(error, UnpackError::Archive(_)), "{error:?}");
    let error = unpack([b'x'; 2_048].as_slice(), &folder).unwrap_err();
    assert!(matches!(error, UnpackError::Archive(_)), "{error:?}");
}

#[test]
fn a_folder_in_the_archive_is_no_link_to_it_on_disk() {
    let (_top, folder, victim) = place();
    symlink(&victim, folder.join("there")).unwrap();
    let error = Archive::new()
        .file("there/file", "x")
        .unpack(&folder)
        .unwrap_err();
    assert!(matches!(error, UnpackError::Entry { .. }), "{error:?}");
    assert_untouched(&victim);
}

/// What a layer does at a top-level name.
#[derive(Debug, Clone)]
enum Change {
    Nothing,
    File,
    Removed,
    Folder {
        /// Whether the archive has an entry for the folder itself.
        explicit: bool,
        opaque: bool,
        /// A whiteout of the same name, before or after.
        removed_before: bool,
        removed_after: bool,
        children: [Child; 2],
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Child {
    Nothing,
    File,
    Removed,
}

const NAMES: [&str; 2] = ["a", "b"];

fn change() -> impl Strategy<Value = Change> {
    let child = prop_oneof![
        Just(Child::Nothing),
        Just(Child::File),
        Just(Child::Removed)
    ];
    let folder =
        (any::<[bool; 4]>(), [child.clone(), child]).prop_map(|(flags, children)| Change::Folder {
            explicit: flags[0],
            opaque: flags[1],
            removed_before: flags[2],
            removed_after: flags[3],
            children,
        });
    prop_oneof![
        1 => Just(Change::Nothing),
        1 => Just(Change::File),
        1 => Just(Change::Removed),
        4 => folder,
    ]
}

/// The archive of a layer; its files hold its number.
fn archive(changes: &[Change; 2], number: usize) -> Archive {
    let content = number.to_string();
    let mut archive = Archive::new();
    for (name, change) in NAMES.iter().zip(changes) {
        let whiteout = format!(".wh.{name}");
        match change {
            Change::Nothing => {}
            Change::File => archive = archive.file(name, &content),
            Change::Removed => archive = archive.file(&whiteout, ""),
            Change::Folder {
                explicit,
                opaque,
                removed_before,
                removed_after,
                children,
            } => {
                if *removed_before {
                    archive = archive.file(&whiteout, "");
                }
                if *explicit || children.iter().all(|child| *child == Child::Nothing) {
                    archive = archive.folder(name);
                }
                if *opaque {
                    archive = archive.file(&format!("{name}/.wh..wh..opq"), "");
                }
                for (below, child) in NAMES.iter().zip(children) {
                    archive = match child {
                        Child::Nothing => archive,
                        Child::File => archive.file(&format!("{name}/{below}"), &content),
                        Child::Removed => archive.file(&format!("{name}/.wh.{below}"), ""),
                    };
                }
                if *removed_after {
                    archive = archive.file(&whiteout, "");
                }
            }
        }
    }
    archive
}

/// What the specification says the layers come to: the files by path.
fn model(layers: &[[Change; 2]]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (number, changes) in layers.iter().enumerate() {
        for (name, change) in NAMES.iter().zip(changes) {
            let below = format!("{name}/");
            let content = number.to_string();
            match change {
                Change::Nothing => {}
                Change::File | Change::Removed => {
                    files.retain(|path: &String, _| path != name && !path.starts_with(&below));
                    if matches!(change, Change::File) {
                        files.insert((*name).to_owned(), content);
                    }
                }
                Change::Folder {
                    opaque,
                    removed_before,
                    removed_after,
                    children,
                    ..
                } => {
                    files.remove(*name);
                    if *opaque || *removed_before || *removed_after {
                        files.retain(|path, _| !path.starts_with(&below));
                    }
                    for (child_name, child) in NAMES.iter().zip(children) {
                        let path = format!("{below}{child_name}");
                        match child {
                            Child::Nothing => {}
                            Child::File => {
                                files.insert(path, content.clone());
                            }
                            Child::Removed => {
                                files.remove(&path);
                            }
                        }
                    }
                }
            }
        }
    }
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn layers_come_to_what_the_specification_says(
        layers in prop::collection::vec([change(), change()], 1..5)
    ) {
        let top = tempfile::tempdir().unwrap();
        let mut folders = Vec::new();
        for (number, changes) in layers.iter().enumerate() {
            let folder = top.path().join(number.to_string());
            fs::create_dir(&folder).unwrap();
            archive(changes, number).unpack(&folder).unwrap();
            folders.insert(0, folder);
        }
        let expected = model(&layers);
        let paths = NAMES.iter().flat_map(|name| {
            let below = NAMES.iter().map(move |below| format!("{name}/{below}"));
            below.chain([(*name).to_owned()])
        });
        for path in paths {
            let seen = merged::read(&folders, &path).unwrap();
            prop_assert_eq!(seen.as_ref(), expected.get(&path), "{}", path);
        }
    }
}
