//! Tasks.

use aws_sdk_ecs::{
    operation::run_task::builders::RunTaskInputBuilder,
    types::{DesiredStatus, Task},
};

use super::Ecs;
use crate::AwsError;

/// The most tasks that `DescribeTasks` takes.
const DESCRIBED_AT_ONCE: usize = 100;

/// Which tasks of a cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    /// Those of a service.
    Service(&'a str),
    /// Those of a family of task definitions.
    Family(&'a str),
}

impl Ecs {
    /// The tasks that should run, or those that should not. ECS forgets a stopped task after an hour.
    pub(crate) async fn tasks(
        &self,
        cluster: &str,
        which: Which<'_>,
        desired: DesiredStatus,
    ) -> Result<Vec<Task>, AwsError> {
        let call = self.client.list_tasks().cluster(cluster);
        let call = match which {
            Which::Service(name) => call.service_name(name),
            Which::Family(name) => call.family(name),
        };
        let mut pages = call.desired_status(desired).into_paginator().send();
        let mut tasks = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page.map_err(|error| AwsError::call("ListTasks", cluster, &error)) {
                Ok(page) => page,
                // Without a cluster there are no tasks; what is missing is told by what needs it.
                Err(error) if error.is_not_found() => return Ok(tasks),
                Err(error) => return Err(error),
            };
            let arns = page.task_arns.unwrap_or_default();
            tasks.extend(self.describe_tasks(cluster, &arns).await?);
        }
        Ok(tasks)
    }

    /// Tasks by their ids or ARNs; those that ECS does not know any longer are left out.
    pub(crate) async fn describe_tasks(
        &self,
        cluster: &str,
        ids: &[String],
    ) -> Result<Vec<Task>, AwsError> {
        let mut tasks = Vec::with_capacity(ids.len());
        for ids in ids.chunks(DESCRIBED_AT_ONCE) {
            let call = self.client.describe_tasks().cluster(cluster);
            let answer = call.set_tasks(Some(ids.to_vec())).send().await;
            let answer =
                answer.map_err(|error| AwsError::call("DescribeTasks", cluster, &error))?;
            tasks.extend(answer.tasks.unwrap_or_default());
        }
        Ok(tasks)
    }

    /// Runs one task. Where ECS finds no room for it, that is an error.
    pub(crate) async fn run_task(&self, wanted: RunTaskInputBuilder) -> Result<Task, AwsError> {
        let what = wanted.get_task_definition().clone().unwrap_or_default();
        let answer = wanted.count(1).send_with(&self.client).await;
        let answer = answer.map_err(|error| AwsError::call("RunTask", &what, &error))?;
        if let Some(task) = answer.tasks.unwrap_or_default().into_iter().next() {
            return Ok(task);
        }
        let reasons: Vec<String> = answer
            .failures
            .unwrap_or_default()
            .iter()
            .map(|it| {
                let words = [it.reason(), it.detail()];
                words.into_iter().flatten().collect::<Vec<_>>().join(": ")
            })
            .collect();
        Err(AwsError::NotPlaced {
            task_definition: what,
            reason: reasons.join("; "),
        })
    }

    /// Asks a task to end. A task that has ended already is no error.
    pub(crate) async fn stop_task(
        &self,
        cluster: &str,
        task: &str,
        reason: &str,
    ) -> Result<(), AwsError> {
        let call = self.client.stop_task().cluster(cluster).task(task);
        let answer = call.reason(reason).send().await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("StopTask", task, &error))
    }
}
