//! `mck db snapshot`, `snapshots`, `verify`, `restore`, `delete-snapshot`

use std::time::Instant;

use jiff::Timestamp;
use mck_blueprint::views::Table;
use mck_local::{
    backup::{Kind, Progress, Range, Restored, Snapshot, Target},
    client,
};
use serde_json::json;

use super::{
    confirm::{self, Question},
    launcher,
};
use crate::{
    cli::{DatabaseRestoreOptions, SnapshotName, SnapshotOptions},
    exit::Exit,
    failure::Failure,
    printer::Printer,
    progress::screen::Screen,
    session::{LocalEnvironment, Session},
    table,
    time::{elapsed, relative},
};

pub fn snapshot(
    session: &Session<'_>,
    local: &LocalEnvironment,
    options: &SnapshotOptions,
) -> Result<(), Failure> {
    let begin = Instant::now();
    let printer = session.printer;
    let mut steps = Steps::new(printer);
    let made = client::db_snapshot(&local.layout, &mut |progress| steps.show(progress));
    steps.clear();
    let made = made?;
    if options.json {
        printer.json(&made);
        return Ok(());
    }
    printer.result(&made.id);
    let size = table::size(made.size);
    printer.note(format_args!(
        "Taken from {}: {size} ({}).",
        made.server,
        elapsed(begin.elapsed())
    ));
    let (verify, restore) = (
        format!("mck db verify {}", made.id),
        format!("mck db restore {}", made.id),
    );
    printer.next(&[
        (&verify, "proves that it can be restored"),
        (&restore, "puts the database back to it"),
    ]);
    Ok(())
}

pub fn snapshots(
    session: &Session<'_>,
    local: &LocalEnvironment,
    options: &SnapshotOptions,
) -> Result<(), Failure> {
    let (snapshots, ranges) = client::db_snapshots(&local.layout)?;
    let printer = session.printer;
    if options.json {
        let spans = ranges
            .iter()
            .map(|it| json!({ "from": it.from, "to": it.to }));
        let spans: Vec<_> = spans.collect();
        printer.json(&json!({ "snapshots": snapshots, "restorable": spans }));
        return Ok(());
    }
    if snapshots.is_empty() {
        printer.note("There is no snapshot yet.");
        printer.next(&[("mck db snapshot", "takes one")]);
        return Ok(());
    }
    let rows = rows(&snapshots, Timestamp::now());
    printer.result(table::render(
        &rows,
        printer.out_style(),
        printer.out_width(),
    ));
    for Range { from, to } in &ranges {
        printer.result(format_args!(
            "\nAny second from {from} to {to} can be restored."
        ));
    }
    Ok(())
}

fn rows(snapshots: &[Snapshot], now: Timestamp) -> Table {
    let rows = snapshots.iter().map(|it| {
        vec![
            it.id.clone(),
            relative(it.time, now),
            match it.kind {
                Kind::Manual => "by hand".to_owned(),
                Kind::Automatic => "automatic".to_owned(),
            },
            table::size(it.size),
            it.schemas.join(", "),
        ]
    });
    let columns = ["Snapshot", "Taken", "Kind", "Size", "Schemas"];
    table::table("Snapshots", &columns, rows.collect())
}

pub fn verify(
    session: &Session<'_>,
    local: &LocalEnvironment,
    name: &SnapshotName,
) -> Result<(), Failure> {
    let begin = Instant::now();
    let mut steps = Steps::new(session.printer);
    let result = client::db_verify(&local.layout, &name.snapshot, &mut |step| steps.show(step));
    steps.clear();
    let restored = result?;
    tell(session.printer, &restored, "was restored aside", begin);
    Ok(())
}

pub fn delete(
    session: &Session<'_>,
    local: &LocalEnvironment,
    name: &SnapshotName,
) -> Result<(), Failure> {
    client::db_delete_snapshot(&local.layout, &name.snapshot)?;
    session
        .printer
        .note(format_args!("{} is removed.", name.snapshot));
    Ok(())
}

