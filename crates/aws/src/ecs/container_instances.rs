//! App Servers: what ECS calls container instances.

use aws_sdk_ecs::types::ContainerInstance;

use super::Ecs;
use crate::AwsError;

impl Ecs {
    /// The App Servers of a cluster; none where there is no such cluster.
    pub(crate) async fn container_instances(
        &self,
        cluster: &str,
    ) -> Result<Vec<ContainerInstance>, AwsError> {
        let call = self.client.list_container_instances().cluster(cluster);
        let mut pages = call.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| AwsError::call("ListContainerInstances", cluster, &error));
            let arns = match page {
                Ok(page) => page.container_instance_arns.unwrap_or_default(),
                Err(error) if error.is_not_found() => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            // `DescribeContainerInstances` takes as many as a page has: 100.
            if !arns.is_empty() {
                found.extend(self.describe_instances(cluster, arns).await?);
            }
        }
        Ok(found)
    }

    async fn describe_instances(
        &self,
        cluster: &str,
        arns: Vec<String>,
    ) -> Result<Vec<ContainerInstance>, AwsError> {
        let call = self.client.describe_container_instances().cluster(cluster);
        let answer = call.set_container_instances(Some(arns)).send().await;
        let answer = answer
            .map_err(|error| AwsError::call("DescribeContainerInstances", cluster, &error))?;
        Ok(answer.container_instances.unwrap_or_default())
    }
}
