//! Snapshots: taken, listed, deleted.

use std::time::{Duration, SystemTime};

use aws_sdk_rds::{
    primitives::{DateTime, DateTimeFormat},
    types::{DbClusterSnapshot, Tag},
};
use mck_aws_stacks::located;
use mck_blueprint::Blueprint;
use serde::Serialize;

use super::{AVAILABLE, DatabaseError, DatabaseProgress, is_failed, require_available};
use crate::{Account, follow::Waits};

/// Snapshots are of what changed, but the first is of everything.
const DEADLINE: Duration = Duration::from_secs(6 * 3600);

/// Who made a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotKind {
    /// A person, or the end of a stack.
    Manual,
    /// RDS' daily backup.
    Automatic,
    /// AWS Backup.
    BackupPlan,
}

/// A snapshot of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DatabaseSnapshot {
    /// Its identifier.
    pub id: String,
    /// Who made it.
    pub kind: SnapshotKind,
    /// Its state in RDS' word, such as `available`.
    pub status: String,
    /// When it was taken, in RFC 3339; none while it is being.
    pub time: Option<String>,
    /// The size of the database then, in GiB.
    pub size_gib: u32,
    /// The engine's version.
    pub engine_version: String,
}

/// What can be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshots {
    /// The snapshots, the newest first.
    pub snapshots: Vec<DatabaseSnapshot>,
    /// The first and last moment that can be restored, in RFC 3339; none without a cluster.
    pub restorable: Option<(String, String)>,
}

impl Account {
    /// Takes a snapshot and waits until it can be used.
    ///
    /// # Errors
    /// Where there is no database, it is not available, AWS refuses, or it takes over 6 hours.
    pub fn take_database_snapshot(
        &self,
        blueprint: &Blueprint,
        tell: &mut dyn FnMut(DatabaseProgress),
    ) -> Result<DatabaseSnapshot, DatabaseError> {
        self.runtime.block_on(async {
            let rds = self.rds(&blueprint.region);
            let cluster = self.cluster(blueprint).await?;
            require_available(&cluster)?;
            let name = cluster.db_cluster_identifier().unwrap_or_default();
            let id = snapshot_name(name, SystemTime::now());
            rds.take_snapshot(name, &id, tags(blueprint)).await?;
            let mut waits = Waits::until(DEADLINE);
            loop {
                if let Some(snapshot) = rds.snapshot(&id).await? {
                    let seen = snapshot_of(&snapshot);
                    if seen.status == AVAILABLE {
                        return Ok(seen);
                    }
                    if is_failed(&seen.status) {
                        return Err(DatabaseError::Failed {
                            what: id,
                            status: seen.status,
                        });
                    }
                    tell(DatabaseProgress {
                        step: "copies the data".to_owned(),
                        percent: snapshot.percent_progress.and_then(|it| it.try_into().ok()),
                    });
                }
                if !waits.wait().await {
                    return Err(DatabaseError::Deadline {
                        what: format!("the snapshot {id}"),
                        minutes: DEADLINE.as_secs() / 60,
                    });
                }
            }
        })
    }

    /// What can be restored: snapshots, also those that outlived their cluster, and a span of time.
    ///
    /// # Errors
    /// Where AWS refuses or does not answer.
    pub fn database_snapshots(&self, blueprint: &Blueprint) -> Result<Snapshots, DatabaseError> {
        self.runtime.block_on(async {
            let rds = self.rds(&blueprint.region);
            let id = located::database_cluster(blueprint);
            let found = rds.snapshots(&id).await?;
            let cluster = rds.cluster(&id).await?;
            let mut snapshots: Vec<_> = found.iter().map(snapshot_of).collect();
            snapshots.sort_by(|one, other| other.time.cmp(&one.time));
            let restorable = cluster.and_then(|it| {
                let from = it.earliest_restorable_time.as_ref().and_then(rfc3339)?;
                let to = it.latest_restorable_time.as_ref().and_then(rfc3339)?;
                Some((from, to))
            });
            Ok(Snapshots {
                snapshots,
                restorable,
            })
        })
    }

