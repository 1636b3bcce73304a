//! Hooks: one-off tasks around a rollout.

use std::{sync::mpsc::Sender, time::Duration};

use aws_sdk_ecs::types::{DesiredStatus, Task, TaskDefinition};
use mck_blueprint::model::HookStage;
use tokio::time::sleep;

use super::{
    DeployError, Deployer, DeploymentProgress, RolloutView, failures, network::Network, release,
};
use crate::{
    AwsError,
    ecs::{Which, short},
};

/// How often a hook's task is looked at: most hooks are over in seconds.
const PAUSE: Duration = Duration::from_millis(500);
/// Who started a hook's task, for ECS.
const STARTED_BY: &str = "mck-deploy";

impl Deployer<'_> {
    /// Runs the hook of a stage, if the app has one, and waits for it. The answer is why it failed.
    pub(super) async fn hook(
        &self,
        stage: HookStage,
        release: &str,
        network: &Network,
        tell: &Sender<DeploymentProgress>,
    ) -> Result<Option<String>, DeployError> {
        let mut hooks = self.app.located.hooks.iter();
        let Some((_, family)) = hooks.find(|(it, _)| *it == stage) else {
            return Ok(None);
        };
        let definition = self.of_release(family, release).await?;
        let task = match self.running_hook(family).await? {
            // Of this release: others were refused.
            Some(task) => task,
            None => self.run(&definition, network).await?,
        };
        let task = self.wait(task, stage, tell).await?;
        let Some(failed) = failures::one_off(&task) else {
            return Ok(None);
        };
        let words = match failed.container() {
            Some(name) => self.logs.last_words(&definition, name, &failed.id).await,
            None => Vec::new(),
        };
        let mut reason = format!("its {} hook failed; {}", word(stage), failed.tell());
        if !words.is_empty() {
            reason = format!("{reason}; its last words: {}", words.join(" | "));
        }
        Ok(Some(reason))
    }

    async fn run(&self, definition: &TaskDefinition, network: &Network) -> Result<Task, AwsError> {
        let wanted = network.task(&self.app.located.cluster, definition, STARTED_BY);
        self.ecs.run_task(wanted).await
    }

    async fn wait(
        &self,
        task: Task,
        stage: HookStage,
        tell: &Sender<DeploymentProgress>,
    ) -> Result<Task, AwsError> {
        let cluster = &self.app.located.cluster;
        let ids = [task.task_arn.clone().unwrap_or_default()];
        let mut newest = task;
        while newest.last_status() != Some("STOPPED") {
            let view = RolloutView::of_hook(&newest, word(stage));
            let _ = tell.send(DeploymentProgress::View(view));
            sleep(PAUSE).await;
            let found = self.ecs.describe_tasks(cluster, &ids).await?;
            newest = found.into_iter().next().ok_or(AwsError::Incomplete {
                operation: "DescribeTasks",
                subject: short(&ids[0]).to_owned(),
                missing: "the hook's task",
            })?;
        }
        Ok(newest)
    }

    async fn running_hook(&self, family: &str) -> Result<Option<Task>, AwsError> {
        let (cluster, family) = (&self.app.located.cluster, Which::Family(family));
        let tasks = self.ecs.tasks(cluster, family, DesiredStatus::Running);
        Ok(tasks.await?.into_iter().next())
    }

    /// Refuses where a hook of another release runs: two releases must not change the data at once. A
    /// hook of the same release was left behind by somebody who was interrupted, and is waited for.
    pub(super) async fn refuse_foreign_hooks(&self, wanted: &str) -> Result<(), DeployError> {
        for (stage, family) in &self.app.located.hooks {
            let Some(task) = self.running_hook(family).await? else {
                continue;
            };
            let arn = task.task_definition_arn().unwrap_or_default();
            let definition = self.definition(arn).await?;
            if release::release_of(&definition) != Some(wanted) {
                return Err(DeployError::Busy {
                    app: self.app.located.app.clone(),
                    stage: word(*stage),
                    task: short(task.task_arn().unwrap_or_default()).to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Ends the hooks that run before a rollout, and says whether there was one.
    pub(super) async fn stop_hooks(&self) -> Result<bool, AwsError> {
        let mut stopped = false;
        let reason = format!("stopped by {}", self.app.by);
        for (stage, family) in &self.app.located.hooks {
            if *stage == HookStage::CacheFlush {
                continue;
            }
            if let Some(task) = self.running_hook(family).await? {
                let (cluster, arn) = (&self.app.located.cluster, task.task_arn());
                let arn = arn.unwrap_or_default();
                self.ecs.stop_task(cluster, arn, &reason).await?;
                stopped = true;
            }
        }
        Ok(stopped)
    }
}

/// A stage in words.
pub(super) const fn word(stage: HookStage) -> &'static str {
    match stage {
        HookStage::Install => "install",
        HookStage::Upgrade => "upgrade",
        HookStage::CacheFlush => "cache flush",
    }
}
