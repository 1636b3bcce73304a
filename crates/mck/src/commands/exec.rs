//! `mck exec`

use std::{io::IsTerminal, process::ExitCode};

use mck_local::client;

use super::{choose_app, launcher, on_aws, passed_on, require_root};
use crate::{cli::ExecOptions, failure::Failure, session::Session};

pub fn run(session: &Session<'_>, options: &ExecOptions) -> Result<ExitCode, Failure> {
    if session.is_on_aws() {
        return on_aws::exec::run(session, options);
    }
    require_root()?;
    let local = session.applied()?;
    let what = match &options.what {
        Some(what) => what.clone(),
        None => choose_app(&local.blueprint, None)?,
    };
    let code = client::exec(
        &local.layout,
        &launcher()?,
        &what,
        &options.command,
        has_terminal(),
    )?;
    Ok(passed_on(code))
}

/// Whether a person types and reads, so that the command gets a terminal too.
pub fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}
