//! The database cluster: an empty data directory, accounts and schemas, replication.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::{DirBuilderExt, chown},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use mck_blueprint::model::{DatabaseCluster, Node};
use mck_server_config::{
    mariadb::{
        self, Install, Output,
        gtid::Position,
        sql::{self, Account, Bootstrap, Source},
        status::{NODE_STATUS, NodeStatus, REPLICA_STATUS, StatusError, ThreadState},
    },
    secret::Secret,
    text::UnsafeText,
};

use crate::{
    accounts::UnknownUser,
    command::{Command, CommandError},
    container::plan::User,
    id::EnvironmentId,
    servers::{
        Context,
        data::{REDO_LOG_MIB, replication_secret},
    },
    wait,
};

/// Why the database could not be brought to what is wanted.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A program failed.
    #[error(transparent)]
    Program(#[from] CommandError),
    /// A file could not be used.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// MariaDB's user is missing.
    #[error(transparent)]
    User(#[from] UnknownUser),
    /// A value can't be in a statement.
    #[error("a value can't be in a statement")]
    Text(#[from] UnsafeText),
    /// An answer can't be read.
    #[error("the database's answer can't be read")]
    Status(#[from] StatusError),
    /// A member runs and does not answer.
    #[error("{member} had not answered after {} s", limit.as_secs())]
    Silent {
        /// The member.
        member: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// A reader does not follow the writer.
    #[error("{reader} does not follow {writer}: {reason}")]
    NotFollowing {
        /// The reader.
        reader: String,
        /// The writer.
        writer: String,
        /// What the reader says.
        reason: String,
    },
}

/// The name of the empty database that members begin as copies of.
pub const TEMPLATE: &str = "database-template";

fn at(path: &Path) -> impl FnOnce(io::Error) -> DatabaseError + use<> {
    let path = path.to_owned();
    move |source| DatabaseError::File { path, source }
}

/// Makes the empty database, once.
///
/// # Errors
/// When `mariadb-install-db` fails or a folder can't be used.
pub fn make_template(context: &Context) -> Result<(), DatabaseError> {
    let template = context.layout.data(TEMPLATE);
    if template.exists() {
        return Ok(());
    }
    let user = context.accounts.user("mysql")?;
    let fresh = template.with_extension("new");
    // MariaDB's user must reach the folder through folders that are for root only, so it works
    // elsewhere and the result is moved.
    let workshop = Workshop::new(context.layout.id()).map_err(at(&fresh))?;
    chown(&workshop.0, Some(user.uid), Some(user.gid)).map_err(at(&workshop.0))?;
    let folder = workshop.0.join("data");
    let install = Install {
        data_directory: folder.display().to_string(),
        log_file_mebibytes: REDO_LOG_MIB,
    };
    let mut command = alone(&user);
    command.extend(mariadb::install_command_line(&install));
    Command::new(&command[0])
        .args(&command[1..])
        // Temporary tables are named after the process's number, which others have too, in process
        // namespaces of their own.
        .env("TMPDIR", &workshop.0)
        .run()?;
    remove(&fresh)?;
    // Not `fs::rename`: the folder for temporary files may be another file system.
    Command::new("/usr/bin/setpriv")
        .args(["--pdeathsig=KILL", "mv", "-T", "--"])
        .args([&folder, &fresh])
        .run()?;
    fs::rename(&fresh, &template).map_err(at(&template))
}

/// What starts a program as a user so that it ends with the supervisor, and all that it started
/// with it: what went on would write to what another supervisor makes, or to what is removed.
fn alone(user: &User) -> Vec<String> {
    let words = [
        "/usr/bin/setpriv",
        "--pdeathsig=KILL",
        "/usr/bin/unshare",
        "--pid",
        "--fork",
        "--kill-child=KILL",
        "/usr/bin/setpriv",
        &format!("--reuid={}", user.uid),
        &format!("--regid={}", user.gid),
        "--clear-groups",
        // The kernel forgets the signal when a process changes its user.
        "--pdeathsig=KILL",
    ];
    words.map(str::to_owned).to_vec()
}

/// A folder outside the state folder, in memory where there is some, gone when it is dropped.
struct Workshop(PathBuf);

impl Workshop {
    fn new(id: &EnvironmentId) -> io::Result<Self> {
        remove_workshop(id)?;
        let path = Self::path(id);
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    fn path(id: &EnvironmentId) -> PathBuf {
        // Half of the time that an empty database takes is spent in waiting for the disk.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        folder.join(format!("{}database", id.namespace_prefix()))
    }
}

/// Removes the folder in which a supervisor that was killed made the empty database.
///
/// # Errors
/// When it can't be removed.
pub fn remove_workshop(id: &EnvironmentId) -> io::Result<()> {
    match fs::remove_dir_all(Workshop::path(id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What stays is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Gives a member its data directory, a copy of the empty database, if it has none.
///
/// # Errors
/// When it can't be copied.
pub fn make_data(context: &Context, node: &Node) -> Result<(), DatabaseError> {
    let data = context.layout.data(&node.name);
    if data.exists() {
        return Ok(());
    }
    let fresh = data.with_extension("new");
    copy(&context.layout.data(TEMPLATE), &fresh)?;
    fs::rename(&fresh, &data).map_err(at(&data))?;
    // The server forces what it writes to the disk, but not what it only ever reads. Nobody waits
    // for it: until the first start is over there is nothing to lose.
    if let Ok(folder) = fs::File::open(&data) {
        thread::spawn(move || rustix::fs::syncfs(folder));
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), DatabaseError> {
    remove(to)?;
    Command::new("cp")
        .args(["-a", "--reflink=auto", "--"])
        .arg(from)
        .arg(to)
        .run()?;
    Ok(())
}

fn remove(folder: &Path) -> Result<(), DatabaseError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(folder)(error)),
        _ => Ok(()),
    }
}

/// Runs statements on a member and gives what they print.
///
/// # Errors
/// When the client fails or the server refuses.
pub fn query(
    context: &Context,
    node: &str,
    statements: &str,
    output: Output,
) -> Result<String, DatabaseError> {
    Ok(client(context, node, statements, output)?.run()?.text())
}

fn client(
    context: &Context,
    node: &str,
    statements: &str,
    output: Output,
) -> Result<Command, DatabaseError> {
    let socket = context.layout.control(node).join("mysqld.sock");
    let command = mariadb::client_command_line(&socket.display().to_string(), output)?;
    Ok(Command::new(&command[0])
        .args(&command[1..])
        .stdin(statements))
}

/// How long a member may take to say how it is, which it knows without looking at any table.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Asks a member how it is.
fn ask(
    context: &Context,
    node: &str,
    statements: &str,
    output: Output,
) -> Result<String, DatabaseError> {
    let answer = client(context, node, statements, output)?
        .limit(ANSWERS_WITHIN)
        .run();
    match answer {
        Ok(printed) => Ok(printed.text()),
        Err(CommandError::TooLong { limit, .. }) => Err(DatabaseError::Silent {
            member: node.to_owned(),
            limit,
        }),
        Err(error) => Err(error.into()),
    }
}

/// Makes accounts and schemas on the writer.
///
/// # Errors
/// When a statement fails.
pub fn make_schemas(
    context: &Context,
    cluster: &DatabaseCluster,
    writer: &str,
) -> Result<(), DatabaseError> {
    let secret = |name: &str| Secret::new(context.secrets.value(name).to_owned());
    let account = |user: &str, password: &str| Account {
        user: user.to_owned(),
        password: secret(password),
    };
    let monitor = account("mck_monitor", &cluster.master_password_secret);
    let servers = Bootstrap {
        databases: Vec::new(),
        application: None,
        replication: replication_account(context),
        monitor,
    };
    // Readers follow though no app has a schema.
    let mut statements = sql::bootstrap(&servers)?.expose().to_owned();
    for schema in &cluster.schemas {
        let bootstrap = Bootstrap {
            databases: vec![schema.name.clone()],
            application: Some(account(&schema.user, &schema.password_secret)),
            ..servers.clone()
        };
        statements += sql::bootstrap(&bootstrap)?.expose();
    }
    query(context, writer, &statements, Output::Rows).map(drop)
}

fn replication_account(context: &Context) -> Account {
    let password = context.secrets.value(replication_secret());
    Account {
        user: "mck_replication".to_owned(),
        password: Secret::new(password.to_owned()),
    }
}

/// How a member is.
///
/// # Errors
/// [`DatabaseError::Silent`] when it does not answer in time; others when it can't.
pub fn node_status(context: &Context, node: &str) -> Result<NodeStatus, DatabaseError> {
    let printed = ask(context, node, NODE_STATUS, Output::Rows)?;
    Ok(mariadb::status::parse_node_status(&printed)?)
}

/// Who follows the writer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replicating {
    /// The writer.
    pub writer: String,
    /// Readers that hold every acknowledged write, now and until they end.
    pub synced: Vec<String>,
    /// Why others are not among them.
    pub problems: Vec<String>,
}

/// Makes the readers that run follow the writer, and the writer wait for them; without any it
/// writes alone. Readers that are `synced` already are only looked at: what they have received must
/// not be thrown away, as they may have to be the writer the next moment.
///
/// # Errors
/// [`DatabaseError::NotFollowing`] when a synced reader follows no more; nothing was changed then.
/// Others when the writer does not answer.
pub fn replicate(
    context: &Context,
    cluster: &DatabaseCluster,
    writer: &Node,
    readers: &[&Node],
    synced: &BTreeSet<String>,
) -> Result<Replicating, DatabaseError> {
    let mut outcome = Replicating {
        writer: writer.name.clone(),
        ..Replicating::default()
    };
    let mut followers = Vec::new();
    for &reader in readers
        .iter()
        .filter(|reader| synced.contains(&reader.name))
    {
        if let Following::No(reason) = following(context, writer, reader)? {
            return Err(not_following(writer, reader, reason));
        }
        followers.push(reader);
    }
    for &reader in readers
        .iter()
        .filter(|reader| !synced.contains(&reader.name))
    {
        match follow(context, cluster, writer, reader) {
            Ok(()) => followers.push(reader),
            Err(error) => outcome.problems.push(crate::text::chain(&error)),
        }
    }
    // Also of use for a writer that was about to hand over, or has just been told to be the writer.
    let statements = sql::promote::become_writer(!followers.is_empty()) + WRITTEN;
    let written = query(context, &writer.name, &statements, Output::Rows)?;
    // What is written from here on waits for a reader; what was written before must reach it.
    for reader in followers {
        match wait::until(FOLLOWS_WITHIN, || {
            has_received(context, reader, &written).ok()?
        }) {
            Some(()) => outcome.synced.push(reader.name.clone()),
            None => outcome.problems.push(format!("{} is behind", reader.name)),
        }
    }
    Ok(outcome)
}

/// To set a position, MariaDB waits for the locks of a backup, which waits for what it holds
/// meanwhile; without a limit both would wait for a day. It is tried again.
const NO_LONG_LOCKS: &str = "SET SESSION lock_wait_timeout=2;\n";

/// Asks for the last transaction of the binary log.
const WRITTEN: &str = "SELECT @@GLOBAL.gtid_binlog_pos;\n";

/// How long a reader may take to be where the writer is.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(10);

fn has_received(
    context: &Context,
    reader: &Node,
    written: &str,
) -> Result<Option<()>, DatabaseError> {
    let printed = ask(context, &reader.name, REPLICA_STATUS, Output::Fields)?;
    let status = mariadb::status::parse_replica_status(&printed)?;
    let position = |text: &str| text.trim().parse::<Position>().unwrap_or_default();
    let received = status.map(|status| position(&status.gtid_io_position));
    Ok(received
        .filter(|it| it.reaches(&position(written)))
        .map(drop))
}

/// Whether the synced readers still follow, and the writer still waits for them.
///
/// # Errors
/// [`DatabaseError::NotFollowing`] when one does not; [`DatabaseError::Silent`] and others when a
/// member does not answer.
pub fn check_replication(
    context: &Context,
    writer: &Node,
    readers: &[&Node],
) -> Result<(), DatabaseError> {
    // First: a writer that does not answer acknowledges nothing, so that its readers have all that
    // was acknowledged though they lose their connection to it.
    let waits = node_status(context, &writer.name)?.semi_sync_active;
    for &reader in readers {
        if let Following::No(reason) = following(context, writer, reader)? {
            return Err(not_following(writer, reader, reason));
        }
    }
    match readers.first() {
        Some(&reader) if !waits => {
            let reason = "the writer no longer waits for it".to_owned();
            Err(not_following(writer, reader, reason))
        }
        _ => Ok(()),
    }
}

fn not_following(writer: &Node, reader: &Node, reason: String) -> DatabaseError {
    DatabaseError::NotFollowing {
        reader: reader.name.clone(),
        writer: writer.name.clone(),
        reason,
    }
}

fn follow(
    context: &Context,
    cluster: &DatabaseCluster,
    writer: &Node,
    reader: &Node,
) -> Result<(), DatabaseError> {
    let source = Source {
        address: writer.address.into(),
        port: cluster.port,
        account: replication_account(context),
    };
    // A member that never was the writer stands where it has applied, and this changes nothing.
    let statements = format!("{NO_LONG_LOCKS}{}", sql::rejoin(&source)?.expose());
    query(context, &reader.name, &statements, Output::Rows)?;
    let mut last = String::new();
    let followed = wait::until(FOLLOWS_WITHIN, || {
        match following(context, writer, reader) {
            Ok(Following::Yes) => Some(()),
            Ok(Following::No(reason)) => {
                last = reason;
                None
            }
            Err(error) => {
                last = crate::text::chain(&error);
                None
            }
        }
    });
    followed.ok_or_else(|| not_following(writer, reader, last))
}

#[derive(Debug, PartialEq, Eq)]
enum Following {
    Yes,
    No(String),
}

fn following(context: &Context, writer: &Node, reader: &Node) -> Result<Following, DatabaseError> {
    let printed = ask(context, &reader.name, REPLICA_STATUS, Output::Fields)?;
    let Some(status) = mariadb::status::parse_replica_status(&printed)? else {
        return Ok(Following::No("it was not told to".to_owned()));
    };
    let running = status.receiver == ThreadState::Yes && status.applier == ThreadState::Yes;
    if running && status.source == writer.address.to_string() {
        return Ok(Following::Yes);
    }
    let errors = [status.receiver_error.1, status.applier_error.1];
    let reason = errors.into_iter().find(|text| !text.is_empty());
    Ok(Following::No(
        reason.unwrap_or_else(|| "it is not connected yet".to_owned()),
    ))
}
