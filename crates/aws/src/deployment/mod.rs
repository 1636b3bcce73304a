//! Deployments: an app's service is updated to another revision of its task definition.
//!
//! ECS keeps the state; there is none of ours. `begin` finds out from ECS and ECR what is there and
//! what is to be done, `carry_out` does it and may be run again at any time: what is done already is
//! not done again. `release`, `rollout`, `failures`, `view` and `history` decide, and are pure; the
//! rest makes calls.

mod app;
mod begin;
mod carry_out;
mod commands;
mod error;
pub(crate) mod failures;
mod first;
mod history;
mod hooks;
mod images;
mod network;
mod release;
mod releases;
pub(crate) mod rollout;
mod secrets;
mod standing;
mod view;
mod words;

pub use app::DeployedApp;
pub use begin::{Begun, DeploymentRequest, StartedDeployment};
pub use carry_out::{DeploymentOutcome, DeploymentProgress};
pub use commands::{CommandState, StartedCommand};
pub use error::DeployError;
pub use history::{PushedRelease, ReleaseState, Use, UseOutcome};
pub use standing::{AppStanding, Unrecorded};
pub use view::{RolloutTask, RolloutView, TaskRole, TaskState};

use std::sync::mpsc::Sender;

use crate::{Account, account::Clients, ecs::Ecs, parameters::Parameters};
use images::Images;
use words::Logs;

/// What a deployment of an app works with.
struct Deployer<'a> {
    app: &'a DeployedApp,
    clients: &'a Clients,
    ecs: Ecs,
    parameters: Parameters,
    images: Images,
    logs: Logs,
}

impl<'a> Deployer<'a> {
    fn new(account: &'a Account, app: &'a DeployedApp) -> Self {
        let config = account.clients.config(&app.region);
        Self {
            app,
            clients: &account.clients,
            ecs: account.ecs(&app.region),
            parameters: Parameters::new(config),
            images: Images::new(config),
            logs: Logs::new(config),
        }
    }
}

impl Account {
    /// Begins a deployment, a rollback or the end of a deployment: finds out whether it can be done,
    /// and registers the task definition. Users notice nothing yet.
    ///
    /// # Errors
    /// Where it can't be done, or AWS fails.
    pub fn begin_deployment(
        &self,
        app: &DeployedApp,
        request: &DeploymentRequest,
    ) -> Result<Begun, DeployError> {
        let deployer = Deployer::new(self, app);
        self.runtime.block_on(deployer.begin(request))
    }

    /// Carries out what was begun and follows it to its end, telling what happens. Nobody who listens
    /// is no reason to stop.
    ///
    /// # Errors
    /// Where AWS fails; ECS goes on with a rollout that has begun.
    pub fn carry_out_deployment(
        &self,
        app: &DeployedApp,
        started: &StartedDeployment,
        tell: &Sender<DeploymentProgress>,
    ) -> Result<DeploymentOutcome, DeployError> {
        let deployer = Deployer::new(self, app);
        self.runtime.block_on(deployer.carry_out(started, tell))
    }

    /// The releases of an app, the newest first: those in its repositories, and those that were
    /// deployed and are gone.
    ///
    /// # Errors
    /// Where AWS fails.
    pub fn releases(&self, app: &DeployedApp) -> Result<Vec<PushedRelease>, DeployError> {
        let deployer = Deployer::new(self, app);
        self.runtime.block_on(deployer.releases())
    }
}
