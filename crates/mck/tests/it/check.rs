//! `mck check`

use crate::harness::{FULL, Place};

const WRONG: &str = "project = \"demo\"\n[app.shop]\npreset = \"storefrnt\"\ntagret = 1\n\
    [environment.production.network]\nzones = [\"a\", \"q\"]\n";

#[test]
fn all_mistakes_are_told_at_once_with_hints() {
    insta::assert_snapshot!(Place::with(WRONG).run(&["check"]));
}

#[test]
fn mistakes_are_json_for_programs() {
    let outcome = Place::with(WRONG).run(&["check", "--json"]).expect(1);
    assert_eq!(outcome.stderr, "");
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let mistakes = report["mistakes"].as_array().unwrap();
    assert!(mistakes.len() >= 2, "{outcome}");
    assert_eq!(mistakes[0]["spans"][0]["line"], 3);
}

#[test]
fn findings_are_told_with_the_environments_that_they_are_true_of() {
    insta::assert_snapshot!(
        Place::with("project = \"demo\"\n[app.shop]\npreset = \"storefront\"\nsource = \".\"\n")
            .run(&["check"])
    );
}

#[test]
fn findings_are_json_for_programs() {
    let report = Place::with(FULL).run(&["check", "--json"]).json();
    assert_eq!(report["mistakes"].as_array().map(Vec::len), Some(0));
    for finding in report["findings"].as_array().unwrap() {
        for key in [
            "code",
            "severity",
            "message",
            "help",
            "setting",
            "environments",
        ] {
            assert!(finding.get(key).is_some(), "{finding}");
        }
    }
}

#[test]
fn without_a_file_it_says_how_to_make_one() {
    insta::assert_snapshot!(Place::empty().run(&["check"]));
}

#[test]
fn the_file_is_found_from_a_folder_below() {
    let place = Place::with(FULL);
    place.write("src/deep/.keep", "");
    let mut command = place.command(&["check", "--json"]);
    command.current_dir(place.path().join("src/deep"));
    assert_eq!(
        place.finish(&mut command).json()["file"],
        "[FOLDER]/magecloudkit.toml"
    );
}

#[test]
fn the_file_can_be_named_by_variable() {
    let place = Place::empty();
    place.write("other.toml", FULL);
    let mut command = place.command(&["check", "--json"]);
    command.env("MCK_FILE", "other.toml");
    assert_eq!(place.finish(&mut command).json()["file"], "other.toml");
}
