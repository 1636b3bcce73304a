//! Following an environment until it is as it should be.

use std::time::Instant;

use mck_local::{
    layout::Layout,
    supervisor::snapshot::{Problem, Snapshot},
};

use super::{
    frame::{Canvas, lines},
    plain::news,
    screen::Screen,
    watch::watch,
};
use crate::{failure::Failure, interrupt::Interrupt, printer::Printer, time::elapsed};

/// How following ended.
#[derive(Debug)]
pub enum Ended {
    /// All is as it should be.
    Settled(Snapshot),
    /// Something does not mend itself.
    Failed(Problem),
    /// Ctrl-C.
    Interrupted,
}

/// Follows until the environment is settled, does not get there, or Ctrl-C is pressed.
///
/// # Errors
/// When the supervisor does not run, or ends.
pub fn follow(
    printer: &Printer,
    layout: &Layout,
    interrupt: &Interrupt,
    title: &str,
    begin: Instant,
) -> Result<Ended, Failure> {
    let mut ended = Ended::Interrupted;
    let mut screen = Screen::default();
    let mut last: Option<Snapshot> = None;
    let mut tick = 0;
    let size = printer.live_size();
    let result = watch(layout, interrupt, &mut |snapshot| {
        tick += 1;
        if let Some((width, height)) = size {
            let canvas = Canvas {
                width,
                height,
                style: printer.error_style(),
                tick,
            };
            printer.draw(&screen.frame(&lines(title, snapshot, begin.elapsed(), canvas)));
        } else if last.as_ref() != Some(snapshot) {
            for line in news(last.as_ref(), snapshot) {
                printer.note(format_args!("[{}] {line}", elapsed(begin.elapsed())));
            }
            last = Some(snapshot.clone());
        }
        if let Some(problem) = &snapshot.problem {
            ended = Ended::Failed(problem.clone());
        } else if snapshot.settled {
            ended = Ended::Settled(snapshot.clone());
        } else {
            return false;
        }
        true
    });
    if matches!(ended, Ended::Settled(_)) {
        printer.draw(&screen.clear());
    }
    result.map(|()| ended)
}
