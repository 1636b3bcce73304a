//! `mck show`

use crate::harness::{FULL, Place};

const PARTS: [&str; 11] = [
    "summary",
    "network",
    "access",
    "clusters",
    "apps",
    "data",
    "dns",
    "secrets",
    "alarms",
    "integrations",
    "blueprint",
];

#[test]
fn the_summary_is_what_comes_without_a_part() {
    let place = Place::with(FULL);
    let outcome = place.run(&["show"]).expect(0);
    assert_eq!(outcome.stdout, place.run(&["show", "summary"]).stdout);
    insta::assert_snapshot!(outcome);
}

#[test]
fn every_part_of_production() {
    let place = Place::with(FULL);
    for part in PARTS {
        let outcome = place
            .run(&["show", part, "--environment", "production"])
            .expect(0);
        assert_eq!(outcome.stderr, "", "{part}");
        if matches!(part, "access" | "apps" | "integrations") {
            insta::assert_snapshot!(format!("production_{part}"), outcome.stdout);
        }
    }
}

#[test]
fn every_part_is_json_for_programs() {
    let place = Place::with(FULL);
    let blueprint = place.run(&["show", "blueprint", "--json"]).json();
    for part in PARTS {
        let value = place.run(&["show", part, "--json"]).json();
        let Some(object) = value.as_object().filter(|_| part != "blueprint") else {
            continue;
        };
        for (key, value) in object {
            assert_eq!(blueprint[key], *value, "{part}: {key}");
        }
    }
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    let place = Place::with(FULL);
    let first = place.run(&["show", "blueprint", "--json"]).stdout;
    assert_eq!(place.run(&["show", "blueprint", "--json"]).stdout, first);
}

#[test]
fn no_secret_value_is_in_it() {
    let place = Place::with(FULL);
    let shown = place.run(&["show", "secrets"]).expect(0).stdout;
    assert!(shown.contains("stripe-secret-key"), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn an_unknown_environment_or_part_is_told() {
    let place = Place::with(FULL);
    insta::assert_snapshot!(place.run(&["show", "--environment", "prodction"]));
    insta::assert_snapshot!(place.run(&["show", "netwrk"]));
}

#[test]
fn the_schema_is_json() {
    let schema = Place::empty().run(&["schema"]).json();
    assert_eq!(schema["title"], "magecloudkit.toml");
}
