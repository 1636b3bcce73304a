//! An environment of a test's own, and AWS's command line beside it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    run::{Outcome, outcome},
    stand_in::{folder, tool},
};

/// A file with environments.
pub struct Environments {
    folder: PathBuf,
}

impl Environments {
    /// The file of a test, in the folder of its stand-in.
    pub fn of(test: &str, text: &str) -> Self {
        let environments = Self {
            folder: folder(test),
        };
        environments.write(text);
        environments
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn write(&self, text: &str) {
        fs::write(self.folder.join("magecloudkit.toml"), text).expect("the file can be written");
    }

    pub fn command(&self, environment: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mck"));
        command
            .args(["--environment", environment])
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        command
    }

    pub fn mck_in(&self, environment: &str, arguments: &[&str]) -> Outcome {
        outcome(&mut self.command(environment, arguments))
    }

    /// A command on `production`.
    pub fn mck(&self, arguments: &[&str]) -> Outcome {
        self.mck_in("production", arguments)
    }

    /// What `mck plan --json` says, with its exit code.
    pub fn plan(&self) -> (i32, Value) {
        let told = self.mck(&["plan", "--json"]);
        let plan = serde_json::from_str(&told.out);
        let plan = plan.unwrap_or_else(|wrong| panic!("{wrong}: {}\n{}", told.out, told.err));
        (told.code, plan)
    }
}

impl Outcome {
    /// The same, of a run that must have ended so, and have said these words.
    pub fn ended(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        for word in words {
            let said = self.out.contains(word) || self.err.contains(word);
            assert!(said, "`{word}` was not said: {}\n{}", self.out, self.err);
        }
        self
    }

    /// The same, of a run that did not say this.
    pub fn without(self, word: &str) -> Self {
        let said = self.out.contains(word) || self.err.contains(word);
        assert!(!said, "`{word}` was said: {}\n{}", self.out, self.err);
        self
    }
}

/// What `aws …` answers.
pub fn aws(arguments: &[&str]) -> Value {
    let mut command = Command::new(tool("clients", "aws"));
    command.args(["--region", "us-east-1"]).args(arguments);
    let told = outcome(&mut command);
    assert_eq!(told.code, 0, "aws {arguments:?}: {}", told.err);
    serde_json::from_str(&told.out).unwrap_or_default()
}
