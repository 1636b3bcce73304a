//! A stack: a template, and what it is made with.

use std::collections::{BTreeMap, BTreeSet};

use mck_cloudformation::{LogicalId, Parameter, ParameterType, ResourceProperties, Template, Text};

/// Which stack of an environment it is; stacks are named `<project>-<environment>-<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackId {
    /// VPC, subnets, routes, infrastructure's security groups, private zone, Bastion.
    Network,
    /// Database, caches, search, message broker, file system.
    Data,
    /// Load balancer, certificate, web ACL, CDN, public zone.
    Edge,
    /// What CloudFront needs in us-east-1, where the environment is elsewhere.
    EdgeGlobal,
    /// The deployed release of each app; numbered from 1, 200 apps each.
    Releases(usize),
    /// Topic of alarms, alarms of the infrastructure, dashboard.
    Observability,
    /// An App Cluster.
    Cluster(String),
    /// An app.
    App(String),
    /// Jenkins.
    Jenkins,
    /// What all environments of a project in a region share; numbered from 1, and named
    /// `<project>-global`, `<project>-global-2` and so on.
    Global(usize),
}

impl StackId {
    /// Its name within the environment, such as `app-shop`; also its file's name.
    pub fn name(&self) -> String {
        match self {
            Self::Network => "network".to_owned(),
            Self::Data => "data".to_owned(),
            Self::Edge => "edge".to_owned(),
            Self::EdgeGlobal => "edge-global".to_owned(),
            Self::Releases(1) => "releases".to_owned(),
            Self::Releases(number) => format!("releases-{number}"),
            Self::Observability => "observability".to_owned(),
            Self::Cluster(name) => format!("cluster-{name}"),
            Self::App(name) => format!("app-{name}"),
            Self::Jenkins => "jenkins".to_owned(),
            Self::Global(1) => "global".to_owned(),
            Self::Global(number) => format!("global-{number}"),
        }
    }
}

/// Something that a stack hands to others: one of its outputs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Handed {
    /// The stack that has it.
    pub stack: StackId,
    /// The output's name.
    pub output: String,
}

impl Handed {
    /// The output of that name.
    pub fn new(stack: StackId, output: impl Into<String>) -> Self {
        Self {
            stack,
            output: output.into(),
        }
    }
}

/// Where a parameter's value comes from when the stack is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterSource {
    /// Another stack's output.
    Output(Handed),
    /// The id of the prefix list of that name which AWS keeps in the region; the template's default
    /// is the known one, if any.
    ManagedPrefixList(String),
    /// The template's default.
    Default,
}

/// What CloudFormation must be told is intended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// It makes IAM resources.
    Iam,
    /// It makes IAM resources with names of their own.
    NamedIam,
}

impl Capability {
    /// As CloudFormation's API says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "CAPABILITY_IAM",
            Self::NamedIam => "CAPABILITY_NAMED_IAM",
        }
    }
}

/// A role of a service's own, one in an account, with what the service does there for its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceLinkedRole {
    /// The service that has it, as `iam:CreateServiceLinkedRole` wants it.
    pub service: &'static str,
    /// Its name, which AWS gives.
    pub name: &'static str,
}

/// The role that puts a domain's network interfaces into a VPC. Other services make theirs by
/// themselves (Amazon OpenSearch Service developer guide, "Using service-linked roles to create VPC
/// domains").
const OPENSEARCH: ServiceLinkedRole = ServiceLinkedRole {
    service: "opensearchservice.amazonaws.com",
    name: "AWSServiceRoleForAmazonOpenSearchService",
};

/// A stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Which it is.
    pub id: StackId,
    /// Its full name, at most 128 characters.
    pub name: String,
    /// The region that it is made in.
    pub region: String,
    /// Its template.
    pub template: Template,
    /// Where its parameters come from.
    pub parameters: BTreeMap<String, ParameterSource>,
    /// Stacks that must be there before, beside those whose outputs it takes.
    pub after: BTreeSet<StackId>,
    /// Whether CloudFormation refuses to delete it.
    pub termination_protection: bool,
    /// Tags of all its resources.
    pub tags: BTreeMap<String, String>,
}

impl Stack {
    /// Takes what another stack hands over: a parameter of this stack.
    pub fn take(&mut self, handed: &Handed) -> Text {
        let name = LogicalId::of(&[&handed.stack.name(), &handed.output]);
        let name = name.as_str().to_owned();
        let source = ParameterSource::Output(handed.clone());
        self.parameters.insert(name.clone(), source);
        self.template.parameter(Parameter {
            name,
            description: format!("{} of the stack {}", handed.output, handed.stack.name()),
            kind: ParameterType::String,
            default: None,
        })
    }

