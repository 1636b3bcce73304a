//! `mck db` of an environment on AWS.

use std::process::ExitCode;

use jiff::Timestamp;
use mck_aws::{DatabaseError, DatabaseProgress, DatabaseSnapshot, RestoreTarget, SnapshotKind};
use mck_blueprint::views::Table;
use serde_json::json;

use super::{OnAws, connect, data};
use crate::{
    cli::{DatabaseCommand, DatabaseRestoreOptions, SnapshotOptions},
    commands::{
        backups::Steps,
        confirm::{self, Question},
    },
    exit::Exit,
    failure::{Failure, unknown},
    session::Session,
    table,
    time::{elapsed, relative},
};

pub fn run(session: &Session<'_>, command: &DatabaseCommand) -> Result<ExitCode, Failure> {
    let on_aws = connect(session)?;
    let done = |()| Exit::Ok.into();
    match command {
        DatabaseCommand::Failover => failover(session, &on_aws).map(done),
        DatabaseCommand::Prepare => prepare(session, &on_aws).map(done),
        DatabaseCommand::Snapshot(options) => snapshot(session, &on_aws, options).map(done),
        DatabaseCommand::Snapshots(options) => snapshots(session, &on_aws, options).map(done),
        DatabaseCommand::DeleteSnapshot(name) => {
            let id = &name.snapshot;
            on_aws
                .account
                .delete_database_snapshot(&on_aws.blueprint, id)?;
            session.printer.note(format_args!("{id} is removed."));
            Ok(done(()))
        }
        DatabaseCommand::Restore(options) => restore(session, &on_aws, options).map(done),
        DatabaseCommand::Verify(_) => Err(Failure::new(
            Exit::Usage,
            "RDS has no way to look into a snapshot; only a restoration proves it",
        )
        .hint("`mck db restore` makes a cluster of it aside before it touches the one that is")),
        DatabaseCommand::Shell(options) => data::shell(&on_aws, options),
        DatabaseCommand::Export(options) => data::export(session, &on_aws, options).map(done),
        DatabaseCommand::Import(options) => data::import(session, &on_aws, options).map(done),
    }
}

/// Shows each step while something goes on.
pub(super) fn with_steps<T>(
    session: &Session<'_>,
    work: impl FnOnce(&mut dyn FnMut(DatabaseProgress)) -> Result<T, DatabaseError>,
) -> Result<T, Failure> {
    let mut steps = Steps::new(session.printer);
    let done = work(&mut |it| steps.say(&it.step, it.percent.map(u64::from)));
    steps.clear();
    Ok(done?)
}

fn failover(session: &Session<'_>, on_aws: &OnAws) -> Result<(), Failure> {
    let done = with_steps(session, |tell| {
        on_aws.account.fail_over_database(&on_aws.blueprint, tell)
    })?;
    let printer = session.printer;
    printer.note(format_args!(
        "{} is the writer now, in the place of {} ({}).",
        done.to,
        done.from,
        elapsed(done.took)
    ));
    printer.next(&[("mck status", "shows every part")]);
    Ok(())
}

fn prepare(session: &Session<'_>, on_aws: &OnAws) -> Result<(), Failure> {
    on_aws.account.prepare_database(&on_aws.blueprint)?;
    let schemas = on_aws.blueprint.database.schemas.iter();
    let names: Vec<&str> = schemas.map(|schema| schema.name.as_str()).collect();
    session.printer.note(match names.as_slice() {
        [] => "No app has a schema.".to_owned(),
        names => format!("{} and their users are there.", names.join(", ")),
    });
    Ok(())
}

fn snapshot(
    session: &Session<'_>,
    on_aws: &OnAws,
    options: &SnapshotOptions,
) -> Result<(), Failure> {
    let begin = std::time::Instant::now();
    let made = with_steps(session, |tell| {
        on_aws
            .account
            .take_database_snapshot(&on_aws.blueprint, tell)
    })?;
    let printer = session.printer;
    if options.json {
        printer.json(&made);
        return Ok(());
    }
    printer.result(&made.id);
    printer.note(format_args!(
        "Taken of {} GiB ({}).",
        made.size_gib,
        elapsed(begin.elapsed())
    ));
    let restore = format!("mck db restore {}", made.id);
    printer.next(&[(&restore, "puts the database back to it")]);
    Ok(())
}

fn snapshots(
    session: &Session<'_>,
    on_aws: &OnAws,
    options: &SnapshotOptions,
) -> Result<(), Failure> {
    let all = on_aws.account.database_snapshots(&on_aws.blueprint)?;
    let printer = session.printer;
    if options.json {
        let spans = all.restorable.iter();
        let spans = spans.map(|(from, to)| json!({ "from": from, "to": to }));
        let spans: Vec<_> = spans.collect();
        printer.json(&json!({ "snapshots": all.snapshots, "restorable": spans }));
        return Ok(());
    }
    if all.snapshots.is_empty() {
        printer.note("There is no snapshot yet.");
        printer.next(&[("mck db snapshot", "takes one")]);
    } else {
        let rows = rows(&all.snapshots, Timestamp::now());
        printer.result(table::render(
            &rows,
            printer.out_style(),
            printer.out_width(),
        ));
    }
    if let Some((from, to)) = &all.restorable {
        printer.result(format_args!(
            "\nAny second from {from} to {to} can be restored."
        ));
    }
    Ok(())
}