    /// Deletes a snapshot that a person took.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownSnapshot`] where the database has none of that name,
    /// [`DatabaseError::Automatic`] for one of RDS' own; where AWS refuses.
    pub fn delete_database_snapshot(
        &self,
        blueprint: &Blueprint,
        id: &str,
    ) -> Result<(), DatabaseError> {
        let all = self.database_snapshots(blueprint)?.snapshots;
        let snapshot = find(&all, id, blueprint)?;
        if snapshot.kind != SnapshotKind::Manual {
            return Err(DatabaseError::Automatic {
                snapshot: id.to_owned(),
            });
        }
        let rds = self.rds(&blueprint.region);
        Ok(self.runtime.block_on(rds.delete_snapshot(id))?)
    }
}

/// The snapshot of that name; an error with those that there are.
pub(super) fn find<'a>(
    all: &'a [DatabaseSnapshot],
    id: &str,
    blueprint: &Blueprint,
) -> Result<&'a DatabaseSnapshot, DatabaseError> {
    let found = all.iter().find(|it| it.id == id);
    found.ok_or_else(|| DatabaseError::UnknownSnapshot {
        snapshot: id.to_owned(),
        cluster: located::database_cluster(blueprint),
        known: all.iter().map(|it| it.id.clone()).collect(),
    })
}

/// The name of a snapshot: the cluster's, the time and how it came to be, as on the local target. RDS
/// knows small letters, digits and single hyphens only.
fn snapshot_name(cluster: &str, time: SystemTime) -> String {
    format!("{cluster}-{}-manual", stamp(time))
}

/// A time as a part of a name, such as `20270115t075000z`.
fn stamp(time: SystemTime) -> String {
    let text = rfc3339(&DateTime::from(time)).unwrap_or_default();
    let seconds = text.split('.').next().unwrap_or_default();
    let letters = seconds.chars().filter(char::is_ascii_alphanumeric);
    let text: String = letters.collect::<String>().to_lowercase();
    format!("{}z", text.trim_end_matches('z'))
}

pub(super) fn rfc3339(time: &DateTime) -> Option<String> {
    time.fmt(DateTimeFormat::DateTime).ok()
}

pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

/// The environment's tags.
pub(super) fn tags(blueprint: &Blueprint) -> Vec<Tag> {
    let tags = blueprint.tags.iter();
    tags.map(|(key, value)| tag(key, value)).collect()
}

pub(super) fn snapshot_of(snapshot: &DbClusterSnapshot) -> DatabaseSnapshot {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    DatabaseSnapshot {
        id: text(snapshot.db_cluster_snapshot_identifier()),
        kind: match snapshot.snapshot_type() {
            Some("automated") => SnapshotKind::Automatic,
            Some("awsbackup") => SnapshotKind::BackupPlan,
            _ => SnapshotKind::Manual,
        },
        status: text(snapshot.status()),
        time: snapshot.snapshot_create_time().and_then(rfc3339),
        size_gib: snapshot
            .allocated_storage()
            .and_then(|size| size.try_into().ok())
            .unwrap_or_default(),
        engine_version: text(snapshot.engine_version()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_named_after_its_cluster_and_time() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123);
        assert_eq!(
            snapshot_name("shop-production-db", time),
            "shop-production-db-20270115t080000z-manual"
        );
    }

    #[test]
    fn who_made_a_snapshot_is_told() {
        for (word, kind) in [
            ("manual", SnapshotKind::Manual),
            ("automated", SnapshotKind::Automatic),
            ("awsbackup", SnapshotKind::BackupPlan),
        ] {
            let snapshot = DbClusterSnapshot::builder().snapshot_type(word).build();
            assert_eq!(snapshot_of(&snapshot).kind, kind);
        }
    }
}
