//! Clients that reach a server over TLS through a port of this machine, behind which the server is.
//!
//! The certificate is one of the server's own name, while the client connects to this machine. So the
//! name can't be checked by the client; who forwards the port checks it, and tells the client which
//! certificate that was, where the client can take that.

use std::fmt::Write;

use super::command::CONSISTENT_DUMP;
use crate::{
    secret::Secret,
    text::{UnsafeText, line, secret_line},
};

/// Whose client a program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// MariaDB's.
    MariaDb {
        /// The first number of its version.
        major: u16,
        /// The second.
        minor: u16,
    },
    /// Oracle's.
    MySql,
}

impl Flavor {
    /// Reads what a client or dump program prints for `--version`; none where it is neither.
    pub fn read(version: &str) -> Option<Self> {
        let mut words = version.split([' ', ',', '\n']);
        if let Some(word) = words.find(|word| word.contains("-MariaDB")) {
            let mut numbers = word.split(['.', '-']).map(str::parse);
            let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
            return Some(Self::MariaDb { major, minor });
        }
        let program = version.split_whitespace().next()?;
        (program.contains("mysql") && version.contains(" Ver ")).then_some(Self::MySql)
    }

    /// Whether it knows a server by its certificate's fingerprint, and else would check the name or
    /// nothing (MariaDB 11.4, Connector/C 3.4).
    fn takes_fingerprint(self) -> bool {
        matches!(self, Self::MariaDb { major, minor } if (major, minor) >= (11, 4))
    }
}

/// What a client needs to reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The port of this machine.
    pub port: u16,
    /// The user.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Path of a file with the certificates of authorities that the server's may be from.
    pub authorities: String,
    /// The SHA-256 of the server's certificate, in hexadecimal digits.
    pub fingerprint: String,
}

/// The option file of a client: all that must not be seen in its argument list. It never speaks
/// without TLS to a server that offers it, nor to one with a certificate of another authority.
///
/// # Errors
/// [`UnsafeText`] for values with control characters.
pub fn option_file(remote: &Remote, flavor: Flavor) -> Result<Secret, UnsafeText> {
    let mut text = "[client]\nhost=127.0.0.1\nprotocol=tcp\n".to_owned();
    let mut put = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}={}", quoted(value));
    };
    put("port", &remote.port.to_string());
    put("user", line("the database's user", &remote.user)?);
    let password = secret_line("the database's password", &remote.password)?;
    put("password", password);
    put("default-character-set", "utf8mb4");
    let authorities = line("the path of the authorities' file", &remote.authorities)?;
    put("ssl-ca", authorities);
    match flavor {
        Flavor::MySql => put("ssl-mode", "VERIFY_CA"),
        Flavor::MariaDb { .. } if flavor.takes_fingerprint() => {
            put("ssl-fp", line("the fingerprint", &remote.fingerprint)?);
        }
        Flavor::MariaDb { .. } => put("ssl", "1"),
    }
    Ok(Secret::new(text))
}

/// A value of an option file, which takes backslashes for escapes and `#` outside quotes for a comment.
fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// A client for a person, in a schema; `arguments` are the person's own, such as `-e` and statements.
///
/// # Errors
/// [`UnsafeText`] for a name that is none.
pub fn shell_command_line(
    program: &str,
    option_file: &str,
    schema: &str,
    arguments: &[String],
) -> Result<Vec<String>, UnsafeText> {
    let mut words = vec![
        program.to_owned(),
        format!("--defaults-file={option_file}"),
        format!("--database={}", line("the name of a schema", schema)?),
    ];
    words.extend_from_slice(arguments);
    Ok(words)
}

/// A client that takes a dump on its standard input. In binary mode it runs no command of its own
/// that stands in the dump, such as one of the shell.
///
/// # Errors
/// [`UnsafeText`] for a name that is none.
pub fn import_command_line(
    program: &str,
    option_file: &str,
    schema: &str,
) -> Result<Vec<String>, UnsafeText> {
    let own = ["--batch", "--binary-mode", "--max-allowed-packet=1G"];
    shell_command_line(program, option_file, schema, &own.map(str::to_owned))
}

