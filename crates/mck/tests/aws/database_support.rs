//! Servers with TLS, what stands in for the plugin and for sessions, and the program between them.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    operate::read_request,
    run::{self, Outcome},
    stand_in::tool,
};

/// The master user's password, with all that option files and JSON take for something else.
pub const MASTER: &str = r#"ma"st\er #1 'ß'"#;
/// The password of the app's user.
pub const SCHEMA: &str = "the-shop-s-own-password";
/// The token of sessions.
const TOKEN: &str = "AAEAAcTokenOfTheForward";
/// The part of the environment that lets the Bastion reach the database.
pub const OPEN: &str = "[bastion]\ndatabase-access = true\n";
/// What Aurora's master user may, of all that there is.
const RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, \
    ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, \
    CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER";

/// A folder with all that a test needs.
pub struct Place {
    folder: tempfile::TempDir,
    endpoint: String,
    sessions: Sessions,
    seen: Arc<Seen>,
    plugin: &'static str,
    has_plugin: bool,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).unwrap();
        for name in ["bin", "home", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut place = Self {
            folder,
            endpoint: String::new(),
            sessions: Sessions::serve(),
            seen: Seen::look(),
            plugin: "forwards",
            has_plugin: true,
        };
        place.endpoint = place.seed("make", MASTER, SCHEMA);
        let program = format!(
            "#!/bin/sh\nexec '{}' '{}' \"$@\"\n",
            tool("stand-ins", "python").display(),
            source("plugin.py").display()
        );
        let path = place.at("bin").join("session-manager-plugin");
        fs::write(&path, program).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        place.write_environment(OPEN);
        let certificates = place.authority("ca");
        let usual = place.at("home").join(".local/share/mck");
        fs::create_dir_all(&usual).unwrap();
        fs::copy(certificates, usual.join("rds-global-bundle.pem")).unwrap();
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn path(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// Writes the environment file: the smallest, and this.
    pub fn write_environment(&self, more: &str) {
        let text = format!(
            "project = \"shop\"\n[app.shop]\npreset = \"magento2\"\nsource = \"src\"\n\
             routing.hosts = [\"www.example.com\"]\n{more}[environment.production]\n"
        );
        fs::write(self.at("magecloudkit.toml"), text).unwrap();
    }

    /// Whether the plugin is on the `PATH`.
    pub fn has_plugin(&mut self, it: bool) {
        self.has_plugin = it;
    }

    /// What the plugin does from now on.
    pub fn plugin(&mut self, kind: &'static str) {
        self.plugin = kind;
    }

    /// Puts passwords into moto, and makes the rest there; gives the cluster's host name.
    pub fn seed(&self, what: &str, master: &str, schema: &str) -> String {
        let output = Command::new(tool("stand-ins", "python"))
            .arg(source("database.py"))
            .args([what, master, schema])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A server that proves to be the cluster.
    pub fn server(&self, name: &str) -> Server {
        self.server_of(name, Some(&self.endpoint))
    }

    /// A server whose certificate is for a name; without a name it has none.
    pub fn server_of(&self, name: &str, certificate: Option<&str>) -> Server {
        let key = certificate.map(|host| self.certificate(name, host));
        let server = Server::start(&self.at(name), key.as_ref());
        let literal = |text: &str| text.replace('\\', "\\\\").replace('\'', "''");
        let (master, schema) = (literal(MASTER), literal(SCHEMA));
        server.sql(
            "mysql",
            &format!(
                "CREATE DATABASE shop; CREATE USER admin@'%' IDENTIFIED BY '{master}';
                 GRANT {RIGHTS} ON *.* TO admin@'%' WITH GRANT OPTION;
                 CREATE USER shop@'%' IDENTIFIED BY '{schema}'; GRANT ALL ON shop.* TO shop@'%'"
            ),
        );
        server
    }

    /// Makes an authority, and gives its certificate.
    pub fn authority(&self, name: &str) -> PathBuf {
        let (key, certificate) = (
            self.at(&format!("{name}.key")),
            self.at(&format!("{name}.pem")),
        );
        let subject = format!("/CN=The authority {name}");
        let mut command = Command::new("openssl");
        command
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args(["-days", "2", "-subj", &subject, "-keyout"])
            .arg(key)
            .arg("-out")
            .arg(&certificate);
        run(&mut command);
        certificate
    }

    /// A key and a certificate of the authority `ca`, in two files.
    fn certificate(&self, name: &str, host: &str) -> (PathBuf, PathBuf) {
        let at = |end: &str| self.at(&format!("server-{name}.{end}"));
        let (key, request, certificate, extensions) = (at("key"), at("csr"), at("pem"), at("ext"));
        // A common name has 64 characters at most.
        let mut command = Command::new("openssl");
        command
            .args([
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args(["-subj", "/CN=server", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&request);
        run(&mut command);
        fs::write(&extensions, format!("subjectAltName=DNS:{host}\n")).unwrap();
        let mut command = Command::new("openssl");
        command
            .args(["x509", "-req", "-days", "2", "-set_serial", "7", "-in"])
            .arg(&request)
            .arg("-CA")
            .arg(self.at("ca.pem"))
            .arg("-CAkey")
            .arg(self.at("ca.key"))
            .arg("-extfile")
            .arg(&extensions)
            .arg("-out")
            .arg(&certificate);
        run(&mut command);
        (key, certificate)
    }

    fn command(&self, arguments: &[&str], server: &Server) -> Command {
        let own = if self.has_plugin {
            format!("{}:", self.path("bin"))
        } else {
            String::new()
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_mck"));
        command
            .arg("--file")
            .arg(self.at("magecloudkit.toml"))
            .args(["--environment", "production"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", format!("{own}/usr/bin:/bin"))
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.at("tmp"))
            .env_remove("XDG_DATA_HOME")
            .env(
                "AWS_ENDPOINT_URL_SSM",
                format!("http://127.0.0.1:{}", self.sessions.port),
            )
            .env("MCK_TEST_PLUGIN_KIND", self.plugin)
            .env("MCK_TEST_PLUGIN_TARGET", server.port.to_string())
            .env("MCK_TEST_PLUGIN_LOG", self.at("plugin.log"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn mck(&self, arguments: &[&str], server: &Server) -> Outcome {
        self.feed(arguments, server, "")
    }

    pub fn feed(&self, arguments: &[&str], server: &Server, input: &str) -> Outcome {
        let mut command = self.command(arguments, server);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        // A program that reads nothing may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        outcome(child)
    }

    /// Presses Ctrl-C, which all programs in front of the terminal get, when the dump is on its way.
    pub fn interrupted(&self, arguments: &[&str], server: &Server) -> Outcome {
        let mut command = self.command(arguments, server);
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let file = arguments.last().unwrap();
        let name = Path::new(file)
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        until("a part of the dump", || {
            let mut entries = fs::read_dir(self.folder.path()).unwrap().flatten();
            entries.any(|it| {
                let own = it.file_name().to_string_lossy().into_owned();
                own.starts_with(&name) && it.metadata().is_ok_and(|data| data.len() > 0)
            })
        });
        let group = format!("-{}", child.id());
        run(Command::new("kill").args(["-INT", "--", &group]));
        outcome(child)
    }

    /// Asks the program to end, alone, while its client sleeps at the server.
    pub fn ended(&self, arguments: &[&str], server: &Server) -> Outcome {
        let mut command = self.command(arguments, server);
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let sleeping =
            "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'";
        until("a client that sleeps", || {
            server.sql("mysql", sleeping) == "1\n"
        });
        run(Command::new("kill").args(["-TERM", &child.id().to_string()]));
        outcome(child)
    }

    /// Types statements on a terminal of its own: a long one, Ctrl-C, and another; gives what was on the
    /// screen.
    pub fn typed(&self, arguments: &[&str], server: &Server) -> String {
        let own = self.command(arguments, server);
        let mut command = Command::new(tool("stand-ins", "python"));
        command
            .arg(source("terminal.py"))
            .arg(own.get_program())
            .args(own.get_args())
            .current_dir(self.folder.path());
        for (name, value) in own.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The requests of Systems Manager so far.
    pub fn requests(&self) -> Vec<String> {
        self.sessions.requests.lock().unwrap().clone()
    }

    /// Sees that the last session was the right one, and that the plugin ended it.
    pub fn saw_session(&self) {
        let log = fs::read_to_string(self.at("plugin.log")).unwrap();
        let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        let request = json!({
            "Target": "i-0123456789abcdef0",
            "DocumentName": "AWS-StartPortForwardingSessionToRemoteHost",
            "Parameters": {
                "host": [self.endpoint],
                "portNumber": ["3306"],
                "localPortNumber": ["0"],
            },
        });
        assert_eq!(last, json!({ "event": "ended", "request": request }));
        let opened = self.requests();
        let opened = opened
            .iter()
            .rfind(|it| it.contains("StartSession"))
            .unwrap();
        let (_, body) = opened.split_once("\r\n\r\n").unwrap();
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), request);
    }

    /// Sees that no process, no file and no secret of the commands is left, nor was seen.
    pub fn left_nothing(&self) {
        let files: Vec<_> = fs::read_dir(self.at("tmp")).unwrap().flatten().collect();
        assert!(files.is_empty(), "{files:?}");
        for line in command_lines() {
            assert!(!line.contains("plugin.py"), "{line}");
        }
        let shown = self.seen.secrets.lock().unwrap();
        assert!(shown.is_empty(), "{shown:?}");
        assert!(self.seen.rounds.load(Ordering::Relaxed), "somebody looked");
    }
}

fn outcome(child: Child) -> Outcome {
    let outcome = run::ended(child);
    for secret in [MASTER, SCHEMA, TOKEN] {
        let shown = format!("{}{}", outcome.out, outcome.err);
        assert!(!shown.contains(secret), "{shown}");
    }
    outcome
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/aws")
        .join(name)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

#[expect(clippy::disallowed_methods, reason = "it waits until a deadline")]
fn until(what: &str, mut look: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !look() {
        assert!(Instant::now() < end, "{what} did not come");
        thread::sleep(Duration::from_millis(20));
    }
}

fn command_lines() -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|it| fs::read(it.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect()
}

/// One who looks at all argument lists, as any user of the machine may.
struct Seen {
    secrets: Mutex<Vec<String>>,
    rounds: AtomicBool,
}

impl Seen {
    #[expect(clippy::disallowed_methods, reason = "it looks until the test ends")]
    fn look() -> Arc<Self> {
        let seen = Arc::new(Self {
            secrets: Mutex::default(),
            rounds: AtomicBool::new(false),
        });
        let own = Arc::downgrade(&seen);
        thread::spawn(move || {
            while let Some(seen) = own.upgrade() {
                let lines = command_lines();
                // Who puts passwords into moto is the test's own.
                let lines = lines.into_iter().filter(|it| !it.contains("database.py"));
                let shown = lines.filter(|line| {
                    let secrets = [MASTER, SCHEMA, TOKEN];
                    secrets.iter().any(|secret| line.contains(secret))
                });
                seen.secrets.lock().unwrap().extend(shown);
                seen.rounds.store(true, Ordering::Relaxed);
                drop(seen);
                thread::sleep(Duration::from_millis(5));
            }
        });
        seen
    }
}

/// Answers for Systems Manager.
struct Sessions {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Sessions {
    fn serve() -> Self {
        let port = mck_test_ports::reserve();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = answer(stream);
                kept.lock().unwrap().push(request);
            }
        });
        Self { port, requests }
    }
}

fn answer(mut stream: TcpStream) -> String {
    let request = read_request(&mut stream);
    let url = "wss://ssmmessages.us-east-1.amazonaws.com/v1/data-channel/ann-0123";
    let body = if request.contains(".StartSession") {
        json!({ "SessionId": "ann-0123", "StreamUrl": url, "TokenValue": TOKEN })
    } else {
        assert!(request.contains(".TerminateSession"), "{request}");
        json!({ "SessionId": "ann-0123" })
    };
    let body = body.to_string();
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    request
}

/// A running server, gone with this.
pub struct Server {
    pub port: u16,
    socket: PathBuf,
    child: Child,
}

impl Server {
    fn start(folder: &Path, key: Option<&(PathBuf, PathBuf)>) -> Self {
        fs::create_dir(folder).unwrap();
        let data = folder.join("data");
        let mut install = Command::new("mariadb-install-db");
        // Temporary tables are named after process numbers, which other namespaces have too.
        install
            .env("TMPDIR", folder)
            .args([
                "--no-defaults",
                "--user=root",
                "--skip-test-db",
                "--cross-bootstrap",
            ])
            .args([
                "--auth-root-authentication-method=socket",
                "--auth-root-socket-user=root",
            ])
            .arg(format!("--datadir={}", data.display()));
        run(&mut install);
        let (port, socket) = (mck_test_ports::reserve(), folder.join("s"));
        let mut server = Command::new("/usr/sbin/mariadbd");
        server
            .args([
                "--no-defaults",
                "--user=root",
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
            ])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--tmpdir={}", folder.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--port={port}"));
        if let Some((key, certificate)) = key {
            server
                .arg("--require-secure-transport=ON")
                .arg(format!("--ssl-key={}", key.display()))
                .arg(format!("--ssl-cert={}", certificate.display()));
        }
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = server
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self {
            port,
            socket,
            child,
        };
        until("a server", || {
            server.client("mysql", "SELECT 1").status.success()
        });
        server
    }

    fn client(&self, schema: &str, statements: &str) -> std::process::Output {
        let mut client = Command::new("mariadb")
            .args(["--no-defaults", "--batch", "--skip-column-names"])
            .arg("--default-character-set=utf8mb4")
            .arg(format!("--socket={}", self.socket.display()))
            .arg(schema)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A client that reaches no server reads nothing.
        let _ = client
            .stdin
            .take()
            .unwrap()
            .write_all(statements.as_bytes());
        client.wait_with_output().unwrap()
    }

    /// Runs statements as root; gives what they print.
    pub fn sql(&self, schema: &str, statements: &str) -> String {
        let output = self.client(schema, statements);
        assert!(output.status.success(), "{statements}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
