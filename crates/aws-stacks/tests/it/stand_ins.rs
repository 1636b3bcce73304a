//! The stacks of the full environment, made in stand-ins for AWS: ministack and moto.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use mck_aws_stacks::{ParameterSource, Stack, Stacks};
use mck_cloudformation::ParameterType;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    coverage,
    support::{FULL, case_named, folder, run, text, tool},
};

/// What came of a stack in a stand-in.
#[derive(Debug, Deserialize)]
struct Made {
    status: String,
    reason: String,
    /// Types that the stand-in rejects by name: it got the template without them.
    rejected: BTreeSet<String>,
    /// Physical ids by logical ids.
    resources: BTreeMap<String, String>,
    /// What could not be made, and why.
    failures: BTreeMap<String, String>,
}

type Report = BTreeMap<String, BTreeMap<String, Made>>;

/// Every logical id gets a real physical id in at least one of the two, but for those that neither
/// can make: `docs/aws-coverage.md` lists them as checked by schema only.
#[test]
fn stand_ins_make_every_resource_that_they_can() {
    let stacks = &case_named(FULL).stacks;
    let report = create(stacks);
    let listed = coverage::checked_by_schema_only();
    let mut used = vec![false; listed.len()];
    let (mut unmade, mut wrong, mut kinds) = (Vec::new(), Vec::new(), BTreeSet::new());
    for stack in &stacks.stacks {
        for (id, resource) in stack.template.resources() {
            let place = format!("{} {}/{id}", resource.kind, stack.id.name());
            let known = listed.iter().position(|it| it.is(resource));
            let made = report
                .values()
                .any(|it| is_made(&it[&stack.name], id.as_str()));
            match (made, known) {
                (true, None) => _ = kinds.insert(resource.kind),
                (true, Some(_)) => wrong.push(place),
                (false, None) => unmade.push(place),
                (false, Some(position)) => used[position] = true,
            }
        }
    }
    assert!(
        unmade.is_empty(),
        "neither stand-in made {unmade:#?}; they said {:#?}",
        complaints(&report)
    );
    assert!(
        wrong.is_empty(),
        "listed as checked by schema only, but made: {wrong:#?}"
    );
    let unused = listed.iter().zip(&used).filter(|(_, used)| !**used);
    let unused: Vec<String> = unused.map(|(entry, _)| entry.to_string()).collect();
    assert!(
        unused.is_empty(),
        "listed as checked by schema only, but nowhere: {unused:?}"
    );
    assert!(kinds.len() > 50, "only {} types were made", kinds.len());
}

fn is_made(made: &Made, id: &str) -> bool {
    let id = made.resources.get(id);
    id.is_some_and(|id| !id.is_empty() && id != "unknown" && !id.starts_with("removed-"))
}

fn complaints(report: &Report) -> Vec<String> {
    let mut all = Vec::new();
    for (stand_in, stacks) in report {
        for (name, made) in stacks {
            if made.status != "CREATE_COMPLETE" || !made.rejected.is_empty() {
                all.push(format!(
                    "{stand_in}: {name}: {} {} {:?} {:?}",
                    made.status, made.reason, made.failures, made.rejected
                ));
            }
        }
    }
    all
}

/// Runs the stand-ins in network and process namespaces of their own: when their first process
/// ends, or this one, they end.
fn create(stacks: &Stacks) -> Report {
    let work = Work::new();
    let list: Vec<Value> = stacks
        .stacks
        .iter()
        .map(|it| described(stacks, it))
        .collect();
    let list = serde_json::to_vec(&list).expect("it is JSON");
    fs::write(work.0.join("stacks.json"), list).expect("the stacks can be written");
    let python = tool("stand-ins", "python");
    let mut command = Command::new("unshare");
    command
        .args(["--net", "--pid", "--fork", "--kill-child", "--"])
        .arg(python.get_program())
        .arg("-B")
        .arg(folder("stand-ins").join("create_stacks.py"))
        .arg(&work.0);
    let output = run(&mut command);
    assert!(
        output.status.success(),
        "create_stacks.py: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    let report = fs::read(work.0.join("report.json")).expect("a report");
    serde_json::from_slice(&report).expect("the report is as expected")
}

/// A folder of this test's own, removed whatever happens.
struct Work(PathBuf);

impl Work {
    fn new() -> Self {
        let name = format!("stand-ins-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).expect("the folder can be made");
        Self(path)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if std::env::var_os("KEEP_STAND_INS").is_none() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

fn described(stacks: &Stacks, stack: &Stack) -> Value {
    let parameters: BTreeMap<&String, Value> = stack
        .parameters
        .iter()
        .filter_map(|(name, source)| match source {
            ParameterSource::Output(handed) => {
                let from = stacks
                    .get(&handed.stack)
                    .expect("a stack takes from another");
                Some((name, json!({ "stack": from.name, "output": handed.output })))
            }
            _ => None,
        })
        .collect();
    let published: BTreeMap<&String, &String> = stack
        .template
        .parameters()
        .iter()
        .filter(|it| it.kind == ParameterType::SsmImageId)
        .filter_map(|it| Some((&it.name, it.default.as_ref()?)))
        .collect();
    let capabilities = stack.capabilities();
    json!({
        "name": stack.name,
        "region": stack.region,
        "template": stack.template.json(),
        "parameters": parameters,
        "published": published,
        "capabilities": capabilities.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
        "tags": stack.tags,
        "termination-protection": stack.termination_protection,
    })
}
