//! `mck db`

use std::{path::Path, process::ExitCode, time::Instant};

use mck_blueprint::{Blueprint, model::DatabaseSchema};
use mck_local::client;

use super::{
    backups, choose_app,
    dump::{self, ENDING, Input, Watch},
    foreground, on_aws, process, require_root,
};
use crate::{
    cli::DatabaseCommand,
    exit::Exit,
    failure::Failure,
    interrupt::Interrupt,
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
        DatabaseCommand::Shell(options) => {
            let schema = schema(&local.blueprint, options.app.as_deref())?;
            let line = client::shell_command(&local.layout, Some(&schema.name))?;
            foreground(process(&line)?.args(&options.arguments))
        }
        DatabaseCommand::Export(options) => {
            let schema = schema(&local.blueprint, options.app.as_deref())?;
            export(session, &local, &schema.name, options.output.as_deref()).map(done)
        }
        DatabaseCommand::Import(options) => {
            let schema = schema(&local.blueprint, options.app.as_deref())?;
            import(session, &local, &schema.name, options.input.as_deref()).map(done)
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
pub(super) fn schema<'a>(
    blueprint: &'a Blueprint,
    app: Option<&str>,
) -> Result<&'a DatabaseSchema, Failure> {
    let name = choose_app(blueprint, app)?;
    let app = blueprint.apps.iter().find(|app| app.name == name);
    let schema = app.and_then(|app| app.database_schema.as_ref());
    let mut schemas = blueprint.database.schemas.iter();
    schemas.find(|it| Some(&it.name) == schema).ok_or_else(|| {
        let message = format!("app `{name}` has no schema in the database");
        Failure::new(Exit::Unknown, message)
    })
}

fn export(
    session: &Session<'_>,
    local: &LocalEnvironment,
    schema: &str,
    output: Option<&Path>,
) -> Result<(), Failure> {
    let mut dumper = process(&client::export_command(&local.layout, Some(schema))?)?;
    let interrupt = Interrupt::note(&ENDING)?;
    dump::write(
        &mut dumper,
        output,
        &mut Watch::new(session.printer, &interrupt),
    )
}

fn import(
    session: &Session<'_>,
    local: &LocalEnvironment,
    schema: &str,
    path: Option<&Path>,
) -> Result<(), Failure> {
    let input = Input::open(path)?;
    let interrupt = Interrupt::note(&ENDING)?;
    let mut watch = Watch::new(session.printer, &interrupt);
    let input = if input.is_file() {
        dump::check(input, &mut watch)?;
        Input::open(path)?
    } else {
        input
    };
    let mut client = process(&client::import_command(&local.layout, Some(schema))?)?;
    dump::load(&mut client, input, &mut watch)
}
