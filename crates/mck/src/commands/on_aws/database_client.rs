//! A client of the database on this machine: through the Bastion, over TLS, with the user's password in
//! a file of its own.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use mck_aws::{
    DatabaseLogin, DatabaseUser, ForwardedPort, IdentityError, OpenedPort, ServerIdentity,
};
use mck_blueprint::{Blueprint, model::Peer};
use mck_server_config::mariadb::remote::{self, Remote};

use super::{
    OnAws, bastion,
    database_tools::{AUTHORITIES, Program, Tools},
    forward::Forward,
};
use crate::{exit::Exit, failure::Failure};

/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Where programs look for logins that `mysql_config_editor` keeps, before everything else.
const LOGINS: &str = "MYSQL_TEST_LOGIN_FILE";

/// The way to the database as AWS has opened it, for the plugin to go.
pub struct Way<'a> {
    on_aws: &'a OnAws,
    opened: OpenedPort,
    login: DatabaseLogin,
    tools: Tools,
}

impl<'a> Way<'a> {
    /// Asks AWS for all of it.
    ///
    /// # Errors
    /// Where there is no Bastion or database, or AWS refuses.
    pub fn ask(on_aws: &'a OnAws, user: DatabaseUser<'_>, tools: Tools) -> Result<Self, Failure> {
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
        let opened = on_aws.account.forward_port(&blueprint.region, &to)?;
        Ok(Self {
            on_aws,
            opened,
            login,
            tools,
        })
    }

    /// Opens it, and sees who is at its end. There is something to clean up from then on, so that
    /// signals should only be noted.
    ///
    /// # Errors
    /// Where it can't be opened, who answers does not prove to be the database, or `stop` says so.
    pub fn open(self, stop: &dyn Fn() -> bool) -> Result<Reached<'a>, Failure> {
        let Tools {
            program,
            authorities,
        } = self.tools;
        let OnAws { blueprint, account } = self.on_aws;
        let mut forward = Forward::open(account, &blueprint.region, self.opened, stop)?;
        let identity = prove(forward.port(), &self.login.host, &authorities, stop);
        let identity = identity.map_err(|failure| forward.explain(failure))?;
        let folder = write_options(
            &program,
            &self.login,
            &identity,
            forward.port(),
            &authorities,
        )?;
        Ok(Reached {
            forward,
            folder,
            program,
        })
    }
}

/// Lets the server prove who it is, which may take it a while.
fn prove(
    port: u16,
    host: &str,
    authorities: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<ServerIdentity, Failure> {
    let (send, receive) = mpsc::channel();
    let (host, authorities) = (host.to_owned(), authorities.to_owned());
    // Left behind where it waits for an answer that does not come when Ctrl-C is pressed.
    thread::spawn(move || {
        // Nobody waits for it any more only where the program ends.
        let _ = send.send(ServerIdentity::prove(port, &host, &authorities));
    });
    loop {
        match receive.recv_timeout(LOOK) {
            Ok(identity) => return identity.map_err(|error| unknown_server(&error)),
            Err(mpsc::RecvTimeoutError::Timeout) if !stop() => {}
            Err(_) => return Err(Failure::new(Exit::Interrupted, "interrupted")),
        }
    }
}

/// The database, as a program of this machine reaches it. The way ends with this, and the password's
/// file too.
pub struct Reached<'a> {
    forward: Forward<'a>,
    folder: tempfile::TempDir,
    program: Program,
}

impl Reached<'_> {
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
        if failure.says("Access denied") {
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
