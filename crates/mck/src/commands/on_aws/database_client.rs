//! A client of the database on this machine: through the Bastion, over TLS, with the user's password in
//! a file of its own.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use mck_aws::{DatabaseLogin, DatabaseUser, ForwardedPort, IdentityError, ServerIdentity};
use mck_blueprint::{Blueprint, model::Peer};
use mck_server_config::mariadb::remote::{self, Flavor, Remote};

use super::{OnAws, bastion, forward::Forward, plugin};
use crate::{
    environment_variables::{self, DATABASE_CA, HOME, XDG_DATA_HOME},
    exit::Exit,
    failure::Failure,
};

/// Where AWS has the certificates of RDS' authorities (Amazon Aurora user guide, "Using SSL/TLS to
/// encrypt a connection to a DB cluster").
const AUTHORITIES: &str = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem";
/// The same in the partition of China.
const AUTHORITIES_OF_CHINA: &str =
    "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem";
/// Where programs look for logins that `mysql_config_editor` keeps, before everything else.
const LOGINS: &str = "MYSQL_TEST_LOGIN_FILE";

/// What a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Statements.
    Client,
    /// A dump.
    Dump,
}

impl Purpose {
    /// The programs for it, the first that there is taken.
    const fn programs(self) -> [&'static str; 2] {
        match self {
            Self::Client => ["mariadb", "mysql"],
            Self::Dump => ["mariadb-dump", "mysqldump"],
        }
    }
}

/// A program of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Program {
    name: &'static str,
    flavor: Flavor,
}

/// What must be there on this machine, found before anything is asked of AWS.
pub struct Tools {
    program: Program,
    authorities: PathBuf,
}

impl Tools {
    /// Finds it.
    ///
    /// # Errors
    /// Where something is missing, with the way to get it.
    pub fn find(
        purpose: Purpose,
        authorities: Option<&Path>,
        region: &str,
    ) -> Result<Self, Failure> {
        plugin::check()?;
        Ok(Self {
            program: find_program(purpose)?,
            authorities: find_authorities(authorities, region)?,
        })
    }
}

/// The database, as a program of this machine reaches it. The way ends with this, and the password's
/// file too.
pub struct Reached<'a> {
    forward: Forward<'a>,
    folder: tempfile::TempDir,
    program: Program,
}

impl<'a> Reached<'a> {
    /// Opens the way, and sees who is at its end.
    ///
    /// # Errors
    /// Where there is no Bastion or database, the way can't be opened, or who answers does not prove to
    /// be the database.
    pub fn open(
        on_aws: &'a OnAws,
        user: DatabaseUser<'_>,
        tools: Tools,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, Failure> {
        let blueprint = &on_aws.blueprint;
        let otherwise = "`enabled = true` and `database-access = true` under `[bastion]` in the file \
                         and `mck apply` make one that reaches the database";
        let instance = bastion::instance(on_aws, otherwise)?;
        check_allowed(blueprint)?;
        let login = on_aws.account.database_login(blueprint, user)?;
        let to = ForwardedPort {
            instance,
            host: login.host.clone(),
            port: login.port,
        };
        let mut forward = Forward::open(&on_aws.account, &blueprint.region, &to, stop)?;
        let Tools {
            program,
            authorities,
        } = tools;
        let identity = ServerIdentity::prove(forward.port(), &login.host, &authorities);
        let identity = identity.map_err(|error| forward.explain(unknown_server(&error)))?;
        let folder = write_options(&program, &login, &identity, forward.port(), &authorities)?;
        Ok(Self {
            forward,
            folder,
            program,
        })
    }

    /// The client for a person, with arguments of that person.
    pub fn shell(&self, schema: &str, arguments: &[String]) -> Result<Command, Failure> {
        let options = self.options();
        self.command(remote::shell_command_line(
            self.program.name,
            &options,
            schema,
            arguments,
        ))
    }

    /// The client that takes a dump.
    pub fn import(&self, schema: &str) -> Result<Command, Failure> {
        let options = self.options();
        self.command(remote::import_command_line(
            self.program.name,
            &options,
            schema,
        ))
    }

    /// The program that writes a dump.
    pub fn export(&self, schema: &str) -> Result<Command, Failure> {
        let Program { name, flavor } = self.program;
        self.command(remote::export_command_line(
            name,
            flavor,
            &self.options(),
            schema,
        ))
    }

    /// What may be behind a program's failure: the way to the database, or the user.
    pub fn explain(&mut self, failure: Failure) -> Failure {
        let failure = self.forward.explain(failure);
        if format!("{:?}", failure.what).contains("Access denied") {
            return failure
                .hint("`mck db prepare` gives the apps' users the passwords of their secrets")
                .hint(
                    "`mck secret rotate database-master-password` gives the master user a new one",
                );
        }
        failure
    }

    fn options(&self) -> String {
        options_of(&self.folder).display().to_string()
    }

    fn command(
        &self,
        line: Result<Vec<String>, mck_server_config::text::UnsafeText>,
    ) -> Result<Command, Failure> {
        let line = line.map_err(|error| Failure::from_error(Exit::Usage, &error))?;
        let mut command = crate::commands::process(&line)?;
        command.env(LOGINS, self.folder.path().join("none"));
        Ok(command)
    }
}

fn options_of(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("client.cnf")
}

/// The blueprint's rule that lets the Bastion reach the database.
fn check_allowed(blueprint: &Blueprint) -> Result<(), Failure> {
    let group = |name: &_| Peer::Group(Clone::clone(name));
    let from = blueprint.bastion.as_ref();
    let from = from.map(|bastion| group(&bastion.node.security_group));
    let to = group(&blueprint.database.security_group);
    let mut rules = blueprint.access.iter();
    if rules.any(|rule| Some(&rule.from) == from.as_ref() && rule.to == to) {
        return Ok(());
    }
    let message = "the file does not let the Bastion reach the database";
    Err(Failure::new(Exit::Usage, message)
        .hint("`database-access = true` under `[bastion]` does, after the next `mck apply`"))
}

fn find_program(purpose: Purpose) -> Result<Program, Failure> {
    for name in purpose.programs() {
        let answer = Command::new(name).arg("--version").output();
        let Ok(answer) = answer else { continue };
        let text = String::from_utf8_lossy(&answer.stdout);
        if let Some(flavor) = Flavor::read(&text) {
            return Ok(Program { name, flavor });
        }
    }
    let [one, other] = purpose.programs();
    let message = format!("neither `{one}` nor `{other}` is on this machine");
    Err(Failure::new(Exit::MachineLacks, message).hint(
        "the package `mariadb-client` has both on Debian and Ubuntu, `mariadb` on Fedora and Amazon \
         Linux, `brew install mysql-client` on macOS",
    ))
}

/// The file with RDS' authorities: the one that is named, or the one in its place.
fn find_authorities(named: Option<&Path>, region: &str) -> Result<PathBuf, Failure> {
    let named = named.map(Path::to_owned);
    let named = named.or_else(|| environment_variables::read(DATABASE_CA).map(PathBuf::from));
    let path = named.or_else(usual_place).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "there is no home folder to look for RDS' certificates in",
        )
        .hint("name their file with `--ca`")
    })?;
    if path.is_file() {
        // The client has another working folder than its user nowhere; but options take no `~`.
        return std::path::absolute(&path).map_err(|error| {
            Failure::new(Exit::Usage, format!("{} is no path", path.display())).caused_by(&error)
        });
    }
    let source = if region.starts_with("cn-") {
        AUTHORITIES_OF_CHINA
    } else {
        AUTHORITIES
    };
    let message = format!(
        "{} is not there: the certificates by which the database proves who it is",
        path.display()
    );
    Err(Failure::new(Exit::MachineLacks, message).hint(format!(
        "`curl -fsS --create-dirs -o '{}' {source}` gets them from AWS",
        path.display()
    )))
}

