//! Snapshots, point-in-time restores and their archive, with real servers under load.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod backup_support;

use std::{fs, time::Duration};

use backup_support::{
    Environment, NEW_WRITER, TABLE, accounts, caught_up, follow, next_second, run,
};
use jiff::Timestamp;
use mck_local::{
    backup::{BackupError, Kind, PlanError, Progress, Target, plan_restore},
    text::chain,
    wait,
};
use mck_server_config::mariadb::{Role, sql::promote};

fn plan(
    environment: &Environment,
    target: &Target,
) -> Result<mck_local::backup::RestorePlan, PlanError> {
    let backups = &environment.backups;
    plan_restore(
        &backups.snapshots().unwrap(),
        &backups.archive().unwrap(),
        target,
    )
}

#[test]
fn a_snapshot_under_load_holds_exactly_what_was_acknowledged_up_to_its_position() {
    let environment = Environment::new();
    let writer = environment.start("db-0", 1, &environment.data("db-0"), NEW_WRITER);
    writer.sql(TABLE);
    let loads: Vec<_> = (1..=3).map(|number| writer.load(number)).collect();
    wait::until(Duration::from_secs(10), || {
        (writer.rows().len() > 100).then_some(())
    })
    .unwrap();
    let mut told = Vec::new();
    let snapshot = environment
        .backups
        .snapshot(&writer.server, Kind::Manual, &mut |progress| {
            told.push(progress);
        })
        .unwrap();
    let then = writer.rows().len();
    wait::until(Duration::from_secs(10), || {
        (writer.rows().len() > then + 50).then_some(())
    })
    .unwrap();
    let acknowledged: Vec<(u64, u64)> = loads
        .into_iter()
        .flat_map(backup_support::Load::stop)
        .collect();
    assert!(
        matches!(
            told.as_slice(),
            [.., Progress::Preparing, Progress::Checksums]
        ),
        "{told:?}"
    );
    assert_eq!((snapshot.server.as_str(), snapshot.timeline), ("db-0", 1));
    assert_eq!(snapshot.schemas, ["shop"]);
    assert!(
        snapshot.size > 1 << 20 && snapshot.server_version.starts_with("10.11"),
        "{snapshot:?}"
    );
    let listed = environment.backups.snapshots().unwrap();
    assert_eq!(listed, std::slice::from_ref(&snapshot));

    let target = Target::Snapshot(snapshot.id.clone());
    let into = environment.state("restored");
    let plan = plan(&environment, &target).unwrap();
    let restored = environment
        .backups
        .restore(&plan, &into, &mut |_| ())
        .unwrap();
    assert_eq!(
        (&restored.gtid, &restored.schemas),
        (&snapshot.gtid, &snapshot.schemas)
    );
    let position: u64 = snapshot.gtid.rsplit('-').next().unwrap().parse().unwrap();
    let mut expected: Vec<u64> = acknowledged
        .iter()
        .filter(|(_, sequence)| *sequence <= position)
        .map(|(row, _)| *row)
        .collect();
    expected.sort_unstable();
    assert!(expected.len() > 100 && expected.len() < acknowledged.len());
    let copy = environment.start("copy", 1, &into, NEW_WRITER);
    assert_eq!(copy.rows(), expected);
    let again = environment.backups.restore(&plan, &into, &mut |_| ());
    assert!(matches!(again, Err(BackupError::Exists(_))));
}

