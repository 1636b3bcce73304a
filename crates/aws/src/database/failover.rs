//! Another member becomes the writer.

use std::time::{Duration, Instant};

use aws_sdk_rds::types::DbCluster;
use mck_blueprint::Blueprint;

use super::{AVAILABLE, DatabaseError, DatabaseProgress, require_available};
use crate::{Account, follow::Waits};

/// Aurora promises less than a minute, usually; RDS' own answer lags behind.
const DEADLINE: Duration = Duration::from_secs(15 * 60);

/// A failover that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedOver {
    /// The member that was the writer.
    pub from: String,
    /// The member that is the writer now.
    pub to: String,
    /// From the call until RDS says that the writer is another one.
    pub took: Duration,
}

impl Account {
    /// Makes a reader of the database the writer, and waits until it is.
    ///
    /// # Errors
    /// [`DatabaseError::NoReader`] where there is none; where AWS refuses, or the writer is the same
    /// after 15 minutes.
    pub fn fail_over_database(
        &self,
        blueprint: &Blueprint,
        tell: &mut dyn FnMut(DatabaseProgress),
    ) -> Result<FailedOver, DatabaseError> {
        self.runtime.block_on(async {
            let rds = self.rds(&blueprint.region);
            let cluster = self.cluster(blueprint).await?;
            let id = cluster.db_cluster_identifier().unwrap_or_default();
            require_available(&cluster)?;
            let from = writer(&cluster).unwrap_or_default();
            if readers(&cluster) == 0 {
                return Err(DatabaseError::NoReader {
                    cluster: id.to_owned(),
                });
            }
            let begin = Instant::now();
            rds.fail_over(id).await?;
            tell(DatabaseProgress {
                step: format!("waits until another than {from} is the writer"),
                percent: None,
            });
            let mut waits = Waits::until(DEADLINE);
            while waits.wait().await {
                let now = self.cluster(blueprint).await?;
                if let Some(to) = next_writer(&from, &now) {
                    let took = begin.elapsed();
                    return Ok(FailedOver { from, to, took });
                }
            }
            Err(DatabaseError::Deadline {
                what: format!("the failover of {id}"),
                minutes: DEADLINE.as_secs() / 60,
            })
        })
    }
}

/// The member that is the writer.
fn writer(cluster: &DbCluster) -> Option<String> {
    let mut members = cluster.db_cluster_members().iter();
    let writer = members.find(|it| it.is_cluster_writer() == Some(true))?;
    writer.db_instance_identifier().map(str::to_owned)
}

fn readers(cluster: &DbCluster) -> usize {
    let members = cluster.db_cluster_members().iter();
    members
        .filter(|it| it.is_cluster_writer() != Some(true))
        .count()
}

/// The new writer, once the failover is over.
fn next_writer(before: &str, cluster: &DbCluster) -> Option<String> {
    let is_over = cluster.status().is_none_or(|status| status == AVAILABLE);
    writer(cluster).filter(|now| is_over && now != before)
}

#[cfg(test)]
mod tests {
    use aws_sdk_rds::types::DbClusterMember;

    use super::*;

    fn cluster(status: &str, members: &[(&str, bool)]) -> DbCluster {
        let members = members.iter().map(|(id, is_writer)| {
            DbClusterMember::builder()
                .db_instance_identifier(*id)
                .is_cluster_writer(*is_writer)
                .build()
        });
        DbCluster::builder()
            .status(status)
            .set_db_cluster_members(Some(members.collect()))
            .build()
    }

    #[test]
    fn a_failover_is_over_when_another_member_writes_and_the_cluster_is_available() {
        for (status, members, over) in [
            ("available", [("a", true), ("b", false)], None),
            ("failing-over", [("a", false), ("b", true)], None),
            ("failing-over", [("a", true), ("b", false)], None),
            ("available", [("a", false), ("b", false)], None),
            ("available", [("a", false), ("b", true)], Some("b")),
        ] {
            let now = next_writer("a", &cluster(status, &members));
            assert_eq!(now.as_deref(), over, "{status} {members:?}");
        }
    }

    #[test]
    fn a_cluster_of_one_has_no_reader() {
        assert_eq!(readers(&cluster(AVAILABLE, &[("a", true)])), 0);
        assert_eq!(
            readers(&cluster(AVAILABLE, &[("a", true), ("b", false)])),
            1
        );
    }
}
