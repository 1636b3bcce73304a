//! Where a one-off task runs: like the service's tasks.
//!
//! Before the first deployment there is no service; then the app's template says where it would be.

use std::collections::BTreeMap;

use aws_sdk_ecs::{
    operation::run_task::builders::RunTaskInputBuilder,
    types::{
        AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, NetworkConfiguration,
        PropagateTags, Service, TaskDefinition,
    },
};
use serde_json::Value;

use crate::AwsError;

/// The name of the service in an app's template.
const SERVICE: &str = "Service";

/// Where a one-off task runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Network {
    pub(super) configuration: Option<NetworkConfiguration>,
    pub(super) capacity: Vec<CapacityProviderStrategyItem>,
}

impl Network {
    /// That of a service.
    pub(super) fn of_service(service: &Service) -> Self {
        Self {
            configuration: service.network_configuration.clone(),
            capacity: service.capacity_provider_strategy().to_vec(),
        }
    }

    /// A task of this definition, placed so.
    pub(super) fn task(
        &self,
        cluster: &str,
        definition: &TaskDefinition,
        started_by: &str,
    ) -> RunTaskInputBuilder {
        let capacity = self.capacity.clone();
        RunTaskInputBuilder::default()
            .cluster(cluster)
            .task_definition(definition.task_definition_arn().unwrap_or_default())
            .set_network_configuration(self.configuration.clone())
            .set_capacity_provider_strategy((!capacity.is_empty()).then_some(capacity))
            .enable_ecs_managed_tags(true)
            .propagate_tags(PropagateTags::TaskDefinition)
            .started_by(started_by)
    }

    /// That of the service in a template, with what parameters and resources are worth.
    pub(super) fn of_template(
        stack: &str,
        template: &Value,
        values: &BTreeMap<String, String>,
    ) -> Result<Self, AwsError> {
        let incomplete = |missing| AwsError::Incomplete {
            operation: "GetTemplate",
            subject: stack.to_owned(),
            missing,
        };
        let service = &template["Resources"][SERVICE]["Properties"];
        let network = &service["NetworkConfiguration"]["AwsvpcConfiguration"];
        let list = |value: &Value| -> Option<Vec<String>> {
            let items = value.as_array()?.iter();
            items.map(|it| resolve(it, values)).collect()
        };
        let subnets = list(&network["Subnets"]).ok_or_else(|| incomplete("subnets"))?;
        let groups = list(&network["SecurityGroups"]);
        let groups = groups.ok_or_else(|| incomplete("security groups"))?;
        let configuration = AwsVpcConfiguration::builder()
            .set_subnets(Some(subnets))
            .set_security_groups(Some(groups))
            .assign_public_ip(AssignPublicIp::Disabled)
            .build();
        let configuration = configuration.map_err(|_| incomplete("subnets"))?;
        let provider = &service["CapacityProviderStrategy"][0]["CapacityProvider"];
        let provider =
            resolve(provider, values).ok_or_else(|| incomplete("a capacity provider"))?;
        let capacity = CapacityProviderStrategyItem::builder()
            .capacity_provider(provider)
            .weight(1)
            .build()
            .map_err(|_| incomplete("a capacity provider"))?;
        Ok(Self {
            configuration: Some(
                NetworkConfiguration::builder()
                    .awsvpc_configuration(configuration)
                    .build(),
            ),
            capacity: vec![capacity],
        })
    }
}

/// What a text of a template is worth: itself, or what it refers to. The id of a security group is
/// both its physical id and its attribute `GroupId`.
fn resolve(value: &Value, values: &BTreeMap<String, String>) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let name = value["Ref"].as_str();
    let name = name.or_else(|| value["Fn::GetAtt"][0].as_str())?;
    values.get(name).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_template_of_the_service_is_resolved() {
        let template = json!({ "Resources": { "Service": { "Properties": {
            "CapacityProviderStrategy": [{ "CapacityProvider": { "Ref": "Provider" }, "Weight": 1 }],
            "NetworkConfiguration": { "AwsvpcConfiguration": {
                "Subnets": [{ "Ref": "SubnetAppA" }, "subnet-b"],
                "SecurityGroups": [{ "Fn::GetAtt": ["SecurityGroupShop", "GroupId"] }],
            } },
        } } } });
        let values = [
            ("Provider", "shop-main"),
            ("SubnetAppA", "subnet-a"),
            ("SecurityGroupShop", "sg-1"),
        ];
        let mut values: BTreeMap<String, String> = values
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let network = Network::of_template("app", &template, &values).expect("it is complete");
        let vpc = network.configuration.as_ref();
        let vpc = vpc
            .and_then(|it| it.awsvpc_configuration())
            .expect("it has one");
        assert_eq!(vpc.subnets(), ["subnet-a", "subnet-b"]);
        assert_eq!(vpc.security_groups(), ["sg-1"]);
        assert_eq!(network.capacity[0].capacity_provider(), "shop-main");
        values.remove("Provider");
        let error = Network::of_template("app", &template, &values).expect_err("it lacks one");
        assert!(error.to_string().contains("capacity provider"), "{error}");
    }

    /// The kit's own template has the service where it is looked for.
    #[test]
    fn a_template_of_the_kit_is_resolved() {
        let template = include_str!("../../../aws-stacks/tests/golden/single-nat/app-shop.json");
        let template: Value = serde_json::from_str(template).expect("it is JSON");
        let names = ["Parameters", "Resources"].map(|part| template[part].as_object());
        let names = names.into_iter().flatten().flat_map(|it| it.keys());
        let values: BTreeMap<String, String> = names
            .map(|name| (name.clone(), format!("id of {name}")))
            .collect();
        let network = Network::of_template("app-shop", &template, &values);
        let network = network.expect("nothing is missing");
        let vpc = network.configuration.as_ref();
        let vpc = vpc.and_then(|it| it.awsvpc_configuration());
        let vpc = vpc.expect("it has one");
        let all = vpc.subnets().iter().chain(vpc.security_groups());
        assert!(all.clone().count() >= 2);
        assert!(all.into_iter().all(|it| it.starts_with("id of ")));
    }
}