    /// What a stack hands over: of another stack a parameter, of this one the output's value.
    pub fn have_or_take(&mut self, handed: &Handed) -> Text {
        if handed.stack != self.id {
            return self.take(handed);
        }
        let mut outputs = self.template.outputs().iter();
        let own = outputs.find(|output| output.name == handed.output);
        own.expect("a stack hands over first what it uses itself")
            .value
            .clone()
    }

    /// A parameter whose value comes from Parameter Store.
    pub fn stored(
        &mut self,
        name: &str,
        description: &str,
        kind: ParameterType,
        key: &str,
    ) -> Text {
        self.parameters
            .insert(name.to_owned(), ParameterSource::Default);
        self.template.parameter(Parameter {
            name: name.to_owned(),
            description: description.to_owned(),
            kind,
            default: Some(key.to_owned()),
        })
    }

    /// Hands something over, under a name that other stacks ask for.
    pub fn hand_over(&mut self, handed: &Handed, description: &str, value: impl Into<Text>) {
        debug_assert_eq!(handed.stack, self.id, "a stack hands over what is its own");
        self.template
            .output(handed.output.clone(), description, value);
    }

    /// Adds a resource to its template.
    pub fn add<P: ResourceProperties>(
        &mut self,
        id: impl Into<LogicalId>,
        description: impl Into<String>,
        properties: &P,
    ) -> mck_cloudformation::Added<'_> {
        self.template.add(id, description, properties)
    }

    /// The stacks that must be there before.
    pub fn dependencies(&self) -> BTreeSet<&StackId> {
        let sources = self.parameters.values().filter_map(|source| match source {
            ParameterSource::Output(handed) => Some(&handed.stack),
            ParameterSource::ManagedPrefixList(_) | ParameterSource::Default => None,
        });
        sources.chain(&self.after).collect()
    }

    /// Prefix lists whose ids must be looked up: the parameter, and the list's name.
    pub fn unknown_prefix_lists(&self) -> Vec<(&str, &str)> {
        let parameters = self.template.parameters().iter();
        let unknown = parameters.filter(|parameter| parameter.default.is_none());
        unknown
            .filter_map(|parameter| match self.parameters.get(&parameter.name)? {
                ParameterSource::ManagedPrefixList(list) => {
                    Some((parameter.name.as_str(), list.as_str()))
                }
                ParameterSource::Output(_) | ParameterSource::Default => None,
            })
            .collect()
    }

    /// Service-linked roles that must be in the account before its resources. CloudFormation could
    /// make them, but fails where one is there, and they belong to the account.
    pub fn service_linked_roles(&self) -> Vec<ServiceLinkedRole> {
        let resources = self.template.resources().iter();
        let in_a_vpc = resources
            .filter(|(_, resource)| resource.kind == "AWS::OpenSearchService::Domain")
            .any(|(_, resource)| resource.properties.get("VPCOptions").is_some());
        in_a_vpc.then_some(OPENSEARCH).into_iter().collect()
    }

    /// What CloudFormation must be told is intended.
    pub fn capabilities(&self) -> BTreeSet<Capability> {
        let resources = self.template.resources().iter();
        resources
            .filter(|(_, resource)| resource.kind.starts_with("AWS::IAM::"))
            .map(|(_, resource)| {
                let named = [
                    "RoleName",
                    "UserName",
                    "InstanceProfileName",
                    "ManagedPolicyName",
                ];
                if named
                    .iter()
                    .any(|name| resource.properties.get(name).is_some())
                {
                    Capability::NamedIam
                } else {
                    Capability::Iam
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const SHOP: &str = r#"
        project = "shop"
        region = "REGION"
        [app.shop]
        preset = "magento2"
        source = "shop"
        routing.hosts = ["shop.example.com"]
        [cdn]
        enabled = true
        [search]
        [environment.production]
    "#;

    fn shop(region: &str) -> crate::Stacks {
        testing::stacks(&SHOP.replace("REGION", region))
    }

    #[test]
    fn a_prefix_list_is_looked_up_only_where_its_id_is_not_known() {
        for (region, lists) in [("us-east-1", 0), ("eu-central-2", 1)] {
            let stacks = shop(region).stacks;
            let unknown = stacks.iter().flat_map(Stack::unknown_prefix_lists);
            let unknown: Vec<&str> = unknown.map(|(_, list)| list).collect();
            let name = "com.amazonaws.global.cloudfront.origin-facing";
            assert_eq!(unknown, vec![name; lists], "{region}");
        }
    }

    #[test]
    fn only_a_stack_with_a_search_engine_needs_its_role() {
        for stack in shop("us-east-1").stacks {
            let wanted = (stack.id == StackId::Data).then_some(OPENSEARCH);
            assert_eq!(stack.service_linked_roles(), Vec::from_iter(wanted));
        }
    }
}