pub fn restore(
    session: &Session<'_>,
    local: &LocalEnvironment,
    options: &DatabaseRestoreOptions,
) -> Result<(), Failure> {
    let target = match (&options.snapshot, options.time) {
        (Some(id), _) => Target::Snapshot(id.clone()),
        (None, Some(time)) => Target::Time(time),
        (None, None) => {
            return Err(Failure::new(Exit::Usage, "name a snapshot or a time")
                .hint("`mck db snapshots` lists what can be restored"));
        }
    };
    let id = local.layout.id().as_str();
    if !options.yes {
        let question = Question {
            what: &format!("restoring the database of {id}"),
            consequence: &format!(
                "This puts all schemas of {id} back: what was written since is not in them."
            ),
            word: id,
            declined: "nothing was restored",
        };
        confirm::ask(session, &question)?;
    }
    let begin = Instant::now();
    let mut steps = Steps::new(session.printer);
    let result = client::db_restore(&local.layout, &launcher()?, &target, &mut |step| {
        steps.show(step);
    });
    steps.clear();
    tell(session.printer, &result?, "is what it was", begin);
    session.printer.next(&[
        (
            "mck cache flush",
            "forgets what apps remember of later data",
        ),
        ("mck status", "shows every part"),
    ]);
    Ok(())
}

fn tell(printer: &Printer, restored: &Restored, how: &str, begin: Instant) {
    printer.note(format_args!(
        "The database {how}: {} tables of {} were checked and are sound ({}).",
        restored.tables,
        restored.schemas.join(", "),
        elapsed(begin.elapsed())
    ));
}

/// How far a backup is: a line that is drawn again and again, or one a step.
pub(super) struct Steps<'a> {
    printer: &'a Printer,
    screen: Screen,
    last: String,
}

impl<'a> Steps<'a> {
    pub(super) fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            screen: Screen::default(),
            last: String::new(),
        }
    }

    fn show(&mut self, progress: Progress) {
        let percent = match progress {
            Progress::Copying { done, total } if total > 0 => Some((done.min(total) * 100) / total),
            _ => None,
        };
        self.say(word(progress), percent);
    }

    /// Shows a step, and how much of it is done in percent where that is known.
    pub(super) fn say(&mut self, word: &str, percent: Option<u64>) {
        if self.printer.live_size().is_some() {
            let percent = percent.map(|it| format!(", {it} %")).unwrap_or_default();
            self.printer
                .draw(&self.screen.frame(&[format!("  {word}{percent}")]));
        } else if self.last != word {
            word.clone_into(&mut self.last);
            self.printer.note(format_args!("  {word}"));
        }
    }

    pub(super) fn clear(&mut self) {
        let text = self.screen.clear();
        self.printer.draw(&text);
    }
}

const fn word(progress: Progress) -> &'static str {
    match progress {
        Progress::Copying { .. } => "copies the data",
        Progress::Preparing => "makes the copy consistent",
        Progress::Checksums => "checks the sums",
        Progress::Starting => "starts a server on the copy",
        Progress::Replaying => "replays binary logs",
        Progress::Checking => "checks all tables",
        Progress::Rehearsing => "loads the dump aside first",
        Progress::Keeping => "keeps the data from before",
        Progress::Loading => "loads the dump",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::Style;

    #[test]
    fn each_snapshot_has_a_row() {
        let time = |minutes: i64| Timestamp::from_second(1_800_000_000 - 60 * minutes).unwrap();
        let snapshot = |id: &str, kind, minutes, size| Snapshot {
            id: id.to_owned(),
            kind,
            time: time(minutes),
            timeline: 1,
            gtid: "0-1-42".to_owned(),
            server: "db-1".to_owned(),
            server_version: "10.11".to_owned(),
            size,
            schemas: vec!["shop".to_owned()],
        };
        let all = [
            snapshot("20270115T075000Z-manual", Kind::Manual, 10, 52_428_800),
            snapshot("20270115T030000Z-automatic", Kind::Automatic, 300, 51_000),
        ];
        let table = rows(&all, time(0));
        insta::assert_snapshot!(table::render(&table, Style::new(false), None));
    }
}
