//! Where the database is, and as whom it is used.

use mck_aws_stacks::located;
use mck_blueprint::{Blueprint, model::DatabaseSchema};
use mck_server_config::secret::Secret;
use serde::Deserialize;

use super::{DatabaseError, require_available};
use crate::{Account, AwsError};

/// As whom the database is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseUser<'a> {
    /// The master user, whose password RDS keeps.
    Master,
    /// The user of an app's schema.
    Schema(&'a DatabaseSchema),
}

/// What is needed to reach the database from within the VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseLogin {
    /// The host name of the cluster's writer, which is also its certificate's.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// What RDS keeps in the secret of a master user (Amazon Aurora user guide, "Password management with
/// Amazon Aurora and AWS Secrets Manager").
#[derive(Deserialize)]
struct MasterSecret {
    username: String,
    password: String,
}

impl Account {
    /// Where the database is, and the user's current password.
    ///
    /// # Errors
    /// Where there is no cluster, it is not available, or the secret has no value.
    pub fn database_login(
        &self,
        blueprint: &Blueprint,
        user: DatabaseUser<'_>,
    ) -> Result<DatabaseLogin, DatabaseError> {
        let cluster = self.runtime.block_on(self.cluster(blueprint))?;
        require_available(&cluster)?;
        let id = located::database_cluster(blueprint);
        let host = cluster.endpoint().ok_or_else(|| AwsError::Incomplete {
            operation: "DescribeDBClusters",
            subject: id.clone(),
            missing: "the endpoint",
        })?;
        let secret = match user {
            DatabaseUser::Master => &blueprint.database.master_password_secret,
            DatabaseUser::Schema(schema) => &schema.password_secret,
        };
        let value = self.secret_value(blueprint, secret)?;
        let value = value.ok_or_else(|| DatabaseError::SecretMissing {
            name: secret.clone(),
        })?;
        let (user, password) = match user {
            DatabaseUser::Schema(schema) => (schema.user.clone(), value),
            DatabaseUser::Master => master(&value).ok_or_else(|| AwsError::Incomplete {
                operation: "GetSecretValue",
                subject: secret.clone(),
                missing: "the user's name and password",
            })?,
        };
        let port = cluster.port().and_then(|port| u16::try_from(port).ok());
        Ok(DatabaseLogin {
            host: host.to_owned(),
            port: port.unwrap_or(blueprint.database.port),
            user,
            password,
        })
    }
}

fn master(value: &Secret) -> Option<(String, Secret)> {
    let MasterSecret { username, password } = serde_json::from_str(value.expose()).ok()?;
    Some((username, Secret::new(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_master_s_secret_has_both() {
        let read = |text: &str| master(&Secret::new(text));
        let both = r#"{"username":"admin","password":"a\"b","engine":"mysql"}"#;
        assert_eq!(read(both), Some(("admin".to_owned(), Secret::new("a\"b"))));
        assert_eq!(read("plain"), None);
        assert_eq!(read(r#"{"username":"admin"}"#), None);
    }
}
