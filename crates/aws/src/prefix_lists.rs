//! Ids of prefix lists that AWS keeps, where they are not known: CloudFormation can't find one by its
//! name.

use std::collections::BTreeMap;

use mck_aws_stacks::Stack;

use crate::{
    account::Clients,
    error::AwsError,
    query::{Service, call, texts},
};

const OPERATION: &str = "DescribeManagedPrefixLists";

/// Values of a stack's parameters, by the parameter's name.
pub(crate) type PrefixLists = BTreeMap<String, String>;

/// Looks up the lists whose ids a stack's template does not know. Nothing is asked where it knows
/// them all.
///
/// # Errors
/// Where EC2 does not answer, or the region has no such list.
pub(crate) async fn look_up(clients: &Clients, stack: &Stack) -> Result<PrefixLists, AwsError> {
    let mut found = PrefixLists::new();
    for (parameter, list) in stack.unknown_prefix_lists() {
        let filter = [
            ("Filter.1.Name", "prefix-list-name"),
            ("Filter.1.Value.1", list),
        ];
        let config = clients.config(&stack.region);
        let answer = call(config, Service::Ec2, OPERATION, list, &filter).await?;
        let id = texts(&answer, "prefixListId").into_iter().next();
        let id = id.ok_or_else(|| AwsError::PrefixListMissing {
            list: list.to_owned(),
            region: stack.region.clone(),
        })?;
        found.insert(parameter.to_owned(), id);
    }
    Ok(found)
}
