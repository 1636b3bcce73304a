use std::{
    io::Read,
    os::unix::{self, fs::PermissionsExt},
    process::Command,
};

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::*;

/// An entry as it is read back.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    path: String,
    kind: tar::EntryType,
    mode: u32,
    owner: (u64, u64),
    time: u64,
    content: String,
}

fn written(entries: &Entries) -> (WrittenLayer, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(folder.path()).unwrap();
    let written = write(&layout, entries).unwrap();
    let blob = fs::read(layout.blob(&written.descriptor.digest)).unwrap();
    (written, blob)
}

fn plain(blob: &[u8]) -> Vec<u8> {
    let mut archive = Vec::new();
    GzDecoder::new(blob).read_to_end(&mut archive).unwrap();
    archive
}

fn seen(blob: &[u8]) -> Vec<Seen> {
    let archive = plain(blob);
    let mut archive = tar::Archive::new(archive.as_slice());
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            let header = entry.header();
            let link = entry.link_name().unwrap();
            Seen {
                path: entry.path().unwrap().display().to_string(),
                kind: header.entry_type(),
                mode: header.mode().unwrap(),
                owner: (header.uid().unwrap(), header.gid().unwrap()),
                time: header.mtime().unwrap(),
                content: link.map_or(content, |link| link.display().to_string()),
            }
        })
        .collect()
}

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn release(tree: &Path) -> Vec<(bool, Entries)> {
    of_release(tree, "/var/www/html").unwrap()
}

fn paths(entries: &Entries) -> Vec<&str> {
    entries.keys().map(|it| it.to_str().unwrap()).collect()
}

#[test]
fn a_release_is_two_layers_with_the_folders_above() {
    let tree = tree(&[("index.php", ""), ("vendor/a/b.php", ""), ("vendored", "")]);
    let layers = release(tree.path());
    let [(true, vendor), (false, rest)] = layers.as_slice() else {
        panic!("{layers:?}");
    };
    assert_eq!(
        paths(vendor),
        [
            "var/www",
            "var/www/html",
            "var/www/html/vendor",
            "var/www/html/vendor/a",
            "var/www/html/vendor/a/b.php",
        ]
    );
    assert_eq!(
        paths(rest),
        [
            "var/www",
            "var/www/html",
            "var/www/html/index.php",
            "var/www/html/vendored"
        ]
    );
}

