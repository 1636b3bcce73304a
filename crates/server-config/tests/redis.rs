//! The rendered configuration in real Redis servers.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by a panic"
)]

mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use mck_server_config::redis::status::{ReplicationStatus, parse_info_replication};
use mck_server_config::redis::{
    CLIENT_PASSWORD_VARIABLE, FLUSH, Fsync, INFO_REPLICATION, Instance, PROMOTE, Purpose,
    Replication, client_command_line, command_line, follow, render, render_secrets,
};
use mck_server_config::secret::Secret;
use support::{Process, folder, run_well, unprivileged, wait_for, words};

const SESSION: Purpose = Purpose::Session {
    fsync: Fsync::Always,
    min_replicas_to_write: 0,
};
const APPLICATION_PASSWORD: &str = r#"a "quoted" \ password"#;
const CONTROL_PASSWORD: &str = "control's #1";

#[test]
fn renders_the_configuration() {
    let address: IpAddr = "172.31.6.20".parse().unwrap();
    insta::assert_snapshot!(
        "cache",
        render(&Instance::new(Purpose::Cache, address, 64)).unwrap()
    );
    let mut session = Instance::new(SESSION, address, 64);
    insta::assert_snapshot!("session", render(&session).unwrap());
    session.purpose = Purpose::Session {
        fsync: Fsync::EverySecond,
        min_replicas_to_write: 1,
    };
    session.replication = Replication::Replica {
        primary: "172.31.7.20".parse().unwrap(),
        port: 6379,
    };
    insta::assert_snapshot!("session_replica", render(&session).unwrap());
    session.data_directory = "/data\nrequirepass x".to_owned();
    assert!(render(&session).is_err());
    let secrets = render_secrets(
        &Secret::new(APPLICATION_PASSWORD),
        &Secret::new(CONTROL_PASSWORD),
    )
    .unwrap();
    insta::assert_snapshot!("secrets", secrets.expose());
    assert!(render_secrets(&Secret::new("a\nb"), &Secret::new("c")).is_err());
}

#[test]
fn renders_the_command_lines() {
    insta::assert_debug_snapshot!((
        command_line("/etc/mck/redis.conf"),
        client_command_line("/run/control/redis.sock", &PROMOTE),
        follow("172.31.7.20".parse().unwrap(), 6379),
    ));
}

/// A server on loopback, as an unprivileged user.
struct Server {
    instance: Instance,
    process: Process,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(change: impl FnOnce(&mut Instance)) -> Self {
        let folder = folder();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mut instance = Instance {
            port: mck_test_ports::reserve(),
            socket: path("redis.sock"),
            data_directory: path("data"),
            secrets_file: path("secrets.conf"),
            ..Instance::new(SESSION, Ipv4Addr::LOCALHOST.into(), 16)
        };
        change(&mut instance);
        std::fs::create_dir(&instance.data_directory).unwrap();
        let secrets = render_secrets(
            &Secret::new(APPLICATION_PASSWORD),
            &Secret::new(CONTROL_PASSWORD),
        );
        std::fs::write(&instance.secrets_file, secrets.unwrap().expose()).unwrap();
        std::fs::set_permissions(&instance.secrets_file, PermissionsExt::from_mode(0o600)).unwrap();
        run_well(&words([
            "chown",
            "redis",
            &instance.secrets_file,
            &instance.data_directory,
        ]));
        let process = Self::launch(&instance, folder.path());
        Self {
            instance,
            process,
            _folder: folder,
        }
    }

    fn launch(instance: &Instance, folder: &Path) -> Process {
        let config = folder.join("redis.conf");
        std::fs::write(&config, render(instance).unwrap()).unwrap();
        let line = command_line(config.to_str().unwrap());
        let process = Process::start(&unprivileged("redis", "redis", &line), &folder.join("log"));
        wait_for("Redis", || {
            control(instance, &["PING"]).is_ok().then_some(())
        });
        process
    }

    fn control(&self, command: &[&str]) -> String {
        control(&self.instance, command).unwrap()
    }

    /// As an application, over TCP.
    fn application(&self, command: &[&str]) -> Result<String, String> {
        let mut line = words([
            "redis-cli",
            "-e",
            "--no-auth-warning",
            "-h",
            "127.0.0.1",
            "-p",
        ]);
        line.push(self.instance.port.to_string());
        line.extend(command.iter().map(|&word| word.to_owned()));
        answer(&line, APPLICATION_PASSWORD)
    }

    fn status(&self) -> ReplicationStatus {
        parse_info_replication(&self.control(&INFO_REPLICATION)).unwrap()
    }
}

