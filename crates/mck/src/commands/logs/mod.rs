//! `mck logs`

mod reader;
mod select;

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use mck_local::{layout::Layout, wait};
use serde::Serialize;

use self::{reader::LogReader, select::Selection};
use super::{on_aws, require_root};
use crate::{
    cli::LogsOptions,
    exit::Exit,
    failure::{Failure, unknown},
    printer::Printer,
    session::Session,
};

/// How often files are looked at when following.
const INTERVAL: Duration = Duration::from_millis(150);

/// A line of a container's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    /// When it was written.
    pub time: Timestamp,
    /// The container.
    pub container: String,
    /// `stdout` or `stderr`.
    pub stream: String,
    /// What was written.
    pub text: String,
}

pub fn run(session: &Session<'_>, options: &LogsOptions) -> Result<(), Failure> {
    if session.is_on_aws() {
        return on_aws::logs::run(session, options);
    }
    require_root()?;
    let local = session.applied()?;
    let apps: Vec<String> = local
        .blueprint
        .apps
        .iter()
        .map(|app| app.name.clone())
        .collect();
    let selection = Selection::new(options.what.as_deref(), &apps);
    let since = options.since.map(ago).transpose()?;

    let mut readers = BTreeMap::new();
    open_new(&local.layout, &selection, &mut readers);
    if readers.is_empty() && !selection.is_app() {
        check_name(&local.layout, options.what.as_deref())?;
    }
    loop {
        let mut lines: Vec<Line> = readers.values_mut().flat_map(LogReader::read_new).collect();
        lines.retain(|line| since.is_none_or(|since| line.time >= since));
        lines.sort_by_key(|line| line.time);
        for line in &lines {
            print(session.printer, line, options.json);
        }
        if !options.follow || session.printer.is_closed() {
            return Ok(());
        }
        wait::pause(INTERVAL);
        open_new(&local.layout, &selection, &mut readers);
    }
}

fn ago(span: Duration) -> Result<Timestamp, Failure> {
    let span = SignedDuration::try_from(span);
    span.and_then(|span| Timestamp::now().checked_sub(span))
        .map_err(|error| Failure::new(Exit::Usage, "that is too long ago").caused_by(&error))
}

/// Opens logs of containers that were not there at the last look.
fn open_new(layout: &Layout, selection: &Selection, readers: &mut BTreeMap<String, LogReader>) {
    for container in containers(layout) {
        if selection.has(&container) && !readers.contains_key(&container) {
            let path = layout.logs().join(format!("{container}.log"));
            readers.insert(container.clone(), LogReader::new(container, path));
        }
    }
}

/// The containers that have a log.
fn containers(layout: &Layout) -> Vec<String> {
    let entries = layout.logs().read_dir().into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut containers: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".log").map(str::to_owned))
        .collect();
    containers.sort();
    containers
}

fn check_name(layout: &Layout, what: Option<&str>) -> Result<(), Failure> {
    match what {
        Some(name) => Err(unknown("app, task or container", name, &containers(layout))),
        None => Ok(()),
    }
}

/// Prints a line, or its JSON.
pub fn print(printer: &Printer, line: &Line, as_json: bool) {
    if as_json {
        printer.json_line(line);
        return;
    }
    let style = printer.out_style();
    let time = line.time.strftime("%Y-%m-%d %H:%M:%S");
    let text = if line.stream == "stderr" {
        style.yellow(&line.text)
    } else {
        line.text.clone()
    };
    printer.result(format_args!(
        "{} {} {text}",
        style.dim(time),
        style.cyan(&line.container)
    ));
}
