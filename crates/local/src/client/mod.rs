//! What commands do with an environment: through its supervisor where decisions are to be made,
//! directly where only something that runs is to be reached.

mod backups;
mod database;
mod deploy;
mod error;
mod faults;
mod one_off;
mod releases;
mod shell;
mod socket;
mod stop;
mod up;

pub use backups::{
    db_delete_snapshot, db_export, db_import, db_restore, db_snapshot, db_snapshots, db_verify,
};
pub use database::{export_command, import_command, schemas, shell_command};
pub use deploy::{deploy, roll_back, scale, stop_deployment};
pub use error::ClientError;
pub use faults::{
    db_failover, kill_node, kill_task, lose_server, lose_zone, restore_server, restore_zone,
};
pub use one_off::{OneOff, OneOffWanted, exec, flush_caches, run, start};
pub use releases::{KeptRelease, ReleaseState, Use, build, build_from, releases};
pub use shell::{ssh_command, ssh_hosts};
pub use socket::{Following, follow, is_supervised, snapshot};
pub use stop::{destroy, stop};
pub use up::{Applied, CommandLock, up};

pub use crate::origin::Origin;

use crate::{
    layout::Layout,
    origin::{self},
    servers::Context,
};

/// What an environment was planned as when it was applied last.
///
/// # Errors
/// When nothing was applied, or it can't be read.
pub fn context(layout: &Layout) -> Result<Context, ClientError> {
    let origin =
        Origin::load(layout)?.ok_or_else(|| ClientError::NothingApplied(layout.id().clone()))?;
    let environment = origin.environment()?;
    Ok(origin::prepare(&environment, origin.folder(), layout)?)
}