fn restore(
    session: &Session<'_>,
    on_aws: &OnAws,
    options: &DatabaseRestoreOptions,
) -> Result<(), Failure> {
    let target = match (&options.snapshot, options.time) {
        (Some(id), _) => RestoreTarget::Snapshot(id.clone()),
        (None, Some(time)) => RestoreTarget::Time(time.as_second()),
        (None, None) => {
            return Err(Failure::new(Exit::Usage, "name a snapshot or a time")
                .hint("`mck db snapshots` lists what can be restored"));
        }
    };
    let blueprint = &on_aws.blueprint;
    let id = format!("{}-{}", blueprint.project, blueprint.environment);
    if !options.yes {
        let question = Question {
            what: &format!("restoring the database of {id}"),
            consequence: &format!(
                "This puts all schemas of {id} back: what was written since is not in them. A second \
                 cluster is made of the backup and takes the names of the first; for the minutes \
                 that takes there is no database. The first stays, under another name, and costs as \
                 before until you delete it."
            ),
            word: &id,
            declined: "nothing was restored",
        };
        confirm::ask(session, &question)?;
    }
    let begin = std::time::Instant::now();
    let done = with_steps(session, |tell| {
        on_aws.account.restore_database(blueprint, &target, tell)
    })?;
    let printer = session.printer;
    printer.note(format_args!(
        "The database {} is what it was ({}).",
        done.cluster,
        elapsed(begin.elapsed())
    ));
    printer.note(format_args!(
        "What it was before the restoration is kept as {}, with {}; it costs until you delete it.",
        done.old,
        done.old_members.join(", ")
    ));
    printer.next(&[
        (
            "mck db prepare",
            "gives users the passwords of today, where they were rotated since",
        ),
        ("mck status", "shows every part"),
    ]);
    Ok(())
}

fn rows(snapshots: &[DatabaseSnapshot], now: Timestamp) -> Table {
    let rows = snapshots.iter().map(|it| {
        let time = it.time.as_ref().and_then(|time| time.parse().ok());
        vec![
            it.id.clone(),
            time.map_or_else(|| it.status.clone(), |time| relative(time, now)),
            match it.kind {
                SnapshotKind::Manual => "by hand",
                SnapshotKind::Automatic => "automatic",
                SnapshotKind::BackupPlan => "backup plan",
            }
            .to_owned(),
            format!("{} GiB", it.size_gib),
            it.engine_version.clone(),
        ]
    });
    let columns = ["Snapshot", "Taken", "Kind", "Size", "Engine"];
    table::table("Snapshots", &columns, rows.collect())
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        let of = |exit| Self::from_error(exit, &error);
        match &error {
            DatabaseError::Aws(_) => match error {
                DatabaseError::Aws(error) => error.into(),
                other => Self::from_error(Exit::Account, &other),
            },
            DatabaseError::NotMade { .. } => of(Exit::NotRunning).hint("`mck apply` makes it"),
            DatabaseError::NotAvailable { .. } => {
                of(Exit::Busy).hint("wait until RDS is done; `mck status` shows it")
            }
            DatabaseError::NoReader { .. } => of(Exit::Unknown).hint(
                "`readers` of `[database]` in the file gives it some, `mck apply` makes them",
            ),
            DatabaseError::UnknownSnapshot {
                snapshot, known, ..
            } => unknown("snapshot", snapshot, known),
            DatabaseError::Automatic { .. } | DatabaseError::OutOfRange { .. } => {
                of(Exit::Usage).hint("`mck db snapshots` lists what can be restored")
            }
            DatabaseError::OtherRestore { .. } => of(Exit::Busy)
                .hint("the same command goes on with it; else delete that cluster at RDS first"),
            DatabaseError::Failed { .. } | DatabaseError::Deadline { .. } => {
                of(Exit::NotHealthy).hint("the events of the cluster at RDS say why")
            }
            DatabaseError::NoDataApi { .. } => of(Exit::MachineLacks).hint(
                "members of the classes `db.t…` have none: take another `instance-class`, or make \
                 schema and user by hand: `mysql` on the Bastion, or `mck db shell --master`",
            ),
            DatabaseError::NoUser { .. } => {
                of(Exit::NotRunning).hint("`mck db prepare` makes the apps' schemas and users")
            }
            DatabaseError::SecretMissing { name } => {
                of(Exit::SecretMissing).hint(format!("`mck secret set {name}` gives it one"))
            }
            DatabaseError::Text(_) => of(Exit::Usage),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::Style;

    #[test]
    fn each_snapshot_has_a_row() {
        let snapshot = |id: &str, kind, status: &str, time: Option<&str>| DatabaseSnapshot {
            id: id.to_owned(),
            kind,
            status: status.to_owned(),
            time: time.map(str::to_owned),
            size_gib: 12,
            engine_version: "8.0.mysql_aurora.3.10.6".to_owned(),
        };
        let all = [
            snapshot(
                "shop-production-db-1",
                SnapshotKind::Manual,
                "creating",
                None,
            ),
            snapshot(
                "rds:shop-production-db-2027-01-15-01-10",
                SnapshotKind::Automatic,
                "available",
                Some("2027-01-15T01:10:00Z"),
            ),
        ];
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        insta::assert_snapshot!(table::render(&rows(&all, now), Style::new(false), None));
    }
}
