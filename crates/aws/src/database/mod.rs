//! The database cluster in the account, around CloudFormation: its snapshots, failover, going back to
//! a moment, and its accounts and schemas.
//!
//! `calls` and `statements` make single calls; `switch` decides the steps of a restoration.

mod calls;
mod failover;
mod identity;
mod login;
mod restore;
mod schemas;
mod snapshots;
mod statements;
mod switch;

use aws_sdk_rds::types::DbCluster;
use mck_aws_stacks::located;
use mck_blueprint::Blueprint;
use mck_server_config::text::UnsafeText;

use crate::{Account, AwsError};
use calls::Rds;

pub use failover::FailedOver;
pub use identity::{IdentityError, ServerIdentity};
pub use login::{DatabaseLogin, DatabaseUser};
pub use restore::{RestoreTarget, Restored};
pub use snapshots::{DatabaseSnapshot, SnapshotKind, Snapshots};

/// The state in which a cluster, a member or a snapshot can be used.
const AVAILABLE: &str = "available";

/// How far something is that takes a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseProgress {
    /// What is done, as a sentence without a full stop.
    pub step: String,
    /// How much of it is done, in percent; none where AWS does not say.
    pub percent: Option<u8>,
}

/// Why the database could not be worked with.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// AWS refuses, or does not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A stack makes the cluster, and has not yet.
    #[error("the database {cluster} is not in the account yet")]
    NotMade {
        /// The cluster.
        cluster: String,
    },
    /// A failover needs a member that can take over.
    #[error("{cluster} has no reader that could become the writer")]
    NoReader {
        /// The cluster.
        cluster: String,
    },
    /// The cluster is not in a state for that.
    #[error("the database {cluster} is {status}")]
    NotAvailable {
        /// The cluster or member.
        cluster: String,
        /// Its state in RDS' word.
        status: String,
    },
    /// There is no such snapshot.
    #[error("there is no snapshot {snapshot} of {cluster}")]
    UnknownSnapshot {
        /// What was asked for.
        snapshot: String,
        /// The cluster.
        cluster: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A snapshot of the automatic backups goes by itself.
    #[error("{snapshot} is RDS' own and goes by itself when its time has come")]
    Automatic {
        /// The snapshot.
        snapshot: String,
    },
    /// Backups don't reach that far.
    #[error("{time} is not within what can be restored, from {from} to {to}")]
    OutOfRange {
        /// The moment that was asked for.
        time: String,
        /// The earliest that can be.
        from: String,
        /// The latest.
        to: String,
    },
    /// Another restoration is not over.
    #[error("the database is being put back to {other} already")]
    OtherRestore {
        /// The snapshot or moment of that.
        other: String,
    },
    /// RDS gave something up.
    #[error("{what} became {status}")]
    Failed {
        /// A cluster, member or snapshot.
        what: String,
        /// Its state in RDS' word.
        status: String,
    },
    /// Something did not end in time.
    #[error("{what} did not end within {minutes} minutes; it goes on at RDS")]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long, in minutes.
        minutes: u64,
    },
    /// Statements can't be sent over the API.
    #[error("{cluster} has no Data API, over which schemas and users are made")]
    NoDataApi {
        /// The cluster.
        cluster: String,
    },
    /// The app's user is not there yet.
    #[error("the database has no user {user} yet")]
    NoUser {
        /// The user.
        user: String,
    },
    /// A secret that is needed has no value.
    #[error("the secret {name} has no value")]
    SecretMissing {
        /// The secret.
        name: String,
    },
    /// A name or password can't be in a statement.
    #[error("a value can't be in a statement")]
    Text(#[from] UnsafeText),
}

impl Account {
    fn rds(&self, region: &str) -> Rds {
        Rds::new(self.clients.config(region))
    }

    /// The environment's cluster; an error where there is none.
    async fn cluster(&self, blueprint: &Blueprint) -> Result<DbCluster, DatabaseError> {
        let cluster = located::database_cluster(blueprint);
        let found = self.rds(&blueprint.region).cluster(&cluster).await?;
        found.ok_or(DatabaseError::NotMade { cluster })
    }

    /// The ARN of the secret in which RDS keeps the master user's password; none where there is no
    /// cluster.
    pub(crate) async fn master_secret(
        &self,
        blueprint: &Blueprint,
    ) -> Result<Option<String>, AwsError> {
        let cluster = located::database_cluster(blueprint);
        let found = self.rds(&blueprint.region).cluster(&cluster).await?;
        let secret = found.and_then(|it| it.master_user_secret);
        Ok(secret.and_then(|secret| secret.secret_arn))
    }

    /// Lets RDS make a new password of the master user.
    pub(crate) fn rotate_master_password(
        &self,
        blueprint: &Blueprint,
    ) -> Result<(), DatabaseError> {
        self.runtime.block_on(async {
            let cluster = self.cluster(blueprint).await?;
            let id = cluster.db_cluster_identifier().unwrap_or_default();
            let rds = self.rds(&blueprint.region);
            let change = rds.change_cluster().rotate_master_user_password(true);
            rds.modify_cluster(id, change).await?;
            Ok(())
        })
    }
}

/// An error unless the cluster is available.
fn require_available(cluster: &DbCluster) -> Result<(), DatabaseError> {
    match cluster.status() {
        None | Some(AVAILABLE) => Ok(()),
        Some(status) => Err(DatabaseError::NotAvailable {
            cluster: cluster
                .db_cluster_identifier()
                .unwrap_or_default()
                .to_owned(),
            status: status.to_owned(),
        }),
    }
}

/// Whether RDS will never leave that state by itself (Amazon Aurora user guide, "Viewing DB cluster
/// status" and "Viewing DB instance status").
fn is_failed(status: &str) -> bool {
    matches!(
        status,
        "failed"
            | "inaccessible-encryption-credentials"
            | "incompatible-restore"
            | "incompatible-network"
            | "incompatible-parameters"
            | "restore-error"
            | "cloning-failed"
            | "migration-failed"
    )
}
