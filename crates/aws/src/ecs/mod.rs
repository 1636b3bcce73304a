//! Single calls to ECS: what commands need that go around CloudFormation.
//!
//! They hand on the SDK's own types; what follows from them is decided elsewhere.

mod container_instances;
mod services;
mod task_definitions;
mod tasks;

use aws_config::SdkConfig;

pub(crate) use tasks::Which;

use crate::Account;

/// ECS in one region.
#[derive(Debug, Clone)]
pub(crate) struct Ecs {
    client: aws_sdk_ecs::Client,
}

impl Ecs {
    /// ECS, as a region's configuration reaches it. Nothing is sent yet.
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            client: aws_sdk_ecs::Client::new(config),
        }
    }
}

impl Account {
    /// ECS in a region that the account was connected for.
    pub(crate) fn ecs(&self, region: &str) -> Ecs {
        Ecs::new(self.clients.config(region))
    }
}

/// The last part of an ARN: a task's id, a service's name, a task definition's `family:revision`.
pub(crate) fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn an_arn_is_shortened_to_its_last_part() {
        let task = "arn:aws:ecs:eu-central-1:123456789012:task/shop-production-main/0123456789ab";
        assert_eq!(short(task), "0123456789ab");
        assert_eq!(short("shop:3"), "shop:3");
    }
}
