//! Whether secrets have a value, without reading one.

use super::{DeployError, Deployer};
use crate::{AwsError, CallFailure};

impl Deployer<'_> {
    /// Refuses where a secret that people give a value has none: its task could not start. Who may
    /// not look, such as continuous integration, is told by ECS.
    pub(super) async fn check_secrets(&self) -> Result<(), DeployError> {
        let config = self.clients.config(&self.app.region);
        let client = aws_sdk_secretsmanager::Client::new(config);
        let mut names = Vec::new();
        for (name, full) in &self.app.provided_secrets {
            let answer = client
                .list_secret_version_ids()
                .secret_id(full)
                .send()
                .await;
            match answer.map_err(|error| AwsError::call("ListSecretVersionIds", full, &error)) {
                Ok(answer) if answer.versions().is_empty() => names.push(name.clone()),
                Err(error) if error.is_not_found() => names.push(name.clone()),
                Err(error) if error.kind() != Some(CallFailure::Denied) => return Err(error.into()),
                _ => {}
            }
        }
        if names.is_empty() {
            Ok(())
        } else {
            Err(DeployError::SecretsMissing { names })
        }
    }
}
