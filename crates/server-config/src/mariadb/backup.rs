//! Command lines for physical backups, their restoration and the replay of binary logs, all run by
//! root on the host while servers run in mount namespaces of their own.

use super::gtid::Position;

/// A command line in a mount namespace of its own, in which a folder is also found at another path.
///
/// A server in a container calls its data directory by the container's path, and `mariadb-backup`
/// believes the server rather than its own options. And MariaDB's user can't walk through folders
/// that are for root only. Both are helped by showing the folder at the path. The program dies with
/// the thread that started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The folder.
    pub folder: String,
    /// An existing folder, in whose place it is shown.
    pub path: String,
    /// User and group numbers to run the program as, or root.
    pub user: Option<(u32, u32)>,
    /// Whether the program gets process and network namespaces too, which end with it.
    pub alone: bool,
}

/// Wraps a command line as [`Shown`] says.
pub fn shown_command_line(shown: &Shown, command: &[String]) -> Vec<String> {
    let mut line = words(&[
        "/usr/bin/setpriv",
        "--pdeathsig=KILL",
        "/usr/bin/unshare",
        "--mount",
    ]);
    if shown.alone {
        line.extend(words(&["--net", "--pid", "--fork", "--kill-child=KILL"]));
    }
    line.extend(words(&[
        "/bin/sh",
        "-c",
        "mount --bind -- \"$1\" \"$2\" && shift 2 && exec \"$@\"",
        "sh",
        &shown.folder,
        &shown.path,
    ]));
    if let Some((user, group)) = shown.user {
        line.extend([
            "/usr/bin/setpriv".to_owned(),
            format!("--reuid={user}"),
            format!("--regid={group}"),
            "--clear-groups".to_owned(),
            "--no-new-privs".to_owned(),
            // The kernel forgets the signal when a process changes its user.
            "--pdeathsig=KILL".to_owned(),
        ]);
    }
    line.extend_from_slice(command);
    line
}

/// Takes a copy of a running server's data without stopping writes.
pub fn backup_command_line(socket: &str, data_directory: &str, target: &str) -> Vec<String> {
    words(&[
        "/usr/bin/mariadb-backup",
        "--no-defaults",
        "--backup",
        "--user=root",
        &format!("--socket={socket}"),
        &format!("--datadir={data_directory}"),
        &format!("--target-dir={target}"),
    ])
}

/// Makes a copy consistent, so that a server can start on it.
pub fn prepare_command_line(target: &str, memory_mebibytes: u32) -> Vec<String> {
    words(&[
        "/usr/bin/mariadb-backup",
        "--no-defaults",
        "--prepare",
        &format!("--use-memory={memory_mebibytes}M"),
        &format!("--target-dir={target}"),
    ])
}

/// A server that nobody reaches but through its socket: for replaying and checking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    /// Path of the data directory.
    pub data_directory: String,
    /// Path of the unix socket.
    pub socket: String,
    /// Directory for temporary tables and files.
    pub temporary_directory: String,
    /// Size of the buffer pool in MiB.
    pub buffer_pool_mebibytes: u32,
    /// Size of the redo log in MiB, the same as the option file's.
    pub log_file_mebibytes: u32,
}

/// Starts a temporary server. It syncs nothing but when it is shut down: what it worked on is thrown
/// away if it dies.
pub fn temporary_command_line(temporary: &Temporary) -> Vec<String> {
    let mut line = words(&[super::PROGRAM, "--no-defaults"]);
    line.extend([
        format!("--datadir={}", temporary.data_directory),
        format!("--socket={}", temporary.socket),
        format!("--pid-file={}.pid", temporary.socket),
        format!("--tmpdir={}", temporary.temporary_directory),
        format!(
            "--innodb-buffer-pool-size={}M",
            temporary.buffer_pool_mebibytes
        ),
        format!("--innodb-log-file-size={}M", temporary.log_file_mebibytes),
    ]);
    line.extend(words(&[
        "--skip-networking",
        "--skip-slave-start",
        "--event-scheduler=OFF",
        "--server-id=1",
        "--log-bin=binlog",
        "--binlog-format=ROW",
        "--log-slave-updates",
        "--gtid-strict-mode=1",
        "--sync-binlog=0",
        "--innodb-flush-log-at-trx-commit=0",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
        "--log-bin-trust-function-creators=1",
        "--max-allowed-packet=1G",
        "--local-infile=0",
    ]));
    line
}

/// Where replaying ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// With the last event.
    End,
    /// With this transaction.
    After(Position),
    /// Before the first event that is not older: `YYYY-MM-DD hh:mm:ss` in UTC.
    Before(String),
}

/// Prints binary logs as statements for a client, from after a position. To be run with `TZ=UTC`.
pub fn replay_command_line(start: &Position, stop: &Stop, files: &[String]) -> Vec<String> {
    let mut line = words(&["/usr/bin/mariadb-binlog", "--no-defaults"]);
    if !start.is_empty() {
        line.push(format!("--start-position={start}"));
    }
    match stop {
        Stop::End => {}
        Stop::After(position) => line.push(format!("--stop-position={position}")),
        Stop::Before(time) => line.push(format!("--stop-datetime={time}")),
    }
    line.extend_from_slice(files);
    line
}

