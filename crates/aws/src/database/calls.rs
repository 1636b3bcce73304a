//! Single calls to RDS.

use aws_config::SdkConfig;
use aws_sdk_rds::{
    Client,
    operation::{
        create_db_instance::builders::CreateDbInstanceInputBuilder,
        modify_db_cluster::builders::ModifyDbClusterInputBuilder,
        restore_db_cluster_from_snapshot::builders::RestoreDbClusterFromSnapshotInputBuilder,
        restore_db_cluster_to_point_in_time::builders::RestoreDbClusterToPointInTimeInputBuilder,
    },
    types::{DbCluster, DbClusterSnapshot, DbInstance, Filter, Tag},
};

use crate::AwsError;

/// RDS in one region.
#[derive(Debug, Clone)]
pub(super) struct Rds {
    client: Client,
}

impl Rds {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
        }
    }

    /// A cluster; none where there is none.
    pub(super) async fn cluster(&self, id: &str) -> Result<Option<DbCluster>, AwsError> {
        let call = self.client.describe_db_clusters();
        let answer = call.db_cluster_identifier(id).send().await;
        match answer.map_err(|error| AwsError::call("DescribeDBClusters", id, &error)) {
            Ok(answer) => Ok(answer.db_clusters.unwrap_or_default().into_iter().next()),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The members of a cluster, by the cluster's own word: a filter by its name may be behind where
    /// that has changed.
    pub(super) async fn members(&self, cluster: &DbCluster) -> Result<Vec<DbInstance>, AwsError> {
        let members = cluster.db_cluster_members().iter();
        let ids: Vec<String> = members
            .filter_map(|it| it.db_instance_identifier().map(str::to_owned))
            .collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let cluster = cluster.db_cluster_identifier().unwrap_or_default();
        let filter = Filter::builder()
            .name("db-instance-id")
            .set_values(Some(ids));
        let call = self.client.describe_db_instances().filters(filter.build());
        let mut pages = call.into_paginator().send();
        let mut members = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| AwsError::call("DescribeDBInstances", cluster, &error))?;
            members.extend(page.db_instances.unwrap_or_default());
        }
        Ok(members)
    }

    /// All snapshots of a cluster, RDS' own too.
    pub(super) async fn snapshots(
        &self,
        cluster: &str,
    ) -> Result<Vec<DbClusterSnapshot>, AwsError> {
        let call = self.client.describe_db_cluster_snapshots();
        let mut pages = call.db_cluster_identifier(cluster).into_paginator().send();
        let mut snapshots = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page
                .map_err(|error| AwsError::call("DescribeDBClusterSnapshots", cluster, &error))?;
            snapshots.extend(page.db_cluster_snapshots.unwrap_or_default());
        }
        Ok(snapshots)
    }

    pub(super) async fn snapshot(&self, id: &str) -> Result<Option<DbClusterSnapshot>, AwsError> {
        let call = self.client.describe_db_cluster_snapshots();
        let answer = call.db_cluster_snapshot_identifier(id).send().await;
        match answer.map_err(|error| AwsError::call("DescribeDBClusterSnapshots", id, &error)) {
            Ok(answer) => Ok(answer
                .db_cluster_snapshots
                .unwrap_or_default()
                .into_iter()
                .next()),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn take_snapshot(
        &self,
        cluster: &str,
        id: &str,
        tags: Vec<Tag>,
    ) -> Result<(), AwsError> {
        let call = self.client.create_db_cluster_snapshot();
        let call = call
            .db_cluster_identifier(cluster)
            .db_cluster_snapshot_identifier(id);
        let answer = call.set_tags(Some(tags)).send().await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("CreateDBClusterSnapshot", id, &error))
    }

    pub(super) async fn delete_snapshot(&self, id: &str) -> Result<(), AwsError> {
        let call = self.client.delete_db_cluster_snapshot();
        let answer = call.db_cluster_snapshot_identifier(id).send().await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("DeleteDBClusterSnapshot", id, &error))
    }

    pub(super) async fn fail_over(&self, cluster: &str) -> Result<(), AwsError> {
        let call = self.client.failover_db_cluster();
        let answer = call.db_cluster_identifier(cluster).send().await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("FailoverDBCluster", cluster, &error))
    }

    /// The beginning of a change that is made at once, rather than in the maintenance window.
    pub(super) fn change_cluster(&self) -> ModifyDbClusterInputBuilder {
        ModifyDbClusterInputBuilder::default().apply_immediately(true)
    }

    pub(super) async fn modify_cluster(
        &self,
        id: &str,
        change: ModifyDbClusterInputBuilder,
    ) -> Result<(), AwsError> {
        let change = change.db_cluster_identifier(id);
        let answer = change.send_with(&self.client).await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("ModifyDBCluster", id, &error))
    }

    pub(super) async fn rename_member(&self, id: &str, new: &str) -> Result<(), AwsError> {
        let call = self.client.modify_db_instance().db_instance_identifier(id);
        let call = call.new_db_instance_identifier(new).apply_immediately(true);
        let answer = call.send().await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("ModifyDBInstance", id, &error))
    }

    pub(super) async fn create_member(
        &self,
        wanted: CreateDbInstanceInputBuilder,
    ) -> Result<(), AwsError> {
        let id = wanted
            .get_db_instance_identifier()
            .clone()
            .unwrap_or_default();
        let answer = wanted.send_with(&self.client).await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("CreateDBInstance", &id, &error))
    }

    pub(super) async fn restore_snapshot(
        &self,
        wanted: RestoreDbClusterFromSnapshotInputBuilder,
    ) -> Result<(), AwsError> {
        let id = wanted
            .get_db_cluster_identifier()
            .clone()
            .unwrap_or_default();
        let answer = wanted.send_with(&self.client).await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("RestoreDBClusterFromSnapshot", &id, &error))
    }

    pub(super) async fn restore_moment(
        &self,
        wanted: RestoreDbClusterToPointInTimeInputBuilder,
    ) -> Result<(), AwsError> {
        let id = wanted
            .get_db_cluster_identifier()
            .clone()
            .unwrap_or_default();
        let answer = wanted.send_with(&self.client).await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("RestoreDBClusterToPointInTime", &id, &error))
    }

    /// Opens the Data API of a provisioned or Serverless v2 cluster; `ModifyDBCluster` can't.
    pub(super) async fn open_data_api(&self, arn: &str) -> Result<(), AwsError> {
        let answer = self.client.enable_http_endpoint().resource_arn(arn).send();
        answer
            .await
            .map(drop)
            .map_err(|error| AwsError::call("EnableHttpEndpoint", arn, &error))
    }

    pub(super) async fn untag(&self, arn: &str, key: &str) -> Result<(), AwsError> {
        let call = self.client.remove_tags_from_resource().resource_name(arn);
        let answer = call.tag_keys(key).send().await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("RemoveTagsFromResource", arn, &error))
    }
}
