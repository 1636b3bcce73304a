//! Real servers for tests of backups, each in a mount namespace as in a container: it calls its data
//! directory `/var/lib/mysql`, and that lies in a folder that only root may enter.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "the helpers of a test fail it by a panic; not every test uses each"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    net::Ipv4Addr,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use jiff::Timestamp;
use mck_local::{
    accounts::Accounts,
    backup::{Backups, Server},
    wait,
};
use mck_server_config::{
    mariadb::{
        Install, Member, Output, Role, client_command_line, command_line, install_command_line,
        render,
        sql::{self, Account, Bootstrap, Source},
    },
    secret::Secret,
};

/// Folders of one environment, gone with this.
pub struct Environment {
    folder: tempfile::TempDir,
    pub backups: Backups,
}

pub const NEW_WRITER: Role = Role::Writer {
    wait_for_reader: false,
};

impl Environment {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path());
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        let user = Accounts::read(Path::new("/"))
            .unwrap()
            .user("mysql")
            .unwrap();
        let empty = state.join("empty");
        let backups = Backups::new(state.join("backups"), user, 8, empty.clone());
        let environment = Self { folder, backups };
        environment.install(&empty);
        environment
    }

    /// A path below the folder for root only.
    pub fn state(&self, name: &str) -> PathBuf {
        self.folder.path().join("state").join(name)
    }

    /// A path that anyone may reach.
    pub fn open(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An empty data directory.
    pub fn data(&self, name: &str) -> PathBuf {
        self.copy(&self.state("empty"), name)
    }

    fn install(&self, data: &Path) {
        let made = self.open("made");
        fs::create_dir(&made).unwrap();
        let line = install_command_line(&Install {
            data_directory: made.display().to_string(),
            log_file_mebibytes: 8,
        });
        run("chown", &["mysql:mysql", made.to_str().unwrap()]);
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        let user = ["--reuid=mysql", "--regid=mysql", "--clear-groups"];
        // Temporary tables are named after process numbers, which other namespaces have too.
        let temporary = self.open("tmp");
        fs::create_dir(&temporary).unwrap();
        open(&temporary);
        let temporary = format!("TMPDIR={}", temporary.display());
        let program = [temporary.as_str(), "setpriv"];
        run("env", &[&program[..], &user, &words].concat());
        fs::rename(&made, data).unwrap();
    }

    pub fn copy(&self, from: &Path, name: &str) -> PathBuf {
        let to = self.state(name);
        run("cp", &["-a", from.to_str().unwrap(), to.to_str().unwrap()]);
        to
    }

    pub fn start(&self, name: &str, number: u32, data: &Path, role: Role) -> Running {
        Running::start(self, name, number, data, role)
    }
}

fn open(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
}

pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A running server, killed when this is dropped.
pub struct Running {
    pub server: Server,
    pub port: u16,
    child: Child,
}

impl Running {
    fn start(environment: &Environment, name: &str, number: u32, data: &Path, role: Role) -> Self {
        let control = environment.open(&format!("{name}-control"));
        fs::create_dir_all(&control).unwrap();
        open(&control);
        let socket = control.join("mysqld.sock");
        let port = mck_test_ports::reserve();
        let member = Member {
            port,
            socket: socket.display().to_string(),
            temporary_directory: control.display().to_string(),
            memory_mebibytes: 192,
            max_connections: 30,
            ..Member::new(number, role, Ipv4Addr::LOCALHOST.into())
        };
        let options = control.join("my.cnf");
        fs::write(&options, render(&member).unwrap()).unwrap();
        fs::set_permissions(&options, fs::Permissions::from_mode(0o644)).unwrap();
        let line = command_line(
            options.to_str().unwrap(),
            mck_server_config::mariadb::Start::Normal,
        );
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(control.join("log"))
            .unwrap();
        let child = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-c"])
            .arg("mount --bind \"$1\" /var/lib/mysql && shift && exec setpriv --reuid=mysql --regid=mysql --clear-groups --bounding-set=-all --no-new-privs --pdeathsig=KILL \"$@\"")
            .arg("sh")
            .arg(data)
            .args(line)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let listens = || UnixStream::connect(&socket).ok();
        let seen = wait::until(Duration::from_secs(20), listens);
        let log = fs::read_to_string(control.join("log")).unwrap();
        seen.unwrap_or_else(|| panic!("{name} does not listen: {log}"));
        let server = Server {
            name: name.to_owned(),
            socket,
            data_directory: data.to_owned(),
        };
        Self {
            server,
            port,
            child,
        }
    }

