//! App Servers: launch template, Auto Scaling group, warm pool.

use mck_blueprint::model::{AppCluster, InstanceRefresh};
use mck_cloudformation::{
    LogicalId, ParameterType, Statement, Text, pseudo,
    resources::autoscaling::{
        self,
        auto_scaling_group::{
            AvailabilityZoneDistribution, InstanceMaintenancePolicy, InstancesDistribution,
            LaunchTemplate, LaunchTemplateOverrides, LaunchTemplateSpecification,
            MetricsCollection, MixedInstancesPolicy, TagProperty,
        },
        warm_pool::InstanceReusePolicy,
    },
};
use mck_environment::settings::Architecture;
use mck_server_config::user_data;
use serde_json::{Value as Json, json};

use crate::{names, servers, stack::Stack, synthesis::Scene};

/// The root device of Amazon Linux.
const ROOT_DEVICE: &str = "/dev/xvda";
/// The least size of the root volume in GiB: that of the image's snapshot.
const LEAST_VOLUME: u32 = 30;
/// What a server is called in names of resources.
const SERVER: &str = "app-server";

/// Adds the Auto Scaling group and all that its servers are made of, after `before`.
pub(super) fn add(
    stack: &mut Stack,
    scene: &Scene<'_>,
    cluster: &AppCluster,
    before: &[LogicalId],
) -> LogicalId {
    let name = names::ecs_cluster(scene.blueprint, &cluster.name);
    let profile = servers::add_profile(stack, SERVER, &cluster.log_group, agent(&name));
    let template = add_launch_template(stack, scene, cluster, &profile);
    let group = add_group(stack, scene, cluster, &template, before);
    if cluster.warm_servers > 0 {
        add_warm_pool(stack, cluster, &group);
    }
    group
}

/// What the ECS agent needs: of AWS's policy `AmazonEC2ContainerServiceforEC2Role` only this cluster,
/// and not every image and log group of the account, for which tasks have execution roles.
fn agent(cluster: &str) -> Vec<Statement> {
    let cluster_arn = pseudo::arn("ecs", format!("cluster/{cluster}"));
    let servers = pseudo::arn("ecs", format!("container-instance/{cluster}/*"));
    vec![
        Statement::allow([
            "ecs:DeregisterContainerInstance",
            "ecs:RegisterContainerInstance",
            "ecs:SubmitAttachmentStateChanges",
            "ecs:SubmitContainerStateChange",
            "ecs:SubmitTaskStateChange",
        ])
        .named("Cluster")
        .on([cluster_arn.clone()]),
        Statement::allow([
            "ecs:Poll",
            "ecs:StartTelemetrySession",
            "ecs:UpdateContainerInstancesState",
        ])
        .named("Server")
        .on([servers.clone()])
        .when("ArnEquals", "ecs:cluster", [cluster_arn]),
        Statement::allow(["ecs:TagResource"])
            .named("TagServer")
            .on([servers.clone()])
            .when(
                "StringEquals",
                "ecs:CreateAction",
                ["RegisterContainerInstance"],
            ),
        Statement::allow(["ecs:ListTagsForResource"])
            .named("ReadTags")
            .on([servers, pseudo::arn("ecs", format!("task/{cluster}/*"))]),
        Statement::allow(["ecs:DiscoverPollEndpoint", "ec2:DescribeTags"])
            .named("Endpoint")
            .on_all(),
    ]
}

fn add_launch_template(
    stack: &mut Stack,
    scene: &Scene<'_>,
    cluster: &AppCluster,
    profile: &LogicalId,
) -> LogicalId {
    let blueprint = scene.blueprint;
    let keys = blueprint.bastion.as_ref();
    let user_data = user_data::app_server::render(&user_data::app_server::AppServer {
        cluster: &names::ecs_cluster(blueprint, &cluster.name),
        log_group: &cluster.log_group,
        warm_pool: cluster.warm_servers > 0,
        authorized_keys: keys.map_or(&[], |bastion| &bastion.authorized_keys),
    });
    let user_data =
        user_data.expect("the environment's rules refuse names and keys that would not do");
    let server = servers::Server {
        name: &cluster.name,
        image: image(stack, cluster),
        instance_type: &cluster.instance_type,
        profile,
        security_group: &cluster.security_group,
        root_volume: servers::root_volume(
            ROOT_DEVICE,
            servers::gibibytes(cluster.volume_size).max(LEAST_VOLUME),
        ),
        user_data: user_data.into(),
    };
    let description = format!(
        "How App Servers of the cluster {} are started",
        cluster.name
    );
    servers::add_launch_template(stack, scene, ("LaunchTemplate", &description), server)
}

/// The cluster's own image, or the newest that AWS publishes. Where servers are replaced for it, the
/// stack looks it up when it is made or updated; else each server does when it starts.
fn image(stack: &mut Stack, cluster: &AppCluster) -> Text {
    if let Some(image) = &cluster.image_id {
        return image.into();
    }
    let architecture = match cluster.architecture {
        Architecture::X86_64 => "",
        Architecture::Arm64 => "arm64/",
    };
    let parameter = format!(
        "/aws/service/ecs/optimized-ami/amazon-linux-2023/{architecture}recommended/image_id"
    );
    if cluster.instance_refresh.is_none() {
        return servers::newest_image(&parameter);
    }
    stack.stored(
        "Image",
        "Where AWS has the newest ECS-optimised image of Amazon Linux 2023",
        ParameterType::SsmImageId,
        &parameter,
    )
}

