//! Single calls of CloudFormation, in plain values. Whatever may be missing in an answer is taken
//! for empty; nothing is decided here.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudformation as sdk;
use sdk::types::{
    Capability, ChangeSetType, DeletionMode, Parameter, ResourceChange, StackDriftInformation,
    StackDriftStatus, Tag, TemplateStage,
};

use crate::{error::AwsError, request::Request};

/// A stack as CloudFormation describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Described {
    /// Its ARN; its name where a stand-in gives none.
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) is_protected: bool,
    /// When it was found to be changed behind its back, in RFC 3339; none where it was not when
    /// that was last looked for.
    pub(crate) drifted: Option<String>,
}

/// Something that happened to a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) logical_id: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    /// The token of the request that it comes of.
    pub(crate) token: String,
    /// In RFC 3339.
    pub(crate) time: String,
    /// Whether it is the stack's own, rather than a resource's.
    pub(crate) is_of_stack: bool,
}

/// A change set that was read back.
#[derive(Debug, Clone)]
pub(crate) struct ChangeSet {
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) changes: Vec<ResourceChange>,
}

/// A resource that a stack has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) logical_id: String,
    pub(crate) physical_id: String,
    pub(crate) kind: String,
    pub(crate) status: String,
}

/// The client of a region.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) api: sdk::Client,
}

/// What a change set is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Create,
    Update,
}

/// Where a template is sent.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Inline(String),
    Url(String),
}

