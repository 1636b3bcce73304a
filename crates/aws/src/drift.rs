//! What was changed behind our back.

use std::time::Duration;

use aws_sdk_cloudformation::types::StackResourceDriftStatus;
use mck_aws_stacks::difference::StackTemplate;
use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{account::Account, client::Client, error::AwsError, follow::Waits};

/// How long CloudFormation may look at one stack.
const DEADLINE: Duration = Duration::from_secs(900);

/// What differs between a stack and what it is in truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Drift {
    /// The stack's id.
    pub stack: String,
    /// Resources that differ.
    pub resources: Vec<DriftedResource>,
    /// Why not everything could be looked at; empty where it could.
    pub incomplete: String,
}

/// A resource that is not as its stack made it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DriftedResource {
    /// Its name in the template.
    pub logical_id: String,
    /// Its own id.
    pub physical_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is, in one sentence.
    pub description: String,
    /// Whether it is gone altogether.
    pub is_deleted: bool,
    /// Properties that differ.
    pub properties: Vec<DriftedProperty>,
}

/// A property that is not as its stack made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DriftedProperty {
    /// Where it is, such as `Tags/0/Value`.
    pub path: String,
    /// What the stack says; none where it says nothing.
    pub expected: Option<String>,
    /// What there is; none where there is nothing.
    pub actual: Option<String>,
}

impl Account {
    /// Looks at stacks that are there, all in parallel.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub fn drift(&self, existing: &[StackTemplate]) -> Result<Vec<Drift>, AwsError> {
        self.runtime.block_on(async {
            let mut running = JoinSet::new();
            for stack in existing {
                let client = self.clients.owned(&stack.region);
                let stack = stack.clone();
                running.spawn(async move { look(&client, &stack).await });
            }
            let mut found = Vec::new();
            while let Some(joined) = running.join_next().await {
                found.push(joined.expect("stacks are looked at without panics or aborts")?);
            }
            let place = |it: &Drift| existing.iter().position(|stack| stack.id == it.stack);
            found.sort_by_key(place);
            Ok(found)
        })
    }
}

async fn look(client: &Client, stack: &StackTemplate) -> Result<Drift, AwsError> {
    let incomplete = detect(client, &stack.name).await?;
    let mut resources = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let answer = client
            .api
            .describe_stack_resource_drifts()
            .stack_name(&stack.name)
            .stack_resource_drift_status_filters(StackResourceDriftStatus::Modified)
            .stack_resource_drift_status_filters(StackResourceDriftStatus::Deleted)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| AwsError::call("DescribeStackResourceDrifts", &stack.name, &error))?;
        let found = answer.stack_resource_drifts.unwrap_or_default().into_iter();
        resources.extend(found.filter_map(|it| drifted(stack, it)));
        next = answer.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    Ok(Drift {
        stack: stack.id.clone(),
        resources,
        incomplete,
    })
}

/// Has CloudFormation look, and says why it could not look at everything.
async fn detect(client: &Client, stack: &str) -> Result<String, AwsError> {
    let begun = client
        .api
        .detect_stack_drift()
        .stack_name(stack)
        .send()
        .await;
    let begun = begun.map_err(|error| AwsError::call("DetectStackDrift", stack, &error))?;
    let id = begun
        .stack_drift_detection_id
        .ok_or_else(|| AwsError::Incomplete {
            operation: "DetectStackDrift",
            subject: stack.to_owned(),
            missing: "the detection's id",
        })?;
    let mut waits = Waits::until(DEADLINE);
    loop {
        let call = client.api.describe_stack_drift_detection_status();
        let state = call.stack_drift_detection_id(&id).send().await;
        let state = state
            .map_err(|error| AwsError::call("DescribeStackDriftDetectionStatus", stack, &error))?;
        let status = state.detection_status.map(|it| it.as_str().to_owned());
        match status.as_deref() {
            Some("DETECTION_COMPLETE") => return Ok(String::new()),
            Some("DETECTION_FAILED") => {
                return Ok(state
                    .detection_status_reason
                    .unwrap_or_else(|| "unknown".to_owned()));
            }
            _ if waits.wait().await => {}
            _ => {
                return Err(AwsError::Deadline {
                    what: "the search for drift",
                    stack: stack.to_owned(),
                    seconds: DEADLINE.as_secs(),
                });
            }
        }
    }
}

fn drifted(
    stack: &StackTemplate,
    drift: aws_sdk_cloudformation::types::StackResourceDrift,
) -> Option<DriftedResource> {
    let status = drift.stack_resource_drift_status?;
    let is_deleted = match status {
        StackResourceDriftStatus::Deleted => true,
        StackResourceDriftStatus::Modified => false,
        // A stand-in may not filter.
        _ => return None,
    };
    let logical_id = drift.logical_resource_id?;
    let resource = stack
        .template
        .get("Resources")
        .and_then(|it| it.get(&logical_id));
    let description = resource
        .and_then(|it| it.get("Metadata")?.get(mck_cloudformation::DESCRIPTION))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let properties = drift.property_differences.unwrap_or_default().into_iter();
    let properties = properties.map(|it| DriftedProperty {
        path: it
            .property_path
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        expected: it.expected_value.filter(|it| it != "null"),
        actual: it.actual_value.filter(|it| it != "null"),
    });
    Some(DriftedResource {
        description: description.to_owned(),
        physical_id: drift.physical_resource_id.unwrap_or_default(),
        kind: drift.resource_type.unwrap_or_default(),
        properties: properties.collect(),
        logical_id,
        is_deleted,
    })
}
