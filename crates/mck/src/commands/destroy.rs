//! `mck destroy`

use std::time::Instant;

use mck_local::client;

use super::{
    confirm::{self, Question},
    destroy_aws, launcher, require_root,
};
use crate::{cli::DestroyOptions, failure::Failure, session::Session, time::elapsed};

pub fn run(session: &Session<'_>, options: &DestroyOptions) -> Result<(), Failure> {
    if session.is_on_aws() {
        return destroy_aws::run(session, options);
    }
    require_root()?;
    let layout = session.layout()?;
    let printer = session.printer;
    let id = layout.id().as_str();
    if layout.top().exists() && !options.yes {
        confirm::ask(
            session,
            &Question {
                what: &format!("removing {id} with its data"),
                consequence: &format!("This removes {id} with its database, media and secrets."),
                word: id,
                declined: "nothing was removed",
            },
        )?;
    }
    let begin = Instant::now();
    client::destroy(&layout, &launcher()?, &mut |step| {
        printer.detail(format_args!("  {step}"));
    })?;
    printer.note(format_args!(
        "{id} is removed ({}); nothing of it is left.",
        elapsed(begin.elapsed())
    ));
    Ok(())
}
