//! SQL texts. Those with a password are [`Secret`]: they go to a client's standard input or into a
//! 0600 file, never into an argument list.

pub mod aurora;

use std::net::IpAddr;

use crate::secret::Secret;
use crate::text::{UnsafeText, secret_line};

/// An account: its name and how it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// User name, 1 to 80 characters (MariaDB's limit).
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// What a new cluster needs: the application's database and account, and the accounts for
/// replication and for monitoring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// Databases, each open to the application's account.
    pub databases: Vec<String>,
    /// The application's account: everything in its databases and nothing else. None where no
    /// application has a database.
    pub application: Option<Account>,
    /// The readers' account at the writer.
    pub replication: Account,
    /// An account that may see the state of the server and no data.
    pub monitor: Account,
}

/// Statements for the writer of a new cluster; they reach the readers by replication. Repeating them
/// changes nothing but passwords. Accounts are open to any address: who reaches the port is for the
/// security groups.
///
/// # Errors
/// [`UnsafeText`] for a name or password that can't be one.
pub fn bootstrap(bootstrap: &Bootstrap) -> Result<Secret, UnsafeText> {
    let mut text = String::new();
    let servers = [&bootstrap.replication, &bootstrap.monitor];
    for account in bootstrap.application.iter().chain(servers) {
        let (user, password) = (user(account)?, password(account)?);
        for statement in ["CREATE USER IF NOT EXISTS", "ALTER USER"] {
            text += &hashed(
                &format!("{statement} {user} IDENTIFIED BY PASSWORD "),
                &password,
            );
        }
    }
    for database in &bootstrap.databases {
        let database = identifier("the name of a database", database)?;
        text += &format!("CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4;\n");
        // In a grant, `_` and `%` of a database's name stand for other characters too.
        let exactly = database.replace('_', r"\_").replace('%', r"\%");
        if let Some(application) = &bootstrap.application {
            let application = user(application)?;
            text += &format!("GRANT ALL ON {exactly}.* TO {application};\n");
        }
    }
    text += &format!(
        "GRANT REPLICATION SLAVE ON *.* TO {};\n",
        user(&bootstrap.replication)?
    );
    text += &format!(
        "GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO {};\n",
        user(&bootstrap.monitor)?
    );
    Ok(Secret::new(text))
}

/// The writer as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The account for replication.
    pub account: Account,
}

/// Makes a fresh member a reader of the writer, from the start of its binary logs or from where it
/// stands.
///
/// # Errors
/// [`UnsafeText`] for a name or password that can't be one.
pub fn follow(source: &Source) -> Result<Secret, UnsafeText> {
    let Source {
        address,
        port,
        account,
    } = source;
    Ok(Secret::new(format!(
        "STOP SLAVE;
SET GLOBAL read_only=1;
SET GLOBAL rpl_semi_sync_master_enabled=0;
SET GLOBAL rpl_semi_sync_slave_enabled=1;
CHANGE MASTER TO MASTER_HOST='{address}', MASTER_PORT={port}, MASTER_USER={}, MASTER_PASSWORD={}, \
         MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos;
START SLAVE;
",
        literal(name("the name of an account", &account.user)?),
        password(account)?,
    )))
}

/// Makes the writer of yesterday a reader: what it wrote itself counts as replicated, since the new
/// writer has all of it. For a member started with [`super::Start::Rejoin`].
///
/// # Errors
/// [`UnsafeText`] for a name or password that can't be one.
pub fn rejoin(source: &Source) -> Result<Secret, UnsafeText> {
    let follow = follow(source)?;
    Ok(Secret::new(format!(
        "STOP SLAVE;\nSET GLOBAL gtid_slave_pos=@@GLOBAL.gtid_current_pos;\n{}",
        follow.expose()
    )))
}

/// The steps that make a reader the writer without losing an acknowledged write. The order is the
/// point: nothing more is received, all that was received is applied, and only then is it forgotten
/// where it came from.
pub mod promote {
    use super::{UnsafeText, literal};

    /// First: receive nothing more. Afterwards read
    /// [`ReplicaStatus::gtid_io_position`](crate::mariadb::status::ReplicaStatus): what was received.
    pub const STOP_RECEIVING: &str = "STOP SLAVE IO_THREAD;\n";