/// The client that takes what [`replay_command_line`] prints.
pub fn replay_client_command_line(socket: &str) -> Vec<String> {
    words(&[
        "/usr/bin/mariadb",
        "--no-defaults",
        "--protocol=socket",
        &format!("--socket={socket}"),
        "--binary-mode",
        "--max-allowed-packet=1G",
    ])
}

/// Checks all tables; [`parse_check`] reads what it prints.
pub fn check_command_line(socket: &str) -> Vec<String> {
    words(&[
        "/usr/bin/mariadb-check",
        "--no-defaults",
        "--protocol=socket",
        &format!("--socket={socket}"),
        "--all-databases",
        "--check",
    ])
}

/// What [`check_command_line`] found wrong, as `schema.table: problem`. Its exit status does not say.
pub fn parse_check(output: &str) -> Vec<String> {
    let mut table = "";
    let mut problems = Vec::new();
    for line in output.lines() {
        match line.split_once(" : ") {
            // A table's name, with its state behind it unless something follows on the next lines.
            None => table = line.split_whitespace().next().unwrap_or_default(),
            Some((kind, text)) if kind.trim().eq_ignore_ascii_case("error") => {
                problems.push(format!("{table}: {}", text.trim()));
            }
            Some(_) => {}
        }
    }
    problems
}

/// Makes a restored server stand at a position of the old history as if it had written it, so that
/// new transactions are numbered on from there and replayed ones keep their numbers.
pub fn stand_at(position: &Position) -> String {
    let mut text = "RESET SLAVE ALL;\nRESET MASTER;\nSET GLOBAL gtid_slave_pos='';\n".to_owned();
    if !position.is_empty() {
        text += &format!("SET GLOBAL gtid_binlog_state='{position}';\n");
    }
    text
}

/// Makes copies of the data directory readers that follow from here on.
pub const FOLLOW_FROM_HERE: &str = "SET GLOBAL gtid_slave_pos=@@GLOBAL.gtid_binlog_pos;\n";

/// Asks for a server's version and data directory, as [rows](super::Output::Rows).
pub const VERSION_AND_DATA: &str = "SELECT VERSION(), @@datadir;\n";

/// Asks for schemas that are not the server's own, as [rows](super::Output::Rows).
pub const SCHEMAS: &str = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN \
('information_schema', 'mysql', 'performance_schema', 'sys') ORDER BY SCHEMA_NAME;\n";

/// Asks for binary logs and how far the last one is written, as [rows](super::Output::Rows): `name
/// size` each, then `name position` once more for the last.
pub const BINARY_LOGS: &str = "SHOW BINARY LOGS;\nSHOW MASTER STATUS;\n";

/// A binary log on a server and how many of its bytes are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinaryLog {
    /// Its file in the data directory.
    pub name: String,
    /// Bytes.
    pub length: u64,
}

/// Reads the answer to [`BINARY_LOGS`]; oldest first. Nothing where it is something else.
pub fn parse_binary_logs(output: &str) -> Option<Vec<BinaryLog>> {
    let row = |line: &str| {
        let mut columns = line.split('\t');
        let name = columns.next()?.to_owned();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let length = columns.next()?.parse().ok()?;
        (name.bytes().all(plain) && !name.starts_with('.')).then_some(BinaryLog { name, length })
    };
    let mut logs: Vec<BinaryLog> = output.lines().map(row).collect::<Option<_>>()?;
    let active = logs.pop()?;
    // A rotation between the two statements leaves the list one short; the next look has it.
    if let Some(last) = logs.iter_mut().find(|log| log.name == active.name) {
        last.length = active.length;
    }
    Some(logs)
}

/// The position in what `mariadb-backup` wrote as `xtrabackup_binlog_info`: file, offset, GTIDs.
pub fn parse_binlog_info(text: &str) -> Option<Position> {
    let mut columns = text.trim_end_matches('\n').splitn(3, '\t');
    columns.next().filter(|name| !name.is_empty())?;
    columns.next()?.parse::<u64>().ok()?;
    columns.next().unwrap_or_default().parse().ok()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_active_log_counts_as_far_as_it_is_written() {
        let logs =
            parse_binary_logs("binlog.000001\t500\nbinlog.000002\t900\nbinlog.000002\t867\t\t\n");
        let expected = [("binlog.000001", 500), ("binlog.000002", 867)];
        let expected = expected.map(|(name, length)| BinaryLog {
            name: name.to_owned(),
            length,
        });
        assert_eq!(logs.unwrap(), expected);
        assert_eq!(parse_binary_logs(""), None);
        assert_eq!(parse_binary_logs("../binlog\t1\n../binlog\t1\n"), None);
    }

    #[test]
    fn only_errors_of_a_check_are_problems() {
        let output = "mysql.db                   OK\nmysql.general_log\nnote     : no check\n\
                      shop.t\nWarning  : InnoDB: page 6\nerror    : Corrupt\nshop.u   OK\n";
        assert_eq!(parse_check(output), ["shop.t: Corrupt"]);
    }

    #[test]
    fn the_position_of_a_backup_is_read() {
        let read = |text| parse_binlog_info(text).map(|position| position.to_string());
        assert_eq!(read("binlog.000001\t867\t0-1-3\n").unwrap(), "0-1-3");
        assert_eq!(read("binlog.000001\t330\t\n").unwrap(), "");
        assert_eq!(read("\t\t"), None);
    }
}
