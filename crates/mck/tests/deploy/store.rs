//! A storefront of its own that runs for real, and is destroyed however the test ends.

use std::{
    fmt, fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mck_local::wait::pause;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mck");

pub struct Store {
    folder: tempfile::TempDir,
    pub port: u16,
    id: String,
}

/// What came of a command.
pub struct Outcome {
    code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// What a process left.
    pub fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "exit code {:?}\n{}\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.command(&["destroy", "--yes"]).output();
    }
}

impl Store {
    /// Brings a copy of the storefront up.
    pub fn up(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/storefront");
        let copied = Command::new("cp")
            .arg("--recursive")
            .arg(source)
            .arg(folder.path().join("src"))
            .status();
        assert!(copied.unwrap().success());
        let [port, other] = [(); 2].map(|()| mck_test_ports::reserve());
        let project = format!("{name}-{}", std::process::id());
        let store = Self {
            folder,
            port,
            id: format!("{project}-local"),
        };
        store.write(
            "magecloudkit.toml",
            &format!(
                "project = \"{project}\"\n[app.shop]\npreset = \"storefront\"\nsource = \"src\"\n\
                 [environment.local.local]\nhttp-port = {port}\nhttps-port = {other}\n\
                 internet = false\n"
            ),
        );
        store.run(&["up"]).expect(0);
        store
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn state(&self) -> PathBuf {
        self.path().join("state")
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("MCK_STATE_DIR", self.state())
            .env("USER", "ann")
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap())
    }

    /// Presses Ctrl-C at the command's first sign of life.
    pub fn interrupted(&self, arguments: &[&str]) -> Outcome {
        let mut child = self.start(arguments);
        let mut sign = [0];
        let stderr = child.stderr.as_mut().unwrap();
        stderr.read_exact(&mut sign).unwrap();
        self.interrupt(child)
    }

    /// Starts a command that is interrupted later.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self, child: Child) -> Outcome {
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        Outcome::of(child.wait_with_output().unwrap())
    }

    /// Waits until a snapshot is as it should be.
    pub fn wait_for(&self, is_as_it_should: impl Fn(&Value) -> bool) {
        let begin = Instant::now();
        while !self.snapshot().is_some_and(|it| is_as_it_should(&it)) {
            assert!(begin.elapsed() < Duration::from_secs(60));
            pause(Duration::from_millis(100));
        }
    }

    /// The snapshot; none while the supervisor does not answer.
    pub fn snapshot(&self) -> Option<Value> {
        let outcome = self.run(&["status", "--json"]);
        serde_json::from_str(&outcome.stdout).ok()
    }

    pub fn app(&self) -> Value {
        self.snapshot().unwrap()["apps"][0].clone()
    }

    pub fn last_deployment(&self) -> Value {
        let app = self.app();
        app["deployments"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    }

    /// Waits until all is as it is wanted, and stays so.
    pub fn settle(&self) {
        let begin = Instant::now();
        let mut steady = 0;
        while steady < 5 {
            let snapshot = self.snapshot();
            let settled = snapshot.as_ref().is_some_and(|it| it["settled"] == true);
            steady = if settled { steady + 1 } else { 0 };
            assert!(begin.elapsed() < Duration::from_secs(180), "{snapshot:#?}");
            pause(Duration::from_millis(200));
        }
    }

    /// The revision that answers.
    pub fn served(&self) -> String {
        let (head, body) = self.get("/REVISION.txt");
        if head.starts_with("HTTP/1.1 200") {
            return body.trim().to_owned();
        }
        let (head, body) = self.get("/api/whoami");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        answer["revision"].as_str().unwrap().to_owned()
    }

    pub fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let request = "HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n";
        write!(stream, "GET {path} {request}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    pub fn kill_supervisor(&self) {
        let lock = self.state().join(&self.id).join("supervisor.lock");
        let pid = fs::read_to_string(lock).unwrap();
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    /// No container and no namespace is of another task than those in the snapshot; one that ended
    /// between two looks is gone a moment later.
    pub fn expect_nothing_left_over(&self) {
        let mut left_over = self.left_over();
        let begin = Instant::now();
        while !left_over.is_empty() && begin.elapsed() < Duration::from_secs(5) {
            pause(Duration::from_millis(100));
            left_over = self.left_over();
        }
        let events = self.run(&["events"]);
        assert!(left_over.is_empty(), "{left_over:?}\n{events}");
    }

    fn left_over(&self) -> Vec<String> {
        let bundles = self.state().join(&self.id).join("run/containers");
        let namespaces = names(Path::new("/run/netns")).into_iter();
        let namespaces = namespaces.filter(|name| name.contains(&self.id));
        // Asked for last: what has begun meanwhile is in it.
        let mut found: Vec<(String, String)> = names(&bundles)
            .into_iter()
            .filter_map(|name| Some((name.split_once('.')?.0.to_owned(), name)))
            .collect();
        found.extend(
            namespaces.filter_map(|name| Some((name.split_once("task-")?.1.to_owned(), name))),
        );
        let app = self.app();
        let tasks = app["tasks"].as_array().unwrap();
        found.retain(|(task, _)| !tasks.iter().any(|it| it["id"] == **task));
        found.into_iter().map(|(_, name)| name).collect()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
