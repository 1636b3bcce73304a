//! `mck db shell`, `export` and `import` of an environment on AWS: a client of this machine, through
//! the Bastion.

use std::{process::ExitCode, time::Instant};

use jiff::Timestamp;
use mck_aws::DatabaseUser;
use mck_local::wait;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::{
    OnAws,
    database_client::Way,
    database_tools::{Purpose, Tools},
};
use crate::{
    cli::{DatabaseShellOptions, ExportOptions, ImportOptions},
    commands::{
        confirm::{self, Question},
        database::schema,
        dump::{self, ENDING, Input, Watch},
        ended,
    },
    exit::Exit,
    failure::Failure,
    interrupt::Interrupt,
    session::Session,
    time::elapsed,
};

/// A client for a person, or for statements that are handed to it.
pub fn shell(on_aws: &OnAws, options: &DatabaseShellOptions) -> Result<ExitCode, Failure> {
    let blueprint = &on_aws.blueprint;
    let schema = schema(blueprint, options.app.as_deref())?;
    let tools = tools(on_aws, Purpose::Client, options.reach.ca.as_deref())?;
    let user = if options.master {
        DatabaseUser::Master
    } else {
        DatabaseUser::Schema(schema)
    };
    let way = Way::ask(on_aws, user, tools)?;
    let pressed = Interrupt::note(&[SIGINT])?;
    let asked = Interrupt::note(&[SIGHUP, SIGTERM])?;
    let reached = way.open(&|| pressed.pressed() || asked.pressed())?;
    let mut command = reached.shell(&schema.name, &options.arguments)?;
    let mut client = command.spawn().map_err(|error| {
        Failure::new(Exit::MachineLacks, "the client could not be started").caused_by(&error)
    })?;
    // Ctrl-C from here on is for the client, which has the terminal.
    loop {
        let state = client.try_wait().map_err(|error| {
            Failure::new(Exit::Internal, "the client can't be waited for").caused_by(&error)
        })?;
        if let Some(status) = state {
            return Ok(ended(status));
        }
        if asked.pressed() {
            // It leaves the terminal as it was; one that has ended meanwhile needs not be told.
            let _ = kill_process(Pid::from_child(&client), Signal::TERM);
        }
        wait::pause(std::time::Duration::from_millis(20));
    }
}

/// A consistent dump of an app's schema, without locking it.
pub fn export(
    session: &Session<'_>,
    on_aws: &OnAws,
    options: &ExportOptions,
) -> Result<(), Failure> {
    let schema = schema(&on_aws.blueprint, options.app.as_deref())?;
    let tools = tools(on_aws, Purpose::Dump, options.reach.ca.as_deref())?;
    let begin = Instant::now();
    let way = Way::ask(on_aws, DatabaseUser::Master, tools)?;
    let interrupt = Interrupt::note(&ENDING)?;
    let mut reached = way.open(&|| interrupt.pressed())?;
    let mut dumper = reached.export(&schema.name)?;
    let output = options.output.as_deref();
    let mut watch = Watch::new(session.printer, &interrupt);
    let written = dump::write(&mut dumper, output, &mut watch);
    drop(watch);
    written.map_err(|failure| reached.explain(failure))?;
    if let Some(path) = output {
        let time = elapsed(begin.elapsed());
        let note = format!("Schema {} is in {} ({time}).", schema.name, path.display());
        session.printer.note(note);
    }
    Ok(())
}

/// A dump into an app's schema: its tables take the place of those that there are.
pub fn import(
    session: &Session<'_>,
    on_aws: &OnAws,
    options: &ImportOptions,
) -> Result<(), Failure> {
    let blueprint = &on_aws.blueprint;
    let schema = schema(blueprint, options.app.as_deref())?;
    let path = options.input.as_deref();
    let mut input = Input::open(path)?;
    let tools = tools(on_aws, Purpose::Client, options.reach.ca.as_deref())?;
    if input.is_file() {
        // There is nothing to clean up yet.
        let never = Interrupt::note(&[])?;
        dump::check(input, &mut Watch::new(session.printer, &never))?;
        input = Input::open(path)?;
    }
    let id = format!("{}-{}", blueprint.project, blueprint.environment);
    if !options.yes {
        let question = Question {
            what: &format!("importing into the database of {id}"),
            consequence: &format!(
                "This runs the dump's statements in the schema {} of {id}: its tables take the \
                 place of those that there are, while the app runs.",
                schema.name
            ),
            word: &id,
            declined: "nothing was imported",
        };
        confirm::ask(session, &question)?;
    }
    let way = Way::ask(on_aws, DatabaseUser::Master, tools)?;
    let interrupt = Interrupt::note(&ENDING)?;
    let mut reached = way.open(&|| interrupt.pressed())?;
    let mut client = reached.import(&schema.name)?;
    let begin = Instant::now();
    let before = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
    let mut watch = Watch::new(session.printer, &interrupt);
    let loaded = dump::load(&mut client, input, &mut watch);
    drop(watch);
    let restore = format!("mck db restore --time {before}");
    loaded.map_err(|failure| {
        let hint = format!("what was loaded before stays; `{restore}` goes back to before it");
        reached.explain(failure).hint(hint)
    })?;
    let time = elapsed(begin.elapsed());
    let printer = session.printer;
    printer.note(format_args!(
        "The dump is in schema {} ({time}).",
        schema.name
    ));
    printer.next(&[
        (
            "mck run",
            "lets the app upgrade its schema and empty its caches",
        ),
        (&restore, "puts the database back to before it"),
    ]);
    Ok(())
}

fn tools(
    on_aws: &OnAws,
    purpose: Purpose,
    authorities: Option<&std::path::Path>,
) -> Result<Tools, Failure> {
    Tools::find(purpose, authorities, &on_aws.blueprint.region)
}
