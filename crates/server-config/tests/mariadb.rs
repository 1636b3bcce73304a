//! The rendered configuration and SQL in real MariaDB servers.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by a panic"
)]

mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mck_server_config::mariadb::backup::{self, Shown, Stop, Temporary};
use mck_server_config::mariadb::dump::Compression;
use mck_server_config::mariadb::gtid::Position;
use mck_server_config::mariadb::sql::{self, Account, Bootstrap, Source, promote};
use mck_server_config::mariadb::status::{
    NODE_STATUS, NodeStatus, REPLICA_STATUS, ReplicaStatus, ThreadState, parse_node_status,
    parse_replica_status,
};
use mck_server_config::mariadb::{
    Install, Member, Output, Role, SlowLog, Start, buffer_pool_mebibytes, client_command_line,
    command_line, dump_command_line, install_command_line, render,
};
use mck_server_config::secret::Secret;
use support::{Process, folder, run_well, unprivileged, wait_for};

fn account(user: &str, password: &str) -> Account {
    Account {
        user: user.to_owned(),
        password: Secret::new(password),
    }
}

fn example_bootstrap() -> Bootstrap {
    Bootstrap {
        databases: vec!["shop".to_owned(), "shop_2".to_owned()],
        application: Some(account("shop", r"it's a \secret")),
        replication: account("replication", "r-secret"),
        monitor: account("monitor", "m-secret"),
    }
}

fn example_source(port: u16) -> Source {
    Source {
        address: Ipv4Addr::LOCALHOST.into(),
        port,
        account: account("replication", "r-secret"),
    }
}

#[test]
fn renders_the_option_files() {
    let address: IpAddr = "172.31.6.10".parse().unwrap();
    let mut writer = Member::new(
        1,
        Role::Writer {
            wait_for_reader: true,
        },
        address,
    );
    writer.slow_log = Some(SlowLog {
        file: "/dev/stdout".to_owned(),
        threshold_milliseconds: 1500,
    });
    insta::assert_snapshot!("writer", render(&writer).unwrap());
    insta::assert_snapshot!(
        "reader",
        render(&Member::new(2, Role::Reader, address)).unwrap()
    );
    writer.data_directory = "/var/lib/mysql\nuser=root".to_owned();
    assert!(render(&writer).is_err());
    assert!(render(&Member::new(0, Role::Reader, address)).is_err());
}

#[test]
fn the_buffer_pool_follows_the_memory() {
    let sizes = [0, 128, 256, 512, 1024, 8192].map(buffer_pool_mebibytes);
    assert_eq!(sizes, [16, 16, 72, 264, 648, 6024]);
}

#[test]
fn renders_the_command_lines() {
    let install = Install {
        data_directory: "/var/lib/mysql".into(),
        log_file_mebibytes: 8,
    };
    insta::assert_debug_snapshot!((
        command_line("/etc/my.cnf", Start::Normal),
        command_line("/etc/my.cnf", Start::Rejoin),
        install_command_line(&install),
        client_command_line("/run/control/mysqld.sock", Output::Rows).unwrap(),
        client_command_line("/run/control/mysqld.sock", Output::Fields).unwrap(),
        client_command_line("/run/control/mysqld.sock", Output::Interactive).unwrap(),
        dump_command_line("/run/control/mysqld.sock", "shop").unwrap(),
    ));
    assert!(dump_command_line("/run/x", "--result-file=x").is_err());
}

#[test]
fn renders_the_command_lines_of_backups() {
    let position: Position = "0-1-42".parse().unwrap();
    let files = ["/a/binlog.000007".to_owned()];
    let mut shown = Shown {
        folder: "/state/data/db-0".into(),
        path: "/var/lib/mysql/".into(),
        user: None,
        alone: false,
    };
    let backup = backup::backup_command_line("/c/mysqld.sock", "/var/lib/mysql/", "/b/data");
    let backup = backup::shown_command_line(&shown, &backup);
    let temporary = backup::temporary_command_line(&Temporary {
        data_directory: "/w/data".into(),
        socket: "/w/mysqld.sock".into(),
        temporary_directory: "/w/tmp".into(),
        buffer_pool_mebibytes: 64,
        log_file_mebibytes: 8,
    });
    shown.user = Some((101, 102));
    shown.alone = true;
    insta::assert_debug_snapshot!((
        backup,
        backup::prepare_command_line("/b/data", 64),
        backup::shown_command_line(&shown, &temporary),
        backup::replay_command_line(&Position::default(), &Stop::End, &files),
        backup::replay_command_line(&position, &Stop::After(position.clone()), &files),
        backup::replay_command_line(
            &position,
            &Stop::Before("2026-11-24 12:00:00".into()),
            &files
        ),
        backup::replay_client_command_line("/w/mysqld.sock"),
        backup::check_command_line("/w/mysqld.sock"),
        Compression::Zstandard.compress_command_line(),
        Compression::Gzip.decompress_command_line(),
    ));
    insta::assert_snapshot!(
        "stands_at_a_position",
        [
            backup::stand_at(&Position::default()),
            backup::stand_at(&position),
            backup::FOLLOW_FROM_HERE.to_owned(),
            backup::VERSION_AND_DATA.to_owned(),
            backup::SCHEMAS.to_owned(),
            backup::BINARY_LOGS.to_owned(),
        ]
        .join("---\n")
    );
    assert!(sql::schema_identifier("").is_err());
    assert_eq!(sql::schema_identifier("a`b").unwrap(), "`a``b`");
}