#[test]
fn a_restore_to_a_moment_has_what_was_before_it_and_not_what_came_after() {
    let environment = Environment::new();
    let backups = &environment.backups;
    let data = environment.data("db-0");
    let writer = environment.start("db-0", 1, &data, NEW_WRITER);
    writer.sql(TABLE);
    let snapshot = backups
        .snapshot(&writer.server, Kind::Automatic, &mut |_| ())
        .unwrap();
    writer.sql("INSERT INTO shop.t VALUES (1, 'before'); FLUSH BINARY LOGS");
    backups.archive_binlogs(&writer.server).unwrap();
    writer.stop();
    let writer = environment.start("db-0", 1, &data, NEW_WRITER);
    writer.sql("INSERT INTO shop.t VALUES (2, 'after a restart')");
    backups.archive_binlogs(&writer.server).unwrap();
    writer.sql("INSERT INTO shop.t VALUES (3, 'in a log that was archived in part')");
    let moment = next_second();
    writer.sql("DROP TABLE shop.t");
    let until = backups.archive_binlogs(&writer.server).unwrap();

    let archive = backups.archive().unwrap();
    let files = &archive.timelines[0].streams[0].files;
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let name = file.path.file_name().unwrap();
        assert_eq!(
            fs::read(&file.path).unwrap(),
            fs::read(data.join(name)).unwrap()
        );
    }

    let plan_at = |time| plan(&environment, &Target::Time(time));
    let restored = environment.state("restored");
    let result = backups
        .restore(&plan_at(moment).unwrap(), &restored, &mut |_| ())
        .unwrap();
    let copy = environment.start("copy", 1, &restored, NEW_WRITER);
    assert_eq!(copy.rows(), [1, 2, 3]);
    assert_eq!(copy.sql("SELECT @@gtid_binlog_pos").trim(), result.gtid);
    let early = plan_at(snapshot.time - Duration::from_secs(1)).unwrap_err();
    let available = format!("available: {:.0} to {until:.0}", snapshot.time);
    assert!(
        early.to_string().ends_with(&available),
        "{early} / {available}"
    );
    assert!(matches!(
        plan_at(until + Duration::from_secs(1)),
        Err(PlanError::OutOfRange { .. })
    ));

    // The copy takes over: what it writes has the numbers of what was undone.
    backups.begin_timeline().unwrap();
    let second = backups
        .snapshot(&copy.server, Kind::Automatic, &mut |_| ())
        .unwrap();
    copy.sql("INSERT INTO shop.t VALUES (4, 'in the new history')");
    let moment_after = next_second();
    backups.archive_binlogs(&copy.server).unwrap();
    assert_eq!(second.timeline, 2);
    assert_eq!(plan_at(moment_after).unwrap().snapshot, second.id);
    assert_eq!(plan_at(moment).unwrap().snapshot, snapshot.id);
    let later = moment_after + Duration::from_secs(86_400 * 8);
    assert_eq!(
        backups
            .expire(later, Duration::from_secs(86_400 * 7))
            .unwrap(),
        [snapshot.id]
    );
    assert_eq!(backups.archive().unwrap().timelines.len(), 1);
    let last = environment.state("last");
    backups
        .restore(&plan_at(moment_after).unwrap(), &last, &mut |_| ())
        .unwrap();
    assert_eq!(
        environment.start("last", 1, &last, NEW_WRITER).rows(),
        [1, 2, 3, 4]
    );
}

#[test]
fn the_archive_goes_on_over_a_failover_and_readers_follow_a_restored_writer() {
    let environment = Environment::new();
    let backups = &environment.backups;
    let data = environment.data("db-0");
    let copy = environment.copy(&data, "db-1");
    let one = environment.start("db-0", 1, &data, NEW_WRITER);
    let two = environment.start("db-1", 2, &copy, Role::Reader);
    accounts(&one);
    follow(&two, &one);
    one.sql(
        "CREATE TABLE shop.t (id BIGINT PRIMARY KEY, v TEXT); INSERT INTO shop.t VALUES (1, '')",
    );
    caught_up(&two, &one);
    let snapshot = backups
        .snapshot(&two.server, Kind::Automatic, &mut |_| ())
        .unwrap();
    assert_eq!(snapshot.gtid, one.sql("SELECT @@gtid_binlog_pos").trim());
    one.sql("INSERT INTO shop.t VALUES (2, 'before the failover')");
    caught_up(&two, &one);
    backups.archive_binlogs(&one.server).unwrap();
    one.kill();
    two.sql(promote::STOP_RECEIVING);
    two.sql(&promote::become_writer(false));
    two.sql("INSERT INTO shop.t VALUES (3, 'after it')");
    let moment = next_second();
    two.sql("DELETE FROM shop.t");
    backups.archive_binlogs(&two.server).unwrap();

    let restored = environment.state("restored");
    let plan = plan(&environment, &Target::Time(moment)).unwrap();
    let result = backups.restore(&plan, &restored, &mut |_| ()).unwrap();
    let seed = environment.copy(&restored, "seed");
    let writer = environment.start("db-0-new", 1, &restored, NEW_WRITER);
    let reader = environment.start("db-1-new", 2, &seed, Role::Reader);
    assert_eq!(writer.rows(), [1, 2, 3]);
    assert!(result.gtid.starts_with("0-2-"), "{result:?}");
    writer.sql("INSERT INTO shop.t VALUES (4, 'after the restore')");
    follow(&reader, &writer);
    assert_eq!(reader.rows(), [1, 2, 3, 4]);
    // Both have logs of the same names as before; they are another server's to the archive.
    let stream = |server: &backup_support::Running, name: &str| {
        let mut named = server.server.clone();
        name.clone_into(&mut named.name);
        backups.archive_binlogs(&named).unwrap();
        let archive = backups.archive().unwrap();
        let streams = &archive.timelines[0].streams;
        let mut names: Vec<String> = streams.iter().map(|stream| stream.server.clone()).collect();
        names.sort();
        names
    };
    assert_eq!(stream(&writer, "db-0"), ["db-0", "db-0.2", "db-1"]);
    assert_eq!(stream(&writer, "db-0"), ["db-0", "db-0.2", "db-1"]);
}

