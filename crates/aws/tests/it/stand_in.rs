//! Stand-ins for AWS, each in namespaces of its own.

use crate::tokens;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// Set for the process inside.
const INSIDE: &str = "MCK_TEST_INSIDE";
/// Where stand-ins listen, inside.
pub const PORT: u16 = 4566;
/// Where one listens that is asked through another.
const HIDDEN_PORT: u16 = 4567;
/// How long a stand-in may take to start.
const START: Duration = Duration::from_secs(60);

/// What makes ministack take all types.
const ALL_TYPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../aws/tests/it/all_types.py");

/// A program that stands in for AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Moto,
    Ministack,
    /// Ministack, which takes the types of resources that it does not know as well.
    MinistackOfAllTypes,
    LocalStack,
    /// LocalStack, with the tokens of requests that it forgets put into its events.
    LocalStackWithTokens,
    /// None: the test answers itself.
    Own,
}

/// Runs a test's body in namespaces of its own, beside a stand-in. `name` is the test's own, with
/// its module.
pub fn beside(kind: Kind, name: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_none() {
        run_inside(name);
        return;
    }
    let up = Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .status();
    assert!(up.expect("there is `ip`").success());
    let work = Work::new(name);
    let _running = start(kind, &work.0);
    body();
}

/// Runs this test again, inside: its processes end with it.
fn run_inside(name: &str) {
    let own = std::env::current_exe().expect("a test knows its program");
    let mut command = Command::new("unshare");
    command
        .args([
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--",
        ])
        .arg(own)
        .args(["--exact", name, "--include-ignored", "--nocapture"])
        .arg("--test-threads=1");
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("AWS_") {
            command.env_remove(key);
        }
    }
    let output = command
        .env(INSIDE, "1")
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{PORT}"))
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .output()
        .expect("the tests need the `unshare` program and root");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "inside:\n{out}\n{err}");
    assert!(
        out.contains("1 passed"),
        "{name} is not this test's name:\n{out}"
    );
}

/// A program of the stand-ins' tools.
pub fn tool(environment: &str, program: &str) -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/aws-tools");
    let tools = std::env::var_os("MCK_AWS_TOOLS").map_or(default, PathBuf::from);
    let path = tools.join(environment).join("bin").join(program);
    assert!(
        path.exists(),
        "{} is missing: run scripts/aws-tools/install",
        path.display()
    );
    path
}

#[expect(clippy::disallowed_methods, reason = "it waits until a deadline")]
fn start(kind: Kind, work: &Path) -> Option<Running> {
    let mut command = match kind {
        Kind::Own => return None,
        Kind::Moto => {
            let mut command = Command::new(tool("stand-ins", "moto_server"));
            command.args(["-H", "127.0.0.1", "-p", &PORT.to_string()]);
            command
        }
        Kind::Ministack => {
            let mut command = Command::new(tool("stand-ins", "ministack"));
            command.env("GATEWAY_PORT", PORT.to_string());
            command
        }
        Kind::MinistackOfAllTypes => {
            let mut command = Command::new(tool("stand-ins", "python"));
            command.arg(ALL_TYPES).env("GATEWAY_PORT", PORT.to_string());
            command
        }
        Kind::LocalStack | Kind::LocalStackWithTokens => {
            let port = if kind == Kind::LocalStack {
                PORT
            } else {
                HIDDEN_PORT
            };
            let mut command = Command::new(tool("localstack", "python"));
            command
                .args(["-m", "localstack.runtime.main"])
                .env("GATEWAY_LISTEN", format!("127.0.0.1:{port}"))
                .env("DNS_ADDRESS", "0")
                .env("EAGER_SERVICE_LOADING", "0")
                .env("DISABLE_EVENTS", "1")
                .env("SKIP_SSL_CERT_DOWNLOAD", "1");
            command
        }
    };
    let log = fs::File::create(work.join("log")).expect("the log can be written");
    let errors = log.try_clone().expect("a file can be had twice");
    let child = command
        .env_remove("AWS_ENDPOINT_URL")
        .env("HOME", work)
        .env("TMPDIR", work)
        .current_dir(work)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .expect("the stand-in starts");
    let mut running = Running(child);
    let port = if kind == Kind::LocalStackWithTokens {
        tokens::serve(PORT, HIDDEN_PORT);
        HIDDEN_PORT
    } else {
        PORT
    };
    let end = Instant::now() + START;
    while !answers(port) {
        let ended = running.0.try_wait().expect("the stand-in is our child");
        assert!(
            ended.is_none() && Instant::now() < end,
            "{kind:?} did not start: {}",
            fs::read_to_string(work.join("log")).unwrap_or_default()
        );
        sleep(Duration::from_millis(50));
    }
    Some(running)
}

/// Whether something speaks HTTP there.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let asked = stream.write_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let mut begin = [0; 4];
    asked.is_ok() && stream.read_exact(&mut begin).is_ok() && &begin == b"HTTP"
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Work(PathBuf);

/// The folder of a test beside a stand-in, which is the stand-in's own as well.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name.replace("::", "-"))
}

impl Work {
    fn new(name: &str) -> Self {
        let path = folder(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the folder can be made");
        Self(path)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
