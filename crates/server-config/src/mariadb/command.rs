//! Command lines. None holds a secret: clients come through the unix socket, where the server knows
//! the root user by the kernel's word.

use crate::text::{UnsafeText, line, word};

/// How a member is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// As its option file says.
    Normal,
    /// As a reader that was the writer when it died: recovery removes what its binary log has beyond
    /// the last transaction that a reader received; otherwise it could never join again (error 1236).
    Rejoin,
}

/// The server in the foreground, logging to the standard error stream.
pub fn command_line(option_file: &str, start: Start) -> Vec<String> {
    let mut arguments = vec![
        super::PROGRAM.to_owned(),
        format!("--defaults-file={option_file}"),
    ];
    if start == Start::Rejoin {
        arguments.extend(
            [
                "--init-rpl-role=SLAVE",
                "--rpl-semi-sync-slave-enabled=1",
                "--rpl-semi-sync-master-enabled=0",
                "--read-only=1",
                "--skip-slave-start=1",
            ]
            .map(str::to_owned),
        );
    }
    arguments
}

/// What `mariadb-install-db` needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// Path of the data directory, which must be empty and the user's own.
    pub data_directory: String,
    /// Size of the redo log in MiB, the same as the option file's.
    pub log_file_mebibytes: u32,
}

/// Makes an empty data directory whose root account takes the system's root user through the unix
/// socket and nobody else. To be run as the server's user; takes about half a second.
pub fn install_command_line(install: &Install) -> Vec<String> {
    vec![
        "/usr/bin/mariadb-install-db".to_owned(),
        "--no-defaults".to_owned(),
        format!("--datadir={}", install.data_directory),
        format!("--innodb-log-file-size={}M", install.log_file_mebibytes),
        "--innodb-buffer-pool-size=16M".to_owned(),
        "--auth-root-authentication-method=socket".to_owned(),
        "--auth-root-socket-user=root".to_owned(),
        "--skip-test-db".to_owned(),
        "--skip-name-resolve".to_owned(),
        // Looks up no host name, which a network namespace without a resolver could not answer.
        "--cross-bootstrap".to_owned(),
    ]
}

/// How the client prints what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Rows with tabs between columns and no names.
    Rows,
    /// One `name: value` line per column.
    Fields,
    /// For a person.
    Interactive,
}

/// The client through the unix socket, with statements on its standard input.
///
/// # Errors
/// [`UnsafeText`] for a path that is none.
pub fn client_command_line(socket: &str, output: Output) -> Result<Vec<String>, UnsafeText> {
    let mut arguments = vec![
        "/usr/bin/mariadb".to_owned(),
        "--no-defaults".to_owned(),
        "--protocol=socket".to_owned(),
        format!("--socket={}", word("the path of the socket", socket)?),
        "--default-character-set=utf8mb4".to_owned(),
    ];
    let format: &[&str] = match output {
        Output::Rows => &["--batch", "--skip-column-names"],
        Output::Fields => &["--batch", "--vertical"],
        Output::Interactive => &[],
    };
    arguments.extend(format.iter().map(|&argument| argument.to_owned()));
    Ok(arguments)
}

/// A consistent dump of one database on the standard output, without locking it.
///
/// # Errors
/// [`UnsafeText`] for a path or name that is none.
pub fn dump_command_line(socket: &str, database: &str) -> Result<Vec<String>, UnsafeText> {
    let database = line("the name of a database", database)?;
    if database.is_empty() || database.starts_with('-') {
        return Err(UnsafeText {
            field: "the name of a database",
            problem: "is not a name",
        });
    }
    let mut words = vec![
        "/usr/bin/mariadb-dump".to_owned(),
        "--no-defaults".to_owned(),
        "--protocol=socket".to_owned(),
        format!("--socket={}", word("the path of the socket", socket)?),
        "--default-character-set=utf8mb4".to_owned(),
    ];
    words.extend(CONSISTENT_DUMP.map(str::to_owned));
    words.push(database.to_owned());
    Ok(words)
}

/// How a dump is one moment of a whole schema, without locking it.
pub(super) const CONSISTENT_DUMP: [&str; 6] = [
    "--single-transaction",
    "--quick",
    "--hex-blob",
    "--routines",
    "--triggers",
    "--events",
];
