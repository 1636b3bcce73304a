//! `mck cache`

use mck_local::client;

use super::{launcher, require_root};
use crate::{cli::CacheCommand, exit::Exit, failure::Failure, session::Session};

pub fn run(session: &Session<'_>, command: &CacheCommand) -> Result<(), Failure> {
    if session.is_on_aws() {
        let message = "caches of environments on AWS are flushed by a command of the app";
        return Err(Failure::new(Exit::Usage, message).hint(
            "such as `mck run -- bin/magento cache:flush`; deployments do it by the app's hook",
        ));
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
