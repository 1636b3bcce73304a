//! Releases without anything that runs, and the command lines about deployments and drills.

use std::fs;

use crate::harness::{FULL, Place};

fn place() -> Place {
    let place = Place::with(
        "project = \"demo\"\n[app.shop]\npreset = \"storefront\"\nsource = \"src\"\n\
         [environment.local]\n",
    );
    place.write("src/index.php", "<?php");
    place.write("src/pub/other.php", "<?php echo 2;");
    place.write("src/.git/HEAD", "not code");
    place
}

#[test]
fn a_release_is_made_of_the_source_without_what_is_no_code() {
    let place = place();
    assert_eq!(
        place.run(&["releases", "--json"]).json()[0]["releases"],
        serde_json::json!([])
    );
    let built = place.run(&["build", "--revision", "v1", "--json"]).json();
    assert_eq!(built["release"]["revision"], "v1");
    assert_eq!(built["is-new"], true);
    assert_eq!(built["files"], 2);
    let tree = built["path"]
        .as_str()
        .unwrap()
        .replace("[FOLDER]", &place.path().display().to_string());
    assert_eq!(
        fs::read_to_string(format!("{tree}/REVISION.txt")).unwrap(),
        "v1\n"
    );
    assert!(!fs::exists(format!("{tree}/.git")).unwrap());

    let again = place
        .run(&["build", "shop", "--revision", "v1", "--json"])
        .json();
    assert_eq!(
        (&again["is-new"], &again["release"]),
        (&false.into(), &built["release"])
    );
    place.write("src/index.php", "<?php echo 1;");
    let next = place.run(&["build", "--revision", "v2", "--json"]).json();
    assert_eq!(next["shared-files"], 1);
    assert_ne!(next["release"]["id"], built["release"]["id"]);

    let listed = place.run(&["releases", "shop", "--json"]).json();
    let releases = listed[0]["releases"].as_array().unwrap();
    let revisions: Vec<_> = releases
        .iter()
        .map(|it| it["revision"].as_str().unwrap())
        .collect();
    assert_eq!(revisions, ["v2", "v1"]);
    assert!(releases.iter().all(|it| it["state"] == "available"));
    let table = place.run(&["releases"]).expect(0).stdout;
    assert!(table.contains("available"), "{table}");
    let told = place.run(&["build"]).expect(0);
    assert!(told.stdout.starts_with("Release "), "{told}");
    assert!(told.stderr.contains("mck deploy shop --release"), "{told}");
}

#[test]
fn what_can_not_be_built_is_told() {
    let place = place();
    place.run(&["build", "shpo"]).expect(11);
    place.run(&["releases", "shpo"]).expect(11);
    place.run(&["build", "--revision", "two words"]).expect(2);
    fs::remove_dir_all(place.path().join("src")).unwrap();
    let outcome = place.run(&["build"]).expect(1);
    assert!(outcome.stderr.contains("is no folder"), "{outcome}");
}

#[test]
fn command_lines_that_contradict_themselves() {
    let place = place();
    for wrong in [
        &["deploy", "--stop", "--release", "abc"] as &[_],
        &["scale", "shop"],
        &["scale", "shop", "many"],
        &["scale", "--cluster", "app"],
        &["drill"],
        &["drill", "earthquake"],
        &["drill", "deploy-good", "--rate", "501"],
        &["drill", "deploy-good", "--rate", "0"],
        &["drill", "deploy-good", "--report", "report.pdf"],
        &["drill", "deploy-good", "--duration", "soon"],
        &["drill", "deploy-good", "--kind", "crashing"],
        &["drill", "deploy-bad", "--repeat", "3"],
    ] {
        let outcome = place.run(wrong).expect(2);
        assert!(outcome.stderr.contains("error: "), "{outcome}");
    }
}

#[test]
fn a_drill_is_for_this_machine_only() {
    insta::assert_snapshot!(Place::with(FULL).run(&[
        "drill",
        "deploy-good",
        "--yes",
        "--environment",
        "production"
    ]));
}
