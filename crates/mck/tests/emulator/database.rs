//! A MariaDB that stands in for the cluster of an environment.

use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use mck_local::wait::pause;

/// A server with no schema but its own.
pub struct Database {
    server: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Database {
    pub fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = format!("--datadir={}", folder.path().join("data").display());
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--user=root", "--skip-test-db"])
            .args(["--auth-root-authentication-method=normal", &data])
            .output();
        let made = made.expect("the package mariadb-server is installed");
        assert!(made.status.success(), "{made:?}");
        let port = mck_test_ports::reserve();
        let server = Command::new("/usr/sbin/mariadbd")
            .args(["--no-defaults", "--user=root", "--bind-address=127.0.0.1"])
            .arg(&data)
            .arg(format!("--port={port}"))
            .arg(format!("--socket={}", folder.path().join("s").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let database = Self {
            server,
            folder,
            port,
        };
        let begin = Instant::now();
        while !database.socket().exists() {
            assert!(begin.elapsed() < Duration::from_secs(60));
            pause(Duration::from_millis(50));
        }
        database
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// What a statement of somebody gives.
    pub fn run(&self, user: &str, password: &str, statement: &str) -> Output {
        Command::new("mariadb")
            .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1"])
            .args(["--batch", "--skip-column-names"])
            .arg(format!("--port={}", self.port))
            .arg(format!("--user={user}"))
            .arg(format!("--password={password}"))
            .arg(format!("--execute={statement}"))
            .output()
            .unwrap()
    }
}
