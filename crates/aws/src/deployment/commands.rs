//! Commands that people run: one-off tasks of the release that is deployed, placed like the service's
//! tasks.

use aws_sdk_ecs::types::{Container, ContainerOverride, Task, TaskDefinition, TaskOverride};
use mck_blueprint::model::HookStage;

use super::{DeployError, DeployedApp, Deployer, failures, network::Network, release, words};
use crate::{Account, AwsError, TaskStream, ecs::short};

/// Who started such a task, for ECS.
const STARTED_BY: &str = "mck-run";

/// A command that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedCommand {
    /// The task's id.
    pub task: String,
    /// Where its output is; none where its container's is not in CloudWatch Logs.
    pub output: Option<TaskStream>,
    container: String,
}

/// How a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandState {
    /// Its container is being started; what ECS says of the task, such as `PENDING`.
    Starting(String),
    /// It runs.
    Running,
    /// It has ended with this exit code.
    Ended(i32),
    /// It never ran, or was ended from outside: why.
    Failed(String),
}

impl Account {
    /// Starts a command in a task of its own, of the release that is deployed, in the container that
    /// the app's stack has for it.
    ///
    /// # Errors
    /// Where nothing is deployed yet, there is no room for the task, or AWS fails.
    pub fn start_command(
        &self,
        app: &DeployedApp,
        command: &[String],
    ) -> Result<StartedCommand, DeployError> {
        let family = &app.located.run_family;
        let deployer = Deployer::new(self, app);
        self.runtime
            .block_on(deployer.start_once(family, Some(command)))
    }

    /// Starts an app's hook in a task of its own, of the release that is deployed, as a deployment does;
    /// none where the app has no such hook.
    ///
    /// # Errors
    /// As [`Account::start_command`].
    pub fn start_hook(
        &self,
        app: &DeployedApp,
        stage: HookStage,
    ) -> Result<Option<StartedCommand>, DeployError> {
        let mut hooks = app.located.hooks.iter();
        let Some((_, family)) = hooks.find(|(it, _)| *it == stage) else {
            return Ok(None);
        };
        let deployer = Deployer::new(self, app);
        self.runtime
            .block_on(deployer.start_once(family, None))
            .map(Some)
    }

    /// How a command is now.
    ///
    /// # Errors
    /// Where AWS can't be asked.
    pub fn command_state(
        &self,
        app: &DeployedApp,
        started: &StartedCommand,
    ) -> Result<CommandState, AwsError> {
        let ids = [started.task.clone()];
        let ecs = self.ecs(&app.region);
        let tasks = ecs.describe_tasks(&app.located.cluster, &ids);
        let tasks = self.runtime.block_on(tasks)?;
        let task = tasks.first().ok_or(AwsError::Incomplete {
            operation: "DescribeTasks",
            subject: started.task.clone(),
            missing: "the command's task",
        })?;
        Ok(state(task, &started.container))
    }

    /// Ends a command.
    ///
    /// # Errors
    /// Where AWS refuses.
    pub fn stop_command(
        &self,
        app: &DeployedApp,
        started: &StartedCommand,
    ) -> Result<(), AwsError> {
        let reason = format!("stopped by {}", app.by);
        let ecs = self.ecs(&app.region);
        let stop = ecs.stop_task(&app.located.cluster, &started.task, &reason);
        self.runtime.block_on(stop)
    }
}

impl Deployer<'_> {
    /// Starts a task of a family, with another command than its own where one is given.
    async fn start_once(
        &self,
        family: &str,
        command: Option<&[String]>,
    ) -> Result<StartedCommand, DeployError> {
        let located = &self.app.located;
        let service = self.ecs.service(&located.cluster, &located.service).await?;
        let not_deployed = || DeployError::NotApplied {
            app: located.app.clone(),
            missing: format!("service {}", located.service),
        };
        let service = service.ok_or_else(not_deployed)?;
        let deployed = self.wanted_definition(&service).await?;
        let release = release::release_of(&deployed).ok_or_else(not_deployed)?;
        let definition = self.of_release(family, release).await?;
        let container = definition.container_definitions().first();
        let container = container.and_then(|it| it.name()).unwrap_or_default();
        let network = Network::of_service(&service);
        let task = self
            .run_once(&definition, container, command, &network)
            .await?;
        let id = short(task.task_arn().unwrap_or_default()).to_owned();
        Ok(StartedCommand {
            output: words::stream(&definition, container, &id),
            container: container.to_owned(),
            task: id,
        })
    }

    async fn run_once(
        &self,
        definition: &TaskDefinition,
        container: &str,
        command: Option<&[String]>,
        network: &Network,
    ) -> Result<Task, AwsError> {
        let task = network.task(&self.app.located.cluster, definition, STARTED_BY);
        let Some(command) = command else {
            return self.ecs.run_task(task).await;
        };
        let instead = ContainerOverride::builder().name(container);
        let instead = instead.set_command(Some(command.to_vec())).build();
        let instead = TaskOverride::builder().container_overrides(instead);
        self.ecs.run_task(task.overrides(instead.build())).await
    }
}

/// How the command in a container of a task is.
fn state(task: &Task, container: &str) -> CommandState {
    let status = task.last_status().unwrap_or_default();
    let mut containers = task.containers().iter();
    let found = containers.find(|it| it.name() == Some(container));
    // ECS tells a task's end a while after that of its containers.
    let code = found.and_then(Container::exit_code);
    match (code, status) {
        (Some(code), _) => CommandState::Ended(code),
        (None, "STOPPED") => {
            let failed = failures::one_off(task);
            let stopped = task.stopped_reason().unwrap_or("it was stopped");
            CommandState::Failed(failed.map_or_else(|| stopped.to_owned(), |it| it.tell()))
        }
        (None, "RUNNING" | "DEACTIVATING" | "STOPPING" | "DEPROVISIONING") => CommandState::Running,
        (None, status) => CommandState::Starting(status.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::TaskStopCode;

    use super::*;

    fn task(status: &str, code: Option<i32>) -> Task {
        let container = Container::builder().name("php-fpm").set_exit_code(code);
        Task::builder()
            .last_status(status)
            .containers(container.build())
            .build()
    }

    #[test]
    fn a_command_has_its_own_exit_code() {
        for (status, code, expected) in [
            (
                "PENDING",
                None,
                CommandState::Starting("PENDING".to_owned()),
            ),
            ("RUNNING", None, CommandState::Running),
            ("DEPROVISIONING", Some(3), CommandState::Ended(3)),
            ("STOPPED", Some(0), CommandState::Ended(0)),
        ] {
            assert_eq!(state(&task(status, code), "php-fpm"), expected, "{status}");
        }
    }

    #[test]
    fn what_never_ran_says_why() {
        let mut task = task("STOPPED", None);
        task.stop_code = Some(TaskStopCode::TaskFailedToStart);
        task.stopped_reason =
            Some("CannotPullContainerError: manifest unknown: not found".to_owned());
        let CommandState::Failed(reason) = state(&task, "php-fpm") else {
            panic!("it never ran");
        };
        assert!(reason.contains("an image of it is not there"), "{reason}");
    }
}
