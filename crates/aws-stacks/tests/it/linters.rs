//! What `cfn-lint` and `checkov` say of the golden templates.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::Value;

use crate::support::{FULL, cases, folder, run, text, tool};

/// Warnings count. One process a region, all at once: each file is judged for the region in which
/// its stack is made.
#[test]
fn cfn_lint_finds_nothing() {
    let running: Vec<(String, usize, _)> = by_region()
        .into_iter()
        .map(|(region, files)| {
            let mut command = tool("linters", "cfn-lint");
            command
                .args(["--format", "parseable", "--regions", &region, "--"])
                .args(&files);
            let child = spawn(&mut command);
            (region, files.len(), child)
        })
        .collect();
    for (region, count, child) in running {
        let output = child.wait_with_output().expect("cfn-lint ends");
        assert!(count > 0, "{region} has templates");
        assert!(
            output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(),
            "cfn-lint on {count} templates of {region}:\n{}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    }
}

/// A linter that finds nothing anywhere proves nothing.
#[test]
fn cfn_lint_sees_a_mistake() {
    let wrong = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wrong.json");
    let template =
        r#"{"Resources":{"Vpc":{"Type":"AWS::EC2::VPC","Properties":{"Cidr":"10.0.0.0/16"}}}}"#;
    fs::write(&wrong, template).expect("the template can be written");
    let mut command = tool("linters", "cfn-lint");
    let output = run(command.args(["--regions", "us-east-1", "--"]).arg(&wrong));
    assert!(!output.status.success());
    assert!(text(&output.stdout).contains("Cidr"));
}

fn spawn(command: &mut Command) -> std::process::Child {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("cfn-lint starts")
}

fn by_region() -> BTreeMap<String, Vec<PathBuf>> {
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for case in cases() {
        for stack in &case.stacks.stacks {
            let file = format!("{}.json", stack.id.name());
            let path = folder("golden").join(&case.name).join(file);
            files.entry(stack.region.clone()).or_default().push(path);
        }
    }
    files
}

/// A check that fails on purpose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    /// Checkov's id of the check.
    check: String,
    /// The stack's name within the environment; `*` for any.
    stack: String,
    /// The resource's type and logical id as `Type.Id`; a `*` at the end for any rest.
    resource: String,
    /// Why.
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Exceptions {
    exception: Vec<Exception>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Failed {
    check: String,
    stack: String,
    resource: String,
    name: String,
}

/// On the full production environment; what is accepted is in `checkov-exceptions.toml`, each with
/// its reason, and nothing is in there that does not happen.
#[test]
fn checkov_finds_only_what_is_accepted() {
    let path = folder("checkov-exceptions.toml");
    let exceptions: Exceptions =
        toml::from_str(&fs::read_to_string(path).expect("the exceptions")).expect("well-formed");
    let exceptions = exceptions.exception;
    assert!(exceptions.iter().all(|it| it.reason.len() > 20));
    let failed = checkov(&folder("golden").join(FULL));
    let mut unused: BTreeSet<usize> = (0..exceptions.len()).collect();
    let mut left = Vec::new();
    for one in &failed {
        let accepted: Vec<usize> = (0..exceptions.len())
            .filter(|&index| accepts(&exceptions[index], one))
            .collect();
        if accepted.is_empty() {
            left.push(one);
        }
        for index in accepted {
            unused.remove(&index);
        }
    }
    assert!(left.is_empty(), "{} failed checks: {left:#?}", left.len());
    let unused: Vec<&Exception> = unused.into_iter().map(|index| &exceptions[index]).collect();
    assert!(
        unused.is_empty(),
        "exceptions that do not happen: {unused:#?}"
    );
}

fn accepts(exception: &Exception, failed: &Failed) -> bool {
    exception.check == failed.check
        && matches(&exception.stack, &failed.stack)
        && matches(&exception.resource, &failed.resource)
}

fn matches(pattern: &str, value: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => value.starts_with(start),
        None => pattern == value,
    }
}

fn checkov(golden: &PathBuf) -> Vec<Failed> {
    let mut command = tool("linters", "checkov");
    let options = [
        "--framework",
        "cloudformation",
        "--skip-download",
        "--compact",
        "--quiet",
    ];
    let output = run(command
        .args(options)
        .args(["--output", "json", "--directory"])
        .arg(golden)
        .env("LOG_LEVEL", "ERROR"));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|wrong| {
        let said = (text(&output.stdout), text(&output.stderr));
        panic!("checkov's report: {wrong}: {said:?}")
    });
    let summary = &report["summary"];
    assert!(
        summary["passed"].as_u64().is_some_and(|it| it > 50),
        "{summary}"
    );
    assert_eq!(summary["parsing_errors"], 0, "{summary}");
    let failed = report["results"]["failed_checks"]
        .as_array()
        .expect("a list");
    let mut failed: Vec<Failed> = failed.iter().map(failure).collect();
    failed.sort();
    failed
}

fn failure(check: &Value) -> Failed {
    let string = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let file = string("file_path");
    let stack = file.trim_start_matches('/').trim_end_matches(".json");
    Failed {
        check: string("check_id"),
        stack: stack.to_owned(),
        resource: string("resource"),
        name: string("check_name"),
    }
}
