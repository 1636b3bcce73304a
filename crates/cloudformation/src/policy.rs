//! IAM policy documents (IAM user guide, "IAM JSON policy element reference").

use std::collections::BTreeMap;

use serde_json::{Map, json};

use crate::{Json, Render, Text};

/// A policy: its statements.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyDocument {
    /// What is allowed and denied.
    pub statements: Vec<Statement>,
}

impl PolicyDocument {
    /// A policy of these statements.
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self {
            statements: statements.into_iter().collect(),
        }
    }

    /// The trust policy of a role that an AWS service takes, such as `ecs-tasks.amazonaws.com`.
    pub fn trust(service: &str) -> Self {
        Self::new([Statement::allow(["sts:AssumeRole"]).to(Principal::service(service))])
    }
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, and wins over what allows.
    Deny,
}

/// To whom a resource's policy speaks.
#[derive(Debug, Clone, PartialEq)]
pub enum Principal {
    /// Everyone.
    Any,
    /// AWS services.
    Services(Vec<Text>),
    /// Accounts, roles or users, by ARN.
    Aws(Vec<Text>),
    /// An identity provider, by ARN.
    Federated(Text),
}

impl Principal {
    /// An AWS service, such as `ecs-tasks.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::Services(vec![name.into()])
    }

    fn json(&self) -> Json {
        match self {
            Self::Any => "*".into(),
            Self::Services(names) => json!({ "Service": one_or_many(names) }),
            Self::Aws(names) => json!({ "AWS": one_or_many(names) }),
            Self::Federated(name) => json!({ "Federated": name.render() }),
        }
    }
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    sid: Option<String>,
    effect: Effect,
    principal: Option<Principal>,
    actions: Vec<String>,
    resources: Vec<Text>,
    conditions: BTreeMap<String, BTreeMap<String, Vec<Text>>>,
}

impl Statement {
    fn new<I>(effect: Effect, actions: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self {
            sid: None,
            effect,
            principal: None,
            actions: actions.into_iter().map(Into::into).collect(),
            resources: Vec::new(),
            conditions: BTreeMap::new(),
        }
    }

    /// Allows these actions.
    pub fn allow<I>(actions: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::new(Effect::Allow, actions)
    }

    /// Denies these actions.
    pub fn deny<I>(actions: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::new(Effect::Deny, actions)
    }

    /// Its name in the policy: letters and digits.
    #[must_use]
    pub fn named(mut self, sid: &str) -> Self {
        self.sid = Some(sid.to_owned());
        self
    }

    /// On these resources, by ARN.
    #[must_use]
    pub fn on<I>(mut self, resources: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Text>,
    {
        self.resources.extend(resources.into_iter().map(Into::into));
        self
    }

    /// On every resource: where the action knows no narrower.
    #[must_use]
    pub fn on_all(self) -> Self {
        self.on(["*"])
    }

    /// For this principal (resource and trust policies only).
    #[must_use]
    pub fn to(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Only where `operator` holds of `key` and one of the values.
    #[must_use]
    pub fn when<I>(mut self, operator: &str, key: &str, values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Text>,
    {
        self.conditions
            .entry(operator.to_owned())
            .or_default()
            .entry(key.to_owned())
            .or_default()
            .extend(values.into_iter().map(Into::into));
        self
    }

    fn json(&self) -> Json {
        let mut object = Map::new();
        let mut put = |key: &str, value: Json| object.insert(key.to_owned(), value);
        if let Some(sid) = &self.sid {
            put("Sid", sid.as_str().into());
        }
        put("Effect", format!("{:?}", self.effect).into());
        if let Some(principal) = &self.principal {
            put("Principal", principal.json());
        }
        let actions: Vec<Text> = self.actions.iter().map(Text::from).collect();
        put("Action", one_or_many(&actions));
        if !self.resources.is_empty() {
            put("Resource", one_or_many(&self.resources));
        }
        if !self.conditions.is_empty() {
            let conditions = self.conditions.iter().map(|(operator, keys)| {
                let keys = keys
                    .iter()
                    .map(|(key, values)| (key.clone(), one_or_many(values)));
                (operator.clone(), Json::Object(keys.collect()))
            });
            put("Condition", Json::Object(conditions.collect()));
        }
        Json::Object(object)
    }
}

/// A single value stands alone, as AWS writes policies itself.
fn one_or_many(values: &[Text]) -> Json {
    let mut values: Vec<Json> = values.iter().filter_map(Render::render).collect();
    if values.len() == 1 {
        values.remove(0)
    } else {
        Json::Array(values)
    }
}

impl Render for PolicyDocument {
    fn render(&self) -> Option<Json> {
        let statements: Vec<Json> = self.statements.iter().map(Statement::json).collect();
        Some(json!({ "Version": "2012-10-17", "Statement": statements }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_reads_like_awss_own() {
        let policy = PolicyDocument::new([Statement::allow(["s3:GetObject", "s3:PutObject"])
            .named("Bucket")
            .on(["arn:aws:s3:::b/*"])
            .when("StringEquals", "aws:SourceAccount", ["123456789012"])]);
        assert_eq!(
            policy.render(),
            Some(json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Sid": "Bucket",
                    "Effect": "Allow",
                    "Action": ["s3:GetObject", "s3:PutObject"],
                    "Resource": "arn:aws:s3:::b/*",
                    "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
                }],
            }))
        );
        assert_eq!(
            PolicyDocument::trust("ecs-tasks.amazonaws.com")
                .render()
                .unwrap()["Statement"][0],
            json!({
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            })
        );
    }
}
