//! Statements over the Data API of RDS, as the master user, whose password RDS hands to itself.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_rds::types::DbCluster;
use aws_sdk_rdsdata::{Client, types::Field};

use super::DatabaseError;
use crate::{AwsError, follow::Waits};

/// How long a Serverless v2 cluster may take to wake up.
const WAKING: Duration = Duration::from_secs(180);

/// A way to send statements.
#[derive(Debug, Clone)]
pub(super) struct Statements {
    client: Client,
    cluster: String,
    secret: String,
    subject: String,
}

impl Statements {
    /// The way to a cluster; an error where it has none.
    pub(super) fn to(config: &SdkConfig, cluster: &DbCluster) -> Result<Self, DatabaseError> {
        let subject = cluster.db_cluster_identifier().unwrap_or_default();
        let secret = cluster.master_user_secret().and_then(|it| it.secret_arn());
        match (cluster.db_cluster_arn(), secret) {
            (Some(arn), Some(secret)) if cluster.http_endpoint_enabled() == Some(true) => {
                Ok(Self {
                    client: Client::new(config),
                    cluster: arn.to_owned(),
                    secret: secret.to_owned(),
                    subject: subject.to_owned(),
                })
            }
            _ => Err(DatabaseError::NoDataApi {
                cluster: subject.to_owned(),
            }),
        }
    }

    /// Runs a statement; gives the first column of its first row, where that is a number.
    pub(super) async fn run(&self, statement: &str) -> Result<Option<i64>, DatabaseError> {
        let mut waits = Waits::until(WAKING);
        loop {
            let call = self.client.execute_statement();
            let call = call.resource_arn(&self.cluster).secret_arn(&self.secret);
            let answer = call.sql(statement).send().await;
            let error = match answer {
                Ok(answer) => return Ok(first_number(answer.records())),
                Err(error) => AwsError::call("ExecuteStatement", &self.subject, &error),
            };
            if !is_waking(&error) || !waits.wait().await {
                return Err(error.into());
            }
        }
    }
}

fn first_number(records: &[Vec<Field>]) -> Option<i64> {
    let field = records.first()?.first()?;
    match field {
        Field::LongValue(number) => Some(*number),
        Field::BooleanValue(it) => Some((*it).into()),
        Field::StringValue(text) => text.parse().ok(),
        _ => None,
    }
}

/// Whether a cluster that sleeps is on its way (RDS Data API reference, `DatabaseResumingException`).
fn is_waking(error: &AwsError) -> bool {
    matches!(error, AwsError::Call { message, .. } if message.contains("DatabaseResuming"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_whatever_way_it_comes() {
        for (field, number) in [
            (Field::LongValue(1), Some(1)),
            (Field::BooleanValue(true), Some(1)),
            (Field::StringValue("0".to_owned()), Some(0)),
            (Field::IsNull(true), None),
        ] {
            assert_eq!(first_number(&[vec![field]]), number);
        }
        assert_eq!(first_number(&[]), None);
    }
}
