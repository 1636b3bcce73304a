//! One module a verb, each thin: check, ask, let the crates below do the work, recommend what
//! comes next.

mod apply;
mod backups;
mod build;
mod cache;
mod check;
mod completions;
mod confirm;
mod cost;
mod database;
mod deploy;
mod destroy;
mod destroy_aws;
mod destroy_shared;
mod doctor;
mod drift;
mod drill;
mod dump;
mod emulate;
mod events;
mod exec;
mod init;
mod logs;
mod on_aws;
mod plan;
mod release_table;
mod releases;
mod run;
mod scale;
mod schema;
mod secret;
mod show;
mod ssh;
mod stacks_at_work;
mod status;
mod status_view;
mod stop;
mod synth;
mod up;

use std::{
    path::PathBuf,
    process::{Command as Process, ExitCode, ExitStatus},
};

pub use plan::FAILED as PLAN_FAILED;

use mck_blueprint::Blueprint;

use crate::{
    cli::Command,
    exit::Exit,
    failure::{Failure, unknown},
    reference,
    session::Session,
};

/// Runs a command.
pub fn run(session: &Session<'_>, command: &Command) -> Result<ExitCode, Failure> {
    let done = |()| Exit::Ok.into();
    match command {
        Command::Init(options) => init::run(session, options).map(done),
        Command::Check(options) => check::run(session, options).map(done),
        Command::Schema => schema::run(session).map(done),
        Command::Show(options) => show::run(session, options).map(done),
        Command::Cost(options) => cost::run(session, options).map(done),
        Command::Synth(options) => synth::run(session, options).map(done),
        Command::Plan(options) => Ok(plan::run(session, options)),
        Command::Apply(options) => apply::run(session, options).map(done),
        Command::Drift(options) => drift::run(session, options).map(done),
        Command::Doctor(options) => doctor::run(session, options).map(done),
        Command::Up(options) => up::run(session, options).map(done),
        Command::Stop => stop::run(session).map(done),
        Command::Build(options) => build::run(session, options).map(done),
        Command::Releases(options) => releases::run(session, options).map(done),
        Command::Deploy(options) => deploy::run(session, options).map(done),
        Command::Rollback(options) => deploy::rollback(session, options).map(done),
        Command::Scale(options) => scale::run(session, options).map(done),
        Command::Drill(options) => drill::run(session, options).map(done),
        Command::Status(options) => status::run(session, options).map(done),
        Command::Logs(options) => logs::run(session, options).map(done),
        Command::Exec(options) => exec::run(session, options),
        Command::Run(options) => run::run(session, options),
        Command::Ssh(options) => ssh::run(session, options),
        Command::Db(command) => database::run(session, command),
        Command::Cache(command) => cache::run(session, command).map(done),
        Command::Secret(command) => secret::run(session, command).map(done),
        Command::Events(options) => events::run(session, options).map(done),
        Command::Emulate(command) => emulate::run(session, command).map(done),
        Command::Destroy(options) => destroy::run(session, options).map(done),
        Command::Completions(options) => completions::run(session, options).map(done),
        Command::Reference(options) => reference::write(session, &options.folder).map(done),
    }
}

/// What an environment is made of belongs to root.
fn require_root() -> Result<(), Failure> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(
        Failure::new(Exit::NotRoot, "an environment on this machine needs root")
            .hint("run it with `sudo`"),
    )
}

/// This program, which starts containers and supervisors of its own kind.
fn launcher() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| {
        Failure::new(Exit::Internal, "this program can't find itself").caused_by(&error)
    })
}

/// The named app, or the only one.
fn choose_app(blueprint: &Blueprint, name: Option<&str>) -> Result<String, Failure> {
    let known: Vec<String> = blueprint.apps.iter().map(|app| app.name.clone()).collect();
    match (name, known.as_slice()) {
        (Some(name), _) if known.iter().any(|app| app == name) => Ok(name.to_owned()),
        (Some(name), _) => Err(unknown("app", name, &known)),
        (None, [only]) => Ok(only.clone()),
        (None, _) => {
            let message = format!("name one of the apps {}", known.join(", "));
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

/// An exit code of a command that ran somewhere else, as ours.
fn passed_on(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

/// Runs a program in the foreground and passes on how it ended.
fn foreground(command: &mut Process) -> Result<ExitCode, Failure> {
    let status = command.status().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        Failure::new(Exit::MachineLacks, format!("could not start `{program}`"))
            .caused_by(&error)
            .hint("`mck doctor` shows what this machine lacks")
    })?;
    Ok(ended(status))
}

/// How a program ended, as ours: with a signal as shells tell it.
fn ended(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;
    let signal = status.signal().map(|signal| 128 + signal);
    passed_on(status.code().or(signal).unwrap_or(1))
}

/// The process of a command line whose first word is the program.
fn process(line: &[String]) -> Result<Process, Failure> {
    let (program, arguments) = line
        .split_first()
        .ok_or_else(|| Failure::new(Exit::Internal, "a command line is empty"))?;
    let mut process = Process::new(program);
    process.args(arguments);
    Ok(process)
}
