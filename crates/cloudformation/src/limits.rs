//! What CloudFormation refuses (user guide, "Understand CloudFormation quotas").

use std::{collections::BTreeSet, fmt};

use crate::{Json, LogicalId, Output, Resource, Template, Value, schema};

/// The most resources of a template.
pub const MAXIMUM_RESOURCES: usize = 500;
/// The most outputs of a template.
pub const MAXIMUM_OUTPUTS: usize = 200;
/// The most parameters of a template.
pub const MAXIMUM_PARAMETERS: usize = 200;
/// The longest template that is sent in a request, in bytes.
pub const MAXIMUM_INLINE_BYTES: usize = 51_200;
/// The longest template, sent through S3, in bytes.
pub const MAXIMUM_BODY_BYTES: usize = 1_048_576;
/// The longest logical id, in characters.
const MAXIMUM_LOGICAL_ID: usize = 255;

/// Why CloudFormation would refuse a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There is more than allowed of something.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A name is used twice.
    Duplicate(String),
    /// A logical id is too long or empty.
    LogicalId(String),
    /// Something refers to what is not in the template.
    Dangling {
        /// Who refers.
        from: String,
        /// To what.
        to: String,
    },
    /// A resource lacks a property that its type needs.
    Missing {
        /// The resource.
        resource: String,
        /// The property.
        property: &'static str,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { what, count, limit } => {
                write!(out, "{count} {what}, at most {limit} are allowed")
            }
            Self::Duplicate(name) => write!(out, "the name {name} is used twice"),
            Self::LogicalId(id) => write!(out, "the logical id {id:?} is empty or too long"),
            Self::Dangling { from, to } => write!(out, "{from} refers to {to}, which is not there"),
            Self::Missing { resource, property } => write!(out, "{resource} lacks {property}"),
        }
    }
}

impl Template {
    /// Why CloudFormation would refuse it; empty when it would not.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.excesses();
        let mut names = BTreeSet::new();
        let parameters = self.parameters().iter().map(|it| it.name.as_str());
        let resources = self.resources().iter().map(|(id, _)| id.as_str());
        for name in parameters.chain(resources) {
            if !names.insert(name) {
                problems.push(Problem::Duplicate(name.to_owned()));
            }
        }
        let mut outputs = BTreeSet::new();
        for output in self.outputs() {
            if !outputs.insert(output.name.as_str()) {
                problems.push(Problem::Duplicate(output.name.clone()));
            }
        }
        problems.extend(self.unfit_resources());
        problems.extend(self.dangling(&names));
        problems
    }

    fn excesses(&self) -> Vec<Problem> {
        let counts = [
            ("resources", self.resources().len(), MAXIMUM_RESOURCES),
            ("outputs", self.outputs().len(), MAXIMUM_OUTPUTS),
            ("parameters", self.parameters().len(), MAXIMUM_PARAMETERS),
            ("bytes", self.size(), MAXIMUM_BODY_BYTES),
        ];
        counts
            .into_iter()
            .filter(|(_, count, limit)| count > limit)
            .map(|(what, count, limit)| Problem::TooMany { what, count, limit })
            .collect()
    }

    fn unfit_resources(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (id, resource) in self.resources() {
            if id.as_str().is_empty() || id.as_str().len() > MAXIMUM_LOGICAL_ID {
                problems.push(Problem::LogicalId(id.to_string()));
            }
            let required = schema::of(resource.kind).map_or(&[][..], |schema| schema.required);
            for property in required {
                if resource.properties.get(property).is_none() {
                    let resource = id.to_string();
                    problems.push(Problem::Missing { resource, property });
                }
            }
        }
        problems
    }

    fn dangling(&self, names: &BTreeSet<&str>) -> Vec<Problem> {
        let mut conditions: BTreeSet<&str> = BTreeSet::new();
        conditions.extend(self.conditions().iter().map(|(name, _)| name.as_str()));
        let known = |reference: &Reference<'_>| match reference {
            Reference::Name(name) => name.starts_with("AWS::") || names.contains(name),
            Reference::Condition(name) => conditions.contains(name),
        };
        let of_conditions = self.conditions().iter().map(|(name, expression)| {
            let mut found = BTreeSet::new();
            collect_references(expression.json(), &mut found);
            (name.as_str(), found)
        });
        let resources = self.resources().iter();
        let of_resources = resources.map(|(id, resource)| (id.as_str(), of_resource(resource)));
        let outputs = self.outputs().iter();
        let of_outputs = outputs.map(|output| (output.name.as_str(), of_output(output)));
        let all = of_conditions.chain(of_resources).chain(of_outputs);
        all.flat_map(|(from, found)| {
            let missing = found.into_iter().filter(|reference| !known(reference));
            missing.map(|reference| Problem::Dangling {
                from: from.to_owned(),
                to: reference.name().to_owned(),
            })
        })
        .collect()
    }
}

