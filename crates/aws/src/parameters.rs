//! Parameter Store: which release of an app is deployed, and which were.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use aws_sdk_ssm::{primitives::DateTime, types::ParameterHistory};
use mck_aws_stacks::NO_RELEASE;

use crate::AwsError;

/// How many parameters one call reads (Systems Manager API reference, `GetParameters`).
const MOST_READ: usize = 10;

/// Parameter Store in one region.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    client: aws_sdk_ssm::Client,
}

/// A release that was recorded: its deployment had completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// The release.
    pub(crate) release: String,
    /// When.
    pub(crate) at: SystemTime,
}

impl Parameters {
    /// Parameter Store, as a region's configuration reaches it. Nothing is sent yet.
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            client: aws_sdk_ssm::Client::new(config),
        }
    }

    /// A parameter's value; none where there is no such parameter.
    pub(crate) async fn value(&self, name: &str) -> Result<Option<String>, AwsError> {
        let answer = self.client.get_parameter().name(name).send().await;
        match answer.map_err(|error| AwsError::call("GetParameter", name, &error)) {
            Ok(answer) => Ok(answer.parameter.and_then(|it| it.value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The values of those parameters that there are, by name.
    pub(crate) async fn values(
        &self,
        names: &[&str],
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let mut found = BTreeMap::new();
        for some in names.chunks(MOST_READ) {
            let names = some.iter().map(|it| (*it).to_owned()).collect();
            let answer = self
                .client
                .get_parameters()
                .set_names(Some(names))
                .send()
                .await;
            let answer =
                answer.map_err(|error| AwsError::call("GetParameters", some[0], &error))?;
            let parameters = answer.parameters.unwrap_or_default().into_iter();
            found.extend(parameters.filter_map(|it| Some((it.name?, it.value?))));
        }
        Ok(found)
    }

    /// Writes the value of a parameter that there is. The stack that made it keeps its description.
    pub(crate) async fn write(&self, name: &str, value: &str) -> Result<(), AwsError> {
        let call = self.client.put_parameter().name(name).value(value);
        let answer = call.overwrite(true).send().await;
        answer
            .map(drop)
            .map_err(|error| AwsError::call("PutParameter", name, &error))
    }

    /// The releases that were recorded, oldest first: Parameter Store keeps the last 100 values.
    pub(crate) async fn recorded(&self, name: &str) -> Result<Vec<Recorded>, AwsError> {
        let mut pages = self
            .client
            .get_parameter_history()
            .name(name)
            .into_paginator()
            .send();
        let mut values = Vec::new();
        while let Some(page) = pages.next().await {
            match page.map_err(|error| AwsError::call("GetParameterHistory", name, &error)) {
                Ok(page) => values.extend(page.parameters.unwrap_or_default()),
                Err(error) if error.is_not_found() => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        Ok(in_order(values))
    }
}

fn in_order(mut values: Vec<ParameterHistory>) -> Vec<Recorded> {
    values.sort_by_key(|it| it.version);
    let values = values.into_iter().filter_map(|it| {
        Some(Recorded {
            release: it.value.filter(|value| value != NO_RELEASE)?,
            at: time(it.last_modified_date.as_ref()?),
        })
    });
    values.collect()
}

/// A time of AWS's.
pub(crate) fn time(at: &DateTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs_f64(at.as_secs_f64().max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_in_the_order_of_their_versions_and_none_is_none() {
        let value = |version: i64, value: &str| {
            ParameterHistory::builder()
                .version(version)
                .value(value)
                .last_modified_date(DateTime::from_secs(1_800_000_000 + version))
                .build()
        };
        let recorded = in_order(vec![value(10, "b"), value(1, "none"), value(9, "a")]);
        let names: Vec<&str> = recorded.iter().map(|it| it.release.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_009);
        assert_eq!(recorded[0].at, at);
    }
}