fn control(instance: &Instance, command: &[&str]) -> Result<String, String> {
    answer(
        &client_command_line(&instance.socket, command),
        CONTROL_PASSWORD,
    )
}

fn answer(line: &[String], password: &str) -> Result<String, String> {
    let output = Command::new(&line[0])
        .args(&line[1..])
        .env(CLIENT_PASSWORD_VARIABLE, password)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() {
        Ok(text.trim().to_owned())
    } else {
        Err(text)
    }
}

#[test]
fn sessions_survive_a_crash_and_a_failover() {
    let mut primary = Server::start(|_| {});
    let port = primary.instance.port;
    let replica = Server::start(|instance| {
        instance.replication = Replication::Replica {
            primary: Ipv4Addr::LOCALHOST.into(),
            port,
        };
    });
    wait_for("replication", || match primary.status() {
        ReplicationStatus::Primary { replicas, .. } => {
            let found = replicas.iter().find(|one| one.online)?;
            assert_eq!(found.port, replica.instance.port);
            Some(())
        }
        other => panic!("{other:?}"),
    });
    for number in 0..50 {
        primary
            .application(&["SET", &format!("sess_{number}"), "cart"])
            .unwrap();
    }
    assert_eq!(primary.control(&["WAIT", "1", "5000"]), "1");
    assert!(
        replica
            .application(&["SET", "a", "b"])
            .unwrap_err()
            .contains("READONLY")
    );

    primary.process.kill();
    wait_for("the replica to notice", || match replica.status() {
        ReplicationStatus::Replica {
            connected: false,
            offset,
            ..
        } => (offset > 0).then_some(()),
        ReplicationStatus::Replica { .. } => None,
        ReplicationStatus::Primary { .. } => panic!("nobody promoted it"),
    });
    replica.control(&PROMOTE);
    assert_eq!(replica.application(&["DBSIZE"]).unwrap(), "50");
    replica.application(&["SET", "sess_new", "cart"]).unwrap();

    // The file alone holds every acknowledged session too; then the old primary follows the new.
    primary.process = Server::launch(&primary.instance, primary._folder.path());
    assert_eq!(primary.application(&["DBSIZE"]).unwrap(), "50");
    let command = follow(Ipv4Addr::LOCALHOST.into(), replica.instance.port);
    primary.control(&command.each_ref().map(String::as_str));
    wait_for("the old primary to follow", || {
        (primary.application(&["DBSIZE"]).unwrap() == "51").then_some(())
    });
    let held = std::fs::read_to_string(primary._folder.path().join("log")).unwrap();
    assert!(!held.contains(CONTROL_PASSWORD) && !held.contains(APPLICATION_PASSWORD));
}

#[test]
fn a_full_cache_evicts_and_a_full_session_store_refuses() {
    let fill = |server: &Server| -> Vec<Result<String, String>> {
        let value = "x".repeat(100_000);
        (0..30)
            .map(|number| server.application(&["SET", &format!("key_{number}"), &value]))
            .collect()
    };
    let cache = Server::start(|instance| {
        instance.purpose = Purpose::Cache;
        instance.memory_mebibytes = 2;
    });
    assert!(fill(&cache).iter().all(Result::is_ok));
    let kept: u32 = cache.application(&["DBSIZE"]).unwrap().parse().unwrap();
    assert!((1..30).contains(&kept), "{kept}");
    let session = Server::start(|instance| instance.memory_mebibytes = 2);
    let refused = fill(&session).into_iter().find_map(Result::err).unwrap();
    assert!(refused.contains("OOM"), "{refused}");
}

#[test]
fn applications_may_not_administer() {
    let server = Server::start(|instance| instance.purpose = Purpose::Cache);
    for command in [
        &["CONFIG", "GET", "*"][..],
        &["SHUTDOWN"],
        &["REPLICAOF", "NO", "ONE"],
    ] {
        assert!(
            server.application(command).unwrap_err().contains("NOPERM"),
            "{command:?}"
        );
    }
    server.application(&["SET", "a", "b"]).unwrap();
    for command in [
        &["INFO"][..],
        &["KEYS", "*"],
        &["EVAL", "return 1", "0"],
        &["FLUSHDB"],
    ] {
        server.application(command).unwrap();
    }
    server.application(&["SET", "a", "b"]).unwrap();
    server.control(&FLUSH);
    assert_eq!(server.application(&["DBSIZE"]).unwrap(), "0");
    let port = server.instance.port.to_string();
    let stranger = words(["redis-cli", "-e", "-p", &port, "GET", "a"]);
    assert!(answer(&stranger, "wrong").unwrap_err().contains("NOAUTH"));
}
