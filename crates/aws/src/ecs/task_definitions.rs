//! Task definitions: families of numbered revisions that never change.

use aws_sdk_ecs::{
    operation::register_task_definition::builders::RegisterTaskDefinitionInputBuilder,
    types::{SortOrder, Tag, TaskDefinition, TaskDefinitionField, TaskDefinitionStatus},
};

use super::Ecs;
use crate::AwsError;

impl Ecs {
    /// A task definition with its tags: by ARN, by `family:revision`, or by its family alone for the
    /// latest that is active. None where there is none.
    pub(crate) async fn task_definition(
        &self,
        name: &str,
    ) -> Result<Option<(TaskDefinition, Vec<Tag>)>, AwsError> {
        let call = self.client.describe_task_definition().task_definition(name);
        let answer = call.include(TaskDefinitionField::Tags).send().await;
        match answer.map_err(|error| AwsError::call("DescribeTaskDefinition", name, &error)) {
            Ok(answer) => {
                let tags = answer.tags.unwrap_or_default();
                Ok(answer.task_definition.map(|it| (it, tags)))
            }
            Err(error) if is_unknown(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The ARNs of a family's revisions of that status, the newest first; at most `most`, up to 100.
    pub(crate) async fn revisions(
        &self,
        family: &str,
        status: TaskDefinitionStatus,
        most: u8,
    ) -> Result<Vec<String>, AwsError> {
        let call = self.client.list_task_definitions().family_prefix(family);
        let call = call.status(status).sort(SortOrder::Desc);
        let answer = call.max_results(most.into()).send().await;
        let answer =
            answer.map_err(|error| AwsError::call("ListTaskDefinitions", family, &error))?;
        Ok(answer.task_definition_arns.unwrap_or_default())
    }

    /// Registers a revision.
    pub(crate) async fn register(
        &self,
        definition: RegisterTaskDefinitionInputBuilder,
    ) -> Result<TaskDefinition, AwsError> {
        let family = definition.get_family().clone().unwrap_or_default();
        let answer = definition.send_with(&self.client).await;
        let answer =
            answer.map_err(|error| AwsError::call("RegisterTaskDefinition", &family, &error))?;
        answer.task_definition.ok_or(AwsError::Incomplete {
            operation: "RegisterTaskDefinition",
            subject: family,
            missing: "the task definition",
        })
    }
}

/// ECS has no code of its own for a task definition that there is not: it answers `ClientException`,
/// "Unable to describe task definition."
fn is_unknown(error: &AwsError) -> bool {
    let AwsError::Call { message, .. } = error else {
        return false;
    };
    error.is_not_found() || message.contains("Unable to describe task definition")
}
