//! The database goes back to a snapshot or a moment. `switch` decides the steps.

use std::time::{Duration, SystemTime};

use aws_sdk_rds::{
    operation::{
        create_db_instance::builders::CreateDbInstanceInputBuilder,
        restore_db_cluster_from_snapshot::builders::RestoreDbClusterFromSnapshotInputBuilder,
        restore_db_cluster_to_point_in_time::builders::RestoreDbClusterToPointInTimeInputBuilder,
    },
    primitives::DateTime,
    types::{DbCluster, DbInstance, ServerlessV2ScalingConfiguration, Tag},
};
use mck_aws_stacks::located;
use mck_blueprint::Blueprint;

use super::{
    DatabaseError, DatabaseProgress,
    calls::Rds,
    snapshots::{self, rfc3339, tag},
    switch::{Cluster, Member, Names, Seen, Step, next_step},
};
use crate::{Account, AwsError, follow::Waits};

/// The mark of a cluster whose restoration is not over: when that began, and to what.
const RESTORING: &str = "mck:restore";
/// The mark of a member: in whose place it is.
const STANDS_FOR: &str = "mck:stands-for";
/// Large volumes take hours.
const DEADLINE: Duration = Duration::from_secs(12 * 3600);

/// What the database goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreTarget {
    /// A snapshot, by its identifier.
    Snapshot(String),
    /// A moment, in seconds of Unix time.
    Time(i64),
}

impl RestoreTarget {
    /// As it is in the mark: in characters that a tag may have.
    fn text(&self) -> String {
        match self {
            Self::Snapshot(id) => id.clone(),
            Self::Time(seconds) => rfc3339(&DateTime::from_secs(*seconds)).unwrap_or_default(),
        }
    }
}

/// A restoration that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The cluster, under the name that it always had.
    pub cluster: String,
    /// The cluster that was; it goes on, and costs, until it is deleted.
    pub old: String,
    /// Its members.
    pub old_members: Vec<String>,
}

impl Account {
    /// Puts the database back: makes a second cluster of the backup, and gives it the names of the
    /// first, which stays under others. The database is not there while names change, some minutes.
    /// Called again after it broke off it goes on where it was.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownSnapshot`] and [`DatabaseError::OutOfRange`]; where another restoration
    /// is under way, AWS refuses, or it takes over 12 hours.
    pub fn restore_database(
        &self,
        blueprint: &Blueprint,
        target: &RestoreTarget,
        tell: &mut dyn FnMut(DatabaseProgress),
    ) -> Result<Restored, DatabaseError> {
        self.runtime.block_on(async {
            let rds = self.rds(&blueprint.region);
            let began = self.begun(blueprint, target).await?;
            let names = Names::new(&located::database_cluster(blueprint), began);
            let work = Restoration {
                rds: &rds,
                names: &names,
                target,
                began,
            };
            work.run(tell).await
        })
    }

    /// When the restoration began that is under way, or now; an error where it is to something else,
    /// or the target can't be restored.
    async fn begun(
        &self,
        blueprint: &Blueprint,
        target: &RestoreTarget,
    ) -> Result<u64, DatabaseError> {
        let rds = self.rds(&blueprint.region);
        let own = located::database_cluster(blueprint);
        for name in [Names::new(&own, 0).restored, own.clone()] {
            let cluster = rds.cluster(&name).await?;
            let mark = cluster.and_then(|it| value_of(it.tag_list(), RESTORING));
            let Some(mark) = mark else { continue };
            let (began, what) = mark.split_once(' ').unwrap_or(("0", &mark));
            if what != target.text() {
                return Err(DatabaseError::OtherRestore {
                    other: what.to_owned(),
                });
            }
            return Ok(began.parse().unwrap_or_default());
        }
        let cluster = self.cluster(blueprint).await?;
        match target {
            RestoreTarget::Snapshot(id) => {
                let all = rds.snapshots(&own).await?;
                let all: Vec<_> = all.iter().map(snapshots::snapshot_of).collect();
                snapshots::find(&all, id, blueprint)?;
            }
            RestoreTarget::Time(time) => check_range(&cluster, *time)?,
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Ok(now.unwrap_or_default().as_secs())
    }
}

fn check_range(cluster: &DbCluster, time: i64) -> Result<(), DatabaseError> {
    let from = cluster.earliest_restorable_time();
    let to = cluster.latest_restorable_time();
    let (Some(from), Some(to)) = (from, to) else {
        return Ok(());
    };
    if (from.secs()..=to.secs()).contains(&time) {
        return Ok(());
    }
    let text = |time: &DateTime| rfc3339(time).unwrap_or_default();
    Err(DatabaseError::OutOfRange {
        time: text(&DateTime::from_secs(time)),
        from: text(from),
        to: text(to),
    })
}

/// A restoration under way.
struct Restoration<'a> {
    rds: &'a Rds,
    names: &'a Names,
    target: &'a RestoreTarget,
    began: u64,
}

