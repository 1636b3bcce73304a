//! SQL dumps out of and into a schema, wherever it is: programs that the target names write and take
//! them, here they are compressed, checked and put where they belong.

mod load;
mod write;

use mck_local::command::CommandError;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

pub use load::{Input, check, load};
pub use write::write;

use super::backups::Steps;
use crate::{exit::Exit, failure::Failure, interrupt::Interrupt, printer::Printer, table};

/// How often something is looked at that goes on by itself.
const LOOK: std::time::Duration = std::time::Duration::from_millis(100);

/// The signals that end a dump.
pub const ENDING: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Who watches while a dump goes on: shows how far it is, and ends it at Ctrl-C.
pub struct Watch<'a> {
    steps: Steps<'a>,
    printer: &'a Printer,
    interrupt: &'a Interrupt,
}

impl<'a> Watch<'a> {
    /// One who shows it on the error stream.
    pub fn new(printer: &'a Printer, interrupt: &'a Interrupt) -> Self {
        Self {
            steps: Steps::new(printer),
            printer,
            interrupt,
        }
    }

    /// Shows a step, and what is done of it in bytes; on no terminal the step alone, once.
    fn show(&mut self, step: &str, done: u64, total: Option<u64>) {
        let percent = total.filter(|&it| it > 0).map(|it| done.min(it) * 100 / it);
        if self.printer.live_size().is_none() {
            self.steps.say(step, None);
        } else if percent.is_some() {
            self.steps.say(step, percent);
        } else {
            self.steps
                .say(&format!("{step}, {}", table::size(done)), None);
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.pressed()
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.steps.clear();
    }
}

/// The failure of a program of the pipe.
fn failed(error: &CommandError) -> Failure {
    match error {
        CommandError::Start { .. } => Failure::from_error(Exit::MachineLacks, error)
            .hint("`mck doctor` shows what this machine lacks"),
        _ => Failure::from_error(Exit::NotHealthy, error),
    }
}