/// A consistent dump of one schema on the standard output, without locking it and with rights that
/// Aurora's users have: neither the state of replication nor tablespaces.
///
/// # Errors
/// [`UnsafeText`] for a name that is none.
pub fn export_command_line(
    program: &str,
    flavor: Flavor,
    option_file: &str,
    schema: &str,
) -> Result<Vec<String>, UnsafeText> {
    let schema = line("the name of a schema", schema)?;
    let mut words = vec![program.to_owned(), format!("--defaults-file={option_file}")];
    words.extend(CONSISTENT_DUMP.map(str::to_owned));
    words.extend(["--no-tablespaces", "--max-allowed-packet=1G"].map(str::to_owned));
    if flavor == Flavor::MySql {
        words.push("--set-gtid-purged=OFF".to_owned());
    }
    words.extend(["--".to_owned(), schema.to_owned()]);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, process::Command};

    use proptest::prelude::*;

    use super::*;

    const OLD: Flavor = Flavor::MariaDb {
        major: 10,
        minor: 11,
    };

    #[test]
    fn a_program_is_known_by_its_version() {
        let new = Flavor::MariaDb {
            major: 11,
            minor: 8,
        };
        for (text, flavor) in [
            (
                "mariadb  Ver 15.1 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)",
                Some(OLD),
            ),
            (
                "mysqldump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu",
                Some(OLD),
            ),
            (
                "mariadb-dump from 11.8.3-MariaDB, client 10.19 for debian-linux-gnu",
                Some(new),
            ),
            (
                "mysql  Ver 8.0.39 for Linux on x86_64 (MySQL Community Server - GPL)",
                Some(Flavor::MySql),
            ),
            (
                "/opt/bin/mysqldump  Ver 8.4.2 for macos14 on arm64 (Homebrew)",
                Some(Flavor::MySql),
            ),
            ("mysql: command not found", None),
            ("", None),
        ] {
            assert_eq!(Flavor::read(text), flavor, "{text}");
        }
        assert!(new.takes_fingerprint() && !OLD.takes_fingerprint());
    }

    fn remote(user: &str, password: &str) -> Remote {
        Remote {
            port: 13_306,
            user: user.to_owned(),
            password: Secret::new(password),
            authorities: "/home/ann/global bundle.pem".to_owned(),
            fingerprint: "ab12".to_owned(),
        }
    }

    #[test]
    fn each_client_is_told_to_use_tls_in_its_own_words() {
        let text = |flavor| option_file(&remote("ann", r#"p"a\s#s"#), flavor).unwrap();
        let common = "[client]\nhost=127.0.0.1\nprotocol=tcp\nport=\"13306\"\nuser=\"ann\"\n\
            password=\"p\\\"a\\\\s#s\"\ndefault-character-set=\"utf8mb4\"\n\
            ssl-ca=\"/home/ann/global bundle.pem\"\n";
        let new = Flavor::MariaDb {
            major: 11,
            minor: 4,
        };
        for (flavor, last) in [
            (Flavor::MySql, "ssl-mode=\"VERIFY_CA\"\n"),
            (OLD, "ssl=\"1\"\n"),
            (new, "ssl-fp=\"ab12\"\n"),
        ] {
            assert_eq!(text(flavor).expose(), format!("{common}{last}"));
        }
        assert!(option_file(&remote("ann", "a\nb"), OLD).is_err());
        assert!(option_file(&remote("ann", ""), OLD).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// MariaDB's own program says what a client reads.
        #[test]
        fn a_client_reads_what_was_written(user in "[!-~][ -~]{0,20}[!-~]", password in "[!-~][ -~éß]{0,40}[!-~]") {
            let text = option_file(&remote(&user, &password), OLD).unwrap();
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.expose().as_bytes()).unwrap();
            let options = format!("--defaults-file={}", file.path().display());
            let printed = Command::new("my_print_defaults").args([&options, "client"]).output().unwrap();
            let printed = String::from_utf8(printed.stdout).unwrap();
            let lines: Vec<&str> = printed.lines().collect();
            let (user, password) = (format!("--user={user}"), format!("--password={password}"));
            prop_assert!(lines.contains(&user.as_str()), "{printed}");
            prop_assert!(lines.contains(&password.as_str()), "{printed}");
        }
    }

    #[test]
    fn no_command_line_has_a_secret_or_a_foreign_option() {
        let export = export_command_line("mysqldump", Flavor::MySql, "/p/o.cnf", "shop").unwrap();
        assert_eq!(export[..2], ["mysqldump", "--defaults-file=/p/o.cnf"]);
        assert_eq!(
            export[export.len() - 3..],
            ["--set-gtid-purged=OFF", "--", "shop"]
        );
        let export = export_command_line("mariadb-dump", OLD, "/p/o.cnf", "--help").unwrap();
        assert!(!export.iter().any(|it| it.contains("gtid")));
        assert_eq!(export[export.len() - 2..], ["--", "--help"]);
        let import = import_command_line("mariadb", "/p/o.cnf", "shop").unwrap();
        assert_eq!(
            import[1..3],
            ["--defaults-file=/p/o.cnf", "--database=shop"]
        );
        let own = ["-e".to_owned(), "SELECT 1".to_owned()];
        let shell = shell_command_line("mariadb", "/p/o.cnf", "shop", &own).unwrap();
        assert_eq!(shell[3..], own);
        assert!(shell_command_line("mariadb", "/p/o.cnf", "a\nb", &own).is_err());
    }
}
