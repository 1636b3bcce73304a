//! The environments that all tests look at, and the tools that judge their templates.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use mck_aws_stacks::{Source, Stacks};
use mck_blueprint::Blueprint;
use mck_environment::{Environment, EnvironmentFile, settings::Target};
use serde_json::Value;

/// The environment with everything on: what production can have at most.
pub const FULL: &str = "everything";

/// An environment of `tests/environments`, synthesised.
pub struct Case {
    /// The file's name without its end.
    pub name: String,
    /// Its stacks.
    pub stacks: Stacks,
}

impl Case {
    /// A template of it as JSON, by the stack's name within the environment.
    pub fn template(&self, stack: &str) -> Option<Value> {
        let mut stacks = self.stacks.stacks.iter();
        let stack = stacks.find(|it| it.id.name() == stack)?;
        Some(stack.template.json())
    }
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let mut cases: Vec<Case> = files(&folder("environments"), "toml")
        .iter()
        .map(|file| case(file))
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
});

/// All environments, by name.
pub fn cases() -> &'static [Case] {
    &CASES
}

/// The environment of that name.
pub fn case_named(name: &str) -> &'static Case {
    let found = CASES.iter().find(|case| case.name == name);
    found.unwrap_or_else(|| panic!("there is no tests/environments/{name}.toml"))
}

fn case(file: &Path) -> Case {
    let name = file.file_stem().expect("a file has a name");
    Case {
        name: name.to_string_lossy().into_owned(),
        stacks: synthesise(file),
    }
}

/// The stacks of the file's first environment on AWS, `production` where there is one.
pub fn synthesise(file: &Path) -> Stacks {
    let bytes = fs::read(file).expect("the file can be read");
    let shown = file.display().to_string();
    let parsed = EnvironmentFile::parse(&shown, &bytes).and_then(|file| file.check());
    let environments = parsed.unwrap_or_else(|wrong| panic!("{shown}: {wrong:?}"));
    let blueprints: Vec<Blueprint> = environments
        .iter()
        .filter(|environment| environment.target() == Target::Aws)
        .map(|environment| plan(&shown, environment))
        .collect();
    let siblings: Vec<&Blueprint> = blueprints.iter().collect();
    let production = blueprints.iter().find(|it| it.environment == "production");
    let blueprint = production
        .or(blueprints.first())
        .expect("an AWS environment");
    let source = Source::new("magecloudkit.toml", &bytes);
    Stacks::synthesise(blueprint, &siblings, &source)
}

fn plan(shown: &str, environment: &Environment) -> Blueprint {
    Blueprint::plan(environment).unwrap_or_else(|wrong| panic!("{shown}: {wrong}"))
}

/// A folder beside these tests.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// The repository.
pub fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the crate is in its repository")
}

/// The files of a folder with that end, by name.
pub fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|wrong| panic!("{folder:?}: {wrong}"));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|it| it == end))
        .collect();
    files.sort();
    files
}

/// All files with that end in a folder and the folders in it.
pub fn files_below(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = files(folder, end);
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(files_below(&path, end));
        }
    }
    found.sort();
    found
}

/// A program of `scripts/aws-tools/install`. Without it the test fails: it would prove nothing.
pub fn tool(environment: &str, program: &str) -> Command {
    let tools = std::env::var_os("MCK_AWS_TOOLS")
        .map_or_else(|| repository().join("target/aws-tools"), PathBuf::from);
    let path = tools.join(environment).join("bin").join(program);
    assert!(
        path.exists(),
        "{} is missing: run scripts/aws-tools/install",
        path.display()
    );
    Command::new(path)
}

/// Runs a command and gives its output, whatever its exit code.
pub fn run(command: &mut Command) -> Output {
    let output = command.output();
    output.unwrap_or_else(|wrong| panic!("{command:?}: {wrong}"))
}

/// The text of what a command printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
