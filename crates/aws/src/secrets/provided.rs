//! Secrets that people give a value: which of them have none, without reading one.

use aws_config::SdkConfig;
use mck_aws_stacks::located;
use mck_blueprint::{Blueprint, model::SecretOrigin};
use tokio::task::JoinSet;

use super::calls::{Described, Secrets};
use crate::{Account, AwsError, CallFailure};

/// A secret that people give a value, and that has none. Tasks that use it can't start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretWithoutValue {
    /// Its name in the blueprint.
    pub name: String,
    /// Whether its stack has made it, so that it can be given one.
    pub is_made: bool,
}

impl Account {
    /// The secrets of an environment that people give a value and that have none, in the blueprint's
    /// order. One call each, all at once. Who may not look at one, such as continuous integration, is
    /// not told of it.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub fn secrets_without_value(
        &self,
        blueprint: &Blueprint,
    ) -> Result<Vec<SecretWithoutValue>, AwsError> {
        let secrets = blueprint.secrets.iter();
        let provided: Vec<(String, String)> = secrets
            .filter(|it| it.origin == SecretOrigin::Provided)
            .map(|it| (it.name.clone(), located::secret_name(blueprint, &it.name)))
            .collect();
        let config = self.clients.config(&blueprint.region);
        self.runtime.block_on(without_value(config, &provided))
    }
}

/// Which of these secrets have no value, in their order: names in the blueprint and in Secrets Manager.
pub(crate) async fn without_value(
    config: &SdkConfig,
    secrets: &[(String, String)],
) -> Result<Vec<SecretWithoutValue>, AwsError> {
    let mut asked = JoinSet::new();
    for (place, (_, full)) in secrets.iter().enumerate() {
        let (client, full) = (Secrets::new(config), full.clone());
        asked.spawn(async move { (place, client.describe(&full).await) });
    }
    let mut found = Vec::new();
    while let Some(answer) = asked.join_next().await {
        let (place, described) = answer.expect("a call is never cancelled, and does not panic");
        match described {
            Ok(described) if !has_value(described.as_ref()) => {
                found.push((place, described.is_some()));
            }
            Err(error) if error.kind() != Some(CallFailure::Denied) => return Err(error),
            _ => {}
        }
    }
    found.sort_unstable();
    let told = found
        .into_iter()
        .map(|(place, is_made)| SecretWithoutValue {
            name: secrets[place].0.clone(),
            is_made,
        });
    Ok(told.collect())
}

fn has_value(described: Option<&Described>) -> bool {
    described.is_some_and(|it| it.current.is_some())
}
