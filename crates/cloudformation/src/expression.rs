//! CloudFormation's intrinsic functions.

use serde_json::json;

use crate::{Json, LogicalId, Render, Text};

/// An expression that CloudFormation works out when it makes the stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(Json);

impl Expression {
    /// What is written into the template.
    pub const fn json(&self) -> &Json {
        &self.0
    }

    /// `Ref` to a parameter, resource or pseudo parameter.
    pub fn reference(name: &str) -> Self {
        Self(json!({ "Ref": name }))
    }

    /// `Fn::GetAtt`.
    pub fn attribute(resource: &LogicalId, attribute: &str) -> Self {
        Self(json!({ "Fn::GetAtt": [resource.as_str(), attribute] }))
    }

    /// `Fn::Join`.
    pub fn join(delimiter: &str, parts: impl IntoIterator<Item = impl Into<Text>>) -> Self {
        let parts: Vec<Json> = parts
            .into_iter()
            .filter_map(|part| part.into().render())
            .collect();
        Self(json!({ "Fn::Join": [delimiter, parts] }))
    }

    /// `Fn::Join` of a list that another expression makes.
    pub fn join_list(delimiter: &str, list: &Self) -> Self {
        Self(json!({ "Fn::Join": [delimiter, list.0] }))
    }

    /// `Fn::Sub`: `${Name}` and `${Name.Attribute}` are replaced.
    pub fn substitute(text: &str) -> Self {
        Self(json!({ "Fn::Sub": text }))
    }

    /// `Fn::Split`, a list.
    pub fn split(delimiter: &str, text: impl Into<Text>) -> Self {
        Self(json!({ "Fn::Split": [delimiter, text.into().render()] }))
    }

    /// `Fn::Select` from a list that another expression makes; `index` counts from 0.
    pub fn select(index: usize, list: &Self) -> Self {
        Self(json!({ "Fn::Select": [index, list.0] }))
    }

    /// `Fn::Cidr`: a list of `count` ranges (1 to 256) with `bits` host bits each, from `block`.
    pub fn cidr(block: impl Into<Text>, count: usize, bits: u8) -> Self {
        Self(json!({ "Fn::Cidr": [block.into().render(), count, bits.to_string()] }))
    }

    /// `Fn::Base64`.
    pub fn base64(text: impl Into<Text>) -> Self {
        Self(json!({ "Fn::Base64": text.into().render() }))
    }

    /// `Fn::If` on a condition of the template.
    pub fn either(condition: &str, yes: impl Into<Text>, no: impl Into<Text>) -> Self {
        Self(json!({ "Fn::If": [condition, yes.into().render(), no.into().render()] }))
    }

    /// `Fn::Equals`, for conditions.
    pub fn equals(left: impl Into<Text>, right: impl Into<Text>) -> Self {
        Self(json!({ "Fn::Equals": [left.into().render(), right.into().render()] }))
    }

    /// `Fn::Not`, for conditions.
    pub fn not(condition: &Self) -> Self {
        Self(json!({ "Fn::Not": [condition.0] }))
    }
}

/// CloudFormation's pseudo parameters.
pub mod pseudo {
    use crate::{Expression, Text};

    /// The account's id.
    pub fn account() -> Text {
        Expression::reference("AWS::AccountId").into()
    }

    /// The region.
    pub fn region() -> Text {
        Expression::reference("AWS::Region").into()
    }

    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition() -> Text {
        Expression::reference("AWS::Partition").into()
    }

    /// The domain of the partition's services.
    pub fn url_suffix() -> Text {
        Expression::reference("AWS::URLSuffix").into()
    }

    /// The stack's name.
    pub fn stack_name() -> Text {
        Expression::reference("AWS::StackName").into()
    }

    /// An ARN in this partition, region and account: `arn:P:service:R:A:resource`.
    pub fn arn(service: &str, resource: impl Into<Text>) -> Text {
        Text::concat([
            Text::from("arn:"),
            partition(),
            Text::from(format!(":{service}:")),
            region(),
            Text::from(":"),
            account(),
            Text::from(":"),
            resource.into(),
        ])
    }

    /// An ARN in this partition without region and account, as of S3 buckets and of IAM policies
    /// that AWS keeps: `arn:P:service::account:resource`.
    pub fn global_arn(service: &str, account: &str, resource: impl Into<Text>) -> Text {
        Text::concat([
            Text::from("arn:"),
            partition(),
            Text::from(format!(":{service}::{account}:")),
            resource.into(),
        ])
    }
}
