//! An environment's secrets in Secrets Manager: which have a value, and how they get a new one.
//!
//! `rotation` decides, `calls` makes single calls. No value is ever handed out or written down.

mod calls;
mod provided;
mod rotation;

use aws_config::SdkConfig;
use mck_aws_stacks::located;
use mck_blueprint::{
    Blueprint,
    model::{DatabaseSchema, Secret, SecretOrigin},
};
use mck_server_config::secret::Secret as Value;
use tokio::task::JoinSet;

use crate::{Account, AwsError, database::DatabaseError};
use calls::{Described, Secrets};
pub use provided::SecretWithoutValue;
pub(crate) use provided::without_value;
use rotation::{Rotation, Step, after_deployment, next_step};

/// The most steps of a rotation, each of which shows when it is done.
const MOST_STEPS: usize = 6;

/// How a secret is in the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretState {
    /// Its name in the blueprint.
    pub name: String,
    /// Whether it has a value.
    pub has_value: bool,
    /// Whether RDS keeps its value, rather than the user or the kit.
    pub is_kept_by_rds: bool,
    /// When it was changed last, in RFC 3339; none where it is not there.
    pub changed: Option<String>,
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// It has a new value; what uses it reads it when it starts.
    Value,
    /// It has a new value, and the database takes the one from before as well until that is given up.
    BothValid,
    /// The database no longer takes the value from before.
    OldGone,
    /// RDS makes a new one in a while; nothing but RDS and the kit uses it.
    ByRds,
}

/// Why a secret could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// AWS refuses, or does not answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The database could not be told of it.
    #[error("the database could not be told of the new value of {name}; apps use the old one")]
    Database {
        /// The secret.
        name: String,
        /// Why.
        source: DatabaseError,
    },
    /// A stack makes it, and has not yet.
    #[error("{name} is not in the account yet")]
    NotMade {
        /// The secret.
        name: String,
    },
    /// RDS makes its value.
    #[error("RDS makes the value of {name}, so nobody can set it")]
    KeptByRds {
        /// The secret.
        name: String,
    },
    /// The user gives its value.
    #[error("{name} is yours: the kit makes no value for it")]
    Provided {
        /// The secret.
        name: String,
    },
    /// It can't be rotated by itself.
    #[error("{name} can't be rotated by itself: {reason}")]
    Refused {
        /// The secret.
        name: String,
        /// Why.
        reason: &'static str,
        /// What to do, one step each.
        steps: Vec<String>,
    },
    /// The database or Secrets Manager does not show what it was told.
    #[error("{name} does not show its new value; apps use the one that they have")]
    Unsettled {
        /// The secret.
        name: String,
    },
    /// The database has no value from before.
    #[error("there is no value of {name} from before that anything takes")]
    NothingOld {
        /// The secret.
        name: String,
    },
}

impl Account {
    /// How each secret of an environment is, in the blueprint's order. One call a secret, all at once:
    /// a listing of Secrets Manager may be minutes old (API reference, `ListSecrets`).
    ///
    /// # Errors
    /// Where AWS refuses or does not answer.
    pub fn secret_states(&self, blueprint: &Blueprint) -> Result<Vec<SecretState>, AwsError> {
        self.runtime.block_on(self.states(blueprint))
    }

    /// Gives a secret a value, of 1 to 65,536 bytes. What uses it reads it when it starts.
    ///
    /// # Errors
    /// [`SecretError::NotMade`] before its stack is; where RDS keeps it, or AWS refuses.
    pub fn set_secret(
        &self,
        blueprint: &Blueprint,
        name: &str,
        value: &str,
    ) -> Result<(), SecretError> {
        if name == blueprint.database.master_password_secret {
            return Err(SecretError::KeptByRds {
                name: name.to_owned(),
            });
        }
        let secrets = self.secrets(&blueprint.region);
        let full = located::secret_name(blueprint, name);
        let put = self.runtime.block_on(secrets.put(&full, value));
        put.map_err(|error| missing(name, error))
    }

    /// Gives a secret that the kit makes a new random value, as long and with the same symbols as
    /// the first. A database user's password is changed in the database as well, where it has two
    /// for a while. It may be called again when it broke off: it goes on where it was.
    ///
    /// # Errors
    /// For what only the user can change, and for what would break what is stored; where AWS or the
    /// database refuses.
    pub fn rotate_secret(
        &self,
        blueprint: &Blueprint,
        secret: &Secret,
    ) -> Result<Rotated, SecretError> {
        let name = secret.name.clone();
        let SecretOrigin::Generated(length) = secret.origin else {
            return Err(SecretError::Provided { name });
        };
        match rotation::of(blueprint, &secret.name) {
            Rotation::Refused { reason, steps } => Err(SecretError::Refused {
                name,
                reason,
                steps,
            }),
            Rotation::Master => {
                let rotated = self.rotate_master_password(blueprint);
                rotated.map_err(|source| SecretError::Database { name, source })?;
                Ok(Rotated::ByRds)
            }
            Rotation::Value => {
                self.runtime.block_on(async {
                    let secrets = self.secrets(&blueprint.region);
                    let value = secrets.random(length, &secret.symbols).await?;
                    let full = located::secret_name(blueprint, &name);
                    let put = secrets.put(&full, value.expose()).await;
                    put.map_err(|error| missing(&name, error))
                })?;
                Ok(Rotated::Value)
            }
            Rotation::DatabaseUser(schema) => self.rotate_user(blueprint, secret, length, schema),
        }
    }

