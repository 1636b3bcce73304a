//! `mck`: the command line of MageCloudKit.
//!
//! A command is thin: it checks what it was given, asks if it must, lets the crates below do the
//! work, and recommends what comes next. [`cli`] says what can be typed, [`commands`] has one
//! module a verb, [`printer`] is the only place that prints, [`failure`] and [`exit`] say what went
//! wrong to people and to scripts.

mod account_failure;
mod assembly;
mod aws;
mod cli;
mod client_failure;
mod commands;
mod environment_variables;
mod exit;
mod failure;
mod hidden;
mod internal;
mod interrupt;
mod pipelines;
mod printer;
mod progress;
mod reference;
mod session;
mod style;
mod table;
mod time;
mod who;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::{cli::Cli, exit::Exit, failure::Failure, printer::Printer, session::Session};

fn main() -> ExitCode {
    if let Some(exit) = internal::dispatch() {
        return exit;
    }
    match Cli::try_parse() {
        Ok(cli) => {
            let printer = Printer::new(&cli.global);
            let session = Session::new(&cli.global, &printer);
            let result = commands::run(&session, &cli.command);
            finish(&printer, result)
        }
        Err(error) => usage(&error),
    }
}

fn finish(printer: &Printer, result: Result<ExitCode, Failure>) -> ExitCode {
    let exit = match result {
        Ok(exit) => exit,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit.into()
        }
    };
    match printer.broken() {
        Some(error) => {
            let failure = client_failure::output(&error);
            printer.failure(&failure);
            failure.exit.into()
        }
        None => exit,
    }
}

/// What clap has to say: help and version on the standard output, mistakes on the standard error.
fn usage(error: &clap::Error) -> ExitCode {
    let printer = Printer::plain();
    let text = error.render().to_string();
    if error.use_stderr() {
        printer.error_text(text.replace("\n  tip: ", "\nhint: ").trim_end());
        if is_plan() {
            commands::PLAN_FAILED.into()
        } else {
            Exit::Usage.into()
        }
    } else {
        printer.result(text.trim_end());
        Exit::Ok.into()
    }
}

/// Whether the command line is one of `mck plan`, as far as it can be read: its exit codes are others.
fn is_plan() -> bool {
    let command = Cli::command().ignore_errors(true);
    let matches = command.try_get_matches();
    matches.is_ok_and(|matches| matches.subcommand_name() == Some("plan"))
}