    fn client(&self) -> Command {
        let line = client_command_line(self.server.socket.to_str().unwrap(), Output::Rows).unwrap();
        let mut client = Command::new(&line[0]);
        client.args(&line[1..]);
        client
    }

    pub fn sql(&self, statements: &str) -> String {
        let mut client = self.client();
        let output = client.arg("-e").arg(statements).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statements}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Shuts it down.
    pub fn stop(mut self) {
        self.sql("SHUTDOWN");
        self.child.wait().unwrap();
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Writes rows one by one and notes the sequence number under which each was acknowledged.
    pub fn load(&self, writer: u64) -> Load {
        let mut client = self.client();
        let mut child = client
            .arg("--unbuffered")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let write = std::thread::spawn({
            let stop = stop.clone();
            move || write_rows(input, writer, &stop)
        });
        let read = std::thread::spawn(move || {
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.lines().filter_map(acknowledged).collect()
        });
        Load { stop, write, read }
    }

    pub fn rows(&self) -> Vec<u64> {
        let rows = self.sql("SELECT id FROM shop.t ORDER BY id");
        rows.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its files are removed next.
        let gone = || UnixStream::connect(&self.server.socket).err();
        wait::until(Duration::from_secs(10), gone);
    }
}

fn write_rows(mut input: ChildStdin, writer: u64, stop: &std::sync::atomic::AtomicBool) {
    for row in 0..1_000_000_u64 {
        let id = writer * 1_000_000 + row;
        let line = format!(
            "INSERT INTO shop.t VALUES ({id}, REPEAT('x', 300)); SELECT {id}, @@last_gtid;"
        );
        if stop.load(std::sync::atomic::Ordering::Relaxed) || writeln!(input, "{line}").is_err() {
            return;
        }
    }
}

fn acknowledged(line: &str) -> Option<(u64, u64)> {
    let (id, gtid) = line.split_once('\t')?;
    let sequence = gtid.rsplit('-').next()?;
    Some((id.parse().unwrap(), sequence.parse().unwrap()))
}

/// A client that writes until it is stopped.
pub struct Load {
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    write: JoinHandle<()>,
    read: JoinHandle<BTreeMap<u64, u64>>,
}

impl Load {
    /// Ends it; what was acknowledged, by row, with its sequence number.
    pub fn stop(self) -> BTreeMap<u64, u64> {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        self.write.join().unwrap();
        self.read.join().unwrap()
    }
}

pub const TABLE: &str =
    "CREATE DATABASE shop; CREATE TABLE shop.t (id BIGINT PRIMARY KEY, v TEXT);";

/// Lets one follow the other, with accounts made on the writer.
pub fn accounts(writer: &Running) {
    let account = |user: &str| Account {
        user: user.to_owned(),
        password: Secret::new("secret"),
    };
    let bootstrap = Bootstrap {
        databases: vec!["shop".to_owned()],
        application: Some(account("shop")),
        replication: account("replication"),
        monitor: account("monitor"),
    };
    writer.sql(sql::bootstrap(&bootstrap).unwrap().expose());
}

pub fn follow(reader: &Running, writer: &Running) {
    let source = Source {
        address: Ipv4Addr::LOCALHOST.into(),
        port: writer.port,
        account: Account {
            user: "replication".to_owned(),
            password: Secret::new("secret"),
        },
    };
    reader.sql(sql::follow(&source).unwrap().expose());
    caught_up(reader, writer);
}

pub fn caught_up(reader: &Running, writer: &Running) {
    let position = writer.sql("SELECT @@gtid_binlog_pos");
    let seen = wait::until(Duration::from_secs(20), || {
        (reader.sql("SELECT @@gtid_slave_pos") == position).then_some(())
    });
    seen.unwrap_or_else(|| panic!("{}", reader.sql("SHOW SLAVE STATUS")));
}

/// Waits for the next second to begin: binary logs know no less.
pub fn next_second() -> Timestamp {
    let now = Timestamp::now();
    let next = Timestamp::from_second(now.as_second() + 1).unwrap();
    let length = next.duration_since(now) + jiff::SignedDuration::from_millis(20);
    wait::pause(length.unsigned_abs());
    next
}
