//! `mck cache`

use mck_local::client;

use super::{launcher, on_aws, require_root};
use crate::{cli::CacheCommand, failure::Failure, session::Session};

pub fn run(session: &Session<'_>, command: &CacheCommand) -> Result<(), Failure> {
    if session.is_on_aws() {
        let CacheCommand::Flush(name) = command;
        return on_aws::cache::flush(session, name);
    }
    require_root()?;
    let layout = session.layout()?;
    let printer = session.printer;
    match command {
        CacheCommand::Flush(name) => {
            client::flush_caches(&layout, &launcher()?, name.app.as_deref(), &mut |step| {
                printer.note(step);
            })?;
            printer.note("The caches are empty.");
            Ok(())
        }
    }
}
