//! Every file of `tests/broken` and the report that a person gets for it.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{fs, path::PathBuf};

use mck_environment::{Diagnostics, EnvironmentFile};
use miette::{GraphicalReportHandler, GraphicalTheme};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/broken");

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|it| it == "toml"))
        .collect();
    files.sort();
    files
}

fn name(path: &std::path::Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn wrong(bytes: &[u8]) -> Option<Diagnostics> {
    EnvironmentFile::parse("magecloudkit.toml", bytes)
        .and_then(|file| file.check())
        .err()
}

fn render(wrong: &Diagnostics) -> String {
    let mut out = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .with_links(false)
        .render_report(&mut out, wrong)
        .unwrap();
    out.lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

#[test]
fn every_broken_file_is_reported_as_expected() {
    let files = files();
    assert!(files.len() >= 70, "{}", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("broken");
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in files {
            let wrong = wrong(&fs::read(&path).unwrap());
            let wrong = wrong.unwrap_or_else(|| panic!("{} is not broken", path.display()));
            insta::assert_snapshot!(name(&path), render(&wrong));
        }
    });
}

#[test]
fn no_report_shows_a_secret() {
    for path in files() {
        let wrong = wrong(&fs::read(&path).unwrap()).unwrap();
        let shown = render(&wrong) + &wrong.to_json().to_string() + &format!("{wrong:?}");
        assert!(!shown.contains("hunter2"), "{}", path.display());
        assert!(!shown.contains("EXAMPLEKEY"), "{}", path.display());
    }
}

#[test]
fn every_place_lies_within_the_file() {
    for path in files() {
        let bytes = fs::read(&path).unwrap();
        let lines = bytes.split(|byte| *byte == b'\n').count();
        for one in wrong(&bytes).unwrap().to_json().as_array().unwrap() {
            for span in one["spans"].as_array().unwrap() {
                assert!(
                    span["line"].as_u64().unwrap() as usize <= lines,
                    "{}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn a_file_of_two_megabytes_is_refused_before_it_is_parsed() {
    let wrong = wrong(&vec![b'['; 2_000_000]).unwrap();
    let codes: Vec<String> = wrong
        .iter()
        .map(mck_environment::Diagnostic::code)
        .collect();
    assert_eq!(codes, ["mck::environment::file_too_large"]);
}

#[test]
fn deep_nesting_is_refused_without_using_up_the_stack() {
    for text in [
        "a = ".to_owned() + &"[".repeat(400_000),
        "a = ".to_owned() + &"{a=".repeat(300_000),
        format!("a{} = 1", ".a".repeat(500_000)),
        format!("[[a{}]]", ".a".repeat(500_000)),
    ] {
        let wrong = wrong(text.as_bytes()).unwrap();
        assert_eq!(
            wrong.iter().next().unwrap().code(),
            "mck::environment::too_deep"
        );
    }
}
