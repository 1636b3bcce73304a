//! Roles of AWS's services that must be in the account before a stack.

use aws_config::SdkConfig;
use mck_aws_stacks::ServiceLinkedRole;

use crate::{
    error::AwsError,
    query::{Service, call},
};

/// Makes a service's role where the account has none, and says whether it made one.
///
/// It is looked for first: who may not make such a role needs no right to where it is there.
///
/// # Errors
/// Where IAM does not answer or refuses.
pub(crate) async fn ensure(config: &SdkConfig, role: ServiceLinkedRole) -> Result<bool, AwsError> {
    let name = [("RoleName", role.name)];
    match call(config, Service::Iam, "GetRole", role.name, &name).await {
        Ok(_) => return Ok(false),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    let operation = "CreateServiceLinkedRole";
    let service = [("AWSServiceName", role.service)];
    match call(config, Service::Iam, operation, role.name, &service).await {
        Ok(_) => Ok(true),
        // Somebody else made it meanwhile. IAM calls that an invalid input.
        Err(AwsError::Call { message, .. })
            if message.contains("has been taken") || message.starts_with("EntityAlreadyExists") =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
