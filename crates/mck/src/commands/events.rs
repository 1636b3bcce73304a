//! `mck events`

use std::time::Duration;

use jiff::Timestamp;
use mck_local::{
    events::{self, Event, Level},
    wait,
};

use super::{on_aws, require_root};
use crate::{
    cli::EventsOptions, client_failure::file, failure::Failure, printer::Printer, session::Session,
    time::relative,
};

/// How often the file is looked at when following.
const INTERVAL: Duration = Duration::from_millis(200);

pub fn run(session: &Session<'_>, options: &EventsOptions) -> Result<(), Failure> {
    if session.is_on_aws() {
        return on_aws::events::run(session, options);
    }
    require_root()?;
    let layout = session.layout()?;
    let printer = session.printer;
    let path = layout.events();
    let mut last: Option<Timestamp> = None;
    let mut seen_length = None;
    loop {
        let length = path.metadata().ok().map(|metadata| metadata.len());
        if length != seen_length {
            seen_length = length;
            let events = events::read(&path).map_err(|error| file(&path, &error))?;
            for event in events
                .iter()
                .filter(|event| last.is_none_or(|last| event.time > last))
            {
                print(printer, event, options);
            }
            last = events.last().map(|event| event.time).or(last);
        }
        if !options.follow {
            if last.is_none() && !options.json {
                printer.note("Nothing has happened yet.");
            }
            return Ok(());
        }
        if printer.is_closed() {
            return Ok(());
        }
        wait::pause(INTERVAL);
    }
}

/// Prints an event, or its JSON.
pub fn print(printer: &Printer, event: &Event, options: &EventsOptions) {
    if options.json {
        printer.json_line(event);
        return;
    }
    let style = printer.out_style();
    let level = match event.level {
        Level::Info => String::new(),
        Level::Warning => style.yellow("warning: "),
        Level::Error => style.red("error: "),
    };
    // What is followed is read later than it is printed: there a relative time would be wrong soon.
    let time = if options.follow {
        event.time.strftime("%Y-%m-%d %H:%M:%S").to_string()
    } else {
        format!("{:>10}", relative(event.time, Timestamp::now()))
    };
    let subject = style.bold(&event.subject);
    printer.result(format_args!(
        "{}  {subject}  {level}{}",
        style.dim(time),
        event.message
    ));
}