#[test]
fn entries_have_given_owners_modes_and_times() {
    let tree = tree(&[("b.php", "b"), ("a/run", "#!"), ("empty", "")]);
    let top = tree.path();
    fs::set_permissions(top.join("a/run"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(top.join("b.php"), fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(top.join("a"), fs::Permissions::from_mode(0o2750)).unwrap();
    unix::fs::symlink("../outside", top.join("a/link")).unwrap();
    let layers = release(top);
    let (_, blob) = written(&layers[0].1);
    let all = seen(&blob);
    let told: Vec<(&str, u32, &str)> = all
        .iter()
        .map(|it| (it.path.trim_end_matches('/'), it.mode, it.content.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("var/www", 0o755, ""),
            ("var/www/html", 0o755, ""),
            ("var/www/html/a", 0o755, ""),
            ("var/www/html/a/link", 0o777, "../outside"),
            ("var/www/html/a/run", 0o755, "#!"),
            ("var/www/html/b.php", 0o644, "b"),
            ("var/www/html/empty", 0o644, ""),
        ]
    );
    assert!(all.iter().all(|it| it.owner == (0, 0)));
    assert!(
        all.iter()
            .all(|it| (FIRST_TIME..FIRST_TIME + TIMES).contains(&it.time))
    );
    assert_eq!(all[3].kind, tar::EntryType::Symlink);
    let times: BTreeSet<u64> = all[4..].iter().map(|it| it.time).collect();
    assert_eq!(times.len(), 3, "each of its content");
}

#[test]
fn long_paths_and_targets_are_whole() {
    let long = |length: usize| {
        let folder = "f".repeat(50);
        let mut path = String::new();
        while path.len() + 51 < length {
            path = format!("{path}{folder}/");
        }
        format!("{path}{}", "n".repeat(length - path.len()))
    };
    for length in [98, 99, 100, 101, 154, 155, 156, 255, 256, 257, 600] {
        let (name, target) = (long(length), long(length));
        let text = Entry::Text {
            content: "x".to_owned(),
            executable: false,
        };
        let entries = Entries::from([
            (PathBuf::from(&name), text),
            (PathBuf::from("link"), Entry::Link(PathBuf::from(&target))),
        ]);
        let (_, blob) = written(&entries);
        let all = seen(&blob);
        let found: Vec<(&str, &str)> = all
            .iter()
            .map(|it| (it.path.as_str(), it.content.as_str()))
            .collect();
        assert!(found.contains(&(name.as_str(), "x")), "{length}");
        assert!(found.contains(&("link", target.as_str())), "{length}");
    }
}

#[test]
fn the_system_s_tar_reads_it() {
    let name = format!("{}/{}", "d".repeat(200), "f".repeat(200));
    let tree = tree(&[("a", "1"), (name.as_str(), "2")]);
    let layers = release(tree.path());
    let (_, blob) = written(&layers[0].1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("layer.tar.gz");
    fs::write(&path, blob).unwrap();
    let output = Command::new("tar").arg("-tzf").arg(path).output().unwrap();
    assert!(output.status.success());
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(
        listed.ends_with(&format!("var/www/html/{name}\n")),
        "{listed}"
    );
}

#[test]
fn a_header_holds_every_size_and_number() {
    for size in [0, 1, (8 << 30) - 1, 8 << 30, (8 << 30) + 1, 1 << 50] {
        for number in [0, 33, 2_097_151, 2_097_152, u64::from(u32::MAX)] {
            let owner = Owner {
                user: number,
                group: number,
            };
            let mut header = header(tar::EntryType::Regular, owner, 0o644);
            header.set_size(size);
            header.set_cksum();
            let mut read = tar::Archive::new(header.as_bytes().as_slice());
            let entry = read.entries().unwrap().next().unwrap().unwrap();
            assert_eq!(entry.size(), size);
            assert_eq!(entry.header().uid().unwrap(), number);
            assert_eq!(entry.header().gid().unwrap(), number);
        }
    }
}

#[test]
fn what_no_image_can_hold_is_told() {
    let marked = tree(&[("app/.wh.config.php", "")]);
    let error = of_release(marked.path(), "/app").unwrap_err();
    assert!(
        error.to_string().starts_with("app/.wh.config.php: "),
        "{error}"
    );
    let odd = tree(&[("a", "")]);
    let pipe = Command::new("mkfifo").arg(odd.path().join("pipe")).status();
    assert!(pipe.unwrap().success());
    let error = of_release(odd.path(), "/app").unwrap_err();
    assert!(error.to_string().starts_with("pipe: "), "{error}");
}

#[test]
fn digests_are_those_of_what_is_there() {
    let tree = tree(&[("a", "1")]);
    let layers = release(tree.path());
    let (layer, blob) = written(&layers[0].1);
    let digest = |bytes: &[u8]| format!("sha256:{}", hexadecimal(&Sha256::digest(bytes)));
    assert_eq!(layer.descriptor.digest, digest(&blob));
    assert_eq!(layer.descriptor.size, blob.len() as u64);
    assert_eq!(layer.diff_id, digest(&plain(&blob)));
    assert_eq!(layer.entries, 3);
    assert_eq!(blob[4..8], [0; 4], "gzip keeps no time");
    assert_eq!(blob[3], 0, "and no name");
}

/// Files by path; no path is a folder of another.
fn files() -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = "[a-z][a-z0-9._ é-]{0,12}";
    let path = (name, prop::option::of(name), any::<bool>()).prop_map(|(one, two, in_vendor)| {
        let top = if in_vendor { "vendor/" } else { "" };
        match two {
            Some(two) => format!("{top}d-{one}/f-{two}"),
            None => format!("{top}f-{one}"),
        }
    });
    prop::collection::btree_map(path, ".{0,40}", 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_files_are_the_same_bytes(files in files(), reverse in any::<bool>()) {
        let write_all = |order: Vec<(&String, &String)>, mode: u32| {
            let folder = tempfile::tempdir().unwrap();
            for (name, content) in order {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::from(mode));
                fs::File::open(&path).unwrap().set_modified(time).unwrap();
            }
            let layers = release(folder.path());
            layers.iter().map(|(_, entries)| written(entries)).collect::<Vec<_>>()
        };
        let one = write_all(files.iter().collect(), 0o644);
        let order: Vec<_> = if reverse { files.iter().rev().collect() } else { files.iter().collect() };
        let other = write_all(order, 0o600);
        prop_assert_eq!(&one, &other);
        let mut found = BTreeMap::new();
        for (_, blob) in &one {
            let all = seen(blob);
            let names: Vec<PathBuf> = all.iter().map(|it| PathBuf::from(&it.path)).collect();
            prop_assert!(names.is_sorted(), "{:?}", names);
            let files = all.into_iter().filter(|it| it.kind == tar::EntryType::Regular);
            found.extend(files.map(|it| (it.path["var/www/html/".len()..].to_owned(), it.content)));
        }
        prop_assert_eq!(found, files);
    }
}
