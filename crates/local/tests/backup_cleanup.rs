//! A restore that breaks off leaves no process, folder or mount behind.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod backup_support;

use std::{fs, time::Duration};

use backup_support::{Environment, NEW_WRITER, TABLE};
use mck_local::{
    backup::{BackupError, Kind, RestorePlan, Segment},
    wait,
};

fn temporary_servers() -> Vec<String> {
    let mine = format!("mck-backup-{}-", std::process::id());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&mine))
        .collect()
}

#[test]
fn a_restore_that_breaks_off_leaves_nothing() {
    let environment = Environment::new();
    let backups = &environment.backups;
    let writer = environment.start("db-0", 1, &environment.data("db-0"), NEW_WRITER);
    writer.sql(TABLE);
    let snapshot = backups
        .snapshot(&writer.server, Kind::Manual, &mut |_| ())
        .unwrap();
    let torn = environment.state("binlog.000001");
    let log = fs::read(writer.server.data_directory.join("binlog.000001")).unwrap();
    let (head, tail) = log.split_at(log.len() - 40);
    // The length of events is as it was, what they say is not.
    fs::write(&torn, [head, &vec![0xff; tail.len()]].concat()).unwrap();
    let plan = RestorePlan {
        snapshot: snapshot.id.clone(),
        start: "".parse().unwrap(),
        segments: vec![Segment {
            files: vec![torn],
            start: "".parse().unwrap(),
            stop: None,
        }],
        until: Some(snapshot.time + Duration::from_secs(60)),
    };
    let into = environment.state("restored");
    let mut servers = 0;
    let error = backups
        .restore(&plan, &into, &mut |_| {
            servers = servers.max(temporary_servers().len());
        })
        .unwrap_err();
    assert!(matches!(error, BackupError::Program(_)), "{error}");
    assert!(servers > 0, "the temporary server was not seen");
    wait::until(Duration::from_secs(5), || {
        temporary_servers().is_empty().then_some(())
    })
    .unwrap();
    let left = |folder: &std::path::Path, start: &str| {
        let entries = fs::read_dir(folder).unwrap().flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(start))
            .count()
    };
    assert_eq!(left(&environment.state(""), "restored"), 0);
    let mine = format!("mck-backup-{}-", std::process::id());
    assert_eq!(left(&std::env::temp_dir(), &mine), 0);
    assert!(!fs::read_to_string("/proc/mounts").unwrap().contains(&mine));
}
