//! What must hold of every environment's stacks together.

use std::path::Path;

use mck_aws_stacks::StackId;

use crate::support::{FULL, case_named, cases, files, folder, synthesise};

#[test]
fn every_environment_can_be_made() {
    for case in cases() {
        let problems: Vec<String> = case
            .stacks
            .problems()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(problems, [""; 0], "{}", case.name);
    }
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    let texts = |file: &Path| -> Vec<String> {
        let stacks = synthesise(file).stacks;
        stacks.iter().map(|it| it.template.text()).collect()
    };
    for file in files(&folder("environments"), "toml") {
        assert_eq!(texts(&file), texts(&file), "{}", file.display());
    }
}

#[test]
fn data_can_not_be_deleted_by_mistake() {
    for case in cases() {
        let data = case.stacks.get(&StackId::Data).expect("a data stack");
        assert!(data.termination_protection, "{}", case.name);
    }
}

#[test]
fn every_resource_has_its_sentence() {
    for case in cases() {
        for stack in &case.stacks.stacks {
            let template = stack.template.json();
            let resources = template["Resources"].as_object().expect("resources");
            for (id, resource) in resources {
                let sentence = resource["Metadata"]["mck:Description"].as_str();
                assert!(
                    sentence.is_some_and(|it| it.contains(' ')),
                    "{} {} {id}: {sentence:?}",
                    case.name,
                    stack.name
                );
            }
        }
    }
}

/// The full environment is what the stand-ins, checkov and the coverage table are asked about: it
/// must have everything.
#[test]
fn the_full_environment_has_every_kind_of_stack() {
    let stacks = &case_named(FULL).stacks;
    let names: Vec<String> = stacks.stacks.iter().map(|it| it.id.name()).collect();
    for wanted in [
        "network",
        "data",
        "edge",
        "releases",
        "observability",
        "cluster-app",
        "cluster-admin",
        "app-shop",
        "app-admin",
        "app-blog",
        "app-worker",
        "jenkins",
        "global",
    ] {
        assert!(names.iter().any(|it| it == wanted), "{wanted}: {names:?}");
    }
    let abroad = &case_named("frankfurt-cdn").stacks;
    assert!(abroad.get(&StackId::EdgeGlobal).is_some());
}