impl Client {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            api: sdk::Client::new(config),
        }
    }

    /// The stack of that name or ARN; none where it is not there or gone.
    pub(crate) async fn describe(&self, stack: &str) -> Result<Option<Described>, AwsError> {
        let answer = self.api.describe_stacks().stack_name(stack).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::call("DescribeStacks", stack, &error);
                return if error.is_not_found() {
                    Ok(None)
                } else {
                    Err(error)
                };
            }
        };
        let found = answer.stacks.unwrap_or_default().into_iter().next();
        let found = found.map(|found| described(stack, found));
        Ok(found.filter(|found| found.status != "DELETE_COMPLETE"))
    }

    /// All stacks of the region by name.
    pub(crate) async fn list(&self) -> Result<BTreeMap<String, Described>, AwsError> {
        let mut found = BTreeMap::new();
        let mut next: Option<String> = None;
        loop {
            let answer = self.api.describe_stacks().set_next_token(next).send().await;
            let answer =
                answer.map_err(|error| AwsError::call("DescribeStacks", "the account", &error))?;
            for stack in answer.stacks.unwrap_or_default() {
                let Some(name) = stack.stack_name.clone() else {
                    continue;
                };
                let stack = described(&name, stack);
                if stack.status != "DELETE_COMPLETE" {
                    found.insert(name, stack);
                }
            }
            next = answer.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// The text of the stack's template.
    pub(crate) async fn template(&self, stack: &str) -> Result<String, AwsError> {
        let call = self.api.get_template().stack_name(stack);
        let answer = call.template_stage(TemplateStage::Original).send().await;
        let answer = answer.map_err(|error| AwsError::call("GetTemplate", stack, &error))?;
        Ok(answer.template_body.unwrap_or_default())
    }

    /// The stack's events, the newest first, until one of them is enough.
    pub(crate) async fn events(
        &self,
        stack: &str,
        is_enough: &(dyn Fn(&Event) -> bool + Sync),
    ) -> Result<Vec<Event>, AwsError> {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let call = self.api.describe_stack_events().stack_name(stack);
            let answer = match call.set_next_token(next).send().await {
                Ok(answer) => answer,
                Err(error) => {
                    let error = AwsError::call("DescribeStackEvents", stack, &error);
                    return if error.is_not_found() {
                        Ok(found)
                    } else {
                        Err(error)
                    };
                }
            };
            for event in answer.stack_events.unwrap_or_default() {
                let event = event_of(stack, event);
                let enough = is_enough(&event);
                found.push(event);
                if enough {
                    return Ok(found);
                }
            }
            next = answer.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Asks for a change set.
    pub(crate) async fn create_change_set(
        &self,
        request: &Request,
        name: &str,
        kind: ChangeKind,
        body: &Body,
    ) -> Result<(), AwsError> {
        let call = self.api.create_change_set();
        let call = match body {
            Body::Inline(text) => call.template_body(text),
            Body::Url(url) => call.template_url(url),
        };
        let call = match kind {
            // What was kept when its stack went is taken over again.
            ChangeKind::Create => call
                .change_set_type(ChangeSetType::Create)
                .import_existing_resources(true),
            ChangeKind::Update => call.change_set_type(ChangeSetType::Update),
        };
        let parameters = request.parameters.iter().map(|(key, value)| {
            Parameter::builder()
                .parameter_key(key)
                .parameter_value(value)
                .build()
        });
        let tags = request.tags.iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let capabilities = request.capabilities.iter();
        let capabilities = capabilities.map(|it| Capability::from(it.as_str()));
        call.stack_name(&request.name)
            .change_set_name(name)
            .set_parameters(Some(parameters.collect()))
            .set_tags(Some(tags.collect()))
            .set_capabilities(Some(capabilities.collect()))
            .include_nested_stacks(false)
            .send()
            .await
            .map_err(|error| AwsError::call("CreateChangeSet", &request.name, &error))?;
        Ok(())
    }

    /// A change set with all its changes and the values before and after.
    pub(crate) async fn change_set(&self, stack: &str, name: &str) -> Result<ChangeSet, AwsError> {
        let mut read: Option<ChangeSet> = None;
        let mut next: Option<String> = None;
        loop {
            let answer = self
                .api
                .describe_change_set()
                .stack_name(stack)
                .change_set_name(name)
                .include_property_values(true)
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| AwsError::call("DescribeChangeSet", stack, &error))?;
            let changes = answer.changes.unwrap_or_default().into_iter();
            let changes = changes.filter_map(|change| change.resource_change);
            let read = read.get_or_insert_with(|| ChangeSet {
                status: answer
                    .status
                    .map(|it| it.as_str().to_owned())
                    .unwrap_or_default(),
                reason: answer.status_reason.unwrap_or_default(),
                changes: Vec::new(),
            });
            read.changes.extend(changes);
            next = answer.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(read.clone());
            }
        }
    }

    /// Removes a change set; one that is gone is as good.
    pub(crate) async fn delete_change_set(&self, stack: &str, name: &str) -> Result<(), AwsError> {
        let call = self.api.delete_change_set();
        match call.stack_name(stack).change_set_name(name).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = AwsError::call("DeleteChangeSet", stack, &error);
                if error.is_not_found() {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }

    /// Carries a change set out.
    pub(crate) async fn execute(
        &self,
        stack: &str,
        name: &str,
        token: &str,
    ) -> Result<(), AwsError> {
        self.api
            .execute_change_set()
            .stack_name(stack)
            .change_set_name(name)
            .client_request_token(token)
            .send()
            .await
            .map_err(|error| AwsError::call("ExecuteChangeSet", stack, &error))?;
        Ok(())
    }

    /// Asks for the stack's deletion; `retain` names what may stay where it could not be deleted.
    pub(crate) async fn delete(
        &self,
        stack: &str,
        retain: &[String],
        token: &str,
    ) -> Result<(), AwsError> {
        let call = self
            .api
            .delete_stack()
            .stack_name(stack)
            .client_request_token(token);
        let call = if retain.is_empty() {
            call.deletion_mode(DeletionMode::Standard)
        } else {
            call.set_retain_resources(Some(retain.to_vec()))
        };
        call.send()
            .await
            .map_err(|error| AwsError::call("DeleteStack", stack, &error))?;
        Ok(())
    }

    /// Goes on with going back.
    pub(crate) async fn continue_rollback(&self, stack: &str, token: &str) -> Result<(), AwsError> {
        let call = self.api.continue_update_rollback().stack_name(stack);
        let call = call.client_request_token(token).send().await;
        call.map_err(|error| AwsError::call("ContinueUpdateRollback", stack, &error))?;
        Ok(())
    }

    /// Says whether CloudFormation refuses to delete the stack.
    pub(crate) async fn protect(&self, stack: &str, is_protected: bool) -> Result<(), AwsError> {
        self.api
            .update_termination_protection()
            .stack_name(stack)
            .enable_termination_protection(is_protected)
            .send()
            .await
            .map_err(|error| AwsError::call("UpdateTerminationProtection", stack, &error))?;
        Ok(())
    }

    /// The stack's resources that could not be deleted.
    pub(crate) async fn undeletable(&self, stack: &str) -> Result<Vec<String>, AwsError> {
        let held = self.resources(stack).await?;
        let stuck = held.into_iter().filter(|it| it.status == "DELETE_FAILED");
        Ok(stuck.map(|it| it.logical_id).collect())
    }

    /// The stack's resources.
    pub(crate) async fn resources(&self, stack: &str) -> Result<Vec<Held>, AwsError> {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let call = self.api.list_stack_resources().stack_name(stack);
            let answer = call.set_next_token(next).send().await;
            let answer =
                answer.map_err(|error| AwsError::call("ListStackResources", stack, &error))?;
            let all = answer.stack_resource_summaries.unwrap_or_default();
            found.extend(all.into_iter().map(|it| {
                Held {
                    logical_id: it.logical_resource_id.unwrap_or_default(),
                    physical_id: it.physical_resource_id.unwrap_or_default(),
                    kind: it.resource_type.unwrap_or_default(),
                    status: it
                        .resource_status
                        .map(|it| it.as_str().to_owned())
                        .unwrap_or_default(),
                }
            }));
            next = answer.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

/// When a stack was found to be changed behind its back, where it was; DescribeStacks tells.
fn drifted(drift: Option<&StackDriftInformation>) -> Option<String> {
    let drift = drift.filter(|it| it.stack_drift_status == Some(StackDriftStatus::Drifted))?;
    let time = drift.last_check_timestamp;
    let time = time.and_then(|it| it.fmt(sdk::primitives::DateTimeFormat::DateTime).ok());
    Some(time.unwrap_or_default())
}

fn described(name: &str, stack: sdk::types::Stack) -> Described {
    let drifted = drifted(stack.drift_information.as_ref());
    let parameters = stack.parameters.unwrap_or_default().into_iter();
    let outputs = stack.outputs.unwrap_or_default().into_iter();
    let tags = stack.tags.unwrap_or_default().into_iter();
    Described {
        id: stack
            .stack_id
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| name.to_owned()),
        status: stack
            .stack_status
            .map(|it| it.as_str().to_owned())
            .unwrap_or_default(),
        reason: stack.stack_status_reason.unwrap_or_default(),
        parameters: parameters
            .filter_map(|it| Some((it.parameter_key?, it.parameter_value.unwrap_or_default())))
            .collect(),
        outputs: outputs
            .filter_map(|it| Some((it.output_key?, it.output_value?)))
            .collect(),
        tags: tags
            .filter_map(|it| Some((it.key?, it.value.unwrap_or_default())))
            .collect(),
        is_protected: stack.enable_termination_protection.unwrap_or(false),
        drifted,
    }
}

fn event_of(stack: &str, event: sdk::types::StackEvent) -> Event {
    let kind = event.resource_type.unwrap_or_default();
    let logical_id = event.logical_resource_id.unwrap_or_default();
    // A nested stack has the type too, but not the name.
    let own_name = event.stack_name.as_deref().unwrap_or(stack);
    let is_of_stack = kind == "AWS::CloudFormation::Stack" && logical_id == own_name;
    let time = event.timestamp.and_then(|time| {
        time.fmt(aws_sdk_cloudformation::primitives::DateTimeFormat::DateTime)
            .ok()
    });
    Event {
        id: event.event_id.unwrap_or_default(),
        status: event
            .resource_status
            .map(|it| it.as_str().to_owned())
            .unwrap_or_default(),
        reason: event.resource_status_reason.unwrap_or_default(),
        token: event.client_request_token.unwrap_or_default(),
        time: time.unwrap_or_default(),
        is_of_stack,
        logical_id,
        kind,
    }
}
