//! Which changes replace a resource: what we say agrees with the schemas that cfn-lint bundles.

use std::collections::{BTreeMap, BTreeSet};

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
                (ours.conditional_create_only, "conditionalCreateOnlyProperties"),
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
