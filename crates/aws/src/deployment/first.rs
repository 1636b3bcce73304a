//! The first deployment: the app's stack has no service until there is a release.

use std::{
    collections::BTreeMap,
    sync::mpsc::{self, Sender},
    thread,
};

use aws_sdk_ecs::types::Service;
use mck_aws_stacks::{Capability, NO_RELEASE};
use mck_blueprint::model::HookStage;

use super::{
    DeployError, Deployer, DeploymentOutcome, DeploymentProgress, StartedDeployment,
    network::Network, release::release_of,
};
use crate::{
    AwsError, Progress, Reporter,
    client::{ChangeKind, Client, Described},
    follow::{Ended, Following, Since, newest},
    making::{Made, body, make},
    request::Request,
    status::Phase,
};

impl Deployer<'_> {
    /// The hooks of an installation, then the service, which the stack makes.
    ///
    /// The release is recorded after the hooks, for only then may the stack read it: whoever is
    /// interrupted before leaves an environment in which no update makes a service of an app that is
    /// not installed.
    pub(super) async fn first(
        &self,
        started: &StartedDeployment,
        tell: &Sender<DeploymentProgress>,
    ) -> Result<DeploymentOutcome, DeployError> {
        let located = &self.app.located;
        let client = self.clients.of(&self.app.region);
        let reporter = forward(tell.clone());
        let there = self.at_rest(client, &reporter).await?;
        let service = self.ecs.service(&located.cluster, &located.service).await?;
        if let Some(service) = service {
            return self.made_meanwhile(&service, &started.release).await;
        }
        let text = client.template(&located.stack).await?;
        let network = self.network(client, &there, &text).await?;
        for stage in [HookStage::Install, HookStage::Upgrade] {
            let failed = self.hook(stage, &started.release, &network, tell).await?;
            if let Some(reason) = failed {
                return Ok(DeploymentOutcome::Failed(reason));
            }
        }
        let parameter = &located.release_parameter;
        self.parameters.write(parameter, &started.release).await?;
        let begun = self.begin_update(client, &there, text, &reporter).await;
        if begun.is_err() && !self.is_changing(client).await {
            self.parameters.write(parameter, NO_RELEASE).await?;
        }
        let ended = match begun? {
            Some(since) => self.follow_stack(client, &there, &reporter, since).await?,
            // Somebody's update made the service meanwhile.
            None => Ended {
                status: there.status.clone(),
                reason: None,
            },
        };
        if ended.is_success() {
            self.settle(&started.release).await?;
            return Ok(DeploymentOutcome::Deployed);
        }
        self.parameters.write(parameter, NO_RELEASE).await?;
        let reason = ended.reason.map_or_else(
            || format!("its stack ended as {}", ended.status),
            |it| format!("its stack could not make {}: {}", it.logical_id, it.text),
        );
        Ok(DeploymentOutcome::Failed(reason))
    }

    /// The stack when nothing changes it any more: whoever was interrupted may have left an update
    /// behind that makes the service.
    async fn at_rest(
        &self,
        client: &Client,
        reporter: &Reporter,
    ) -> Result<Described, DeployError> {
        let there = self.stack(client).await?;
        if Phase::of(&there.status) != Phase::InProgress {
            return Ok(there);
        }
        reporter.tell(Progress::Begun {
            stack: self.label(),
            what: "update",
        });
        self.follow_stack(client, &there, reporter, Since::OperationStart)
            .await?;
        self.stack(client).await
    }

    async fn stack(&self, client: &Client) -> Result<Described, DeployError> {
        let located = &self.app.located;
        let there = client.describe(&located.stack).await?;
        there.ok_or_else(|| DeployError::NotApplied {
            app: located.app.clone(),
            missing: format!("stack {}", located.stack),
        })
    }

    /// Whether the stack changes. One that can't be asked may.
    async fn is_changing(&self, client: &Client) -> bool {
        let there = client.describe(&self.app.located.stack).await;
        there.map_or(true, |there| {
            there.is_some_and(|it| Phase::of(&it.status) == Phase::InProgress)
        })
    }

    /// The service is there after all: of this release by an update that somebody was interrupted in,
    /// whose hooks had run.
    async fn made_meanwhile(
        &self,
        service: &Service,
        release: &str,
    ) -> Result<DeploymentOutcome, DeployError> {
        let definition = self.wanted_definition(service).await?;
        if release_of(&definition) != Some(release) {
            return Ok(DeploymentOutcome::Superseded);
        }
        self.settle(release).await?;
        Ok(DeploymentOutcome::Deployed)
    }

    async fn network(
        &self,
        client: &Client,
        there: &Described,
        text: &str,
    ) -> Result<Network, AwsError> {
        let stack = &self.app.located.stack;
        let template = serde_json::from_str(text).map_err(|_| AwsError::Incomplete {
            operation: "GetTemplate",
            subject: stack.clone(),
            missing: "a template in JSON",
        })?;
        let mut values: BTreeMap<String, String> = there.parameters.clone();
        let resources = client.resources(stack).await?.into_iter();
        values.extend(resources.map(|it| (it.logical_id, it.physical_id)));
        Network::of_template(stack, &template, &values)
    }

    /// Begins to update the stack with the template and the parameters that it has; CloudFormation
    /// reads the release from Parameter Store anew. None where that changes nothing.
    async fn begin_update(
        &self,
        client: &Client,
        there: &Described,
        text: String,
        reporter: &Reporter,
    ) -> Result<Option<Since>, AwsError> {
        let request = self.request(there, text);
        let (body, stored) = body(self.clients, &request).await?;
        let made = make(client, &request, ChangeKind::Update, &body, &self.app.by).await;
        if let Some(stored) = stored {
            // S3 itself removes it a day later.
            let _ = self.clients.buckets.remove(&stored).await;
        }
        let Made::Set(change) = made? else {
            return Ok(None);
        };
        reporter.tell(Progress::Begun {
            stack: self.label(),
            what: "update",
        });
        let since = Since::Event(newest(client, &there.id).await?);
        let token = request.token(&self.app.by);
        client.execute(&request.name, &change.name, &token).await?;
        Ok(Some(since))
    }

    async fn follow_stack(
        &self,
        client: &Client,
        there: &Described,
        reporter: &Reporter,
        since: Since,
    ) -> Result<Ended, AwsError> {
        let following = Following {
            client,
            reporter,
            label: &self.label(),
            name: &self.app.located.stack,
            arn: &there.id,
        };
        following.follow(since).await
    }

    /// The stack's id for people.
    fn label(&self) -> String {
        format!("app-{}", self.app.located.app)
    }

    fn request(&self, there: &Described, text: String) -> Request {
        let capabilities = [Capability::Iam, Capability::NamedIam];
        Request {
            id: self.label(),
            name: self.app.located.stack.clone(),
            region: self.app.region.clone(),
            body: text,
            parameters: there.parameters.clone(),
            tags: there.tags.clone(),
            capabilities: capabilities.map(|it| it.as_str().to_owned()).into(),
            is_protected: there.is_protected,
        }
    }
}

/// A reporter whose listener is a deployment's.
fn forward(tell: Sender<DeploymentProgress>) -> Reporter {
    let (sender, events) = mpsc::channel();
    // It ends with the reporter.
    thread::spawn(move || {
        for event in events {
            if tell.send(DeploymentProgress::Stack(event)).is_err() {
                break;
            }
        }
    });
    Reporter::new(sender)
}
