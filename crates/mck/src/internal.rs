//! Commands that the program gives itself. They are no part of the command line and are looked for
//! before it is read, so that they begin at once.

use std::{error::Error, path::Path, process::ExitCode};

use mck_local::{
    container::{launch, runtime::Program},
    id::EnvironmentId,
    supervisor,
};

use crate::{exit::Exit, failure::Failure, printer::Printer};

/// Runs an internal command; none when the command line is a person's.
pub fn dispatch() -> Option<ExitCode> {
    let command = std::env::args_os().nth(1)?;
    let work = match command.to_str()? {
        "container-launch" => container_launch,
        "container-run" => container_run,
        "container-exec" => container_exec,
        "supervise" => supervise,
        _ => return None,
    };
    let arguments: Vec<String> = std::env::args_os()
        .skip(2)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    Some(match work(&arguments) {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => {
            Printer::plain().failure(&failure);
            failure.exit.into()
        }
    })
}

/// `container-launch BUNDLE`
fn container_launch(arguments: &[String]) -> Result<(), Failure> {
    let [bundle] = arguments else {
        return Err(misused());
    };
    launch::launch(Path::new(bundle)).map_err(|error| internal(&error))
}

/// `container-run BUNDLE`
fn container_run(arguments: &[String]) -> Result<(), Failure> {
    let [bundle] = arguments else {
        return Err(misused());
    };
    launch::run_attached(Path::new(bundle)).map_err(|error| internal(&error))
}

/// `container-exec RUNTIME ROOT ARGUMENT…`
fn container_exec(arguments: &[String]) -> Result<(), Failure> {
    let [runtime, root, arguments @ ..] = arguments else {
        return Err(misused());
    };
    let programs = [Program::Crun, Program::Runc];
    let program = programs
        .into_iter()
        .find(|program| program.name() == runtime);
    let program = program.ok_or_else(misused)?;
    launch::become_exec(program, Path::new(root), arguments).map_err(|error| internal(&error))
}

/// `supervise STATE_FOLDER ID`
fn supervise(arguments: &[String]) -> Result<(), Failure> {
    let [state_folder, id] = arguments else {
        return Err(misused());
    };
    let id = EnvironmentId::new(id.as_str()).map_err(|error| internal(&error))?;
    let launcher = std::env::current_exe().map_err(|error| internal(&error))?;
    supervisor::run(Path::new(state_folder), id, &launcher).map_err(|error| internal(&error))
}

fn internal(error: &(dyn Error + 'static)) -> Failure {
    Failure::from_error(Exit::Internal, error)
}

fn misused() -> Failure {
    Failure::new(Exit::Usage, "this command is for the program itself")
}
