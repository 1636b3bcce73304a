//! Whole blueprints, as JSON. Files' contents are left out: `mck-server-config` has their goldens.

use mck_blueprint::Blueprint;
use serde_json::Value;

use crate::support;

fn golden(name: &str, blueprint: &Blueprint) {
    let mut value = serde_json::to_value(blueprint).expect("a blueprint is JSON");
    shorten_files(&mut value);
    let text = serde_json::to_string_pretty(&value).expect("a value is JSON");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

fn shorten_files(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.contains_key("executable") {
                map.insert("content".to_owned(), Value::from("(rendered)"));
            }
            map.values_mut().for_each(shorten_files);
        }
        Value::Array(list) => list.iter_mut().for_each(shorten_files),
        _ => {}
    }
}

#[test]
fn the_smallest_file_locally() {
    let settings = "[app.shop]\npreset = 'storefront'\nsource = '.'";
    golden("smallest-local", &support::blueprint("local", settings));
}

#[test]
fn the_smallest_file_in_production() {
    let settings =
        "[app.shop]\npreset = 'magento2'\nsource = '.'\nrouting.hosts = ['www.example.com']";
    golden(
        "smallest-production",
        &support::blueprint("production", settings),
    );
}

#[test]
fn a_wordpress_locally() {
    let settings = "[app.blog]\npreset = 'wordpress'\ntitle = 'A blog'";
    golden("wordpress-local", &support::blueprint("local", settings));
}

#[test]
fn a_magento_with_everything_on() {
    let settings = include_str!("settings/everything.toml");
    golden("everything", &support::blueprint("production", settings));
}

#[test]
fn two_clusters() {
    let settings = include_str!("settings/two-clusters.toml");
    golden("two-clusters", &support::blueprint("production", settings));
}

#[test]
fn a_single_nat_gateway() {
    let settings = "network.nat = 'single'\nnetwork.zones = ['a', 'b']\n[app.shop]\npreset = 'php'";
    golden("single-nat", &support::blueprint("staging", settings));
}

#[test]
fn no_storage_and_no_bastion() {
    let settings =
        "storage.enabled = false\nbastion.enabled = false\n[app.shop]\npreset = 'storefront'";
    golden(
        "no-storage-no-bastion",
        &support::blueprint("local", settings),
    );
}
