//! Makes, changes and removes an environment's stacks through CloudFormation.
//!
//! This is the only crate with an asynchronous runtime and AWS's SDK; its public functions are
//! synchronous. `schedule`, `failure`, `recovery`, `status` and `change_set` are pure; `client` and
//! `bucket` make single calls; `follow` waits for what they began, `making` makes change sets,
//! `work` brings one stack to what is wanted; `plan`, `apply`, `destroy` and `drift` put them
//! together.

mod account;
mod account_settings;
mod apply;
mod bucket;
mod change_set;
mod client;
mod database;
mod denial;
mod deployment;
mod destroy;
mod drift;
mod ecs;
mod error;
mod failure;
mod follow;
mod happenings;
mod logs;
mod making;
mod overview;
mod parameters;
mod plan;
mod prefix_lists;
mod progress;
mod query;
mod recovery;
mod registry;
mod request;
mod scaling;
mod schedule;
mod secrets;
mod service_roles;
mod sessions;
mod shared;
mod stack_failure;
mod status;
mod work;

pub use account::{Account, Identity};
pub use apply::{Applied, ApplyOptions};
pub use database::{
    DatabaseError, DatabaseLogin, DatabaseProgress, DatabaseSnapshot, DatabaseUser, FailedOver,
    IdentityError, RestoreTarget, Restored, ServerIdentity, SnapshotKind, Snapshots,
};
pub use deployment::{
    AppStanding, Begun, CommandState, DeployError, DeployedApp, DeploymentOutcome,
    DeploymentProgress, DeploymentRequest, PushedRelease, ReleaseState, RolloutTask, RolloutView,
    StartedCommand, StartedDeployment, TaskRole, TaskState, Unrecorded, Use, UseOutcome,
};
pub use destroy::{Destroyed, Keep, KeepReason};
pub use drift::{Drift, DriftedProperty, DriftedResource};
pub use error::{AwsError, CallFailure};
pub use failure::Reason;
pub use happenings::{Happening, Severity};
pub use logs::{LogEvent, LogReader, StreamReader, TaskStream};
pub use overview::{
    AppStatus, DatabaseMember, DatabaseStatus, DeploymentStatus, Overview, OverviewRequest,
    ServerStatus, Share, StackStatus, StoppedTask, TaskHealth, TaskStatus,
};
pub use plan::AccountPlan;
pub use progress::{Progress, Reporter};
pub use registry::RegistryLogin;
pub use schedule::{Schedule, ScheduleError};
pub use secrets::{Rotated, SecretError, SecretState, SecretWithoutValue};
pub use sessions::{ExecTarget, ForwardedPort, OpenedPort, PluginCall, PluginVersion};
pub use shared::{HeldImages, Shared, repositories};
pub use stack_failure::StackFailure;
