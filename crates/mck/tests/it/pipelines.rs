//! `mck init --ci`: what it writes is taken for right by others' programs, and its plan works.

use std::{fs, path::PathBuf, process::Command};

use crate::harness::{PROGRAM, Place};

const FILE: &str = r#"project = "shop"

[ci.github]
repository = "example/shop"
branches = ["main", "release/2"]

[ci.circleci]
organization-id = "01234567-89ab-cdef-0123-456789abcdef"

[app.shop]
preset = "magento2"
source = "src"

[environment.production]
region = "eu-central-1"

[environment.staging]
database.readers = 0

[environment.local]
"#;

const SERVICES: [(&str, &str, &str); 4] = [
    (
        "github",
        ".github/workflows/magecloudkit.yml",
        "vendor.github-workflows",
    ),
    ("circleci", ".circleci/config.yml", "vendor.circle-ci"),
    ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
    ("jenkins", "Jenkinsfile", ""),
];

fn tool(program: &str) -> Command {
    let tools = std::env::var_os("MCK_AWS_TOOLS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/aws-tools"),
        PathBuf::from,
    );
    let path = tools.join("pipelines/bin").join(program);
    assert!(
        path.exists(),
        "{} is missing: run scripts/aws-tools/install",
        path.display()
    );
    Command::new(path)
}

/// Runs a command and asserts that it ends well; gives what it printed.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}:\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Writes the scripts of a pipeline to a folder.
fn scripts(place: &Place, pipeline: &str) -> Vec<PathBuf> {
    let folder = place.path().join("scripts");
    fs::create_dir_all(&folder).unwrap();
    let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/pipelines.py");
    let mut command = tool("python");
    let count = succeed(
        command
            .args([reader, pipeline])
            .arg(&folder)
            .current_dir(place.path()),
    );
    let count: usize = count.trim().parse().unwrap();
    assert!(count >= 5, "{pipeline} has {count} scripts");
    (0..count)
        .map(|it| folder.join(format!("{it}.sh")))
        .collect()
}

#[test]
fn what_is_written_is_right_by_the_schemas_and_parsers_of_the_services() {
    for (service, path, schema) in SERVICES {
        let place = Place::with(FILE);
        place.run(&["init", "--ci", service]).expect(0);
        if !schema.is_empty() {
            let mut command = tool("check-jsonschema");
            succeed(
                command
                    .args(["--builtin-schema", schema, path])
                    .current_dir(place.path()),
            );
        }
        let scripts = scripts(&place, path);
        let mut shellcheck = Command::new("shellcheck");
        // Variables come from the job, and a project may have a single app.
        shellcheck.args([
            "--shell",
            "bash",
            "--severity",
            "warning",
            "--exclude",
            "SC2154,SC2043",
        ]);
        succeed(shellcheck.args(&scripts));
    }
}

#[test]
fn a_schema_sees_a_mistake() {
    let place = Place::with(FILE);
    place.run(&["init", "--ci", "github"]).expect(0);
    let path = SERVICES[0].1;
    place.write(path, &place.read(path).replace("runs-on:", "runs-at:"));
    let mut command = tool("check-jsonschema");
    let command = command.args(["--builtin-schema", "vendor.github-workflows", path]);
    assert!(
        !command
            .current_dir(place.path())
            .output()
            .unwrap()
            .status
            .success()
    );
}

#[test]
fn a_pipeline_comes_of_the_file_that_is_there() {
    let place = Place::with(FILE);
    let outcome = place.run(&["init", "--ci", "github"]);
    let written = place.read(SERVICES[0].1);
    assert_eq!(place.read("magecloudkit.toml"), FILE);
    for role in ["shop-staging-ci-github", "shop-production-ci-github"] {
        assert!(written.contains(role), "{role}");
    }
    assert!(written.contains(r#"branches: ["main", "release/2"]"#));
    insta::assert_snapshot!(outcome);
}

#[test]
fn without_a_file_both_are_written_and_nothing_is_overwritten() {
    for (service, path, _) in SERVICES {
        let place = Place::empty();
        place
            .run(&["init", "--name", "demo", "--ci", service])
            .expect(0);
        place.run(&["check"]).expect(0);
        assert!(place.read(path).contains("mck check"));
        place.write(path, "mine\n");
        let again = place.run(&["init", "--ci", service]).expect(15);
        assert!(again.stderr.contains(path));
        assert_eq!(place.read(path), "mine\n");
    }
}

/// The plan's script runs in a repository whose last change takes a reader away and adds an
/// environment; with a mistake in the file it fails.
#[test]
fn the_plan_of_a_proposed_change_is_made_from_two_files() {
    let place = Place::with(FILE);
    place.run(&["init", "--ci", "jenkins"]).expect(0);
    let scripts = scripts(&place, "Jenkinsfile");
    let plan = scripts.iter().map(|it| fs::read_to_string(it).unwrap());
    let plan = plan.into_iter().find(|it| it.contains("mck plan")).unwrap();
    let before = FILE.replace("[environment.staging]\ndatabase.readers = 0\n", "");
    place.write("magecloudkit.toml", &before);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
        succeed(command.args(arguments).current_dir(place.path()))
    };
    git(&["init", "--quiet", "--initial-branch", "main"]);
    git(&["add", "magecloudkit.toml"]);
    git(&["commit", "--quiet", "--message", "before"]);
    git(&["remote", "add", "origin", "."]);
    let after = FILE.replace(
        "[environment.production]",
        "[environment.production]\ndatabase.readers = 2",
    );
    place.write("magecloudkit.toml", &after);
    git(&["commit", "--quiet", "--all", "--message", "after"]);
    git(&["branch", "--quiet", "target", "HEAD~1"]);
    let run = || {
        let folder = PathBuf::from(PROGRAM);
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", &plan])
            .env(
                "PATH",
                format!("{}:{path}", folder.parent().unwrap().display()),
            )
            .env("CHANGE_TARGET", "target")
            .env("MCK_FILE", "magecloudkit.toml")
            .current_dir(place.path());
        command.output().unwrap()
    };
    let output = run();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("The environment staging is new."), "{text}");
    assert!(
        text.contains("Cost:") && text.contains("create DatabaseDb2"),
        "{text}"
    );
    place.write(
        "magecloudkit.toml",
        &after.replace("database.readers = 2", "database.raeders = 2"),
    );
    assert_eq!(run().status.code(), Some(1));
}