#[test]
fn renders_the_statements() {
    let texts = [
        sql::bootstrap(&example_bootstrap())
            .unwrap()
            .expose()
            .to_owned(),
        sql::follow(&example_source(3306))
            .unwrap()
            .expose()
            .to_owned(),
        sql::rejoin(&example_source(3306))
            .unwrap()
            .expose()
            .to_owned(),
        promote::STOP_RECEIVING.to_owned(),
        promote::wait_until_applied("0-1-42", 5).unwrap(),
        promote::become_writer(true),
        sql::semi_sync_source(false),
        sql::STOP_WRITES.to_owned(),
        NODE_STATUS.to_owned(),
        REPLICA_STATUS.to_owned(),
    ];
    insta::assert_snapshot!(texts.join("---\n"));
}

/// A server on loopback, as an unprivileged user.
struct Server {
    member: Member,
    option_file: PathBuf,
    log: PathBuf,
    process: Process,
}

impl Server {
    fn start(folder: &Path, data: &Path, server_id: u32, role: Role) -> Self {
        let path = |name: String| folder.join(name).to_str().unwrap().to_owned();
        let temporary = path(format!("tmp-{server_id}"));
        std::fs::create_dir_all(&temporary).unwrap();
        support::allow_all(Path::new(&temporary));
        let member = Member {
            port: mck_test_ports::reserve(),
            data_directory: data.to_str().unwrap().to_owned(),
            socket: path(format!("{server_id}.sock")),
            temporary_directory: temporary,
            memory_mebibytes: 192,
            max_connections: 20,
            ..Member::new(server_id, role, Ipv4Addr::LOCALHOST.into())
        };
        let option_file = folder.join(format!("{server_id}.cnf"));
        let log = folder.join(format!("{server_id}.log"));
        let process = Self::launch(&member, &option_file, &log, Start::Normal);
        Self {
            member,
            option_file,
            log,
            process,
        }
    }

    fn launch(member: &Member, option_file: &Path, log: &Path, start: Start) -> Process {
        std::fs::write(option_file, render(member).unwrap()).unwrap();
        let line = command_line(option_file.to_str().unwrap(), start);
        let process = Process::start(&unprivileged("mysql", "mysql", &line), log);
        wait_for(&format!("MariaDB, {}", log.display()), || {
            let client = client_command_line(&member.socket, Output::Rows).unwrap();
            let output = Command::new(&client[0])
                .args(&client[1..])
                .arg("-e")
                .arg("SELECT 1")
                .output();
            output.unwrap().status.success().then_some(())
        });
        process
    }

    fn restart(&mut self, role: Role, start: Start) {
        self.member.role = role;
        self.process = Self::launch(&self.member, &self.option_file, &self.log, start);
    }

