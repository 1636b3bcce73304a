//! Apps, as ECS sees them. Pure.

use aws_sdk_ecs::{
    primitives::DateTime,
    types::{Attachment, Container, Deployment, HealthStatus, Service, Task},
};
use mck_aws_stacks::NO_RELEASE;
use serde::Serialize;

use super::{ServerStatus, times::rfc_3339};
use crate::{
    deployment::{failures, rollout},
    ecs::short,
};

/// How an app is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppStatus {
    /// Its name.
    pub name: String,
    /// The name of its ECS cluster.
    pub cluster: String,
    /// Whether it has a service: not before its first deployment.
    pub is_deployed: bool,
    /// The release of its last deployment that completed.
    pub release: Option<String>,
    /// How many tasks are wanted.
    pub desired: u32,
    /// How many run.
    pub running: u32,
    /// How many are being started.
    pub pending: u32,
    /// How many run and fail no health check.
    pub healthy: u32,
    /// Whether nothing is being changed.
    pub is_settled: bool,
    /// What ECS said last, where something is being changed.
    pub latest: Option<String>,
    /// What the service has and is becoming, the wanted one first.
    pub deployments: Vec<DeploymentStatus>,
    /// Its tasks.
    pub tasks: Vec<TaskStatus>,
    /// Tasks that failed within the last hour, the newest first; ECS forgets them then.
    pub failed: Vec<StoppedTask>,
}

/// How a deployment of a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeploymentStatus {
    /// Its number: the revision of the task definition.
    pub number: u64,
    /// What ECS says: `PRIMARY` for the wanted one, `ACTIVE` for one that goes.
    pub status: String,
    /// How far it is, such as `IN_PROGRESS`; empty where ECS does not say.
    pub state: String,
    /// Why, where ECS says so.
    pub reason: Option<String>,
    /// How many tasks it is to have.
    pub desired: u32,
    /// How many run.
    pub running: u32,
    /// How many are being started.
    pub pending: u32,
    /// How many failed.
    pub failed: u32,
    /// When it began, in RFC 3339.
    pub started: Option<String>,
}

/// How a task is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskStatus {
    /// Its id.
    pub id: String,
    /// What ECS says, such as `PENDING` or `RUNNING`.
    pub status: String,
    /// What its health check says.
    pub health: TaskHealth,
    /// The availability zone; empty until it has one.
    pub zone: String,
    /// The instance id of its App Server; empty until it has one.
    pub server: String,
    /// Its address; empty until it has one.
    pub address: String,
    /// The number of the deployment that it is of.
    pub number: u64,
    /// When it was wanted, in RFC 3339.
    pub created: Option<String>,
}

/// What a task's health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskHealth {
    /// It is as it should be.
    Healthy,
    /// It fails.
    Unhealthy,
    /// There is none, or it has not said anything yet.
    Unknown,
}

/// A task that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StoppedTask {
    /// Its id.
    pub id: String,
    /// When it stopped, in RFC 3339.
    pub stopped: Option<String>,
    /// Why.
    pub reason: String,
}

