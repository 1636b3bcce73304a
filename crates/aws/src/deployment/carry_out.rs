//! From the first hook to the last: a deployment's course.

use std::{
    sync::mpsc::Sender,
    time::{Duration, Instant},
};

use aws_sdk_ecs::{
    operation::update_service::builders::UpdateServiceInputBuilder,
    types::{DesiredStatus, Service, TaskDefinition},
};
use mck_blueprint::model::HookStage;
use tokio::time::sleep;

use super::{
    DeployError, Deployer, RolloutView,
    begin::{Preparation, StartedDeployment},
    failures::{self, FailedTask},
    network::Network,
    rollout::{self, Rollout},
    view::Seen,
};
use crate::{AwsError, Progress, ecs::Which};

/// How often a rollout is looked at while it is young, and later.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// How long a rollout is young.
const YOUNG: Duration = Duration::from_secs(60);

/// Something that happens in a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentProgress {
    /// How it is now.
    View(RolloutView),
    /// Something that its stack does; only in the first deployment.
    Stack(Progress),
    /// Something that does not stop it.
    Warning(String),
}

/// How a deployment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentOutcome {
    /// All tasks are of it and healthy.
    Deployed,
    /// It was given up for this reason, and the one before serves.
    RolledBack(String),
    /// It was given up for this reason, and there was none before.
    Failed(String),
    /// Another one began before it ended.
    Superseded,
}

