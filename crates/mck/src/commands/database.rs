//! `mck db`

use std::{
    fs::File,
    io::{self, IsTerminal},
    path::Path,
    process::ExitCode,
    time::Instant,
};

use mck_local::client;

use super::{backups, choose_app, foreground, on_aws, process, require_root};
use crate::{
    cli::DatabaseCommand,
    exit::Exit,
    failure::Failure,
    session::{LocalEnvironment, Session},
    time::elapsed,
};

pub fn run(session: &Session<'_>, command: &DatabaseCommand) -> Result<ExitCode, Failure> {
    if session.is_on_aws() {
        return on_aws::database::run(session, command);
    }
    require_root()?;
    let local = session.applied()?;
    let done = |()| Exit::Ok.into();
    let needs_no_database = matches!(
        command,
        DatabaseCommand::Snapshots(_)
            | DatabaseCommand::Verify(_)
            | DatabaseCommand::DeleteSnapshot(_)
    );
    if !needs_no_database {
        client::snapshot(&local.layout)?;
    }
    match command {
        DatabaseCommand::Failover => failover(session, &local).map(done),
        DatabaseCommand::Prepare => {
            let note = "Schemas and users are made and kept while the environment runs.";
            session.printer.note(note);
            Ok(done(()))
        }
        DatabaseCommand::Snapshot(options) => backups::snapshot(session, &local, options).map(done),
        DatabaseCommand::Snapshots(options) => {
            backups::snapshots(session, &local, options).map(done)
        }
        DatabaseCommand::Verify(name) => backups::verify(session, &local, name).map(done),
        DatabaseCommand::Restore(options) => backups::restore(session, &local, options).map(done),
        DatabaseCommand::DeleteSnapshot(name) => backups::delete(session, &local, name).map(done),
        DatabaseCommand::Shell(name) => {
            let schema = schema(&local, name.app.as_deref())?;
            let line = client::shell_command(&local.layout, Some(&schema))?;
            foreground(&mut process(&line)?)
        }
        DatabaseCommand::Export(options) => {
            let schema = schema(&local, options.app.as_deref())?;
            export(&local, &schema, options.output.as_deref())
        }
        DatabaseCommand::Import(options) => {
            let schema = schema(&local, options.app.as_deref())?;
            import(&local, &schema, options.input.as_deref())
        }
    }
}

fn failover(session: &Session<'_>, local: &LocalEnvironment) -> Result<(), Failure> {
    let begin = Instant::now();
    client::db_failover(&local.layout)?;
    let time = elapsed(begin.elapsed());
    session
        .printer
        .note(format_args!("A reader is the writer now ({time})."));
    session
        .printer
        .next(&[("mck events", "shows which, and each step")]);
    Ok(())
}

/// The schema of the named app, or of the only one.
fn schema(local: &LocalEnvironment, app: Option<&str>) -> Result<String, Failure> {
    let name = choose_app(&local.blueprint, app)?;
    let app = local.blueprint.apps.iter().find(|app| app.name == name);
    app.and_then(|app| app.database_schema.clone())
        .ok_or_else(|| {
            Failure::new(
                Exit::Unknown,
                format!("app `{name}` has no schema in the database"),
            )
        })
}

/// Writes beside the wanted file first, so that a dump that broke off never looks like a whole one.
fn export(
    local: &LocalEnvironment,
    schema: &str,
    output: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let mut command = process(&client::export_command(&local.layout, Some(schema))?)?;
    let Some(path) = output else {
        return foreground(&mut command);
    };
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let failed = |error: io::Error| crate::client_failure::file(path, &error);
    let file = File::create(part).map_err(failed)?;
    let code = foreground(command.stdout(file))?;
    if code == ExitCode::SUCCESS {
        std::fs::rename(part, path).map_err(failed)?;
    } else {
        std::fs::remove_file(part).map_err(failed)?;
    }
    Ok(code)
}

fn import(
    local: &LocalEnvironment,
    schema: &str,
    input: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let mut command = process(&client::import_command(&local.layout, Some(schema))?)?;
    match input {
        Some(path) => {
            let file = File::open(path).map_err(|error| {
                let message = format!("{} can't be read", path.display());
                Failure::new(Exit::Usage, message).caused_by(&error)
            })?;
            command.stdin(file);
        }
        None if io::stdin().is_terminal() => {
            return Err(Failure::new(Exit::Usage, "there is nothing to import")
                .hint("name a file with `--input`, or redirect one: `mck db import < dump.sql`"));
        }
        None => {}
    }
    foreground(&mut command)
}
