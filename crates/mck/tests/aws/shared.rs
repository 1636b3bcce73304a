//! The last environment of a project goes, and with it what all environments share.

use std::{fs, process::Command};

use crate::{
    environment::{Environments, aws},
    run::{Outcome, fed},
    stand_in::{Kind, beside},
    whole::SHOP,
};

const DESTROY: [&str; 4] = ["destroy", "--yes", "--unprotect", "data"];

fn destroy(more: &[&str]) -> Vec<&'static str> {
    let flags = more.iter().map(|it| match *it {
        "--global" => "--global",
        _ => "--delete-images",
    });
    DESTROY.into_iter().chain(flags).collect()
}

/// Names of stacks that are there.
fn stacks() -> Vec<String> {
    let told = aws(&["cloudformation", "describe-stacks"]);
    let stacks = told["Stacks"].as_array().expect("stacks");
    let names = stacks.iter().filter_map(|it| it["StackName"].as_str());
    names.map(str::to_owned).collect()
}

fn repositories() -> Vec<String> {
    let told = aws(&["ecr", "describe-repositories"]);
    let all = told["repositories"].as_array().expect("repositories");
    let names = all.iter().filter_map(|it| it["repositoryName"].as_str());
    names.map(str::to_owned).collect()
}

fn template_buckets() -> Vec<String> {
    let told = aws(&["s3api", "list-buckets"]);
    let all = told["Buckets"].as_array().expect("buckets");
    let names = all.iter().filter_map(|it| it["Name"].as_str());
    let ours = names.filter(|it| it.contains("-mck-templates-"));
    ours.map(str::to_owned).collect()
}

/// An image of a release, in each repository.
fn push_images() {
    let digest = format!("sha256:{:0>64}", "1");
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": { "mediaType": "x", "size": 7, "digest": digest },
        "layers": [{ "mediaType": "x", "size": 1_000, "digest": digest }],
    });
    for name in repositories() {
        let manifest = manifest.to_string();
        let put = ["ecr", "put-image", "--repository-name", &name];
        let rest = ["--image-tag", "r1", "--image-manifest", &manifest];
        aws(&[&put[..], &rest].concat());
    }
}

#[test]
fn the_last_environment_takes_what_is_shared_with_it_where_that_is_told() {
    let name = "shared::the_last_environment_takes_what_is_shared_with_it_where_that_is_told";
    beside(Kind::MinistackOfAllTypes, name, || {
        let shop = Environments::of(name, &format!("{SHOP}[environment.staging]\n"));
        for environment in ["production", "staging"] {
            let applied = shop.mck_in(environment, &["apply", "--yes"]);
            applied.ended(0, &[]);
        }
        push_images();
        a_kill_leaves_something(&shop);

        // Nothing is begun that would take away what another environment uses.
        let refused = shop.mck(&destroy(&["--global"]));
        refused.ended(16, &["other environments use the global stacks: staging"]);
        assert!(stacks().contains(&"shop-production-data".to_owned()));
        let gone = shop.mck(&destroy(&[]));
        gone.ended(
            0,
            &[
                "shop-global stays",
                "staging is there",
                "production is removed",
            ],
        );
        assert_eq!(template_buckets().len(), 1, "staging uses it");

        let gone = shop.mck_in("staging", &destroy(&[]));
        let words = [
            "though no other environment uses it",
            "--global` removes it",
        ];
        gone.ended(0, &words);
        assert_eq!(stacks(), ["shop-global"]);
        let all = repositories();
        assert!(!all.is_empty());

        let gone = shop.mck_in("staging", &destroy(&["--global"]));
        let words = [
            "The stack global of the project is removed.",
            "through which templates went, is removed.",
            "1 image, ",
            "USD a month",
        ];
        gone.ended(0, &words);
        assert_eq!(stacks(), [""; 0]);
        assert_eq!(template_buckets(), [""; 0]);
        assert_eq!(repositories(), all, "images stay");

        let again = shop.mck_in("staging", &destroy(&["--global"]));
        again.ended(0, &["There is nothing to do."]);
        let images = shop.mck_in("staging", &destroy(&["--global", "--delete-images"]));
        images.ended(0, &["is deleted with its images."]);
        assert_eq!(repositories(), [""; 0]);
        let again = shop.mck_in("staging", &destroy(&["--global", "--delete-images"]));
        again.ended(0, &["There is nothing to do."]);
        // Images are of what is shared.
        shop.mck(&["destroy", "--yes", "--delete-images"])
            .ended(2, &["--global"]);
    });
}

/// A template in the bucket, as of an apply that was killed.
fn a_kill_leaves_something(shop: &Environments) {
    let buckets = template_buckets();
    assert_eq!(
        buckets.len(),
        1,
        "the app's template is too long for a request"
    );
    let left = shop.folder().join("left.json");
    fs::write(&left, "{}").expect("the file can be written");
    let target = format!("s3://{}/left.json", buckets[0]);
    let left = left.to_string_lossy();
    aws(&["s3", "cp", &left, &target, "--no-progress"]);
}

/// What a person at a terminal sees who answers these words.
fn answered(shop: &Environments, words: &str) -> Outcome {
    let own = env!("CARGO_BIN_EXE_mck");
    let command = format!("{own} destroy --environment production --unprotect data");
    let mut terminal = Command::new("script");
    terminal
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(shop.folder());
    fed(&mut terminal, words)
}

#[test]
fn a_person_is_asked_whether_what_is_shared_goes() {
    let name = "shared::a_person_is_asked_whether_what_is_shared_goes";
    beside(Kind::MinistackOfAllTypes, name, || {
        let shop = Environments::of(name, SHOP);
        shop.mck(&["apply", "--yes"]).ended(0, &[]);
        answered(&shop, "no\nno\n").ended(16, &["nothing was removed"]);
        assert_eq!(stacks().len(), 8);
        let words = [
            "Type global to go on",
            "shop-global stays",
            "production is removed",
        ];
        answered(&shop, "production\nno\n").ended(0, &words);
        assert_eq!(stacks(), ["shop-global"]);
        let words = [
            "production has no stacks",
            "The stack global of the project is removed",
        ];
        answered(&shop, "global\n").ended(0, &words);
        assert_eq!(stacks(), [""; 0]);
    });
}
