//! Which changes replace a resource: what we say agrees with the schemas that cfn-lint bundles.

use std::collections::{BTreeMap, BTreeSet};

use mck_aws_stacks::{
    Stack,
    difference::{Action, Difference, StackTemplate},
};
use mck_cloudformation::schema;
use serde_json::Value;

use crate::support::{cases, run, text, tool};

/// Prints `createOnlyProperties` and `conditionalCreateOnlyProperties` of types for regions.
const ASK: &str = r#"
import json, sys
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as manager

def paths(schema, key):
    return sorted(path.removeprefix("/properties/") for path in schema.get(key, []))

asked = json.load(sys.stdin)
json.dump({
    region: {
        kind: {key: paths(manager.get_resource_schema(region, kind).schema, key)
               for key in ("createOnlyProperties", "conditionalCreateOnlyProperties")}
        for kind in kinds
    }
    for region, kinds in asked.items()
}, sys.stdout)
"#;

#[test]
fn replacements_are_predicted_as_the_schemas_say() {
    let kinds = kinds();
    let answer = ask(&kinds);
    let mut compared = 0;
    for (region, kinds) in &kinds {
        for kind in kinds {
            let ours = schema::of(kind).unwrap_or_else(|| panic!("no schema of {kind}"));
            let theirs = &answer[region][kind];
            let both = [
                (ours.create_only, "createOnlyProperties"),
                (
                    ours.conditional_create_only,
                    "conditionalCreateOnlyProperties",
                ),
            ];
            for (ours, key) in both {
                let ours: BTreeSet<String> = ours.iter().map(|&path| simple(path)).collect();
                let theirs: BTreeSet<String> = theirs[key]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|path| simple(path.as_str().expect("a path")))
                    .collect();
                assert_eq!(ours, theirs, "{key} of {kind} in {region}");
                compared += theirs.len();
            }
        }
    }
    assert!(compared > 150, "only {compared} paths were compared");
}

/// Schemas write a path within a list with or without `*` or `items` and `properties`.
fn simple(path: &str) -> String {
    let parts = path.split('/');
    let parts: Vec<&str> = parts
        .filter(|part| !["*", "items", "properties"].contains(part))
        .collect();
    parts.join("/")
}

/// The types of all golden templates, by region.
fn kinds() -> BTreeMap<String, BTreeSet<String>> {
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for case in cases() {
        for stack in &case.stacks.stacks {
            let of_region = kinds.entry(stack.region.clone()).or_default();
            let resources = stack.template.resources().iter();
            of_region.extend(resources.map(|(_, resource)| resource.kind.to_string()));
        }
    }
    kinds
}

fn ask(kinds: &BTreeMap<String, BTreeSet<String>>) -> Value {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("kinds.json");
    let asked = serde_json::to_vec(kinds).expect("it is JSON");
    std::fs::write(&file, asked).expect("the file can be written");
    let mut python = tool("linters", "python");
    let output = run(python
        .args(["-c", ASK])
        .stdin(std::fs::File::open(&file).expect("the file can be read")));
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it answers in JSON")
}

/// Every property of every resource of every environment is changed, one at a time: the resource is
/// said to be replaced where the bundled schemas say so, and only there.
#[test]
fn a_change_of_any_property_is_judged_as_the_schemas_say() {
    let kinds = kinds();
    let answer = ask(&kinds);
    let mut seen = BTreeSet::new();
    let mut replaced = 0;
    for case in cases() {
        for stack in &case.stacks.stacks {
            for (id, resource) in stack.template.resources() {
                let said = &answer[&stack.region][resource.kind.to_string()];
                let mut leaves = Vec::new();
                leaves_of("/Properties", &resource.properties, &mut leaves);
                for pointer in leaves {
                    let path = simple(&without_indices(&pointer));
                    let path = path
                        .strip_prefix("Properties/")
                        .expect("it is one")
                        .to_owned();
                    if !seen.insert((resource.kind.to_string(), path.clone())) {
                        continue;
                    }
                    let wanted = wanted(said, &path);
                    let action = change(stack, id.as_str(), &pointer);
                    let place = format!("{} {path}: {action:?}", resource.kind);
                    match wanted {
                        Wanted::Replace => assert_eq!(action, Action::Replace, "{place}"),
                        Wanted::InPlace => assert_eq!(action, Action::Update, "{place}"),
                        Wanted::Conditional => assert_ne!(action, Action::Create, "{place}"),
                    }
                    replaced += usize::from(wanted == Wanted::Replace);
                }
            }
        }
    }
    assert!(
        seen.len() > 400,
        "only {} properties were changed",
        seen.len()
    );
    assert!(replaced > 80, "only {replaced} of them replace");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Replace,
    Conditional,
    InPlace,
}

fn wanted(said: &Value, path: &str) -> Wanted {
    let has = |key: &str| {
        let paths = said[key].as_array().expect("a list").iter();
        paths
            .map(|it| simple(it.as_str().expect("a path")))
            .any(|known| {
                let rest = path.strip_prefix(known.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    };
    if has("createOnlyProperties") {
        Wanted::Replace
    } else if has("conditionalCreateOnlyProperties") {
        Wanted::Conditional
    } else {
        Wanted::InPlace
    }
}

/// What is said of a resource one of whose properties is another.
fn change(stack: &Stack, id: &str, pointer: &str) -> Action {
    let mut before = StackTemplate::of(stack);
    let resource = before.template["Resources"][id].clone();
    before.template = serde_json::json!({ "Resources": { id: resource } });
    let mut after = before.clone();
    let place = after.template["Resources"][id].pointer_mut(pointer);
    *place.expect("the property is there") = "something else".into();
    let difference = Difference::between(&[before], &[after]);
    let mut actions = difference.resources().map(|(_, it)| it.action);
    let action = actions.next().expect("the change is seen");
    assert_eq!(actions.next(), None);
    action
}

/// JSON pointers to all scalars and expressions of a value.
fn leaves_of(pointer: &str, value: &Value, leaves: &mut Vec<String>) {
    match value {
        Value::Object(object) if !is_expression(object) => {
            for (key, value) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves_of(&format!("{pointer}/{key}"), value, leaves);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                leaves_of(&format!("{pointer}/{index}"), value, leaves);
            }
        }
        Value::Null => {}
        _ => leaves.push(pointer.to_owned()),
    }
}

fn is_expression(object: &serde_json::Map<String, Value>) -> bool {
    let mut keys = object.keys();
    matches!((keys.next(), keys.next()), (Some(key), None) if key == "Ref" || key.starts_with("Fn::"))
}

fn without_indices(pointer: &str) -> String {
    let parts = pointer.split('/').filter(|part| !part.is_empty());
    let parts: Vec<&str> = parts
        .filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    parts.join("/")
}
