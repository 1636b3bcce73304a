//! What the tests against real servers share: processes that die with their guard, free ports, and
//! waiting with a deadline.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod http;
pub mod load_balancer;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A child process that is killed when the guard goes.
pub struct Process(pub Child);

impl Process {
    /// Starts a command line with its standard streams in `log`.
    pub fn start(command_line: &[String], log: &Path) -> Self {
        Self::start_with_stdin(command_line, log, Stdio::null())
    }

    /// The same with a standard input, which may be a listening socket.
    pub fn start_with_stdin(command_line: &[String], log: &Path, stdin: Stdio) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let child = Command::new(&command_line[0])
            .args(&command_line[1..])
            .stdin(stdin)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} must be installed: {error}", command_line[0]));
        Self(child)
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command line to its end.
pub fn run(command_line: &[String]) -> Output {
    Command::new(&command_line[0])
        .args(&command_line[1..])
        .output()
        .unwrap_or_else(|error| panic!("{} must be installed: {error}", command_line[0]))
}

/// Runs a command line and fails the test, with its output, when it fails.
pub fn run_well(command_line: &[String]) -> String {
    let output = run(command_line);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command_line:?}: {}\n{text}{errors}",
        output.status
    );
    text
}

/// The same command line as another user without capabilities, as in the containers.
pub fn unprivileged(user: &str, group: &str, command_line: &[String]) -> Vec<String> {
    let mut all: Vec<String> = [
        "setpriv",
        "--reuid",
        user,
        "--regid",
        group,
        "--clear-groups",
        "--inh-caps=-all",
        "--ambient-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
    ]
    .map(str::to_owned)
    .to_vec();
    all.extend_from_slice(command_line);
    all
}

/// A folder that any user may enter, removed with its guard.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    allow_all(folder.path());
    folder
}

/// Lets every user write into a folder.
pub fn allow_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
}

/// Polls until the condition gives a value; fails the test after 15 seconds.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited 15 s for {what}");
        pause(10);
    }
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "the one place where tests wait")]
pub fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Owned strings.
pub fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}
