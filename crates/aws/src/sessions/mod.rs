//! Sessions on servers and in containers: AWS opens them, and the session-manager-plugin speaks
//! over them.

mod plugin;
mod port;

pub use plugin::{PluginCall, PluginVersion};
pub use port::{ForwardedPort, OpenedPort};

use aws_sdk_ecs::types::{DesiredStatus, Session as ExecSession, Task};
use aws_sdk_ssm::operation::start_session::StartSessionOutput;
use mck_aws_stacks::located::LocatedApp;
use plugin::{Opened, Token};

use crate::{
    Account, AwsError,
    ecs::{Which, short},
};

/// A running container of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecTarget {
    /// The name of the ECS cluster.
    pub cluster: String,
    /// The task's id.
    pub task: String,
    /// The container's name.
    pub container: String,
    /// The id that the container has on its server; ECS Exec knows it by that.
    pub runtime_id: String,
}

impl ExecTarget {
    /// The containers of a task that run.
    fn of(cluster: &str, task: &Task) -> Vec<Self> {
        let running = task.containers().iter().filter_map(|container| {
            Some(Self {
                cluster: cluster.to_owned(),
                task: short(task.task_arn()?).to_owned(),
                container: container.name()?.to_owned(),
                runtime_id: container.runtime_id()?.to_owned(),
            })
        });
        running.collect()
    }

    /// What Session Manager calls it.
    fn name(&self) -> String {
        let Self {
            cluster,
            task,
            runtime_id,
            ..
        } = self;
        format!("ecs:{cluster}_{task}_{runtime_id}")
    }
}

impl Account {
    /// The containers of an app's tasks that run, jobs and one-off commands not among them.
    ///
    /// # Errors
    /// Where ECS can't be asked.
    pub fn running_containers(
        &self,
        region: &str,
        app: &LocatedApp,
    ) -> Result<Vec<ExecTarget>, AwsError> {
        let ecs = self.ecs(region);
        let cluster = &app.cluster;
        let tasks = self.runtime.block_on(async {
            if ecs.service(cluster, &app.service).await?.is_none() {
                return Ok(Vec::new());
            }
            let which = Which::Service(&app.service);
            ecs.tasks(cluster, which, DesiredStatus::Running).await
        })?;
        Ok(tasks
            .iter()
            .flat_map(|it| ExecTarget::of(cluster, it))
            .collect())
    }

    /// Starts a command in a container (ECS Exec), which waits for the plugin. The command is one line,
    /// as ECS takes it.
    ///
    /// # Errors
    /// Where ECS refuses, such as for a task that was started without ECS Exec.
    pub fn execute_command(
        &self,
        region: &str,
        target: &ExecTarget,
        command: &str,
    ) -> Result<PluginCall, AwsError> {
        let client = aws_sdk_ecs::Client::new(self.clients.config(region));
        let call = client.execute_command().cluster(&target.cluster);
        let call = call.task(&target.task).container(&target.container);
        let call = call.command(command).interactive(true).send();
        let answer = self.runtime.block_on(call);
        let subject = format!("{}/{}", target.task, target.container);
        let answer = answer.map_err(|error| AwsError::call("ExecuteCommand", &subject, &error))?;
        let opened = answer.session.and_then(of_exec);
        let opened = opened.ok_or_else(|| incomplete("ExecuteCommand", &subject))?;
        Ok(PluginCall::new(
            &opened,
            region,
            &target.name(),
            &endpoint(region),
        ))
    }

    /// Opens a session on an instance, which waits for the plugin: a shell, or one command line.
    ///
    /// # Errors
    /// Where Session Manager refuses, such as for an instance whose agent is not connected.
    pub fn start_session(
        &self,
        region: &str,
        instance: &str,
        command: Option<&str>,
    ) -> Result<PluginCall, AwsError> {
        let client = aws_sdk_ssm::Client::new(self.clients.config(region));
        let call = client.start_session().target(instance);
        let call = match command {
            Some(line) => call
                .document_name(COMMAND_DOCUMENT)
                .parameters("command", vec![line.to_owned()]),
            None => call,
        };
        let answer = self.runtime.block_on(call.send());
        let answer = answer.map_err(|error| AwsError::call("StartSession", instance, &error))?;
        let opened = of_start(answer).ok_or_else(|| incomplete("StartSession", instance))?;
        Ok(PluginCall::new(
            &opened,
            region,
            instance,
            &endpoint(region),
        ))
    }
}

/// The document with which a session is one command that may ask its user (Systems Manager's own).
const COMMAND_DOCUMENT: &str = "AWS-StartInteractiveCommand";

fn of_start(answer: StartSessionOutput) -> Option<Opened> {
    Some(Opened {
        session_id: answer.session_id?,
        stream_url: answer.stream_url?,
        token_value: Token(answer.token_value?),
    })
}

fn of_exec(session: ExecSession) -> Option<Opened> {
    Some(Opened {
        session_id: session.session_id?,
        stream_url: session.stream_url?,
        token_value: Token(session.token_value?),
    })
}

fn incomplete(operation: &'static str, subject: &str) -> AwsError {
    AwsError::Incomplete {
        operation,
        subject: subject.to_owned(),
        missing: "the session",
    }
}

/// Where the plugin resumes a session whose connection broke: Systems Manager's own address, or the
/// one that the environment says.
fn endpoint(region: &str) -> String {
    let named = ["AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL"];
    let named = named.iter().find_map(|name| std::env::var(name).ok());
    named.unwrap_or_else(|| {
        let domain = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        format!("https://ssm.{region}.{domain}")
    })
}