impl Restoration<'_> {
    async fn run(&self, tell: &mut dyn FnMut(DatabaseProgress)) -> Result<Restored, DatabaseError> {
        let mut waits = Waits::until(DEADLINE);
        loop {
            let seen = self.look().await?;
            let step = next_step(&seen, self.names)?;
            tell(DatabaseProgress {
                step: words(&step),
                percent: None,
            });
            match self.take(&step).await {
                Ok(()) if step == Step::Finish => return Ok(self.restored(&seen)),
                Ok(()) => {}
                // A rename shows a moment after it was asked for.
                Err(DatabaseError::Aws(error)) if is_busy(&error) => {}
                Err(error) => return Err(error),
            }
            if !waits.wait().await {
                return Err(DatabaseError::Deadline {
                    what: format!("the restoration of {}", self.names.own),
                    minutes: DEADLINE.as_secs() / 60,
                });
            }
        }
    }

    fn restored(&self, seen: &Seen) -> Restored {
        let old = seen.old.iter().flat_map(|it| &it.members);
        Restored {
            cluster: self.names.own.clone(),
            old: self.names.old.clone(),
            old_members: old.map(|it| it.id.clone()).collect(),
        }
    }

    async fn look(&self) -> Result<Seen, DatabaseError> {
        Ok(Seen {
            own: self.see(&self.names.own).await?,
            restored: self.see(&self.names.restored).await?,
            old: self.see(&self.names.old).await?,
        })
    }

    async fn see(&self, name: &str) -> Result<Option<Cluster>, DatabaseError> {
        let Some(cluster) = self.rds.cluster(name).await? else {
            return Ok(None);
        };
        let mut members = self.rds.members(&cluster).await?;
        members.sort_by_key(key);
        Ok(Some(Cluster {
            status: cluster.status().unwrap_or(super::AVAILABLE).to_owned(),
            members: members.iter().map(member_of).collect(),
            is_fresh: value_of(cluster.tag_list(), RESTORING).is_some(),
            is_settled: cluster.master_user_secret().is_some(),
        }))
    }

    async fn take(&self, step: &Step) -> Result<(), DatabaseError> {
        match step {
            Step::Restore => self.restore().await,
            Step::AddMember { name, like } => self.add_member(name, like).await,
            Step::Settle => self.settle().await,
            Step::RenameMember { from, to } => Ok(self.rds.rename_member(from, to).await?),
            Step::RenameCluster { from, to } => {
                let change = self.rds.change_cluster().new_db_cluster_identifier(to);
                Ok(self.rds.modify_cluster(from, change).await?)
            }
            Step::Finish => {
                let cluster = self.own().await?;
                let arn = cluster.db_cluster_arn().unwrap_or_default();
                Ok(self.rds.untag(arn, RESTORING).await?)
            }
            Step::Wait { .. } => Ok(()),
        }
    }

    /// The cluster under its own name: the first until names change.
    async fn own(&self) -> Result<DbCluster, DatabaseError> {
        let found = self.rds.cluster(&self.names.own).await?;
        found.ok_or_else(|| DatabaseError::NotMade {
            cluster: self.names.own.clone(),
        })
    }

    async fn restore(&self) -> Result<(), DatabaseError> {
        let own = self.own().await?;
        let mut tags = kept_tags(own.tag_list());
        tags.push(tag(
            RESTORING,
            &format!("{} {}", self.began, self.target.text()),
        ));
        match self.target {
            RestoreTarget::Snapshot(id) => {
                let wanted = of_snapshot(&own, &self.names.restored, id).set_tags(Some(tags));
                Ok(self.rds.restore_snapshot(wanted).await?)
            }
            RestoreTarget::Time(time) => {
                let wanted = of_moment(&own, &self.names.restored, *time).set_tags(Some(tags));
                Ok(self.rds.restore_moment(wanted).await?)
            }
        }
    }

    async fn add_member(&self, name: &str, like: &str) -> Result<(), DatabaseError> {
        let members = self.rds.members(&self.own().await?).await?;
        let like = members
            .iter()
            .find(|it| it.db_instance_identifier() == Some(like));
        let Some(like) = like else {
            return Err(DatabaseError::NotMade {
                cluster: self.names.own.clone(),
            });
        };
        let wanted = member_like(like, name, &self.names.restored);
        Ok(self.rds.create_member(wanted).await?)
    }

    async fn settle(&self) -> Result<(), DatabaseError> {
        let own = self.own().await?;
        if own.http_endpoint_enabled() == Some(true) {
            let fresh = self.rds.cluster(&self.names.restored).await?;
            let arn = fresh.and_then(|it| it.db_cluster_arn);
            self.rds.open_data_api(&arn.unwrap_or_default()).await?;
        }
        let change = self
            .rds
            .change_cluster()
            .manage_master_user_password(true)
            .set_backup_retention_period(own.backup_retention_period)
            .set_preferred_backup_window(own.preferred_backup_window.clone())
            .set_preferred_maintenance_window(own.preferred_maintenance_window.clone())
            .set_deletion_protection(own.deletion_protection);
        Ok(self
            .rds
            .modify_cluster(&self.names.restored, change)
            .await?)
    }
}

