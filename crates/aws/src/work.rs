//! The work on one stack: step by step towards what is wanted.

use mck_aws_stacks::ServiceLinkedRole;
use serde_json::Value;

use crate::{
    apply::Scene,
    change_set,
    client::{Body, ChangeKind, Client, Described},
    error::AwsError,
    follow::{Beginning, Ended, Following, Since, beginning, newest},
    making::{Made, NamedChangeSet, body, is_same_around, is_same_template, make},
    progress::Progress,
    recovery::{Situation, Step, towards_wanted},
    request::Request,
    service_roles,
    stack_failure::Trouble,
    status::{Phase, is_rollback},
};

/// The most steps towards one stack: the longest way is to follow, delete, create, follow.
const MOST_STEPS: usize = 8;

/// The work on one stack.
pub(crate) struct Work<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) client: Client,
    pub(crate) request: Request,
    /// What must be in the account before a change.
    pub(crate) service_roles: Vec<ServiceLinkedRole>,
}

/// How far a change got.
enum Change {
    /// There was nothing to change.
    Nothing,
    /// It is done.
    Done,
    /// Somebody else was faster.
    Overtaken,
}

impl Work<'_> {
    /// Brings the stack to what is wanted, and says whether anything was changed.
    pub(crate) async fn bring(&self) -> Result<bool, Trouble> {
        let name = &self.request.name;
        let mut changed = false;
        for _ in 0..MOST_STEPS {
            let there = self.client.describe(name).await?;
            match towards_wanted(self.situation(there.as_ref()).await?) {
                Step::Create => match self.change(ChangeKind::Create, there.as_ref()).await? {
                    Change::Nothing | Change::Done => return Ok(true),
                    Change::Overtaken => {}
                },
                Step::Update => {
                    let there = there.unwrap_or_default();
                    if self.is_as_wanted(&there).await? {
                        return Ok(changed);
                    }
                    match self.change(ChangeKind::Update, Some(&there)).await? {
                        Change::Nothing => return Ok(changed),
                        Change::Done => return Ok(true),
                        Change::Overtaken => {}
                    }
                }
                Step::Delete => self.delete(&there.unwrap_or_default()).await?,
                Step::ContinueRollback => {
                    self.continue_rollback(&there.unwrap_or_default()).await?;
                }
                Step::Follow => changed |= self.attach(&there.unwrap_or_default()).await?,
                Step::Refuse => return Err(self.busy(&there.unwrap_or_default()).await?.into()),
            }
        }
        let ended = self.client.describe(name).await?;
        let status = ended.map(|it| it.status).unwrap_or_default();
        Err(Trouble::Ended(Ended {
            status,
            reason: None,
        }))
    }

    async fn situation(&self, there: Option<&Described>) -> Result<Situation, AwsError> {
        let phase = there.map(|it| Phase::of(&it.status));
        let status = there.map_or("", |it| it.status.as_str());
        let in_progress = phase == Some(Phase::InProgress);
        let is_ours = match there {
            Some(there) if in_progress => self.request.is_own(&self.beginning(there).await?.by),
            _ => false,
        };
        Ok(Situation {
            phase,
            is_ours,
            is_winding_down: in_progress
                && (status == "DELETE_IN_PROGRESS"
                    || is_rollback(status)
                    || status.contains("CLEANUP")),
        })
    }

    async fn beginning(&self, there: &Described) -> Result<Beginning, AwsError> {
        beginning(&self.client, there).await
    }

    async fn busy(&self, there: &Described) -> Result<AwsError, AwsError> {
        Ok(self
            .beginning(there)
            .await?
            .busy(&self.request.name, &there.status))
    }

    /// Whether template, parameters and tags are those that are wanted.
    async fn is_as_wanted(&self, there: &Described) -> Result<bool, AwsError> {
        if !is_same_around(&self.request, there) {
            return Ok(false);
        }
        let text = self.client.template(&self.request.name).await?;
        Ok(is_same_template(&self.request.body, &text))
    }

    fn begun(&self, what: &'static str) {
        let stack = self.request.id.clone();
        self.scene.reporter.tell(Progress::Begun { stack, what });
    }

    fn following<'a>(&'a self, arn: &'a str) -> Following<'a> {
        Following {
            client: &self.client,
            reporter: &self.scene.reporter,
            label: &self.request.id,
            name: &self.request.name,
            arn,
        }
    }

    /// Follows what is in progress, and says whether it was our own change that succeeded.
    async fn attach(&self, there: &Described) -> Result<bool, Trouble> {
        self.begun("follow");
        let is_ours = self.request.is_own(&self.beginning(there).await?.by);
        let ended = self
            .following(&there.id)
            .follow(Since::OperationStart)
            .await?;
        if is_ours && !ended.is_success() {
            return Err(Trouble::Ended(ended));
        }
        Ok(is_ours)
    }

    /// Deletes what can't be changed any more. What could not be deleted before is left behind, so
    /// that it is in nobody's way; the change set that follows takes over what has a fixed name.
    async fn delete(&self, there: &Described) -> Result<(), Trouble> {
        self.begun("remove what failed");
        let name = &self.request.name;
        if there.is_protected {
            self.client.protect(name, false).await?;
        }
        let has_failed = Phase::of(&there.status) == Phase::DeletionFailed;
        let stuck = if has_failed {
            self.client.undeletable(name).await?
        } else {
            Vec::new()
        };
        let since = Since::Event(newest(&self.client, &there.id).await?);
        let token = self.request.token(&self.scene.options.who);
        self.client.delete(name, &stuck, &token).await?;
        let ended = self.following(&there.id).follow(since).await?;
        if ended.is_success() || (!has_failed && ended.status == "DELETE_FAILED") {
            Ok(())
        } else {
            Err(Trouble::Ended(ended))
        }
    }

    async fn continue_rollback(&self, there: &Described) -> Result<(), Trouble> {
        self.begun("go on with the rollback");
        let since = Since::Event(newest(&self.client, &there.id).await?);
        let token = self.request.token(&self.scene.options.who);
        self.client
            .continue_rollback(&self.request.name, &token)
            .await?;
        let ended = self.following(&there.id).follow(since).await?;
        if Phase::of(&ended.status) == Phase::Stuck {
            return Err(Trouble::Ended(ended));
        }
        Ok(())
    }

    async fn change(&self, kind: ChangeKind, there: Option<&Described>) -> Result<Change, Trouble> {
        self.ensure_service_roles().await?;
        self.begun(if kind == ChangeKind::Create {
            "create"
        } else {
            "update"
        });
        let (body, stored) = body(&self.scene.clients, &self.request).await?;
        let result = self.change_with(kind, there, &body).await;
        if let Some(stored) = stored {
            // S3 itself removes it a day later.
            let _ = self.scene.clients.buckets.remove(&stored).await;
        }
        result
    }

    async fn ensure_service_roles(&self) -> Result<(), AwsError> {
        let config = self.scene.clients.config(&self.request.region);
        for role in &self.service_roles {
            if service_roles::ensure(config, *role).await? {
                self.begun("make a service-linked role");
            }
        }
        Ok(())
    }

    async fn change_with(
        &self,
        kind: ChangeKind,
        there: Option<&Described>,
        body: &Body,
    ) -> Result<Change, Trouble> {
        let (client, request) = (&self.client, &self.request);
        let change = match make(client, request, kind, body, &self.scene.options.who).await {
            Ok(Made::Nothing) => return Ok(Change::Nothing),
            Ok(Made::Set(change)) => change,
            Err(error) if is_overtaken(&error) => return Ok(Change::Overtaken),
            Err(error) => {
                if there.is_none() {
                    // CloudFormation keeps an empty stack for a change set that was refused.
                    let token = request.token(&self.scene.options.who);
                    let _ = client.delete(&request.name, &[], &token).await;
                }
                return Err(error.into());
            }
        };
        if kind == ChangeKind::Update {
            self.refuse_losses(&change).await?;
        }
        let now = client.describe(&request.name).await?;
        let arn = now.map_or_else(|| request.name.clone(), |it| it.id);
        let since = Since::Event(newest(client, &arn).await?);
        let token = request.token(&self.scene.options.who);
        match client.execute(&request.name, &change.name, &token).await {
            Ok(()) => {}
            Err(error) if is_overtaken(&error) => return Ok(Change::Overtaken),
            Err(error) => return Err(error.into()),
        }
        let ended = self.following(&arn).follow(since).await?;
        if ended.is_success() {
            Ok(Change::Done)
        } else {
            Err(Trouble::Ended(ended))
        }
    }

    /// What the change set does may be more than what was foretold.
    async fn refuse_losses(&self, change: &NamedChangeSet) -> Result<(), AwsError> {
        let request = &self.request;
        let before = self.client.template(&request.name).await?;
        let before: Value = serde_json::from_str(&before).unwrap_or_default();
        let after: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let sides = change_set::Sides {
            before: &before,
            after: &after,
            foretold: &[],
        };
        let lost: Vec<String> = change_set::resources(&change.set.changes, &sides)
            .into_iter()
            .filter(|it| it.data.is_some_and(|data| data.is_lost()))
            .map(|it| format!("{}/{}", request.id, it.logical_id))
            .filter(|name| !self.scene.options.accepted_losses.contains(name))
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        self.client
            .delete_change_set(&request.name, &change.name)
            .await?;
        Err(AwsError::UnexpectedLoss {
            stack: request.name.clone(),
            resources: lost.join(", "),
        })
    }
}
/// Whether a refusal only means that somebody else began first.
fn is_overtaken(error: &AwsError) -> bool {
    let AwsError::Call { message, .. } = error else {
        return false;
    };
    message.starts_with("InvalidChangeSetStatus")
        || message.starts_with("ChangeSetNotFound")
        || message.starts_with("OperationInProgressException")
        || (message.contains("_IN_PROGRESS") && message.starts_with("ValidationError"))
}
