//! Work on stacks, followed on the terminal.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use mck_aws::{Account, Progress, Reporter};
use mck_aws_stacks::difference::StackTemplate;
use mck_cloudformation::DESCRIPTION;

use crate::{
    exit::Exit,
    failure::Failure,
    interrupt::Interrupt,
    printer::Printer,
    progress::{
        frame::Canvas,
        screen::Screen,
        stacks::{Descriptions, StacksView},
    },
    time::elapsed,
};

/// How often a display moves and Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(100);

/// How work is shown.
pub struct Display<'a> {
    pub printer: &'a Printer,
    /// What is done, such as `production`.
    pub title: &'a str,
    /// How many stacks there are.
    pub total: usize,
    /// What resources are.
    pub descriptions: Descriptions,
    /// Whether events are printed as JSON.
    pub json: bool,
    /// How to go on after Ctrl-C.
    pub again: &'a str,
}

/// What the resources of stacks are.
pub fn descriptions<'a>(stacks: impl IntoIterator<Item = &'a StackTemplate>) -> Descriptions {
    let mut found = Descriptions::new();
    for stack in stacks {
        let resources = stack
            .template
            .get("Resources")
            .and_then(|it| it.as_object());
        for (id, resource) in resources.into_iter().flatten() {
            let text = resource.get("Metadata").and_then(|it| it.get(DESCRIPTION));
            if let Some(text) = text.and_then(|it| it.as_str()) {
                found.insert((stack.id.clone(), id.clone()), text.to_owned());
            }
        }
    }
    found
}

/// Does work and shows it until it ends. Ctrl-C leaves CloudFormation at work.
///
/// # Errors
/// After Ctrl-C.
pub fn follow<T: Send + 'static>(
    display: Display<'_>,
    account: Account,
    work: impl FnOnce(&Account, &Reporter) -> T + Send + 'static,
) -> Result<T, Failure> {
    let interrupt = Interrupt::listen()?;
    let (sender, events) = mpsc::channel();
    let (done, result) = mpsc::channel();
    // It ends with this process.
    thread::spawn(move || {
        let _ = done.send(work(&account, &Reporter::new(sender)));
    });
    let again = display.again.to_owned();
    let shown = show(display, &interrupt, &events);
    if !shown {
        return Err(
            Failure::new(Exit::Interrupted, "CloudFormation goes on without us")
                .hint(format!("`{again}` follows it again")),
        );
    }
    result
        .recv()
        .map_err(|_| Failure::new(Exit::Internal, "the work on the stacks broke off"))
}

/// Shows events until there are no more; false after Ctrl-C.
fn show(display: Display<'_>, interrupt: &Interrupt, events: &mpsc::Receiver<Progress>) -> bool {
    let printer = display.printer;
    let size = if display.json {
        None
    } else {
        printer.live_size()
    };
    let (begin, mut screen, mut tick) = (Instant::now(), Screen::default(), 0);
    let mut view = StacksView::new(display.descriptions, display.total);
    loop {
        if interrupt.pressed() {
            return false;
        }
        match events.recv_timeout(TICK) {
            Ok(event) => {
                let line = view.note(&event, Instant::now());
                if display.json {
                    printer.json_line(&event);
                } else if let Some(line) = line {
                    printer.draw(&screen.clear());
                    printer.note(format_args!("[{}] {line}", elapsed(begin.elapsed())));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                printer.draw(&screen.clear());
                return true;
            }
        }
        if let Some((width, height)) = size {
            tick += 1;
            let canvas = Canvas {
                width,
                height,
                style: printer.error_style(),
                tick,
            };
            let lines = view.lines(display.title, begin, Instant::now(), canvas);
            printer.draw(&screen.frame(&lines));
        }
    }
}
