//! ARNs, as ECS forms them.

/// The account that everything is in: that of AWS's own examples, which stand-ins of other services
/// use as well.
pub const ACCOUNT: &str = "123456789012";

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    region: String,
}

impl Names {
    /// Names in a region.
    pub fn new(region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
        }
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The host name of the account's ECR registry.
    pub fn registry(&self) -> String {
        let suffix = if self.region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        format!("{ACCOUNT}.dkr.ecr.{}.{suffix}", self.region)
    }

    /// An ARN of a service of AWS.
    pub fn arn(&self, service: &str, rest: &str) -> String {
        let partition = if self.region.starts_with("cn-") {
            "aws-cn"
        } else {
            "aws"
        };
        format!("arn:{partition}:{service}:{}:{ACCOUNT}:{rest}", self.region)
    }

    /// A cluster's.
    pub fn cluster(&self, cluster: &str) -> String {
        self.arn("ecs", &format!("cluster/{cluster}"))
    }

    /// A service's.
    pub fn service(&self, cluster: &str, service: &str) -> String {
        self.arn("ecs", &format!("service/{cluster}/{service}"))
    }

    /// A task's.
    pub fn task(&self, cluster: &str, task: &str) -> String {
        self.arn("ecs", &format!("task/{cluster}/{task}"))
    }

    /// A container's, by its task and its name.
    pub fn container(&self, cluster: &str, task: &str, container: &str) -> String {
        self.arn("ecs", &format!("container/{cluster}/{task}/{container}"))
    }

    /// An App Server's.
    pub fn container_instance(&self, cluster: &str, server: &str) -> String {
        self.arn("ecs", &format!("container-instance/{cluster}/{server}"))
    }

    /// A revision's of a task definition.
    pub fn task_definition(&self, family: &str, revision: usize) -> String {
        self.arn("ecs", &format!("task-definition/{family}:{revision}"))
    }

    /// A service deployment's, by the id `ecs-svc/…` of the deployment.
    pub fn service_deployment(&self, cluster: &str, service: &str, id: &str) -> String {
        let id = short(id);
        self.arn(
            "ecs",
            &format!("service-deployment/{cluster}/{service}/{id}"),
        )
    }

    /// A service revision's, by the id `ecs-svc/…` of the deployment.
    pub fn service_revision(&self, cluster: &str, service: &str, id: &str) -> String {
        let id = short(id);
        self.arn("ecs", &format!("service-revision/{cluster}/{service}/{id}"))
    }

    /// A target group's.
    pub fn target_group(&self, name: &str) -> String {
        let mark = mck_local::text::digest(name);
        self.arn(
            "elasticloadbalancing",
            &format!("targetgroup/{name}/{mark}"),
        )
    }
}

/// What an ARN ends with, which is what the thing is called in requests as well.
pub fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_formed_as_ecs_does() {
        let names = Names::new("eu-central-1");
        let task = names.task("shop-production-app", "0123");
        assert_eq!(
            task,
            "arn:aws:ecs:eu-central-1:123456789012:task/shop-production-app/0123"
        );
        assert_eq!(short(&task), "0123");
        assert_eq!(short("shop:3"), "shop:3");
        let china = Names::new("cn-north-1");
        assert_eq!(
            china.registry(),
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
        );
        assert!(china.cluster("a").starts_with("arn:aws-cn:ecs:"));
    }
}
