//! The program, and what came of a run of it.

use std::{
    io::Write,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// What came of a run.
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Outcome {
    /// The same, of a run that must have gone well.
    pub fn good(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }
}

/// The program on the environment `production` of a file whose templates are golden files.
pub fn command(file: &str, arguments: &[&str]) -> Command {
    let environments = "../aws-stacks/tests/environments";
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(environments)
        .join(file);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mck"));
    command.arg("--file").arg(file);
    command
        .args(["--environment", "production"])
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// Runs to its end.
pub fn outcome(command: &mut Command) -> Outcome {
    of_output(&command.output().expect("the program runs"))
}

/// Runs to its end, with that on its standard input.
pub fn fed(command: &mut Command, input: &str) -> Outcome {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A program that reads nothing may have ended.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    ended(child)
}

/// Awaits the end of a program whose outputs are piped.
pub fn ended(child: Child) -> Outcome {
    of_output(&child.wait_with_output().expect("the program ends"))
}

fn of_output(output: &Output) -> Outcome {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let outcome = Outcome {
        code: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    };
    assert!(!outcome.err.contains("panicked"), "{}", outcome.err);
    outcome
}