impl Deployer<'_> {
    pub(super) async fn carry_out(
        &self,
        started: &StartedDeployment,
        tell: &Sender<DeploymentProgress>,
    ) -> Result<DeploymentOutcome, DeployError> {
        if started.preparation == Preparation::Install {
            return self.first(started, tell).await;
        }
        let located = &self.app.located;
        let service = self.service().await?;
        let network = Network::of_service(&service);
        if started.preparation == Preparation::Upgrade {
            let failed = self.hook(HookStage::Upgrade, &started.release, &network, tell);
            if let Some(reason) = failed.await? {
                return Ok(DeploymentOutcome::RolledBack(reason));
            }
        }
        let primary = rollout::primary(&service).and_then(|it| it.task_definition());
        if primary != Some(started.definition.as_str()) {
            self.update(&started.definition).await?;
        }
        let last_event = service.events().first().and_then(|it| it.id());
        let outcome = self.follow(started, last_event, tell).await?;
        if outcome == DeploymentOutcome::Deployed {
            let flushed = self.hook(HookStage::CacheFlush, &started.release, &network, tell);
            if let Some(reason) = flushed.await? {
                let _ = tell.send(DeploymentProgress::Warning(format!(
                    "{}'s {reason}",
                    located.app
                )));
            }
            self.settle(&started.release).await?;
        }
        Ok(outcome)
    }

    async fn service(&self) -> Result<Service, DeployError> {
        let located = &self.app.located;
        let service = self.ecs.service(&located.cluster, &located.service).await?;
        // Its stack may be deleted behind our back.
        service.ok_or_else(|| DeployError::NotApplied {
            app: located.app.clone(),
            missing: format!("service {}", located.service),
        })
    }

    async fn update(&self, definition: &str) -> Result<(), AwsError> {
        let located = &self.app.located;
        let change = UpdateServiceInputBuilder::default().task_definition(definition);
        self.ecs
            .update_service(&located.cluster, &located.service, change)
            .await
            .map(drop)
    }

    /// Follows a rollout to its end, and ends it where it can't succeed.
    async fn follow(
        &self,
        started: &StartedDeployment,
        last_event: Option<&str>,
        tell: &Sender<DeploymentProgress>,
    ) -> Result<DeploymentOutcome, DeployError> {
        let definition = self.definition(&started.definition).await?;
        let mut checks = definition.container_definitions().iter();
        let is_checked = checks.any(|it| it.health_check().is_some());
        let begin = Instant::now();
        loop {
            let service = self.service().await?;
            let which = Which::Service(&self.app.located.service);
            let cluster = &self.app.located.cluster;
            let running = self.ecs.tasks(cluster, which, DesiredStatus::Running);
            let mut tasks = running.await?;
            let stopped = self
                .ecs
                .tasks(cluster, which, DesiredStatus::Stopped)
                .await?;
            let failed = failures::failed(&stopped, &started.definition);
            tasks.extend(stopped);
            let state = rollout::state(&service, &started.definition, started.before.as_deref());
            let view = RolloutView::of(&Seen {
                service: &service,
                tasks: &tasks,
                definition: &started.definition,
                is_checked,
                is_complete: state == Rollout::Completed,
                last_event,
            });
            let ready = view.new_ready();
            let _ = tell.send(DeploymentProgress::View(view));
            let outcome = match state {
                Rollout::InProgress => self.end_if_doomed(started, &failed, ready).await?,
                Rollout::Completed => return Ok(DeploymentOutcome::Deployed),
                Rollout::Superseded => return Ok(DeploymentOutcome::Superseded),
                Rollout::RolledBack(reason) => Some(End { back: true, reason }),
                Rollout::Failed(reason) => Some(End {
                    back: false,
                    reason,
                }),
            };
            if let Some(end) = outcome {
                let story = self.story(&definition, &failed).await;
                return Ok(end.told(story));
            }
            let young = begin.elapsed() < YOUNG;
            sleep(PAUSES[usize::from(!young)]).await;
        }
    }

    /// Goes back as soon as the next task must fail too: ECS's own circuit breaker would start some
    /// more first.
    async fn end_if_doomed(
        &self,
        started: &StartedDeployment,
        failed: &[FailedTask],
        ready: usize,
    ) -> Result<Option<End>, AwsError> {
        let Some(threshold) = self.app.failure_threshold else {
            return Ok(None);
        };
        if !failures::is_doomed(failed, threshold, ready) {
            return Ok(None);
        }
        let before = started.before.as_ref().filter(|_| self.app.rolls_back);
        if let Some(before) = before {
            self.update(before).await?;
        }
        Ok(Some(End {
            back: before.is_some(),
            reason: None,
        }))
    }

    async fn story(&self, definition: &TaskDefinition, failed: &[FailedTask]) -> Option<String> {
        let last = failed.last()?;
        let words = match last.container() {
            Some(name) => self.logs.last_words(definition, name, &last.id).await,
            None if last.is_unhealthy() => self.logs.of_app(definition, &last.id).await,
            None => Vec::new(),
        };
        failures::story(failed, &words)
    }

    /// After a rollout: jobs and commands of people are of the release, and it is recorded. That comes
    /// last of all: a release that is recorded has nothing left to do.
    ///
    /// Not before: until then the old release serves, jobs run its code, and an update of the stack
    /// must neither deploy a release that may be given up nor, on its way back, leave one recorded
    /// that is not served. Whoever is interrupted before this point runs the same deployment again,
    /// which finds the rollout and ends here.
    pub(super) async fn settle(&self, release: &str) -> Result<(), DeployError> {
        let located = &self.app.located;
        let jobs = located.jobs.iter().map(|(_, family)| family);
        for family in jobs.chain([&located.run_family]) {
            self.of_release(family, release).await?;
        }
        let name = &located.release_parameter;
        if self.parameters.value(name).await?.as_deref() != Some(release) {
            self.parameters.write(name, release).await?;
        }
        Ok(())
    }
}

/// A rollout that was given up.
struct End {
    /// Whether the one before serves.
    back: bool,
    /// What ECS says.
    reason: Option<String>,
}

impl End {
    fn told(self, story: Option<String>) -> DeploymentOutcome {
        let reason = story.or(self.reason);
        let reason = reason.unwrap_or_else(|| "somebody went back to the one before".to_owned());
        if self.back {
            DeploymentOutcome::RolledBack(reason)
        } else {
            DeploymentOutcome::Failed(reason)
        }
    }
}