    /// Makes the database forget the value from before of a rotated password. Tasks that have not
    /// started since the rotation lose the database then.
    ///
    /// # Errors
    /// [`SecretError::NothingOld`] where there is none; where the database refuses.
    pub fn discard_old_secret(
        &self,
        blueprint: &Blueprint,
        secret: &Secret,
    ) -> Result<Rotated, SecretError> {
        let name = || secret.name.clone();
        let Rotation::DatabaseUser(schema) = rotation::of(blueprint, &secret.name) else {
            return Err(SecretError::NothingOld { name: name() });
        };
        let failed = |source| SecretError::Database {
            name: name(),
            source,
        };
        let has_old = self.has_old_password(blueprint, &schema.user);
        let full = located::secret_name(blueprint, &secret.name);
        let described = self.describe(blueprint, &secret.name, &full)?;
        if !after_deployment(has_old.map_err(failed)?, described.pending.is_some()) {
            return Err(SecretError::NothingOld { name: name() });
        }
        let discarded = self.discard_old_password(blueprint, &schema.user);
        discarded.map_err(failed)?;
        Ok(Rotated::OldGone)
    }

    /// The value of a secret, to be shown to a person; none where it has none. Of the database's master
    /// user it is what RDS keeps: JSON with user and password.
    ///
    /// # Errors
    /// Where AWS refuses or does not answer.
    pub fn secret_value(
        &self,
        blueprint: &Blueprint,
        name: &str,
    ) -> Result<Option<Value>, AwsError> {
        self.runtime.block_on(async {
            let full = if name == blueprint.database.master_password_secret {
                self.master_secret(blueprint).await?
            } else {
                Some(located::secret_name(blueprint, name))
            };
            let Some(full) = full else { return Ok(None) };
            let value = self.current_secret(&blueprint.region, &full).await?;
            Ok(value.map(|(value, _)| value))
        })
    }

    /// The current value of a secret, and whether another is pending; none where it has no value.
    pub(crate) async fn current_secret(
        &self,
        region: &str,
        full: &str,
    ) -> Result<Option<(Value, bool)>, AwsError> {
        let secrets = self.secrets(region);
        let described = secrets.describe(full).await?;
        match described.filter(|it| it.current.is_some()) {
            Some(it) => Ok(Some((secrets.current(full).await?, it.pending.is_some()))),
            None => Ok(None),
        }
    }

    /// Secrets Manager in a region that the account was connected for.
    fn secrets(&self, region: &str) -> Secrets {
        let config: &SdkConfig = self.clients.config(region);
        Secrets::new(config)
    }

    fn describe(
        &self,
        blueprint: &Blueprint,
        name: &str,
        full: &str,
    ) -> Result<Described, SecretError> {
        let secrets = self.secrets(&blueprint.region);
        let described = self.runtime.block_on(secrets.describe(full))?;
        described.ok_or_else(|| SecretError::NotMade {
            name: name.to_owned(),
        })
    }

    fn rotate_user(
        &self,
        blueprint: &Blueprint,
        secret: &Secret,
        length: u16,
        schema: &DatabaseSchema,
    ) -> Result<Rotated, SecretError> {
        let failed = |source| SecretError::Database {
            name: secret.name.clone(),
            source,
        };
        let full = located::secret_name(blueprint, &secret.name);
        let secrets = self.secrets(&blueprint.region);
        for _ in 0..MOST_STEPS {
            let described = self.describe(blueprint, &secret.name, &full)?;
            let has_old = self
                .has_old_password(blueprint, &schema.user)
                .map_err(failed)?;
            match next_step(described.pending.is_some(), has_old) {
                Step::Discard => self
                    .discard_old_password(blueprint, &schema.user)
                    .map_err(failed)?,
                Step::Make => self.runtime.block_on(async {
                    let value = secrets.random(length, &secret.symbols).await?;
                    secrets.put_pending(&full, &value).await
                })?,
                Step::Tell => {
                    let value = self.runtime.block_on(secrets.pending(&full))?;
                    self.add_password(blueprint, &schema.user, &value)
                        .map_err(failed)?;
                }
                Step::Switch => {
                    self.runtime
                        .block_on(secrets.make_current(&full, &described))?;
                    return Ok(Rotated::BothValid);
                }
            }
        }
        Err(SecretError::Unsettled {
            name: secret.name.clone(),
        })
    }

    async fn states(&self, blueprint: &Blueprint) -> Result<Vec<SecretState>, AwsError> {
        let master = &blueprint.database.master_password_secret;
        let master_secret = self.master_secret(blueprint).await?;
        let mut asked = JoinSet::new();
        for (place, secret) in blueprint.secrets.iter().enumerate() {
            let full = match (secret.name == *master, &master_secret) {
                (false, _) => Some(located::secret_name(blueprint, &secret.name)),
                (true, arn) => arn.clone(),
            };
            let secrets = self.secrets(&blueprint.region);
            asked.spawn(async move {
                let described = match full {
                    Some(full) => secrets.describe(&full).await?,
                    None => None,
                };
                Ok::<_, AwsError>((place, described))
            });
        }
        let mut described = vec![None; blueprint.secrets.len()];
        while let Some(answer) = asked.join_next().await {
            let (place, one) = answer.expect("a call is never cancelled, and does not panic")?;
            described[place] = one;
        }
        let states = blueprint.secrets.iter().zip(described);
        Ok(states
            .map(|(secret, described)| SecretState {
                name: secret.name.clone(),
                has_value: described.as_ref().is_some_and(|it| it.current.is_some()),
                is_kept_by_rds: secret.name == *master,
                changed: described.and_then(|it| it.changed),
            })
            .collect())
    }
}

/// A secret that is not found is one that is still to be made.
fn missing(name: &str, error: AwsError) -> SecretError {
    if error.is_not_found() {
        SecretError::NotMade {
            name: name.to_owned(),
        }
    } else {
        error.into()
    }
}
