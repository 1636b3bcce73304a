//! `mck stop`

use std::time::Instant;

use mck_local::client;

use super::{launcher, require_root};
use crate::{failure::Failure, session::Session, time::elapsed};

pub fn run(session: &Session<'_>) -> Result<(), Failure> {
    require_root()?;
    let layout = session.layout()?;
    let printer = session.printer;
    let begin = Instant::now();
    client::stop(&layout, &launcher()?, &mut |step| {
        printer.detail(format_args!("  {step}"));
    })?;
    printer.note(format_args!(
        "{} is stopped ({}); its data stays.",
        layout.id(),
        elapsed(begin.elapsed())
    ));
    printer.next(&[
        ("mck up", "starts it again"),
        ("mck destroy", "removes it with its data"),
    ]);
    Ok(())
}
