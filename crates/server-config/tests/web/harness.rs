//! A task of a preset: real nginx and php-fpm as `www-data` without capabilities, in private mount,
//! network and process namespaces, at the ports and paths of production.

use mck_server_config::web_preset::{ServerContainer, WebPresetSpec};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub type Environment<'a> = &'a [(&'a str, &'a str)];

const AS_WWW_DATA: &str = "setpriv --reuid 33 --regid 33 --clear-groups --inh-caps=-all \
                           --bounding-set=-all --no-new-privs env -i \
                           PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub struct Task {
    stage: TempDir,
    child: Child,
    _stdin: ChildStdin,
    environment: Vec<(String, String)>,
    working_directory: String,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Task {
    /// Starts a task; `backing` is shell that first starts the servers that the app depends on.
    pub fn start(
        spec: &WebPresetSpec,
        release: &[(&str, &str)],
        environment: Environment<'_>,
        backing: &str,
    ) -> Self {
        let stage = tempfile::tempdir().unwrap();
        let environment: Vec<(String, String)> = environment
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .chain(
                spec.php
                    .environment
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone())),
            )
            .collect();
        lay_out(stage.path(), spec, release);
        let servers = format!(
            "{backing}\n{}\n{}\n",
            server_line("php", &spec.php, &environment),
            server_line("nginx", &spec.nginx, &[])
        );
        write(stage.path(), "servers.sh", &servers);
        let mut child = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child"])
            .args(["--mount-proc", "/bin/sh", "-c"])
            .args([include_str!("container_setup.sh"), "setup"])
            .arg(stage.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tests need the `unshare` program and root");
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first_line)
            .unwrap();
        assert_eq!(
            first_line.trim(),
            "ready",
            "the container could not be set up"
        );
        let stdin = child.stdin.take().unwrap();
        let task = Self {
            stage,
            child,
            _stdin: stdin,
            environment,
            working_directory: spec.php.working_directory.clone(),
        };
        task.wait_until_served();
        task
    }

    fn wait_until_served(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.try_send(
                8081,
                "GET /fpm-ping HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
            );
            if answer.is_ok_and(|response| response.status == 200) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "not served in time\nnginx: {}\nphp-fpm: {}",
                self.log("nginx"),
                self.log("php")
            );
            pause();
        }
    }

    pub fn get(&self, path: &str) -> Response {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.request(80, "GET", path, headers, "")
    }

    pub fn request(
        &self,
        port: u16,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request.push_str("Host: shop.localhost:8080\r\n");
        }
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        write!(request, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        self.try_send(port, &request)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends from a thread that has entered the task's network.
    fn try_send(&self, port: u16, request: &str) -> std::io::Result<Response> {
        let network = File::open(format!("/proc/{}/ns/net", self.child.id()))?;
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    rustix::thread::move_into_link_name_space(
                        std::os::fd::AsFd::as_fd(&network),
                        Some(rustix::thread::LinkNameSpaceType::Network),
                    )?;
                    let address = SocketAddr::from(([127, 0, 0, 1], port));
                    let mut stream = TcpStream::connect(address)?;
                    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
                    stream.write_all(request.as_bytes())?;
                    let mut raw = Vec::new();
                    stream.read_to_end(&mut raw)?;
                    parse(&raw)
                })
                .join()
                .unwrap()
        })
    }

    /// Runs a one-off command as a container like the PHP container would.
    pub fn run(&self, command: &[String]) -> Output {
        let pid = self.child.id();
        let script = format!(
            "cd {} && exec {AS_WWW_DATA} {} {}",
            self.working_directory,
            assignments(&self.environment),
            words(command)
        );
        Command::new("nsenter")
            .arg(format!("--mount=/proc/{pid}/ns/mnt"))
            .arg(format!("--net=/proc/{pid}/ns/net"))
            .arg(format!("--pid=/proc/{pid}/ns/pid_for_children"))
            .args(["/bin/sh", "-c", &script])
            .output()
            .expect("the tests need the `nsenter` program")
    }

    /// Runs a command that must succeed, and gives its standard output.
    pub fn run_well(&self, command: &[String]) -> String {
        let output = self.run(command);
        assert!(
            output.status.success(),
            "{command:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// A shell line as root in the task's namespaces.
    pub fn shell(&self, line: &str) -> String {
        let pid = self.child.id();
        let output = Command::new("nsenter")
            .arg(format!("--mount=/proc/{pid}/ns/mnt"))
            .arg(format!("--net=/proc/{pid}/ns/net"))
            .arg(format!("--pid=/proc/{pid}/ns/pid_for_children"))
            .args(["/bin/sh", "-c", line])
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn log(&self, server: &str) -> String {
        fs::read_to_string(self.stage.path().join(format!("logs/{server}"))).unwrap_or_default()
    }

    /// The log, once it has `needle`: servers write it after they answer.
    pub fn log_with(&self, server: &str, needle: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let log = self.log(server);
            if log.contains(needle) {
                return log;
            }
            assert!(Instant::now() < deadline, "no {needle} in {log}");
            pause();
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // --kill-child ends the whole process namespace with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "every caller has a deadline")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

fn lay_out(stage: &Path, spec: &WebPresetSpec, release: &[(&str, &str)]) {
    fs::create_dir_all(stage.join("logs")).unwrap();
    for file in spec.nginx.files.iter().chain(&spec.php.files) {
        write(
            &stage.join("files"),
            file.path.trim_start_matches('/'),
            &file.content,
        );
    }
    for (path, content) in release {
        write(&stage.join("release"), path, content);
    }
    for folder in spec.release_mount_points() {
        fs::create_dir_all(stage.join("release").join(folder)).unwrap();
    }
    let writable: String = spec
        .writable_paths
        .iter()
        .map(|path| format!("{} {}\n", path.seeded, path.path))
        .collect();
    write(stage, "writable", &writable);
    let shared: String = spec
        .shared_paths
        .iter()
        .map(|path| format!("{path}\n"))
        .collect();
    write(stage, "shared-paths", &shared);
    for server in ["nginx", "php"] {
        let log = stage.join("logs").join(server);
        File::create(&log).unwrap();
        std::os::unix::fs::chown(&log, Some(33), Some(33)).unwrap();
    }
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(stage, fs::Permissions::from_mode(0o755)).unwrap();
}

fn write(folder: &Path, path: &str, content: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn server_line(name: &str, server: &ServerContainer, environment: &[(String, String)]) -> String {
    format!(
        "(cd {} && exec {AS_WWW_DATA} {} {}) >> $stage/logs/{name} 2>&1 < /dev/null &",
        server.working_directory,
        assignments(environment),
        words(&server.command)
    )
}

fn assignments(environment: &[(String, String)]) -> String {
    let assigned: Vec<String> = environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    words(&assigned)
}

fn words(words: &[String]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    quoted.join(" ")
}

fn parse(raw: &[u8]) -> std::io::Result<Response> {
    let bad = || std::io::Error::other(format!("bad answer: {}", String::from_utf8_lossy(raw)));
    let end = raw
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or_else(bad)?;
    let headers = String::from_utf8_lossy(&raw[..end]).into_owned();
    let status = headers
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(bad)?;
    let mut response = Response {
        status,
        headers,
        body: raw[end + 4..].to_vec(),
    };
    if response.header("Transfer-Encoding") == Some("chunked") {
        response.body = unchunk(&response.body);
    }
    Ok(response)
}

fn unchunk(mut raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&raw[..end])
            .ok()
            .and_then(|size| usize::from_str_radix(size, 16).ok())
            .unwrap();
        if size == 0 {
            break;
        }
        body.extend_from_slice(&raw[end + 2..end + 2 + size]);
        raw = &raw[end + 2 + size + 2..];
    }
    body
}

/// Shell that starts a MariaDB on the task's port 3306 with one database and a user of its name.
pub fn mariadb(database: &str, password: &str) -> String {
    let password = password.replace('\\', "\\\\").replace('\'', "''");
    format!(
        r"mkdir -p /run/db
mariadb-install-db --no-defaults --datadir=/run/db --auth-root-authentication-method=normal \
    --innodb-log-file-size=8M --skip-test-db > $stage/logs/mariadb 2>&1
mariadbd --no-defaults --user=root --datadir=/run/db --socket=/run/db.sock --port=3306 \
    --bind-address=127.0.0.1 --pid-file=/run/db.pid --innodb-buffer-pool-size=32M >> $stage/logs/mariadb 2>&1 &
until mariadb-admin --no-defaults --socket=/run/db.sock ping > /dev/null 2>&1; do sleep 0.05; done
mariadb --no-defaults --socket=/run/db.sock << 'SQL'
CREATE DATABASE {database};
CREATE USER {database}@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON {database}.* TO {database}@'127.0.0.1';
SQL"
    )
}

/// Shell that starts a Redis on `port` of the task's loopback.
pub fn redis(port: u16) -> String {
    format!(
        "redis-server --port {port} --bind 127.0.0.1 --save '' --dir /run > $stage/logs/redis-{port} 2>&1 &"
    )
}
