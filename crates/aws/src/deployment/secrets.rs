//! Whether an app's secrets have a value.

use super::{DeployError, Deployer};
use crate::secrets::without_value;

impl Deployer<'_> {
    /// Refuses where a secret that people give a value has none: its task could not start. Who may
    /// not look, such as continuous integration, is told by ECS.
    pub(super) async fn check_secrets(&self) -> Result<(), DeployError> {
        let config = self.clients.config(&self.app.region);
        let without = without_value(config, &self.app.provided_secrets).await?;
        if without.is_empty() {
            return Ok(());
        }
        let names = without.into_iter().map(|it| it.name).collect();
        Err(DeployError::SecretsMissing { names })
    }
}
