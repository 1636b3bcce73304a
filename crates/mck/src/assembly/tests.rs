use std::{fs, path::Path};

use mck_cost::{Estimate, Usage};
use mck_environment::EnvironmentFile;
use serde_json::json;

use super::*;
use crate::{exit::Exit, session::plan};

/// A folder's content with these stacks, each with one resource.
fn assembly(ids: &[&str]) -> Assembly {
    let text = b"project = 'shop'\n[app.api]\npreset = 'storefront'\nsource = '.'\n[environment.production]\n";
    let file = EnvironmentFile::parse("magecloudkit.toml", text).unwrap();
    let blueprint = plan(&file.environment("production").unwrap()).unwrap();
    let estimate = Estimate::of(&blueprint, &Usage::default());
    let stacks = Stacks {
        project: "shop".to_owned(),
        environment: "production".to_owned(),
        stacks: Vec::new(),
    };
    let mut assembly = Assembly::new(&stacks, &estimate);
    for id in ids {
        let template = json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}});
        let text = format!("{template:#}\n");
        assembly.manifest.stacks.push(StackEntry {
            id: (*id).to_owned(),
            name: format!("shop-production-{id}"),
            region: "us-east-1".to_owned(),
            template: format!("{id}.json"),
            sha256: digest(text.as_bytes()),
            resources: 1,
            dependencies: Vec::new(),
            parameters: BTreeMap::from([(
                "Vpc".to_owned(),
                Output {
                    stack: "network".to_owned(),
                    output: "VpcId".to_owned(),
                },
            )]),
            capabilities: Vec::new(),
            termination_protection: false,
            tags: BTreeMap::new(),
        });
        assembly.templates.push(text);
    }
    assembly
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("out/production");
    let written = assembly(&["network", "data"]);
    write(&folder, &written).unwrap();
    assert_eq!(
        names(&folder),
        ["data.json", "manifest.json", "network.json"]
    );
    let read = read(&folder).unwrap();
    assert_eq!(read, written);
    let templates = read.stack_templates().unwrap();
    let vpc = ("network".to_owned(), "VpcId".to_owned());
    assert_eq!(templates[0].parameters["Vpc"], vpc);
}

#[test]
fn stale_files_of_ours_go_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, &assembly(&["network", "app-shop"])).unwrap();
    fs::write(folder.join("notes.json"), "{}").unwrap();
    write(folder, &assembly(&["network", "data"])).unwrap();
    assert_eq!(
        names(folder),
        ["data.json", "manifest.json", "network.json", "notes.json"]
    );
}

#[test]
fn a_file_in_the_way_that_is_not_ours_is_left_alone() {
    for stranger in ["network.json", "manifest.json"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(stranger);
        fs::write(&path, "mine").unwrap();
        let failure = write(folder.path(), &assembly(&["network"])).unwrap_err();
        assert_eq!(failure.exit, Exit::Exists, "{stranger}");
        assert_eq!(fs::read_to_string(path).unwrap(), "mine");
        assert_eq!(names(folder.path()), [stranger]);
    }
}

#[test]
fn a_manifest_can_t_name_files_of_other_folders() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    write(&inner, &assembly(&["network"])).unwrap();
    let precious = folder.path().join("precious");
    fs::write(&precious, "mine").unwrap();
    let manifest = inner.join(MANIFEST);
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("network.json", "../precious")).unwrap();
    fs::remove_file(inner.join("network.json")).unwrap();
    write(&inner, &assembly(&["data"])).unwrap();
    assert_eq!(fs::read_to_string(precious).unwrap(), "mine");
}

#[test]
fn a_folder_that_is_not_what_its_manifest_says_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(read(folder).is_err());
    write(folder, &assembly(&["network"])).unwrap();
    fs::write(folder.join("network.json"), "{}\n").unwrap();
    assert_eq!(read(folder).unwrap_err().exit, Exit::File);
    fs::write(folder.join(MANIFEST), "{}").unwrap();
    assert_eq!(read(folder).unwrap_err().exit, Exit::File);
}
