//! `mck destroy`

use std::{io, time::Instant};

use mck_local::client;

use super::{launcher, require_root};
use crate::{cli::DestroyOptions, exit::Exit, failure::Failure, session::Session, time::elapsed};

pub fn run(session: &Session<'_>, options: &DestroyOptions) -> Result<(), Failure> {
    require_root()?;
    let layout = session.layout()?;
    let printer = session.printer;
    let id = layout.id().as_str();
    if layout.top().exists() && !options.yes {
        confirm(session, id)?;
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

fn confirm(session: &Session<'_>, id: &str) -> Result<(), Failure> {
    let printer = session.printer;
    if !printer.can_ask() {
        return Err(Failure::new(
            Exit::Usage,
            format!("removing {id} with its data needs your word"),
        )
        .hint("give it with `--yes`"));
    }
    printer.draw(&format!(
        "This removes {id} with its database, media and secrets.\nType {id} to go on: "
    ));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| {
        Failure::new(Exit::Internal, "the answer can't be read").caused_by(&error)
    })?;
    if answer.trim() == id {
        return Ok(());
    }
    Err(Failure::new(Exit::Declined, "nothing was removed"))
}
