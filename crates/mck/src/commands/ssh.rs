//! `mck ssh`

use std::process::ExitCode;

use mck_local::client;

use super::{foreground, on_aws, process, require_root};
use crate::{cli::SshOptions, failure::Failure, session::Session};

pub fn run(session: &Session<'_>, options: &SshOptions) -> Result<ExitCode, Failure> {
    if session.is_on_aws() {
        return on_aws::ssh::run(session, options);
    }
    require_root()?;
    let layout = session.layout()?;
    // Looked at first: without a supervisor the Bastion may be gone, and ssh would only say that
    // nobody answers.
    client::snapshot(&layout)?;
    let line = client::ssh_command(&layout, &options.server, &options.command)?;
    foreground(&mut process(&line)?)
}
