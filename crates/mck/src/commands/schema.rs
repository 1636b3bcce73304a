//! `mck schema`

use crate::{failure::Failure, session::Session};

pub fn run(session: &Session<'_>) -> Result<(), Failure> {
    session.printer.json(&mck_environment::schema());
    Ok(())
}