fn usual_place() -> Option<PathBuf> {
    let data = environment_variables::read(XDG_DATA_HOME).map(PathBuf::from);
    let home = || Some(PathBuf::from(environment_variables::read(HOME)?).join(".local/share"));
    Some(data.or_else(home)?.join("mck/rds-global-bundle.pem"))
}

/// Writes the client's options where nobody else reads them.
fn write_options(
    program: &Program,
    login: &DatabaseLogin,
    identity: &ServerIdentity,
    port: u16,
    authorities: &Path,
) -> Result<tempfile::TempDir, Failure> {
    let remote = Remote {
        port,
        user: login.user.clone(),
        password: login.password.clone(),
        authorities: authorities.display().to_string(),
        fingerprint: identity.fingerprint.clone(),
    };
    let text = remote::option_file(&remote, program.flavor);
    let text = text.map_err(|error| Failure::from_error(Exit::Usage, &error))?;
    let unwritable = |error: io::Error| {
        let exit = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Exit::DiskFull,
            _ => Exit::Internal,
        };
        Failure::new(exit, "the client's options can't be written").caused_by(&error)
    };
    // Made for the user alone.
    let folder = tempfile::Builder::new().prefix("mck-").tempdir();
    let folder = folder.map_err(unwritable)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(options_of(&folder));
    let mut file = file.map_err(unwritable)?;
    file.write_all(text.expose().as_bytes())
        .map_err(unwritable)?;
    Ok(folder)
}

fn unknown_server(error: &IdentityError) -> Failure {
    let of = |exit| Failure::from_error(exit, error);
    match error {
        IdentityError::Authorities { .. } => {
            of(Exit::MachineLacks).hint(format!("AWS has the right file: {AUTHORITIES}"))
        }
        IdentityError::NoAnswer { .. } | IdentityError::Refused { .. } => of(Exit::NotHealthy)
            .hint("`mck status` shows the database")
            .hint("`database-access` of `[bastion]` must have been applied: `mck plan` shows it"),
        IdentityError::Unencrypted { .. } | IdentityError::Unproven { .. } => of(Exit::NotHealthy)
            .hint("nothing was sent to it")
            .hint(format!(
                "where RDS has new authorities the file needs them too: {AUTHORITIES}"
            )),
        IdentityError::Foreign { .. } | IdentityError::Name { .. } => of(Exit::NotHealthy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_certificates_are_told_with_the_way_to_get_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        for (region, source) in [
            ("eu-central-1", AUTHORITIES),
            ("cn-north-1", AUTHORITIES_OF_CHINA),
        ] {
            let missing = find_authorities(Some(&path), region).expect_err("it is not there");
            assert_eq!(missing.exit, Exit::MachineLacks);
            assert!(missing.hints[0].contains(source), "{:?}", missing.hints);
        }
        std::fs::write(&path, "").unwrap();
        assert_eq!(find_authorities(Some(&path), "eu-central-1").unwrap(), path);
    }
}
