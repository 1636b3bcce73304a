//! The account: who we are there, and how we talk to it.

use std::{collections::BTreeMap, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{Builder, tls};
use tokio::runtime::{self, Runtime};

use crate::{bucket::Buckets, client::Client, error::AwsError};

/// How often a call is made before it counts as failed, with exponential waits and jitter between.
const ATTEMPTS: u32 = 8;
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);
/// How long a call may take with all its attempts.
const CALL: Duration = Duration::from_secs(120);

/// An AWS account, as the ordinary credential chain and environment variables name it.
#[derive(Debug)]
pub struct Account {
    pub(crate) runtime: Runtime,
    pub(crate) clients: Clients,
}

/// Who we are in the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's id, 12 digits.
    pub account: String,
    /// The user's or role's ARN.
    pub arn: String,
}

/// Clients of each region that is in use.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    by_region: BTreeMap<String, Client>,
    configs: BTreeMap<String, SdkConfig>,
    pub(crate) buckets: Buckets,
}

impl Clients {
    /// The client of a region.
    pub(crate) fn of(&self, region: &str) -> &Client {
        self.by_region
            .get(region)
            .expect("the account was connected for the regions of all stacks")
    }

    /// What the clients of a region's other services are made with.
    pub(crate) fn config(&self, region: &str) -> &SdkConfig {
        self.configs
            .get(region)
            .expect("the account was connected for the region of the environment")
    }

    /// The client of a region, for a task of its own.
    pub(crate) fn owned(&self, region: &str) -> Client {
        self.of(region).clone()
    }
}

impl Account {
    /// Prepares clients of these regions. Nothing is sent yet.
    ///
    /// # Errors
    /// Where the runtime can't be started.
    pub fn connect<'a>(
        project: &str,
        regions: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, AwsError> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(AwsError::Runtime)?;
        let mut by_region = BTreeMap::new();
        let mut configs = BTreeMap::new();
        for region in regions {
            let config = runtime.block_on(config(region));
            by_region.insert(region.to_owned(), Client::new(&config));
            configs.insert(region.to_owned(), config);
        }
        Ok(Self {
            runtime,
            clients: Clients {
                by_region,
                configs: configs.clone(),
                buckets: Buckets::new(project, configs),
            },
        })
    }

    /// Asks AWS who we are.
    ///
    /// # Errors
    /// Where there are no credentials, or AWS does not answer.
    pub fn identity(&self) -> Result<Identity, AwsError> {
        self.runtime.block_on(self.clients.buckets.identity())
    }

    /// What a stack's output is worth; none where there is no such stack or output.
    ///
    /// # Errors
    /// Where AWS can't be asked.
    pub fn stack_output(
        &self,
        region: &str,
        stack: &str,
        output: &str,
    ) -> Result<Option<String>, AwsError> {
        let found = self.clients.of(region).describe(stack);
        let found = self.runtime.block_on(found)?;
        Ok(found.and_then(|mut stack| stack.outputs.remove(output)))
    }
}

async fn config(region: &str) -> SdkConfig {
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_max_backoff(LONGEST_WAIT);
    let times = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(CALL);
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(ring).build_https())
        .region(Region::new(region.to_owned()))
        .retry_config(retries)
        .timeout_config(times.build())
        .load()
        .await
}
