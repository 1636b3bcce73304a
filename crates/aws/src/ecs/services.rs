//! Services and their deployments.

use aws_sdk_ecs::{operation::update_service::builders::UpdateServiceInputBuilder, types::Service};

use super::Ecs;
use crate::AwsError;

/// The status of a service that was deleted; ECS still shows it for a while.
const INACTIVE: &str = "INACTIVE";
/// How many services one call describes (ECS API reference, `DescribeServices`).
const MOST_DESCRIBED: usize = 10;

impl Ecs {
    /// A service; none where there is none, or no such cluster.
    pub(crate) async fn service(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<Service>, AwsError> {
        let call = self.client.describe_services().cluster(cluster);
        let answer = call.services(service).send().await;
        let answer = answer.map_err(|error| AwsError::call("DescribeServices", service, &error));
        match answer {
            Ok(answer) => {
                let mut services = answer.services.unwrap_or_default().into_iter();
                Ok(services.find(|it| it.status() != Some(INACTIVE)))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Those of a cluster's services that there are.
    pub(crate) async fn services(
        &self,
        cluster: &str,
        services: &[&str],
    ) -> Result<Vec<Service>, AwsError> {
        let mut found = Vec::new();
        for some in services.chunks(MOST_DESCRIBED) {
            let call = self.client.describe_services().cluster(cluster);
            let names = some.iter().map(|it| (*it).to_owned()).collect();
            let answer = call.set_services(Some(names)).send().await;
            match answer.map_err(|error| AwsError::call("DescribeServices", cluster, &error)) {
                Ok(answer) => found.extend(answer.services.unwrap_or_default()),
                Err(error) if error.is_not_found() => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        found.retain(|it| it.status() != Some(INACTIVE));
        Ok(found)
    }

    /// Changes of a service what `change` says, and nothing else.
    pub(crate) async fn update_service(
        &self,
        cluster: &str,
        service: &str,
        change: UpdateServiceInputBuilder,
    ) -> Result<Service, AwsError> {
        let change = change.cluster(cluster).service(service);
        let answer = change.send_with(&self.client).await;
        let answer = answer.map_err(|error| AwsError::call("UpdateService", service, &error))?;
        answer.service.ok_or_else(|| AwsError::Incomplete {
            operation: "UpdateService",
            subject: service.to_owned(),
            missing: "the service",
        })
    }
}
