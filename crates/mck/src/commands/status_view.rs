//! What `mck status` shows of both targets in the same way.

use mck_blueprint::views::Table;
use serde::Serialize;

use crate::{printer::Printer, progress::screen::Screen, style::Style, table};

/// Shows a status: what programs read of it, or its page for people.
pub fn once(
    printer: &Printer,
    status: &impl Serialize,
    as_json: bool,
    page: impl Fn(Style, Option<usize>) -> String,
) {
    if as_json {
        printer.json(status);
    } else {
        printer.result(page(printer.out_style(), printer.out_width()));
    }
}

/// Shows a status that is watched: one object a line for programs, a page that is drawn over the one
/// before on a terminal, else one page after the other.
pub fn again(
    printer: &Printer,
    screen: &mut Screen,
    status: &impl Serialize,
    as_json: bool,
    page: impl Fn(Style, Option<usize>) -> String,
) {
    if as_json {
        printer.json_line(status);
        return;
    }
    match printer.live_size() {
        Some((width, height)) => {
            let text = page(printer.error_style(), Some(width));
            let lines: Vec<String> = text.lines().take(height - 1).map(str::to_owned).collect();
            printer.draw(&screen.frame(&lines));
        }
        None => printer.result(format_args!("{}\n", page(printer.out_style(), None))),
    }
}

/// A page: which environment it is and how it is, then the tables that have rows.
pub fn page(
    (project, environment): (&str, &str),
    state: &str,
    tables: &[Table],
    style: Style,
    width: Option<usize>,
) -> String {
    let name = style.bold(format!("{project} ({environment})"));
    let tables = tables.iter().filter(|table| !table.rows.is_empty());
    let texts = tables.map(|it| table::render(it, style, width));
    std::iter::once(format!("{name} is {state}"))
        .chain(texts)
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// The apps; `version` is what says which code each runs.
pub fn apps(version: &str, rows: impl Iterator<Item = [String; 4]>) -> Table {
    table::table("Apps", &["App", "Healthy", version, "URL"], owned(rows))
}

/// How many tasks of an app are healthy.
pub fn healthy(healthy: u32, desired: u32) -> String {
    format!("{healthy} of {desired}")
}

/// The tasks.
pub fn tasks(rows: impl Iterator<Item = [String; 7]>) -> Table {
    let columns = [
        "Task",
        "State",
        "Zone",
        "App Server",
        "Address",
        "Placed",
        "Detail",
    ];
    table::table("Tasks", &columns, owned(rows))
}

fn owned<const COLUMNS: usize>(rows: impl Iterator<Item = [String; COLUMNS]>) -> Vec<Vec<String>> {
    rows.map(Vec::from).collect()
}
