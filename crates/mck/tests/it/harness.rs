//! Runs the program in a folder of its own and shows what came of it.

use std::{
    fmt, fs,
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mck");

/// A folder in which the program runs, with a state folder of its own.
pub struct Place {
    folder: tempfile::TempDir,
}

/// What came of a run; paths and versions are replaced.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn with(toml: &str) -> Self {
        let place = Self::empty();
        place.write("magecloudkit.toml", toml);
        place
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The program with a clean environment, in this folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        self.prepare(&mut command);
        command.args(arguments);
        command
    }

    /// The program on a terminal of 80 columns.
    pub fn on_terminal(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("script");
        self.prepare(&mut command);
        let line = [&[PROGRAM], arguments].concat().join(" ");
        let line = format!("stty cols 80 rows 24; {line}");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        command
    }

    /// A copy of the program that runs as the user `nobody`, where the test may become that user.
    pub fn as_nobody(&self, arguments: &[&str]) -> Command {
        use std::os::unix::fs::PermissionsExt;
        let copy = self.path().join("mck");
        // By another process: one forked meanwhile by another test would keep a descriptor of ours
        // open for writing, and a file that is written to can't be run.
        let copied = Command::new("cp").arg(PROGRAM).arg(&copy).status();
        assert!(copied.unwrap().success());
        fs::set_permissions(self.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(copy);
        self.prepare(&mut command);
        command.args(arguments);
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        command
    }

    fn prepare(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("TERM", "xterm-256color")
            .env("MCK_STATE_DIR", self.state())
            .current_dir(self.path())
            .stdin(Stdio::null());
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.finish(&mut self.command(arguments))
    }

    pub fn finish(&self, command: &mut Command) -> Outcome {
        let output = command.output().unwrap();
        self.outcome(output)
    }

    /// Runs with text on the standard input.
    pub fn feed(&self, command: &mut Command, input: &str) -> Outcome {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        self.outcome(child.wait_with_output().unwrap())
    }

    fn outcome(&self, output: Output) -> Outcome {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&self.path().display().to_string(), "[FOLDER]")
                .replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
        };
        Outcome {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Outcome {
    /// The standard output as JSON; everything must have gone well.
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, 0, "{self}");
        assert_eq!(self.stderr, "", "{self}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        write!(
            out,
            "exit code: {code}\n----- stdout -----\n{stdout}\n----- stderr -----\n{stderr}"
        )
    }
}

/// A file that has everything that `show` can show.
pub const FULL: &str = r#"
project = "demo"

[app.shop]
preset = "storefront"
source = "."
secrets = { STRIPE_SECRET_KEY = "stripe-secret-key" }

[secret.stripe-secret-key]
description = "Stripe's key"

[cache.memcached]
nodes = 2

[integration.new-relic]
license-key = "new-relic-license-key"

[alarms]
emails = ["ops@example.com"]

[dns]
public-zone = "example.com"

[environment.production.app.shop.routing]
hosts = ["www.example.com"]

[environment.local]
"#;
