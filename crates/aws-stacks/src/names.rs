//! Names that stacks agree on.

use mck_blueprint::model::{
    App, AppCluster, Blueprint, DnsTarget, HookStage, SecurityGroupName, Tier, WebAcl,
};

use mck_cloudformation::{Text, pseudo};

use crate::{
    stack::{Handed, StackId},
    synthesis::Scene,
};

/// What the network stack hands over.
pub(crate) mod network {
    use super::*;

    /// The VPC's id.
    pub(crate) fn vpc() -> Handed {
        Handed::new(StackId::Network, "VpcId")
    }

    /// The id of a subnet, by its name in the blueprint, such as `app-a`.
    pub(crate) fn subnet(name: &str) -> Handed {
        Handed::new(StackId::Network, camel(&["subnet", name]))
    }

    /// The subnets of a tier, in the order of the zones.
    pub(crate) fn subnets(blueprint: &Blueprint, tier: Tier) -> Vec<Handed> {
        let subnets = blueprint.network.subnets.iter();
        subnets
            .filter(|it| it.tier == tier)
            .map(|it| subnet(&it.name))
            .collect()
    }

    /// The app subnets of a cluster's zones.
    pub(crate) fn app_subnets(blueprint: &Blueprint, cluster: &AppCluster) -> Vec<Handed> {
        let subnets = blueprint.network.subnets.iter();
        subnets
            .filter(|it| it.tier == Tier::App && cluster.zones.contains(&it.zone))
            .map(|it| subnet(&it.name))
            .collect()
    }

    /// The id of a NAT gateway, by its name in the blueprint, such as `nat-a`.
    pub(crate) fn nat_gateway(name: &str) -> Handed {
        Handed::new(StackId::Network, camel(&[name, "gateway-id"]))
    }

    /// The id of the Bastion's instance.
    pub(crate) fn bastion() -> Handed {
        Handed::new(StackId::Network, "BastionInstanceId")
    }

    /// The private zone's id.
    pub(crate) fn private_zone() -> Handed {
        Handed::new(StackId::Network, "PrivateZoneId")
    }
}

/// A zone, by the region that the stack is made in.
pub(crate) fn zone(blueprint: &Blueprint, zone: &str) -> Text {
    match zone.strip_prefix(&blueprint.region) {
        Some(letter) => Text::concat([pseudo::region(), letter.into()]),
        None => zone.into(),
    }
}

/// The id of a security group, of the stack that makes it.
pub(crate) fn security_group(owner: StackId, group: &SecurityGroupName) -> Handed {
    Handed::new(owner, camel(&["security-group", &group.0]))
}

/// What the data stack hands over.
pub(crate) mod data {
    use super::*;

    /// The shared file system's id.
    pub(crate) fn file_system() -> Handed {
        Handed::new(StackId::Data, "FileSystemId")
    }

    /// The database cluster's identifier, as CloudWatch's dimension `DBClusterIdentifier` has it.
    pub(crate) fn database_cluster() -> Handed {
        Handed::new(StackId::Data, "DatabaseClusterId")
    }

    /// The id of a cache by its name in the blueprint: of a Redis the replication group's, whose
    /// nodes are `<id>-001`, `<id>-002`…; of `memcached` the cache cluster's.
    pub(crate) fn cache(name: &str) -> Handed {
        Handed::new(StackId::Data, camel(&[name, "id"]))
    }

    /// The host name that AWS gave to a data store. The message broker's is that of its AMQP endpoint,
    /// without scheme and port.
    pub(crate) fn endpoint(of: &DnsTarget) -> Handed {
        let output = match of {
            DnsTarget::DatabaseWriter => "DatabaseEndpoint".to_owned(),
            DnsTarget::DatabaseReaders => "DatabaseReaderEndpoint".to_owned(),
            DnsTarget::RedisPrimary(name) => camel(&[name, "endpoint"]),
            DnsTarget::Memcached => "MemcachedEndpoint".to_owned(),
            DnsTarget::FileSystem => "FileSystemEndpoint".to_owned(),
            DnsTarget::Search => "SearchEndpoint".to_owned(),
            DnsTarget::MessageBroker => "MessageBrokerEndpoint".to_owned(),
        };
        Handed::new(StackId::Data, output)
    }

    /// The ARN of a secret of the data stack, by its name in the blueprint.
    pub(crate) fn secret(name: &str) -> Handed {
        Handed::new(StackId::Data, camel(&["secret", name]))
    }
}

/// What the edge stack hands over.
pub(crate) mod edge {
    use super::*;

    /// The ARN of the HTTPS listener; there is one where there is a certificate.
    pub(crate) fn https_listener() -> Handed {
        Handed::new(StackId::Edge, "HttpsListenerArn")
    }

    /// The ARN of the HTTP listener.
    pub(crate) fn http_listener() -> Handed {
        Handed::new(StackId::Edge, "HttpListenerArn")
    }

