//! What each drill breaks, and how it is mended.

use mck_blueprint::model::App;
use mck_drill::{FaultError, StopFlag};

use super::{deployments, losses};
use crate::{
    cli::{BadKind, Drill},
    failure::Failure,
    session::LocalEnvironment,
};

/// Where a drill is held.
pub struct Stage<'a> {
    /// The environment.
    pub local: &'a LocalEnvironment,
    /// The app that gets the load.
    pub app: &'a App,
    /// Set when the drill is to end.
    pub stop: StopFlag,
    /// What is wrong with a bad release.
    pub wrong: BadKind,
    /// How many deployments in a row.
    pub repeat: u32,
}

/// Breaks it, and tells what was done, a sentence each.
pub type Inject<'a> = Box<dyn FnMut() -> Result<Vec<String>, FaultError> + Send + 'a>;

/// Mends it; tells what was done if anything was.
pub type Restore<'a> = Box<dyn FnOnce() -> Result<Option<String>, Failure> + 'a>;

/// What is broken.
pub struct Scene<'a> {
    /// The app that is watched.
    pub app: &'a str,
    /// What it does, as the rest of a sentence that begins with "the drill will".
    pub description: String,
    /// Breaks it.
    pub inject: Inject<'a>,
    /// Mends it.
    pub restore: Restore<'a>,
}

impl<'a> Stage<'a> {
    /// Prepares a drill; nothing is broken yet.
    ///
    /// # Errors
    /// When there is nothing that it could break.
    pub fn set(&'a self, drill: Drill) -> Result<Scene<'a>, Failure> {
        match drill {
            Drill::DeployGood => deployments::good(self),
            Drill::DeployBad => deployments::bad(self),
            Drill::TaskLoss => losses::task(self),
            Drill::LbLoss => losses::balancer(self),
            Drill::ServerLoss => losses::server(self),
            Drill::ZoneLoss => losses::zone(self),
            Drill::DbFailover => losses::writer(self),
            Drill::CacheFailover => losses::session_primary(self),
        }
    }
}
