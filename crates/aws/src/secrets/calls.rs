//! Single calls to Secrets Manager.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{Client, primitives::DateTimeFormat};
use mck_server_config::secret::Secret as Value;

use crate::AwsError;

/// The label of the value that everything gets.
const CURRENT: &str = "AWSCURRENT";
/// The label of the value that is about to be it.
const PENDING: &str = "AWSPENDING";
/// What counts as punctuation there (Secrets Manager API reference, `GetRandomPassword`).
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Secrets Manager in one region.
#[derive(Debug, Clone)]
pub(super) struct Secrets {
    client: Client,
}

/// A secret, without its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Described {
    /// The version with the current value.
    pub(super) current: Option<String>,
    /// The version with a pending value that is not the current one.
    pub(super) pending: Option<String>,
    /// When it was changed last, in RFC 3339.
    pub(super) changed: Option<String>,
}

impl Secrets {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    /// A secret; none where there is none, or it is about to be deleted.
    pub(super) async fn describe(&self, secret: &str) -> Result<Option<Described>, AwsError> {
        let answer = self.client.describe_secret().secret_id(secret).send().await;
        let answer = match answer.map_err(|error| AwsError::call("DescribeSecret", secret, &error))
        {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        if answer.deleted_date.is_some() {
            return Ok(None);
        }
        let versions = answer.version_ids_to_stages.unwrap_or_default();
        let labelled = |label: &str| {
            let mut with = versions
                .iter()
                .filter(|(_, stages)| stages.iter().any(|stage| stage == label));
            with.next().map(|(id, _)| id.clone())
        };
        let current = labelled(CURRENT);
        let changed = answer.last_changed_date.or(answer.created_date);
        Ok(Some(Described {
            pending: labelled(PENDING).filter(|it| current.as_ref() != Some(it)),
            current,
            changed: changed.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok()),
        }))
    }

    /// Makes a value the current one.
    pub(super) async fn put(&self, secret: &str, value: &str) -> Result<(), AwsError> {
        let call = self.client.put_secret_value().secret_id(secret);
        let answer = call.secret_string(value).send().await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("PutSecretValue", secret, &error))
    }

    /// Keeps a value beside the current one.
    pub(super) async fn put_pending(&self, secret: &str, value: &Value) -> Result<(), AwsError> {
        let call = self.client.put_secret_value().secret_id(secret);
        let call = call.version_stages(PENDING);
        let answer = call.secret_string(value.expose()).send().await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("PutSecretValue", secret, &error))
    }

    /// The current value.
    pub(super) async fn current(&self, secret: &str) -> Result<Value, AwsError> {
        self.value(secret, CURRENT).await
    }

    /// The pending value.
    pub(super) async fn pending(&self, secret: &str) -> Result<Value, AwsError> {
        self.value(secret, PENDING).await
    }

    async fn value(&self, secret: &str, label: &str) -> Result<Value, AwsError> {
        let call = self.client.get_secret_value().secret_id(secret);
        let answer = call.version_stage(label).send().await;
        let answer = answer.map_err(|error| AwsError::call("GetSecretValue", secret, &error))?;
        let value = answer.secret_string.map(Value::new);
        value.ok_or_else(|| AwsError::Incomplete {
            operation: "GetSecretValue",
            subject: secret.to_owned(),
            missing: "the value",
        })
    }

    /// Makes the pending value the current one. It may be done again where it broke off.
    pub(super) async fn make_current(
        &self,
        secret: &str,
        described: &Described,
    ) -> Result<(), AwsError> {
        let Some(pending) = &described.pending else {
            return Ok(());
        };
        let call = self.client.update_secret_version_stage().secret_id(secret);
        let call = call.version_stage(CURRENT).move_to_version_id(pending);
        let call = call.set_remove_from_version_id(described.current.clone());
        let moved = call.send().await;
        moved.map_err(|error| AwsError::call("UpdateSecretVersionStage", secret, &error))?;
        let call = self.client.update_secret_version_stage().secret_id(secret);
        let call = call.version_stage(PENDING).remove_from_version_id(pending);
        call.send()
            .await
            .map(drop)
            .map_err(|error| AwsError::call("UpdateSecretVersionStage", secret, &error))
    }

    /// A random value as CloudFormation makes them: letters and digits, and at least one of `symbols`
    /// where there are any.
    pub(super) async fn random(&self, length: u16, symbols: &str) -> Result<Value, AwsError> {
        let mut call = self.client.get_random_password();
        call = call
            .password_length(length.into())
            .exclude_punctuation(symbols.is_empty())
            .require_each_included_type(true);
        if !symbols.is_empty() {
            let excluded = PUNCTUATION.chars().filter(|sign| !symbols.contains(*sign));
            call = call.exclude_characters(excluded.collect::<String>());
        }
        let answer = call.send().await;
        let answer =
            answer.map_err(|error| AwsError::call("GetRandomPassword", "a secret", &error))?;
        let value = answer.random_password.map(Value::new);
        value.ok_or_else(|| AwsError::Incomplete {
            operation: "GetRandomPassword",
            subject: "a secret".to_owned(),
            missing: "the password",
        })
    }
}
