//! Files that are right, and that every key of the file is tried by some test.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use mck_environment::{Environment, EnvironmentFile, schema, settings::Target};
use serde_json::Value;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.extension().is_some_and(|it| it == "toml"))
        .collect()
}

fn file(name: &str) -> EnvironmentFile {
    let path = files("good")
        .into_iter()
        .find(|path| path.ends_with(name))
        .unwrap();
    EnvironmentFile::parse(name, &fs::read(path).unwrap()).unwrap()
}

fn environment(file: &EnvironmentFile, name: &str) -> Environment {
    file.environment(name).unwrap()
}

#[test]
fn every_good_file_is_clean_in_all_its_environments() {
    for path in files("good") {
        let parsed = EnvironmentFile::parse("good.toml", &fs::read(&path).unwrap());
        if let Err(wrong) = parsed.and_then(|file| file.check()) {
            panic!("{}: {:#}", path.display(), wrong.to_json());
        }
    }
}

#[test]
fn a_file_without_environments_has_production_and_local() {
    let file = file("smallest.toml");
    assert_eq!(file.project(), "shop");
    assert_eq!(file.environment_names(), ["local", "production"]);
    assert_eq!(environment(&file, "production").target(), Target::Aws);
    assert_eq!(environment(&file, "local").target(), Target::Local);
    assert!(
        environment(&file, "local")
            .settings
            .cluster
            .contains_key("app")
    );
}

#[test]
fn a_declared_environment_replaces_the_implied_production() {
    assert_eq!(
        file("inherits.toml").environment_names(),
        ["local", "production", "review", "staging"]
    );
}

#[test]
fn an_environment_begins_with_what_it_inherits() {
    let file = file("inherits.toml");
    let review = environment(&file, "review");
    let shop = &review.settings.app["shop"];
    assert_eq!((shop.tasks.minimum, shop.tasks.maximum), (1, 5));
    assert_eq!(
        shop.routing.hosts.as_deref(),
        Some(&["staging.example.com".to_owned()][..])
    );
    assert!(!shop.job["feed"].enabled);
    assert_eq!(shop.job["feed"].command, ["bin/magento", "feed:make"]);
    let local = environment(&file, "local");
    assert_eq!(local.settings.app["shop"].tasks.minimum, 2);
    assert_eq!(local.settings.region, "eu-central-1");
}

#[test]
fn an_unknown_environment_is_refused_with_a_suggestion() {
    let wrong = file("inherits.toml").environment("stagign").unwrap_err();
    let one = wrong.iter().next().unwrap();
    assert_eq!(one.code(), "mck::environment::unknown_environment");
    assert!(
        one.help_text()
            .unwrap()
            .starts_with("Did you mean `staging`?")
    );
}

#[test]
fn an_environment_is_not_kept_from_loading_by_another_ones_broken_rules() {
    let text = "project = \"shop\"\n[app.shop]\npreset = \"wordpress\"\n\
                [environment.production.app.shop.tasks]\nminimum = 9\n";
    let file = EnvironmentFile::parse("f", text.as_bytes()).unwrap();
    assert!(file.environment("local").is_ok());
    assert!(file.environment("production").is_err());
    assert!(file.check().is_err());
}

/// The paths of a document, environments left out and names as `*`.
fn written(value: &toml::Value, schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    found.insert(path.to_owned());
    let root = mck_environment::schema();
    let schema = resolve(schema, &root);
    match value {
        toml::Value::Table(table) => {
            for (key, inner) in table {
                let known = schema["properties"].get(key);
                let name = if known.is_some() { key } else { "*" };
                let path = match path {
                    "environment.*" | "" => name.to_owned(),
                    _ => format!("{path}.{name}"),
                };
                let others = &schema["additionalProperties"];
                written(inner, known.unwrap_or(others), &path, found);
            }
        }
        toml::Value::Array(items) => {
            items
                .iter()
                .for_each(|item| written(item, &schema["items"], path, found));
        }
        _ => {}
    }
}

fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

fn all(schema: &Value, root: &Value, path: &str, found: &mut BTreeSet<String>) {
    let schema = resolve(schema, root);
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        if key != "environment" || !path.is_empty() {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            all(inner, root, &path, found);
        }
    }
    match &schema["additionalProperties"] {
        others if others.is_object() => all(others, root, &format!("{path}.*"), found),
        _ if !schema["properties"].is_object() => {
            found.insert(path.to_owned());
        }
        _ => {}
    }
}

#[test]
fn every_key_of_the_file_is_in_some_test_file() {
    let root = schema();
    let (mut wanted, mut found) = (BTreeSet::new(), BTreeSet::new());
    all(&root, &root, "", &mut wanted);
    wanted.insert("inherits".to_owned());
    assert!(wanted.len() > 180, "{}", wanted.len());
    for path in [files("good"), files("broken")].concat() {
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        let Ok(document) = text.trim_start_matches('\u{feff}').parse::<toml::Table>() else {
            continue;
        };
        written(&toml::Value::Table(document), &root, "", &mut found);
    }
    let missing: Vec<&String> = wanted.difference(&found).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