#[test]
fn a_damaged_snapshot_is_found_and_a_broken_run_leaves_nothing() {
    let environment = Environment::new();
    let backups = &environment.backups;
    let writer = environment.start("db-0", 1, &environment.data("db-0"), NEW_WRITER);
    writer.sql(TABLE);
    writer.sql("INSERT INTO shop.t SELECT seq, REPEAT('x', 500) FROM shop.seq_1_to_2000");
    // A run that was killed in the middle.
    let left = environment.state("backups/snapshots/.new");
    fs::create_dir_all(left.join("data")).unwrap();
    let snapshot = backups
        .snapshot(&writer.server, Kind::Manual, &mut |_| ())
        .unwrap();
    assert!(!left.exists());
    let verified = backups.verify(&snapshot.id, &mut |_| ()).unwrap();
    assert_eq!(verified.schemas, ["shop"]);
    assert!(verified.tables > 30, "{verified:?}");
    assert!(
        backups
            .expire(Timestamp::now(), Duration::ZERO)
            .unwrap()
            .is_empty()
    );

    let folder = environment.state("backups/snapshots").join(&snapshot.id);
    let table = folder.join("data/shop/t.ibd");
    let mut bytes = fs::read(&table).unwrap();
    // Pages of 16 KiB; those from the sixth on hold rows.
    for page in bytes.chunks_mut(16 << 10).skip(6).take(8) {
        page[4_000..4_064].fill(0xa5);
    }
    fs::write(&table, &bytes).unwrap();
    let damaged = backups.verify(&snapshot.id, &mut |_| ()).unwrap_err();
    assert!(matches!(damaged, BackupError::Damaged { .. }), "{damaged}");
    assert!(damaged.to_string().contains("data/shop/t.ibd"), "{damaged}");
    // Damaged before its checksums were written: only the server can tell.
    let sums = "find data -type f -print0 | xargs -0 sha256sum > SHA256SUMS";
    run(
        "env",
        &["--chdir", folder.to_str().unwrap(), "sh", "-c", sums],
    );
    let unsound = backups.verify(&snapshot.id, &mut |_| ()).unwrap_err();
    let expected = matches!(
        unsound,
        BackupError::Unsound { .. } | BackupError::Program(_)
    );
    assert!(expected, "{}", chain(&unsound));
    assert!(chain(&unsound).contains("shop.t"), "{}", chain(&unsound));
    fs::remove_file(&table).unwrap();
    assert!(matches!(
        backups.verify(&snapshot.id, &mut |_| ()),
        Err(BackupError::Damaged { .. })
    ));
    let scratch = environment.state("backups/scratch");
    assert_eq!(fs::read_dir(scratch).unwrap().count(), 0);

    backups.delete(&snapshot.id).unwrap();
    assert!(matches!(
        backups.delete(&snapshot.id),
        Err(BackupError::NoSuchSnapshot { .. })
    ));
    assert_eq!(backups.snapshots().unwrap(), []);
    writer.kill();
    let gone = environment.state("nothing");
    let server = mck_local::backup::Server {
        name: "db-0".to_owned(),
        socket: gone.clone(),
        data_directory: gone,
    };
    assert!(
        backups
            .snapshot(&server, Kind::Manual, &mut |_| ())
            .is_err()
    );
    assert_eq!(backups.snapshots().unwrap(), []);
}