impl AppStatus {
    /// An app without a service.
    pub(super) fn new(app: &str, cluster: &str, recorded: Option<String>) -> Self {
        Self {
            name: app.to_owned(),
            cluster: cluster.to_owned(),
            is_deployed: false,
            release: recorded.filter(|it| it != NO_RELEASE),
            desired: 0,
            running: 0,
            pending: 0,
            healthy: 0,
            is_settled: true,
            latest: None,
            deployments: Vec::new(),
            tasks: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Takes over what ECS says.
    pub(super) fn take(&mut self, service: &Service, running: &[Task], stopped: &[Task]) {
        self.is_deployed = true;
        self.desired = count(service.desired_count());
        self.running = count(service.running_count());
        self.pending = count(service.pending_count());
        self.is_settled =
            rollout::is_steady(service) && service.running_count() == service.desired_count();
        let latest = service.events().first().and_then(|it| it.message());
        self.latest = latest.filter(|_| !self.is_settled).map(str::to_owned);
        let mut deployments: Vec<&Deployment> = service.deployments().iter().collect();
        deployments.sort_by_key(|it| it.status() != Some("PRIMARY"));
        self.deployments = deployments.into_iter().map(deployment).collect();
        let mut tasks: Vec<&Task> = running.iter().collect();
        tasks.sort_by_key(|it| (it.created_at().map(DateTime::secs), it.task_arn()));
        self.tasks = tasks.into_iter().map(task).collect();
        let healthy = self.tasks.iter().filter(|it| it.takes_requests());
        self.healthy = healthy.count().try_into().unwrap_or(u32::MAX);
        self.failed = failed(stopped);
    }

    /// Tasks name the App Server by an id of ECS's own; people know that of the instance.
    pub(super) fn name_servers(&mut self, servers: &[ServerStatus]) {
        for task in &mut self.tasks {
            let server = servers
                .iter()
                .find(|it| it.container_instance == task.server);
            if let Some(server) = server {
                task.server.clone_from(&server.id);
            }
        }
    }
}

impl TaskStatus {
    fn takes_requests(&self) -> bool {
        self.status == "RUNNING" && self.health != TaskHealth::Unhealthy
    }
}

fn deployment(deployment: &Deployment) -> DeploymentStatus {
    let state = deployment.rollout_state();
    DeploymentStatus {
        number: number(deployment.task_definition()),
        status: deployment.status().unwrap_or_default().to_owned(),
        state: state.map_or_else(String::new, |it| it.as_str().to_owned()),
        reason: deployment.rollout_state_reason().map(str::to_owned),
        desired: count(deployment.desired_count()),
        running: count(deployment.running_count()),
        pending: count(deployment.pending_count()),
        failed: count(deployment.failed_tasks()),
        started: rfc_3339(deployment.created_at()),
    }
}

fn task(task: &Task) -> TaskStatus {
    TaskStatus {
        id: short(task.task_arn().unwrap_or_default()).to_owned(),
        status: task.last_status().unwrap_or_default().to_owned(),
        health: match task.health_status() {
            Some(HealthStatus::Healthy) => TaskHealth::Healthy,
            Some(HealthStatus::Unhealthy) => TaskHealth::Unhealthy,
            _ => TaskHealth::Unknown,
        },
        zone: task.availability_zone().unwrap_or_default().to_owned(),
        server: short(task.container_instance_arn().unwrap_or_default()).to_owned(),
        address: address(task).unwrap_or_default().to_owned(),
        number: number(task.task_definition_arn()),
        created: rfc_3339(task.created_at()),
    }
}

/// The private address of a task's network interface (`awsvpc`).
fn address(task: &Task) -> Option<&str> {
    let details = task.attachments().iter().flat_map(Attachment::details);
    let mut details = details.filter(|it| it.name() == Some("privateIPv4Address"));
    let attached = details.next().and_then(|it| it.value());
    let interfaces = || {
        let mut interfaces = task
            .containers()
            .iter()
            .flat_map(Container::network_interfaces);
        interfaces.find_map(|it| it.private_ipv4_address())
    };
    attached.or_else(interfaces)
}

/// Those of all definitions, the newest first.
fn failed(stopped: &[Task]) -> Vec<StoppedTask> {
    let mut definitions: Vec<&str> = stopped
        .iter()
        .filter_map(Task::task_definition_arn)
        .collect();
    definitions.sort_unstable();
    definitions.dedup();
    let failed = definitions
        .into_iter()
        .flat_map(|it| failures::failed(stopped, it));
    let mut failed: Vec<StoppedTask> = failed
        .map(|failed| {
            let arn = |it: &&Task| it.task_arn().is_some_and(|arn| short(arn) == failed.id);
            let task = stopped.iter().find(arn);
            StoppedTask {
                stopped: task.and_then(|it| rfc_3339(it.stopped_at().or(it.stopping_at()))),
                reason: failed.tell(),
                id: failed.id,
            }
        })
        .collect();
    failed.sort_by(|one, other| other.stopped.cmp(&one.stopped));
    failed
}

/// The revision of a task definition.
fn number(arn: Option<&str>) -> u64 {
    let revision = arn.and_then(|it| it.rsplit(':').next());
    revision.and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn count(count: i32) -> u32 {
    count.try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::{DeploymentRolloutState, KeyValuePair, ServiceEvent, TaskStopCode};

    use super::*;

    const FAMILY: &str = "arn:aws:ecs:eu-central-1:1:task-definition/shop-production-shop";

    fn running(id: &str, health: HealthStatus) -> Task {
        let detail = KeyValuePair::builder()
            .name("privateIPv4Address")
            .value("172.31.3.9");
        Task::builder()
            .task_arn(format!(
                "arn:aws:ecs:eu-central-1:1:task/shop-production-app/{id}"
            ))
            .task_definition_arn(format!("{FAMILY}:7"))
            .last_status("RUNNING")
            .health_status(health)
            .availability_zone("eu-central-1a")
            .container_instance_arn("arn:aws:ecs:eu-central-1:1:container-instance/c/0123")
            .attachments(Attachment::builder().details(detail.build()).build())
            .created_at(DateTime::from_secs(1_800_000_000))
            .build()
    }

    fn service() -> Service {
        let deployment = |status: &str, number: u64, state: DeploymentRolloutState| {
            Deployment::builder()
                .status(status)
                .task_definition(format!("{FAMILY}:{number}"))
                .desired_count(2)
                .running_count(1)
                .failed_tasks(1)
                .rollout_state(state)
                .build()
        };
        Service::builder()
            .desired_count(2)
            .running_count(2)
            .deployments(deployment("ACTIVE", 6, DeploymentRolloutState::Completed))
            .deployments(deployment("PRIMARY", 7, DeploymentRolloutState::InProgress))
            .events(
                ServiceEvent::builder()
                    .message("has started 1 tasks")
                    .build(),
            )
            .build()
    }

    #[test]
    fn a_service_in_a_deployment_is_told_with_its_tasks_and_failures() {
        let failed = Task::builder()
            .task_arn("arn:aws:ecs:eu-central-1:1:task/c/dead")
            .task_definition_arn(format!("{FAMILY}:7"))
            .stop_code(TaskStopCode::EssentialContainerExited)
            .containers(Container::builder().name("php-fpm").exit_code(78).build())
            .stopped_at(DateTime::from_secs(1_800_000_100))
            .build();
        let tasks = [
            running("aaaa", HealthStatus::Healthy),
            running("bbbb", HealthStatus::Unhealthy),
        ];
        let mut app = AppStatus::new("shop", "shop-production-app", Some("r1".to_owned()));
        app.take(&service(), &tasks, &[failed]);
        insta::assert_snapshot!(serde_json::to_string_pretty(&app).expect("it is plain data"));
    }

    #[test]
    fn an_app_before_its_first_deployment_has_no_release() {
        let app = AppStatus::new("shop", "c", Some(NO_RELEASE.to_owned()));
        assert!(!app.is_deployed && app.release.is_none());
    }

    #[test]
    fn the_server_of_a_task_is_an_instance() {
        let mut app = AppStatus::new("shop", "c", None);
        app.take(&service(), &[running("aaaa", HealthStatus::Healthy)], &[]);
        assert_eq!(app.tasks[0].server, "0123");
        let instance = aws_sdk_ecs::types::ContainerInstance::builder()
            .container_instance_arn("arn:aws:ecs:eu-central-1:1:container-instance/c/0123")
            .ec2_instance_id("i-0a")
            .build();
        app.name_servers(&[ServerStatus::of("c", &instance)]);
        assert_eq!(app.tasks[0].server, "i-0a");
    }
}