fn of_resource(resource: &Resource) -> BTreeSet<Reference<'_>> {
    let mut found = BTreeSet::new();
    collect_references(&resource.properties, &mut found);
    for policy in [&resource.creation_policy, &resource.update_policy] {
        policy
            .iter()
            .for_each(|policy| collect_references(policy, &mut found));
    }
    let conditions = resource.condition.iter().map(String::as_str);
    found.extend(conditions.map(Reference::Condition));
    let before = resource.depends_on.iter().map(LogicalId::as_str);
    found.extend(before.map(Reference::Name));
    found
}

fn of_output(output: &Output) -> BTreeSet<Reference<'_>> {
    let mut found = BTreeSet::new();
    if let Value::Expression(expression) = &output.value {
        collect_references(expression.json(), &mut found);
    }
    let conditions = output.condition.iter().map(String::as_str);
    found.extend(conditions.map(Reference::Condition));
    found
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reference<'a> {
    Name(&'a str),
    Condition(&'a str),
}

impl<'a> Reference<'a> {
    const fn name(&self) -> &'a str {
        match self {
            Self::Name(name) | Self::Condition(name) => name,
        }
    }
}

fn collect_references<'a>(json: &'a Json, found: &mut BTreeSet<Reference<'a>>) {
    match json {
        Json::Array(items) => items
            .iter()
            .for_each(|item| collect_references(item, found)),
        Json::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("Ref", Json::String(name)) => {
                        found.insert(Reference::Name(name));
                    }
                    ("Fn::GetAtt", Json::Array(path)) => {
                        let name = path.first().and_then(Json::as_str).unwrap_or_default();
                        found.insert(Reference::Name(name));
                    }
                    ("Fn::If", Json::Array(parts)) => {
                        let name = parts.first().and_then(Json::as_str).unwrap_or_default();
                        found.insert(Reference::Condition(name));
                    }
                    // A property may be called so as well, as of a container's dependency.
                    ("Condition", Json::String(name)) if object.len() == 1 => {
                        found.insert(Reference::Condition(name));
                    }
                    ("Fn::Sub", Json::String(text)) => collect_substitutions(text, found),
                    _ => {}
                }
                collect_references(value, found);
            }
        }
        _ => {}
    }
}

/// The names in `${…}`; `${!…}` is a literal.
fn collect_substitutions<'a>(text: &'a str, found: &mut BTreeSet<Reference<'a>>) {
    for part in text.split("${").skip(1) {
        let name = part.split('}').next().unwrap_or_default();
        if !name.starts_with('!') {
            let name = name.split('.').next().unwrap_or_default();
            found.insert(Reference::Name(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Expression, LogicalId, Text,
        resources::{ec2, ecs},
    };

    fn vpc() -> ec2::Vpc {
        ec2::Vpc {
            cidr_block: "10.0.0.0/16".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_sound_template_has_no_problems() {
        let mut template = Template::new("Network");
        let vpc = template.add("Vpc", "The VPC", &vpc()).id();
        template.output("VpcId", "The VPC", vpc.reference());
        assert_eq!(template.problems(), []);
    }

    #[test]
    fn what_cloudformation_refuses_is_named() {
        let mut template = Template::new("Network");
        template.add("Vpc", "The VPC", &vpc());
        template.add("Vpc", "The VPC", &vpc());
        let subnet = ec2::Subnet {
            cidr_block: Text::from(Expression::substitute("${Nothing.CidrBlock} ${!Literal}")),
            ..Default::default()
        };
        template
            .add("Subnet", "A subnet", &subnet)
            .on_condition("Never")
            .after(&[LogicalId::of(&["gone"])]);
        template.output(
            "Id",
            "A subnet",
            LogicalId::of(&["missing"]).attribute("Id"),
        );
        let problems: Vec<String> = template
            .problems()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            problems,
            [
                "the name Vpc is used twice",
                "Subnet lacks VpcId",
                "Subnet refers to Gone, which is not there",
                "Subnet refers to Nothing, which is not there",
                "Subnet refers to Never, which is not there",
                "Id refers to Missing, which is not there",
            ]
        );
    }

    #[test]
    fn a_property_called_condition_is_no_condition() {
        let wait = ecs::task_definition::ContainerDependency {
            container_name: "php".into(),
            condition: "START".into(),
        };
        let container = ecs::task_definition::ContainerDefinition {
            name: "nginx".into(),
            image: "nginx".into(),
            depends_on: vec![wait],
            ..Default::default()
        };
        let task = ecs::TaskDefinition {
            container_definitions: vec![container],
            ..Default::default()
        };
        let mut template = Template::new("App");
        template.add("Task", "A task", &task);
        assert_eq!(template.problems(), []);
    }

    #[test]
    fn a_template_holds_500_resources() {
        let mut template = Template::new("Network");
        for index in 0..501 {
            template.add(LogicalId::of(&["vpc", &index.to_string()]), "A VPC", &vpc());
        }
        assert_eq!(
            template.problems(),
            [Problem::TooMany {
                what: "resources",
                count: 501,
                limit: 500
            }]
        );
    }
}
