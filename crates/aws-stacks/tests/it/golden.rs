//! Golden templates: `tests/golden/<environment>/<stack>.json`.
//!
//! `INSTA_UPDATE=always cargo test -p mck-aws-stacks golden` writes them again, as it does snapshots; read the
//! difference.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
};

use crate::support::{cases, files_below, folder};

#[test]
fn there_are_all_kinds_of_environments() {
    assert!(cases().len() >= 12);
}

#[test]
fn templates_are_as_they_were() {
    let wanted = wanted();
    let there: BTreeSet<PathBuf> = files_below(&folder("golden"), "json").into_iter().collect();
    if env::var("INSTA_UPDATE").is_ok_and(|it| it == "always") {
        update(&wanted, &there);
        return;
    }
    let mut stale = Vec::new();
    for (path, text) in &wanted {
        match fs::read_to_string(path) {
            Ok(known) if known == *text => {}
            Ok(known) => stale.push(format!("{}: {}", path.display(), first(&known, text))),
            Err(wrong) => stale.push(format!("{}: {wrong}", path.display())),
        }
    }
    let more = there.iter().filter(|path| !wanted.contains_key(*path));
    stale.extend(more.map(|path| format!("{}: nothing makes it any more", path.display())));
    assert!(
        stale.is_empty(),
        "{} golden templates are stale; write them with INSTA_UPDATE=always and read the difference:\n{}",
        stale.len(),
        stale.join("\n")
    );
}

fn wanted() -> BTreeMap<PathBuf, String> {
    let mut wanted = BTreeMap::new();
    for case in cases() {
        for stack in &case.stacks.stacks {
            let file = format!("{}.json", stack.id.name());
            let path = folder("golden").join(&case.name).join(file);
            wanted.insert(path, stack.template.text());
        }
    }
    wanted
}

fn update(wanted: &BTreeMap<PathBuf, String>, there: &BTreeSet<PathBuf>) {
    for path in there.iter().filter(|path| !wanted.contains_key(*path)) {
        fs::remove_file(path).expect("a stale golden file can be removed");
    }
    for (path, text) in wanted {
        let folder = path.parent().expect("a golden file is in a folder");
        fs::create_dir_all(folder).expect("the golden folder can be made");
        if fs::read_to_string(path).is_ok_and(|known| known == *text) {
            continue;
        }
        fs::write(path, text).expect("a golden file can be written");
    }
}

/// The first line that differs.
fn first(known: &str, text: &str) -> String {
    let lines = known.lines().zip(text.lines()).enumerate();
    let mut differing = lines.filter(|(_, (known, text))| known != text);
    match differing.next() {
        Some((number, (known, text))) => {
            format!("line {}:\n  - {known}\n  + {text}", number + 1)
        }
        None => "one is longer".to_owned(),
    }
}