    fn client(&self, output: Output) -> Child {
        let line = client_command_line(&self.member.socket, output).unwrap();
        Command::new(&line[0])
            .args(&line[1..])
            .arg("--unbuffered")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn sql(&self, statements: &str) -> String {
        self.sql_as(Output::Rows, statements)
    }

    fn sql_as(&self, output: Output, statements: &str) -> String {
        let mut client = self.client(output);
        client
            .stdin
            .take()
            .unwrap()
            .write_all(statements.as_bytes())
            .unwrap();
        let output = client.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn status(&self) -> NodeStatus {
        parse_node_status(&self.sql(NODE_STATUS)).unwrap()
    }

    fn replica_status(&self) -> Option<ReplicaStatus> {
        parse_replica_status(&self.sql_as(Output::Fields, REPLICA_STATUS)).unwrap()
    }
}

fn install(data: &Path) {
    std::fs::create_dir(data).unwrap();
    std::os::unix::fs::chown(data, Some(id("-u")), Some(id("-g"))).unwrap();
    let install = Install {
        data_directory: data.to_str().unwrap().to_owned(),
        log_file_mebibytes: 8,
    };
    run_well(&unprivileged(
        "mysql",
        "mysql",
        &install_command_line(&install),
    ));
}

fn id(option: &str) -> u32 {
    run_well(&support::words(["id", option, "mysql"]))
        .trim()
        .parse()
        .unwrap()
}

/// Writes rows one by one through several clients, and gives the numbers of those acknowledged.
fn write_until_it_dies(server: &Server) -> Vec<std::thread::JoinHandle<BTreeSet<u64>>> {
    (1..=4_u64)
        .map(|writer| {
            let mut client = server.client(Output::Rows);
            let mut input = client.stdin.take().unwrap();
            std::thread::spawn(move || {
                for row in 0..100_000 {
                    let id = writer * 1_000_000 + row;
                    if writeln!(input, "INSERT INTO shop.t VALUES ({id}); SELECT {id};").is_err() {
                        break;
                    }
                }
            });
            std::thread::spawn(move || {
                let output = client.wait_with_output().unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                text.lines().map(|line| line.parse().unwrap()).collect()
            })
        })
        .collect()
}

fn rows(server: &Server) -> BTreeSet<u64> {
    server
        .sql("SELECT id FROM shop.t;")
        .lines()
        .map(|line| line.parse().unwrap())
        .collect()
}

#[test]
fn no_acknowledged_write_is_lost_when_the_writer_dies() {
    let folder = folder();
    let data = folder.path().join("data-1");
    install(&data);
    let copy = folder.path().join("data-2");
    run_well(&support::words([
        "cp",
        "-a",
        data.to_str().unwrap(),
        copy.to_str().unwrap(),
    ]));

    let new_writer = Role::Writer {
        wait_for_reader: false,
    };
    let mut one = Server::start(folder.path(), &data, 1, new_writer);
    one.sql(sql::bootstrap(&example_bootstrap()).unwrap().expose());
    one.sql(sql::bootstrap(&example_bootstrap()).unwrap().expose());
    let two = Server::start(folder.path(), &copy, 2, Role::Reader);
    two.sql(
        sql::follow(&example_source(one.member.port))
            .unwrap()
            .expose(),
    );
    wait_for("a reader that acknowledges", || {
        let status = one.status();
        (status.semi_sync_readers == 1).then_some(())
    });
    one.sql(&sql::semi_sync_source(true));
    one.sql("CREATE TABLE shop.t (id BIGINT PRIMARY KEY) ENGINE=InnoDB;");
    let status = one.status();
    assert!(
        status.semi_sync_active && status.semi_sync_enabled && !status.read_only,
        "{status:?}"
    );
    let replica = wait_for("replication", || {
        let status = two.replica_status().unwrap();
        (two.sql("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA='shop';")
            == "1\n")
            .then_some(status)
    });
    assert_eq!(
        (replica.receiver, replica.applier),
        (ThreadState::Yes, ThreadState::Yes)
    );
    assert_eq!(replica.receiver_error, (0, String::new()));
    assert!(replica.is_caught_up(), "{replica:?}");
    let stopped = ReplicaStatus {
        applier: ThreadState::No,
        ..replica.clone()
    };
    assert!(!stopped.is_caught_up());
    assert_application_account(&two);

    let writers = write_until_it_dies(&one);
    wait_for("some writes", || (rows(&one).len() > 300).then_some(()));
    one.process.kill();
    let acknowledged: BTreeSet<u64> = writers
        .into_iter()
        .flat_map(|writer| writer.join().unwrap())
        .collect();
    assert!(acknowledged.len() > 250, "{}", acknowledged.len());

    two.sql(promote::STOP_RECEIVING);
    let received = two.replica_status().unwrap().gtid_io_position;
    assert_eq!(
        two.sql(&promote::wait_until_applied(&received, 10).unwrap()),
        "0\n"
    );
    assert_eq!(two.status().gtid_slave_position, received);
    two.sql(&promote::become_writer(false));
    assert_eq!(two.replica_status(), None);
    let lost: Vec<u64> = acknowledged.difference(&rows(&two)).copied().collect();
    assert_eq!(lost, Vec::<u64>::new());
    two.sql("INSERT INTO shop.t VALUES (1);");

    one.restart(Role::Reader, Start::Rejoin);
    one.sql(
        sql::rejoin(&example_source(two.member.port))
            .unwrap()
            .expose(),
    );
    wait_for("the old writer to join as a reader", || {
        let status = one.replica_status().unwrap();
        assert_eq!(status.receiver_error, (0, String::new()), "{status:?}");
        assert_eq!(status.applier_error, (0, String::new()), "{status:?}");
        (one.status().gtid_slave_position == two.status().gtid_binlog_position).then_some(())
    });
    assert_eq!(rows(&one), rows(&two));
    assert!(one.status().read_only);
    two.sql(&sql::semi_sync_source(true));
    two.sql("INSERT INTO shop.t VALUES (2);");
    let dump = run_well(&dump_command_line(&two.member.socket, "shop").unwrap());
    let dump = dump.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        dump.contains("INSERT INTO `t` VALUES (1), (2), (1000000),"),
        "{dump:.2000}"
    );
}

/// The application logs in over TCP with its password, on a reader too, and may not write there.
fn assert_application_account(reader: &Server) {
    let port = reader.member.port.to_string();
    let run = |statement: &str| {
        let output = Command::new("mariadb")
            .args([
                "--no-defaults",
                "-h127.0.0.1",
                "-P",
                &port,
                "-ushop",
                "-N",
                "-e",
                statement,
            ])
            .env("MYSQL_PWD", r"it's a \secret")
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    assert_eq!(run("SELECT CURRENT_USER()"), "shop@%\n");
    assert!(run("INSERT INTO shop.t VALUES (9)").contains("--read-only"));
    assert_eq!(run("USE shop_2"), "");
    assert!(run("USE shopX2").contains("denied"));
    assert!(run("SELECT * FROM mysql.user").contains("denied"));
}
