//! `mck run`

use std::process::ExitCode;

use mck_local::client;

use super::{choose_app, exec::has_terminal, launcher, on_aws, passed_on, require_root};
use crate::{cli::RunOptions, failure::Failure, session::Session};

pub fn run(session: &Session<'_>, options: &RunOptions) -> Result<ExitCode, Failure> {
    if session.is_on_aws() {
        return on_aws::run::run(session, options);
    }
    require_root()?;
    let local = session.applied()?;
    let (app, container) = match options.app.as_deref().and_then(|name| name.split_once('.')) {
        Some((app, container)) => (Some(app), Some(container)),
        None => (options.app.as_deref(), None),
    };
    let app = choose_app(&local.blueprint, app)?;
    let code = client::run(
        &local.layout,
        &launcher()?,
        &app,
        container,
        &options.command,
        has_terminal(),
    )?;
    Ok(passed_on(code))
}
