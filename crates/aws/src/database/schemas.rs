//! The apps' schemas and users: CloudFormation makes an empty cluster.

use mck_aws_stacks::located;
use mck_blueprint::{Blueprint, model::DatabaseSchema};
use mck_server_config::{
    mariadb::sql::{self, aurora},
    secret::Secret,
};

use super::{DatabaseError, require_available, statements::Statements};
use crate::Account;

impl Account {
    /// Makes each app's schema and the user that reaches it alone, with the password of its secret.
    /// Doing it again changes nothing, but that it puts the password right, such as after a
    /// restoration; not while that is being rotated.
    ///
    /// # Errors
    /// [`DatabaseError::NoDataApi`] where the database's members have none, and
    /// [`DatabaseError::SecretMissing`]; where there is no database, or AWS refuses.
    pub fn prepare_database(&self, blueprint: &Blueprint) -> Result<(), DatabaseError> {
        self.runtime.block_on(async {
            if blueprint.database.schemas.is_empty() {
                return Ok(());
            }
            let statements = self.statements(blueprint).await?;
            for schema in &blueprint.database.schemas {
                self.prepare_schema(blueprint, schema, &statements).await?;
            }
            Ok(())
        })
    }

    async fn prepare_schema(
        &self,
        blueprint: &Blueprint,
        schema: &DatabaseSchema,
        statements: &Statements,
    ) -> Result<(), DatabaseError> {
        let full = located::secret_name(blueprint, &schema.password_secret);
        let value = self.current_secret(&blueprint.region, &full).await?;
        let Some((password, is_being_rotated)) = value else {
            return Err(DatabaseError::SecretMissing {
                name: schema.password_secret.clone(),
            });
        };
        let account = account(&schema.user, password);
        let mut all = aurora::schema(&schema.name, &account)?;
        if !is_being_rotated {
            all.push(aurora::set_password(&account)?);
        }
        for statement in all {
            statements.run(statement.expose()).await?;
        }
        Ok(())
    }

    /// Whether a user has a password from before as well.
    pub(crate) fn has_old_password(
        &self,
        blueprint: &Blueprint,
        user: &str,
    ) -> Result<bool, DatabaseError> {
        let statement = aurora::has_old_password(user)?;
        self.runtime.block_on(async {
            let answer = self.statements(blueprint).await?.run(&statement).await?;
            answer.map_or_else(
                || {
                    Err(DatabaseError::NoUser {
                        user: user.to_owned(),
                    })
                },
                |number| Ok(number != 0),
            )
        })
    }

    /// Gives a user a new password beside the one that it has.
    pub(crate) fn add_password(
        &self,
        blueprint: &Blueprint,
        user: &str,
        password: &Secret,
    ) -> Result<(), DatabaseError> {
        let statement = aurora::add_password(&account(user, password.clone()))?;
        self.run_one(blueprint, statement.expose())
    }

    /// Leaves a user its newest password alone.
    pub(crate) fn discard_old_password(
        &self,
        blueprint: &Blueprint,
        user: &str,
    ) -> Result<(), DatabaseError> {
        self.run_one(blueprint, &aurora::discard_old_password(user)?)
    }

    fn run_one(&self, blueprint: &Blueprint, statement: &str) -> Result<(), DatabaseError> {
        self.runtime.block_on(async {
            self.statements(blueprint).await?.run(statement).await?;
            Ok(())
        })
    }

    async fn statements(&self, blueprint: &Blueprint) -> Result<Statements, DatabaseError> {
        let cluster = self.cluster(blueprint).await?;
        require_available(&cluster)?;
        Statements::to(self.clients.config(&blueprint.region), &cluster)
    }
}

fn account(user: &str, password: Secret) -> sql::Account {
    sql::Account {
        user: user.to_owned(),
        password,
    }
}
