//! Commands that the program gives itself. They are no part of the command line and are looked for
//! before it is read, so that they begin at once.

use std::{ffi::OsString, path::Path, process::ExitCode};

use crate::{exit::Exit, failure::Failure, printer::Printer};

/// Runs an internal command; none when the command line is a person's.
pub fn dispatch() -> Option<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).take(4).collect();
    let result = match arguments.first()?.to_str()? {
        "container-launch" => container_launch(arguments.get(1)?),
        "supervise" => supervise(arguments.get(1)?, arguments.get(2)?),
        _ => return None,
    };
    Some(match result {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => {
            Printer::plain().failure(&failure);
            failure.exit.into()
        }
    })
}

fn container_launch(bundle: &OsString) -> Result<(), Failure> {
    mck_local::container::launch::launch(Path::new(bundle))
        .map_err(|error| Failure::from_error(Exit::Internal, &error))
}

fn supervise(state_folder: &OsString, id: &OsString) -> Result<(), Failure> {
    let internal =
        |error: &(dyn std::error::Error + 'static)| Failure::from_error(Exit::Internal, error);
    let id = mck_local::id::EnvironmentId::new(id.to_string_lossy())
        .map_err(|error| internal(&error))?;
    let launcher = std::env::current_exe().map_err(|error| internal(&error))?;
    mck_local::supervisor::run(Path::new(state_folder), id, &launcher)
        .map_err(|error| internal(&error))
}