/// Whether RDS is still at an earlier step.
fn is_busy(error: &AwsError) -> bool {
    let words = ["InvalidDBInstanceState", "InvalidDBClusterState"];
    matches!(error, AwsError::Call { message, .. } if words.iter().any(|it| message.starts_with(it)))
}

fn words(step: &Step) -> String {
    match step {
        Step::Restore => "makes a second cluster of the backup".to_owned(),
        Step::AddMember { name, .. } => format!("adds the member {name}"),
        Step::Settle => "gives it the settings of the first".to_owned(),
        Step::RenameMember { from, to } => format!("renames the member {from} to {to}"),
        Step::RenameCluster { from, to } => format!("renames the cluster {from} to {to}"),
        Step::Finish => "ends the restoration".to_owned(),
        Step::Wait { what, status } => format!("waits for {what}, which is {status}"),
    }
}

fn value_of(tags: &[Tag], key: &str) -> Option<String> {
    let mut tags = tags.iter();
    let found = tags.find(|tag| tag.key() == Some(key))?;
    found.value().map(str::to_owned)
}

/// Tags that users may set: those of AWS itself are not.
fn kept_tags(tags: &[Tag]) -> Vec<Tag> {
    let tags = tags.iter();
    tags.filter(|tag| tag.key().is_some_and(|key| !key.starts_with("aws:")))
        .cloned()
        .collect()
}

/// The first choice of a failover comes first.
fn key(member: &DbInstance) -> (i32, String) {
    let id = member.db_instance_identifier().unwrap_or_default();
    (member.promotion_tier().unwrap_or_default(), id.to_owned())
}

fn member_of(member: &DbInstance) -> Member {
    Member {
        id: member
            .db_instance_identifier()
            .unwrap_or_default()
            .to_owned(),
        status: member
            .db_instance_status()
            .unwrap_or(super::AVAILABLE)
            .to_owned(),
        stands_for: value_of(member.tag_list(), STANDS_FOR),
    }
}

fn security_groups(cluster: &DbCluster) -> Option<Vec<String>> {
    let groups = cluster.vpc_security_groups().iter();
    let ids: Vec<String> = groups
        .filter_map(|it| it.vpc_security_group_id().map(str::to_owned))
        .collect();
    Some(ids).filter(|ids| !ids.is_empty())
}