    /// Second: wait until all that was received is applied. Gives one row: `0`, or `-1` after the
    /// time-out, when it must be repeated and not skipped.
    ///
    /// # Errors
    /// [`UnsafeText`] when the position is no list of GTIDs.
    pub fn wait_until_applied(
        gtid_io_position: &str,
        timeout_seconds: u32,
    ) -> Result<String, UnsafeText> {
        let plain = |byte: u8| byte.is_ascii_digit() || b"-,".contains(&byte);
        if !gtid_io_position.bytes().all(plain) {
            let field = "the received position";
            return Err(UnsafeText {
                field,
                problem: "is not a list of GTIDs",
            });
        }
        let position = literal(gtid_io_position);
        Ok(format!(
            "SELECT MASTER_GTID_WAIT({position}, {timeout_seconds});\n"
        ))
    }

    /// Third: be the writer. `wait_for_reader` when there is another reader, which then follows.
    pub fn become_writer(wait_for_reader: bool) -> String {
        format!(
            "STOP SLAVE;
RESET SLAVE ALL;
SET GLOBAL rpl_semi_sync_slave_enabled=0;
SET GLOBAL rpl_semi_sync_master_enabled={};
SET GLOBAL read_only=0;
",
            u8::from(wait_for_reader)
        )
    }
}

/// Switches on or off that the writer's commits wait for a reader. Off only where no reader is left
/// and writing on is worth more than the promise.
pub fn semi_sync_source(enabled: bool) -> String {
    format!(
        "SET GLOBAL rpl_semi_sync_master_enabled={};\n",
        u8::from(enabled)
    )
}

/// Takes no more writes, as the first step of a failover with a living writer: waits for the commits
/// that are under way, and refuses others.
pub const STOP_WRITES: &str = "SET GLOBAL read_only=1;\n";

/// The name of a schema in backticks, for statements of others.
///
/// # Errors
/// [`UnsafeText`] for what is no name.
pub fn schema_identifier(schema: &str) -> Result<String, UnsafeText> {
    identifier("the name of a schema", schema)
}

/// A statement that ends with the hash of a password. The binary log, and with it every reader,
/// keeps the statement as the server runs it: with the hash, while the password is nowhere.
fn hashed(statement: &str, password: &str) -> String {
    let statement = literal(statement);
    format!("EXECUTE IMMEDIATE CONCAT({statement}, QUOTE(PASSWORD({password})));\n")
}

/// Ends all connections of an account, of which there may be none.
///
/// # Errors
/// [`UnsafeText`] for a name that can't be one.
pub fn end_connections(user: &str) -> Result<String, UnsafeText> {
    let user = literal(name("the name of an account", user)?);
    Ok(format!("KILL HARD CONNECTION USER {user};\n"))
}

fn user(account: &Account) -> Result<String, UnsafeText> {
    Ok(format!(
        "{}@'%'",
        literal(name("the name of an account", &account.user)?)
    ))
}

fn password(account: &Account) -> Result<String, UnsafeText> {
    Ok(literal(secret_line("a password", &account.password)?))
}

fn name<'a>(field: &'static str, value: &'a str) -> Result<&'a str, UnsafeText> {
    if value.is_empty() || value.chars().count() > 80 {
        return Err(UnsafeText {
            field,
            problem: "must have 1 to 80 characters",
        });
    }
    crate::text::line(field, value)
}

fn identifier(field: &'static str, value: &str) -> Result<String, UnsafeText> {
    if value.is_empty() || value.chars().count() > 64 {
        return Err(UnsafeText {
            field,
            problem: "must have 1 to 64 characters",
        });
    }
    Ok(format!(
        "`{}`",
        crate::text::line(field, value)?.replace('`', "``")
    ))
}

/// A string literal of SQL under the server's default mode, in which backslashes are escapes.
fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\\', r"\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_identifiers_are_closed() {
        assert_eq!(literal(r"a'b\"), r"'a''b\\'");
        assert_eq!(identifier("x", "a`b").unwrap(), "`a``b`");
    }

    #[test]
    fn positions_are_checked() {
        assert!(promote::wait_until_applied("0-1-5,1-2-7", 5).is_ok());
        assert!(promote::wait_until_applied("'); DROP", 5).is_err());
    }
}
