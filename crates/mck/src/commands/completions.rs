//! `mck completions`

use clap::CommandFactory;

use crate::{
    cli::{Cli, CompletionsOptions},
    failure::Failure,
    session::Session,
};

pub fn run(session: &Session<'_>, options: &CompletionsOptions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "mck", &mut script);
    session.printer.result_bytes(&script);
    Ok(())
}