fn serverless(cluster: &DbCluster) -> Option<ServerlessV2ScalingConfiguration> {
    let scaling = cluster.serverless_v2_scaling_configuration()?;
    Some(
        ServerlessV2ScalingConfiguration::builder()
            .set_min_capacity(scaling.min_capacity())
            .set_max_capacity(scaling.max_capacity())
            .build(),
    )
}

fn of_snapshot(
    own: &DbCluster,
    name: &str,
    snapshot: &str,
) -> RestoreDbClusterFromSnapshotInputBuilder {
    RestoreDbClusterFromSnapshotInputBuilder::default()
        .db_cluster_identifier(name)
        .snapshot_identifier(snapshot)
        .set_engine(own.engine.clone())
        .set_port(own.port)
        .set_db_subnet_group_name(own.db_subnet_group.clone())
        .set_vpc_security_group_ids(security_groups(own))
        .set_db_cluster_parameter_group_name(own.db_cluster_parameter_group.clone())
        .set_kms_key_id(own.kms_key_id.clone())
        .set_enable_iam_database_authentication(own.iam_database_authentication_enabled)
        .set_enable_cloudwatch_logs_exports(own.enabled_cloudwatch_logs_exports.clone())
        .set_copy_tags_to_snapshot(own.copy_tags_to_snapshot)
        .set_serverless_v2_scaling_configuration(serverless(own))
}

fn of_moment(own: &DbCluster, name: &str, time: i64) -> RestoreDbClusterToPointInTimeInputBuilder {
    RestoreDbClusterToPointInTimeInputBuilder::default()
        .db_cluster_identifier(name)
        .set_source_db_cluster_identifier(own.db_cluster_identifier.clone())
        .restore_to_time(DateTime::from_secs(time))
        .set_port(own.port)
        .set_db_subnet_group_name(own.db_subnet_group.clone())
        .set_vpc_security_group_ids(security_groups(own))
        .set_db_cluster_parameter_group_name(own.db_cluster_parameter_group.clone())
        .set_kms_key_id(own.kms_key_id.clone())
        .set_enable_iam_database_authentication(own.iam_database_authentication_enabled)
        .set_enable_cloudwatch_logs_exports(own.enabled_cloudwatch_logs_exports.clone())
        .set_copy_tags_to_snapshot(own.copy_tags_to_snapshot)
        .set_serverless_v2_scaling_configuration(serverless(own))
}

fn member_like(like: &DbInstance, name: &str, cluster: &str) -> CreateDbInstanceInputBuilder {
    let mut groups = like.db_parameter_groups().iter();
    let parameters = groups.next().and_then(|it| it.db_parameter_group_name());
    let mut tags = kept_tags(like.tag_list());
    tags.retain(|tag| tag.key() != Some(STANDS_FOR));
    let stands_for = like.db_instance_identifier().unwrap_or_default();
    tags.push(tag(STANDS_FOR, stands_for));
    let monitoring = like.monitoring_interval.filter(|seconds| *seconds > 0);
    let has_insights = like.performance_insights_enabled == Some(true);
    CreateDbInstanceInputBuilder::default()
        .db_instance_identifier(name)
        .db_cluster_identifier(cluster)
        .set_engine(like.engine.clone())
        .set_db_instance_class(like.db_instance_class.clone())
        .set_db_parameter_group_name(parameters.map(str::to_owned))
        .set_availability_zone(like.availability_zone.clone())
        .set_promotion_tier(like.promotion_tier)
        .set_publicly_accessible(like.publicly_accessible)
        .set_auto_minor_version_upgrade(like.auto_minor_version_upgrade)
        .set_monitoring_interval(monitoring)
        .set_monitoring_role_arn(monitoring.and_then(|_| like.monitoring_role_arn.clone()))
        .set_enable_performance_insights(like.performance_insights_enabled)
        .set_performance_insights_kms_key_id(
            like.performance_insights_kms_key_id
                .clone()
                .filter(|_| has_insights),
        )
        .set_performance_insights_retention_period(
            like.performance_insights_retention_period
                .filter(|_| has_insights),
        )
        .set_tags(Some(tags))
}
