//! The table of releases, which both targets show in the same way.

use mck_blueprint::views::Table;

use crate::{printer::Printer, table};

/// A release of an app.
pub struct Row {
    pub app: String,
    pub release: String,
    /// What a target tells besides, as the columns that it names.
    pub details: [String; 2],
    pub state: &'static str,
    /// Its deployments, each in a few words.
    pub deployments: Vec<String>,
}

/// The table.
pub fn table(details: [&str; 2], rows: impl Iterator<Item = Row>) -> Table {
    let rows = rows.map(|row| {
        let [first, second] = row.details;
        let deployments = row.deployments.join(", ");
        let state = row.state.to_owned();
        vec![row.app, row.release, first, second, state, deployments]
    });
    let [first, second] = details;
    let columns = ["App", "Release", first, second, "State", "Deployments"];
    table::table("Releases", &columns, rows.collect())
}

/// A deployment in a few words; `by` and `outcome` may be empty.
pub fn deployment(number: impl std::fmt::Display, by: &str, outcome: &str) -> String {
    let mut text = number.to_string();
    if !by.is_empty() {
        text = format!("{text} by {by}");
    }
    if !outcome.is_empty() {
        text = format!("{text}, {outcome}");
    }
    text
}

/// Shows the table; where it is empty, `next` are the commands that make a release.
pub fn show(printer: &Printer, releases: &Table, next: &[(&str, &str)]) {
    if releases.rows.is_empty() {
        printer.note("There is no release yet.");
        printer.next(next);
        return;
    }
    let (style, width) = (printer.out_style(), printer.out_width());
    printer.result(table::render(releases, style, width));
}