/// The group says no wanted size: it begins with its minimum, and no later update of the stack undoes
/// what the capacity provider or a person chose.
fn add_group(
    stack: &mut Stack,
    scene: &Scene<'_>,
    cluster: &AppCluster,
    template: &LogicalId,
    before: &[LogicalId],
) -> LogicalId {
    let subnets = names::network::app_subnets(scene.blueprint, cluster);
    let specification = LaunchTemplateSpecification {
        launch_template_id: template.reference(),
        version: template.attribute("LatestVersionNumber"),
        ..Default::default()
    };
    let (launch_template, mixed) = if cluster.spot_percent == 0 {
        (Some(specification), None)
    } else {
        (None, Some(mixed_instances(cluster, specification)))
    };
    let properties = autoscaling::AutoScalingGroup {
        min_size: cluster.minimum.to_string().into(),
        max_size: cluster.maximum.to_string().into(),
        vpc_zone_identifier: subnets.iter().map(|it| stack.take(it)).collect(),
        availability_zone_distribution: Some(AvailabilityZoneDistribution {
            capacity_distribution_strategy: "balanced-best-effort".into(),
        }),
        launch_template,
        mixed_instances_policy: mixed,
        // Servers that EC2 is about to take back are replaced before they go.
        capacity_rebalance: (cluster.spot_percent > 0).into(),
        // What the capacity provider asks for: it takes the protection away when a server is empty.
        new_instances_protected_from_scale_in: true.into(),
        health_check_type: "EC2".into(),
        instance_maintenance_policy: cluster.instance_refresh.map(maintenance),
        metrics_collection: vec![MetricsCollection {
            granularity: "1Minute".into(),
            ..Default::default()
        }],
        tags: vec![TagProperty {
            key: "Name".into(),
            value: servers::full_name(scene.blueprint, &cluster.name).into(),
            propagate_at_launch: false.into(),
        }],
        ..Default::default()
    };
    let description = format!(
        "Keeps each App Server of the cluster {} running, and replaces them",
        cluster.name
    );
    let added = stack
        .add("AppServers", description, &properties)
        .after(before);
    match cluster.instance_refresh {
        Some(refresh) => added.update_policy(instance_refresh(refresh)).id(),
        None => added.id(),
    }
}

fn maintenance(refresh: InstanceRefresh) -> InstanceMaintenancePolicy {
    InstanceMaintenancePolicy {
        min_healthy_percentage: refresh.minimum_healthy_percent.into(),
        max_healthy_percentage: refresh.maximum_healthy_percent.into(),
    }
}

/// All servers are protected from scaling in, so that a refresh must be told to replace such ones;
/// the capacity provider drains them first.
fn instance_refresh(refresh: InstanceRefresh) -> Json {
    json!({
        "AutoScalingInstanceRefresh": {
            "Strategy": "Rolling",
            "Preferences": {
                "MinHealthyPercentage": refresh.minimum_healthy_percent,
                "MaxHealthyPercentage": refresh.maximum_healthy_percent,
                "ScaleInProtectedInstances": "Refresh",
                "SkipMatching": true,
            },
        },
    })
}

/// Spot instances of the types that are most likely to last, for the price.
fn mixed_instances(
    cluster: &AppCluster,
    specification: LaunchTemplateSpecification,
) -> MixedInstancesPolicy {
    let types = std::iter::once(&cluster.instance_type).chain(&cluster.spot_instance_types);
    MixedInstancesPolicy {
        instances_distribution: Some(InstancesDistribution {
            on_demand_base_capacity: 0.into(),
            on_demand_percentage_above_base_capacity: 100_u8
                .saturating_sub(cluster.spot_percent)
                .into(),
            spot_allocation_strategy: "price-capacity-optimized".into(),
            ..Default::default()
        }),
        launch_template: Some(LaunchTemplate {
            launch_template_specification: Some(specification),
            overrides: types
                .map(|kind| LaunchTemplateOverrides {
                    instance_type: kind.into(),
                    ..Default::default()
                })
                .collect(),
        }),
    }
}

fn add_warm_pool(stack: &mut Stack, cluster: &AppCluster, group: &LogicalId) {
    let properties = autoscaling::WarmPool {
        auto_scaling_group_name: group.reference(),
        min_size: cluster.warm_servers.into(),
        pool_state: "Stopped".into(),
        // A server that had tasks is not used again.
        instance_reuse_policy: Some(InstanceReusePolicy {
            reuse_on_scale_in: false.into(),
        }),
        ..Default::default()
    };
    let description = format!(
        "Keeps {} stopped servers of the cluster {} ready",
        cluster.warm_servers, cluster.name
    );
    stack.add("WarmPool", description, &properties);
}
