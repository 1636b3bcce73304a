//! The first deployment: the app's stack has no service until there is a release.

use std::{
    collections::BTreeMap,
    sync::mpsc::{self, Sender},
    thread,
};

use mck_aws_stacks::{Capability, NO_RELEASE};
use mck_blueprint::model::HookStage;

use super::{
    DeployError, Deployer, DeploymentOutcome, DeploymentProgress, StartedDeployment,
    network::Network,
};
use crate::{
    AwsError, Progress, Reporter,
    client::{ChangeKind, Client, Described},
    follow::{Ended, Following, Since, newest},
    making::{Made, body, make},
    request::Request,
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
        let there = client.describe(&located.stack).await?;
        let there = there.ok_or_else(|| DeployError::NotApplied {
            app: located.app.clone(),
            missing: format!("stack {}", located.stack),
        })?;
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
        let made = self.make_service(client, &there, text, tell).await;
        if !matches!(&made, Ok(ended) if ended.is_success()) {
            self.parameters.write(parameter, NO_RELEASE).await?;
        }
        let ended = made?;
        if ended.is_success() {
            self.settle(&started.release).await?;
            return Ok(DeploymentOutcome::Deployed);
        }
        let reason = ended.reason.map_or_else(
            || format!("its stack ended as {}", ended.status),
            |it| format!("its stack could not make {}: {}", it.logical_id, it.text),
        );
        Ok(DeploymentOutcome::Failed(reason))
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

    /// Updates the stack with the template and the parameters that it has; CloudFormation reads the
    /// release from Parameter Store anew.
    async fn make_service(
        &self,
        client: &Client,
        there: &Described,
        text: String,
        tell: &Sender<DeploymentProgress>,
    ) -> Result<Ended, AwsError> {
        let request = self.request(there, text);
        let (body, stored) = body(self.clients, &request).await?;
        let made = make(client, &request, ChangeKind::Update, &body, &self.app.by).await;
        if let Some(stored) = stored {
            // S3 itself removes it a day later.
            let _ = self.clients.buckets.remove(&stored).await;
        }
        let reporter = forward(tell.clone());
        reporter.tell(Progress::Begun {
            stack: request.id.clone(),
            what: "update",
        });
        let following = Following {
            client,
            reporter: &reporter,
            label: &request.id,
            name: &request.name,
            arn: &there.id,
        };
        let change = match made? {
            Made::Set(change) => change,
            // Somebody's update made the service meanwhile.
            Made::Nothing => {
                return Ok(Ended {
                    status: there.status.clone(),
                    reason: None,
                });
            }
        };
        let since = Since::Event(newest(client, &there.id).await?);
        let token = request.token(&self.app.by);
        client.execute(&request.name, &change.name, &token).await?;
        following.follow(since).await
    }

    fn request(&self, there: &Described, text: String) -> Request {
        let capabilities = [Capability::Iam, Capability::NamedIam];
        Request {
            id: format!("app-{}", self.app.located.app),
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
