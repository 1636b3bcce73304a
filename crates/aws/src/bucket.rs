//! The bucket for templates that are too long for a request.

use std::{collections::BTreeMap, sync::Arc};

use aws_config::{SdkConfig, retry::RetryConfig};
use aws_sdk_s3 as s3;
use aws_sdk_sts as sts;
use s3::types::{
    BucketLifecycleConfiguration, BucketLocationConstraint, CreateBucketConfiguration,
    ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
};
use tokio::sync::OnceCell;

use crate::{account::Identity, error::AwsError};

/// S3's limit of a bucket's name, in characters.
const LONGEST_NAME: usize = 63;
/// How often we ask who we are: it is the first call, and somebody without a network waits for it.
const IDENTITY_ATTEMPTS: u32 = 5;
/// After so many days S3 itself removes what an apply that was killed left.
const DAYS: i32 = 1;

/// A bucket a region, made when it is first needed.
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    project: String,
    configs: BTreeMap<String, SdkConfig>,
    identity: Arc<OnceCell<Identity>>,
    made: Arc<BTreeMap<String, OnceCell<String>>>,
}

/// A template in a bucket.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    region: String,
    bucket: String,
    key: String,
    /// Where CloudFormation finds it.
    pub(crate) url: String,
}

impl Buckets {
    pub(crate) fn new(project: &str, configs: BTreeMap<String, SdkConfig>) -> Self {
        let made = configs
            .keys()
            .map(|region| (region.clone(), OnceCell::new()));
        Self {
            project: project.to_owned(),
            made: Arc::new(made.collect()),
            configs,
            identity: Arc::default(),
        }
    }

    pub(crate) async fn identity(&self) -> Result<Identity, AwsError> {
        let ask = || async {
            let config = self.configs.values().next();
            let config = config.expect("an account is connected for at least one region");
            let retries = RetryConfig::standard().with_max_attempts(IDENTITY_ATTEMPTS);
            let config = sts::config::Builder::from(config).retry_config(retries);
            let answer = sts::Client::from_conf(config.build())
                .get_caller_identity()
                .send()
                .await;
            let answer = answer
                .map_err(|error| AwsError::call("GetCallerIdentity", "the account", &error))?;
            let account = answer.account.ok_or_else(|| AwsError::Incomplete {
                operation: "GetCallerIdentity",
                subject: "the account".to_owned(),
                missing: "the account's id",
            })?;
            let arn = answer.arn.unwrap_or_default();
            Ok(Identity { account, arn })
        };
        self.identity.get_or_try_init(ask).await.cloned()
    }

    /// Puts a template into the region's bucket, which is made where it is not there.
    pub(crate) async fn store(
        &self,
        region: &str,
        key: &str,
        body: &str,
    ) -> Result<Stored, AwsError> {
        let account = self.identity().await?.account;
        let cell = &self.made[region];
        let name = bucket_name(&self.project, &account, region);
        let make = || async {
            self.make(region, &name).await?;
            Ok::<String, AwsError>(name.clone())
        };
        let bucket = cell.get_or_try_init(make).await?.clone();
        self.client(region)
            .put_object()
            .bucket(&bucket)
            .key(key)
            .content_type("application/json")
            .body(body.as_bytes().to_vec().into())
            .send()
            .await
            .map_err(|error| AwsError::call("PutObject", &bucket, &error))?;
        Ok(Stored {
            url: url(&bucket, region, key),
            region: region.to_owned(),
            key: key.to_owned(),
            bucket,
        })
    }

    /// Removes a template that is not needed any more.
    pub(crate) async fn remove(&self, stored: &Stored) -> Result<(), AwsError> {
        let call = self.client(&stored.region).delete_object();
        let call = call.bucket(&stored.bucket).key(&stored.key).send().await;
        call.map_err(|error| AwsError::call("DeleteObject", &stored.bucket, &error))?;
        Ok(())
    }