    /// The listeners that take requests for apps, and so have their rules: HTTPS where there is a
    /// certificate, and HTTP where it does not lead to HTTPS.
    pub(crate) fn listeners(blueprint: &Blueprint) -> Vec<Handed> {
        let has_certificate = crate::edge::has_certificate(blueprint);
        let redirects = has_certificate && blueprint.load_balancer.http.redirect_to_https;
        let https = has_certificate.then(https_listener);
        let http = (!redirects).then(http_listener);
        https.into_iter().chain(http).collect()
    }

    /// The listener that takes requests for people of the kit's own, such as Jenkins' users: HTTPS
    /// where there is a certificate.
    pub(crate) fn listener(blueprint: &Blueprint) -> Handed {
        let first = listeners(blueprint).into_iter().next();
        first.unwrap_or_else(http_listener)
    }

    /// The load balancer's full name, as CloudWatch's dimension has it: `app/name/id`.
    pub(crate) fn load_balancer_full_name() -> Handed {
        Handed::new(StackId::Edge, "LoadBalancerFullName")
    }

    /// The CloudFront distribution's id.
    pub(crate) fn distribution() -> Handed {
        Handed::new(StackId::Edge, "DistributionId")
    }

    /// The name of the web ACL's metrics (`MetricName` of its `VisibilityConfig`).
    pub(crate) fn web_acl_metric(web_acl: &WebAcl) -> &str {
        &web_acl.name
    }
}

/// What the observability stack hands over.
pub(crate) mod observability {
    use super::*;

    /// The ARN of the topic that alarms go to.
    pub(crate) fn topic() -> Handed {
        Handed::new(StackId::Observability, "AlarmTopicArn")
    }
}

/// What a cluster's stack hands over.
pub(crate) mod cluster {
    use super::*;

    /// The name of its capacity provider.
    pub(crate) fn capacity_provider(cluster: &str) -> Handed {
        Handed::new(StackId::Cluster(cluster.to_owned()), "CapacityProvider")
    }

    /// The ARN of the key of commands run in its containers (ECS Exec), where that is allowed.
    pub(crate) fn exec_key(cluster: &str) -> Handed {
        Handed::new(StackId::Cluster(cluster.to_owned()), "ExecKeyArn")
    }
}

/// The log group of commands run in a cluster's containers (ECS Exec).
pub(crate) fn exec_log_group(cluster: &AppCluster) -> String {
    format!("{}/exec", cluster.log_group)
}

/// The name of an ECS cluster.
pub(crate) fn ecs_cluster(blueprint: &Blueprint, cluster: &str) -> String {
    format!("{}-{}-{cluster}", blueprint.project, blueprint.environment)
}

/// The name of an app's ECS service.
pub(crate) fn ecs_service(app: &str) -> String {
    app.to_owned()
}

/// The family of the task definition of a scheduled job. No app's name has an underscore, so it is no
/// other app's family.
pub(crate) fn job_family(app: &App, job: &str) -> String {
    format!("{}_job_{job}", app.task_definition.family)
}

/// The family of the task definition of a hook.
pub(crate) fn hook_family(app: &App, stage: HookStage) -> String {
    format!("{}_hook_{}", app.task_definition.family, hook(stage))
}

/// The family of the task definition of commands that people run.
pub(crate) fn run_family(app: &App) -> String {
    format!("{}_run", app.task_definition.family)
}

/// A hook's stage in names.
pub(crate) fn hook(stage: HookStage) -> &'static str {
    match stage {
        HookStage::Install => "install",
        HookStage::Upgrade => "upgrade",
        HookStage::CacheFlush => "cache-flush",
    }
}

/// The parameter in Parameter Store that holds an app's deployed release.
pub(crate) fn release_parameter(blueprint: &Blueprint, app: &str) -> String {
    format!(
        "/{}/{}/{app}/release",
        blueprint.project, blueprint.environment
    )
}

/// The stack that makes a secret: the one that alone uses it, else the stack `data`.
pub(crate) fn secret_owner(scene: &Scene<'_>, secret: &str) -> StackId {
    scene.index.secret(secret)
}

/// The name of a secret in Secrets Manager.
pub(crate) fn secret(blueprint: &Blueprint, secret: &str) -> String {
    format!("{}/{}/{secret}", blueprint.project, blueprint.environment)
}

/// The ECR repository of an image that is made for an app
/// ([`Container::made_image`](mck_blueprint::model::Container::made_image)).
pub(crate) fn repository(blueprint: &Blueprint, app: &str, image: &str) -> String {
    format!("{}{app}/{image}", repository_prefix(blueprint))
}

/// What the names of all of an environment's ECR repositories begin with, and no others'.
pub(crate) fn repository_prefix(blueprint: &Blueprint) -> String {
    format!("{}/{}/", blueprint.project, blueprint.environment)
}

/// The IAM path of all roles that an environment's tasks run as, and no others: who may deploy to the
/// environment may give tasks these roles only.
pub(crate) fn task_role_path(blueprint: &Blueprint) -> String {
    format!("/{}/{}/tasks/", blueprint.project, blueprint.environment)
}

fn camel(words: &[&str]) -> String {
    mck_cloudformation::LogicalId::of(words).as_str().to_owned()
}
