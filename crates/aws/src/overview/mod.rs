//! How an environment is at a moment: apps, App Servers, database and stacks.
//!
//! `apps`, `servers` and `database` say what AWS's answers mean, and are pure; this module asks for
//! everything at the same time. What is not there yet is left out.

mod apps;
mod database;
mod servers;
mod times;

pub use apps::{AppStatus, DeploymentStatus, StoppedTask, TaskHealth, TaskStatus};
pub use database::{DatabaseMember, DatabaseStatus};
pub use servers::{ServerStatus, Share};

use aws_config::SdkConfig;
use aws_sdk_ecs::types::DesiredStatus;
use aws_sdk_rds::types::Filter;
use mck_aws_stacks::located::LocatedApp;
use serde::Serialize;
use tokio::task::{JoinHandle, JoinSet};

use crate::{
    Account, AwsError,
    client::Client,
    ecs::{Ecs, Which},
    parameters::Parameters,
};

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverviewRequest {
    /// The environment's region.
    pub region: String,
    /// Its apps.
    pub apps: Vec<LocatedApp>,
    /// The names of its ECS clusters.
    pub clusters: Vec<String>,
    /// The identifier of its database cluster.
    pub database: String,
    /// The full names of its stacks, in the order in which they are told.
    pub stacks: Vec<String>,
}

/// How an environment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Overview {
    /// The apps that were asked for, in their order.
    pub apps: Vec<AppStatus>,
    /// The App Servers of all clusters.
    pub servers: Vec<ServerStatus>,
    /// The database; none where there is none yet.
    pub database: Option<DatabaseStatus>,
    /// The stacks that there are.
    pub stacks: Vec<StackStatus>,
}

/// How a stack is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StackStatus {
    /// Its full name.
    pub name: String,
    /// What CloudFormation says, such as `UPDATE_COMPLETE`.
    pub status: String,
    /// Why, where it says so; may be empty.
    pub reason: String,
}

impl Account {
    /// How an environment is now.
    ///
    /// # Errors
    /// Where AWS can't be asked.
    pub fn overview(&self, request: &OverviewRequest) -> Result<Overview, AwsError> {
        let config = self.clients.config(&request.region);
        let client = self.clients.owned(&request.region);
        self.runtime.block_on(overview(config, client, request))
    }
}

async fn overview(
    config: &SdkConfig,
    client: Client,
    request: &OverviewRequest,
) -> Result<Overview, AwsError> {
    let ecs = Ecs::new(config);
    let servers = tokio::spawn(servers(ecs.clone(), request.clusters.clone()));
    let database = aws_sdk_rds::Client::new(config);
    let database = tokio::spawn(database_status(database, request.database.clone()));
    let stacks = tokio::spawn(stacks(client, request.stacks.clone()));
    let mut apps = JoinSet::new();
    for (place, located) in request.apps.iter().enumerate() {
        let (ecs, parameters) = (ecs.clone(), Parameters::new(config));
        let located = located.clone();
        apps.spawn(async move { Ok((place, app(&ecs, &parameters, &located).await?)) });
    }
    let apps = apps.join_all().await.into_iter();
    let mut apps = apps.collect::<Result<Vec<_>, AwsError>>()?;
    apps.sort_by_key(|(place, _)| *place);
    let servers = joined(servers).await?;
    let mut apps: Vec<AppStatus> = apps.into_iter().map(|(_, app)| app).collect();
    for app in &mut apps {
        app.name_servers(&servers);
    }
    Ok(Overview {
        apps,
        servers,
        database: joined(database).await?,
        stacks: joined(stacks).await?,
    })
}

async fn joined<T>(handle: JoinHandle<Result<T, AwsError>>) -> Result<T, AwsError> {
    handle.await.expect("calls neither panic nor are aborted")
}

async fn app(
    ecs: &Ecs,
    parameters: &Parameters,
    located: &LocatedApp,
) -> Result<AppStatus, AwsError> {
    let recorded = parameters.value(&located.release_parameter).await?;
    let mut status = AppStatus::new(&located.app, &located.cluster, recorded);
    let Some(service) = ecs.service(&located.cluster, &located.service).await? else {
        return Ok(status);
    };
    let which = Which::Service(&located.service);
    let running = ecs.tasks(&located.cluster, which, DesiredStatus::Running);
    let running = running.await?;
    let stopped = ecs.tasks(&located.cluster, which, DesiredStatus::Stopped);
    status.take(&service, &running, &stopped.await?);
    Ok(status)
}

async fn servers(ecs: Ecs, clusters: Vec<String>) -> Result<Vec<ServerStatus>, AwsError> {
    let mut found = Vec::new();
    for cluster in clusters {
        let instances = ecs.container_instances(&cluster).await?;
        found.extend(instances.iter().map(|it| ServerStatus::of(&cluster, it)));
    }
    found.sort_by(|one, other| {
        (&one.cluster, &one.zone, &one.id).cmp(&(&other.cluster, &other.zone, &other.id))
    });
    Ok(found)
}

async fn database_status(
    client: aws_sdk_rds::Client,
    identifier: String,
) -> Result<Option<DatabaseStatus>, AwsError> {
    let answer = client
        .describe_db_clusters()
        .db_cluster_identifier(&identifier);
    let answer = match answer.send().await {
        Ok(answer) => answer,
        Err(error) => {
            let error = AwsError::call("DescribeDBClusters", &identifier, &error);
            return if error.is_not_found() {
                Ok(None)
            } else {
                Err(error)
            };
        }
    };
    let Some(cluster) = answer.db_clusters.unwrap_or_default().into_iter().next() else {
        return Ok(None);
    };
    let of_cluster = Filter::builder()
        .name("db-cluster-id")
        .values(&identifier)
        .build();
    let answer = client
        .describe_db_instances()
        .filters(of_cluster)
        .send()
        .await;
    let answer =
        answer.map_err(|error| AwsError::call("DescribeDBInstances", &identifier, &error))?;
    let instances = answer.db_instances.unwrap_or_default();
    Ok(Some(DatabaseStatus::of(&cluster, &instances)))
}

async fn stacks(client: Client, names: Vec<String>) -> Result<Vec<StackStatus>, AwsError> {
    let mut there = client.list().await?;
    let found = names.into_iter().filter_map(|name| {
        let stack = there.remove(&name)?;
        Some(StackStatus {
            name,
            status: stack.status,
            reason: stack.reason,
        })
    });
    Ok(found.collect())
}