    /// Removes everything in a bucket, all versions of it; a bucket that is not there is as good.
    pub(crate) async fn empty(&self, region: &str, bucket: &str) -> Result<usize, AwsError> {
        let client = self.client(region);
        let mut removed = 0;
        loop {
            let listed = client.list_object_versions().bucket(bucket).send().await;
            let listed = match listed {
                Ok(listed) => listed,
                Err(error) => {
                    let error = AwsError::call("ListObjectVersions", bucket, &error);
                    return if error.is_not_found() {
                        Ok(removed)
                    } else {
                        Err(error)
                    };
                }
            };
            let versions = listed.versions.unwrap_or_default().into_iter();
            let markers = listed.delete_markers.unwrap_or_default().into_iter();
            let all: Vec<(Option<String>, Option<String>)> = versions
                .map(|it| (it.key, it.version_id))
                .chain(markers.map(|it| (it.key, it.version_id)))
                .collect();
            if all.is_empty() {
                return Ok(removed);
            }
            for (key, version) in all {
                // "null" is the version of what was put before versions were kept.
                let call = client.delete_object().bucket(bucket).set_key(key);
                let call = call.set_version_id(version).send().await;
                call.map_err(|error| AwsError::call("DeleteObject", bucket, &error))?;
                removed += 1;
            }
        }
    }

    /// Removes the region's bucket for templates with whatever a kill left in it, and gives its name;
    /// none where there is none.
    pub(crate) async fn dissolve(&self, region: &str) -> Result<Option<String>, AwsError> {
        let account = self.identity().await?.account;
        let name = bucket_name(&self.project, &account, region);
        self.empty(region, &name).await?;
        let gone = self.client(region).delete_bucket().bucket(&name).send();
        match gone
            .await
            .map_err(|error| AwsError::call("DeleteBucket", &name, &error))
        {
            Ok(_) => Ok(Some(name)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn make(&self, region: &str, name: &str) -> Result<(), AwsError> {
        let client = self.client(region);
        let there = client.head_bucket().bucket(name).send().await;
        match there.map_err(|error| AwsError::call("HeadBucket", name, &error)) {
            Ok(_) => return Ok(()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        let call = client.create_bucket().bucket(name);
        // us-east-1 is S3's default, and must not be named.
        let call = if region == "us-east-1" {
            call
        } else {
            let place = BucketLocationConstraint::from(region);
            let place = CreateBucketConfiguration::builder().location_constraint(place);
            call.create_bucket_configuration(place.build())
        };
        call.send()
            .await
            .map_err(|error| AwsError::call("CreateBucket", name, &error))?;
        let rule = LifecycleRule::builder()
            .id("templates")
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("").build())
            .expiration(LifecycleExpiration::builder().days(DAYS).build())
            .build()
            .expect("a rule has a status");
        let rules = BucketLifecycleConfiguration::builder().rules(rule).build();
        client
            .put_bucket_lifecycle_configuration()
            .bucket(name)
            .lifecycle_configuration(rules.expect("there is a rule"))
            .send()
            .await
            .map_err(|error| AwsError::call("PutBucketLifecycleConfiguration", name, &error))?;
        Ok(())
    }

    fn client(&self, region: &str) -> s3::Client {
        let config = &self.configs[region];
        // An endpoint of one's own has no names for buckets.
        let has_endpoint = config.endpoint_url().is_some();
        let config = s3::config::Builder::from(config).force_path_style(has_endpoint);
        s3::Client::from_conf(config.build())
    }
}

/// The bucket's name: what is too long of the project's is left out.
fn bucket_name(project: &str, account: &str, region: &str) -> String {
    let rest = format!("-mck-templates-{account}-{region}");
    let room = LONGEST_NAME.saturating_sub(rest.len());
    let project: String = project.chars().take(room).collect();
    format!("{}{rest}", project.trim_end_matches('-'))
}

/// CloudFormation takes only S3's own addresses, whatever the endpoint.
fn url(bucket: &str, region: &str, key: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://s3.{region}.amazonaws.com{suffix}/{bucket}/{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_the_limit() {
        let name = bucket_name("shop", "123456789012", "us-east-1");
        assert_eq!(name, "shop-mck-templates-123456789012-us-east-1");
        let long = bucket_name(
            "a-project-with-a-very-long-name",
            "123456789012",
            "ap-southeast-1",
        );
        assert!(long.len() <= LONGEST_NAME, "{long}");
        assert!(
            long.ends_with("-mck-templates-123456789012-ap-southeast-1"),
            "{long}"
        );
    }

    #[test]
    fn addresses_are_those_of_the_partition() {
        assert_eq!(
            url("b", "eu-central-1", "k.json"),
            "https://s3.eu-central-1.amazonaws.com/b/k.json"
        );
        assert_eq!(
            url("b", "cn-north-1", "k"),
            "https://s3.cn-north-1.amazonaws.com.cn/b/k"
        );
    }
}
