//! The server: a group of one, so that a lost one comes again, in another zone if need be.

use mck_blueprint::{
    Blueprint,
    model::{self, Tier},
};
use mck_cloudformation::{
    LogicalId, Statement, Text, pseudo,
    resources::autoscaling::{self, auto_scaling_group},
};
use mck_environment::settings::Architecture;
use mck_server_config::user_data;
use serde_json::json;

use super::{
    NAME,
    home::{self, Home},
};
use crate::{names, registry, secrets, servers, stack::Stack, synthesis::Scene};

/// The root device of Amazon Linux.
const ROOT_DEVICE: &str = "/dev/xvda";
/// A server is replaced after 30 days, in seconds: it gets the newest image, kernel and Jenkins.
const LIFETIME: i32 = 30 * 86_400;

/// What the server stands on.
pub(super) struct Parts<'a> {
    /// Its home.
    pub(super) home: &'a Home,
    /// What hands it its requests.
    pub(super) target_group: &'a LogicalId,
    /// Rules of its security group, without which it could not install itself.
    pub(super) rules: &'a [LogicalId],
}

/// Adds the group; gives it.
pub(super) fn add(
    stack: &mut Stack,
    scene: &Scene<'_>,
    jenkins: &model::Jenkins,
    parts: &Parts<'_>,
) -> LogicalId {
    let blueprint = scene.blueprint;
    let home = parts.home;
    secrets::add(stack, scene);
    let password = secrets::arn(stack, scene, &jenkins.admin_password_secret);
    let rights = rights(blueprint, home, &password);
    let profile = servers::add_profile(stack, NAME, &jenkins.log_group, rights);
    let template = add_launch_template(stack, scene, jenkins, &profile, home, &password);
    let subnets = names::network::subnets(blueprint, Tier::App);
    // Two servers must never have one home, so the old one goes first.
    let group = autoscaling::AutoScalingGroup {
        min_size: "1".into(),
        max_size: "1".into(),
        vpc_zone_identifier: subnets.iter().map(|it| stack.take(it)).collect(),
        launch_template: Some(auto_scaling_group::LaunchTemplateSpecification {
            launch_template_id: template.reference(),
            version: template.attribute("LatestVersionNumber"),
            ..Default::default()
        }),
        target_group_ar_ns: vec![parts.target_group.reference()],
        // Without a rule the target group checks nobody.
        health_check_type: if jenkins.listener_rule.is_some() {
            "ELB".into()
        } else {
            "EC2".into()
        },
        health_check_grace_period: i64::try_from(jenkins.health_check.grace_period.as_secs_ceil())
            .unwrap_or(i64::MAX)
            .into(),
        instance_maintenance_policy: Some(auto_scaling_group::InstanceMaintenancePolicy {
            min_healthy_percentage: 0.into(),
            max_healthy_percentage: 100.into(),
        }),
        max_instance_lifetime: LIFETIME.into(),
        tags: vec![auto_scaling_group::TagProperty {
            key: "Name".into(),
            value: servers::full_name(blueprint, NAME).into(),
            propagate_at_launch: true.into(),
        }],
        ..Default::default()
    };
    let description = "Keeps one Jenkins server";
    stack
        .add("JenkinsServers", description, &group)
        .after(home.mount_targets.iter().chain(parts.rules))
        .update_policy(json!({
            "AutoScalingRollingUpdate": { "MinInstancesInService": 0, "MaxBatchSize": 1 }
        }))
        .id()
}

/// Its home, its password, and the project's images; what it deploys with is for people to give.
fn rights(blueprint: &Blueprint, home: &Home, password: &Text) -> Vec<Statement> {
    let images = pseudo::arn("ecr", format!("repository/{}/*", blueprint.project));
    vec![
        Statement::allow([home::MOUNT, home::WRITE])
            .named("Home")
            .on([home.file_system_arn()])
            .when(
                "StringEquals",
                "elasticfilesystem:AccessPointArn",
                [home.access_point_arn()],
            ),
        Statement::allow(["secretsmanager:GetSecretValue"])
            .named("Password")
            .on([password]),
        registry::login("Registry"),
        Statement::allow(registry::push_and(&[]))
            .named("Images")
            .on([images]),
    ]
}

fn add_launch_template(
    stack: &mut Stack,
    scene: &Scene<'_>,
    jenkins: &model::Jenkins,
    profile: &LogicalId,
    home: &Home,
    password: &Text,
) -> LogicalId {
    let architecture = match jenkins.architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "arm64",
    };
    let image =
        format!("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}");
    let server = servers::Server {
        name: NAME,
        image: servers::newest_image(&image),
        instance_type: &jenkins.instance_type,
        profile,
        security_group: &jenkins.node.security_group,
        root_volume: servers::root_volume(ROOT_DEVICE, servers::gibibytes(jenkins.volume_size)),
        user_data: user_data(scene.blueprint, jenkins, home, password),
    };
    let description = "How Jenkins is started: Amazon Linux 2023, hardened";
    servers::add_launch_template(stack, scene, ("JenkinsLaunchTemplate", description), server)
}

fn user_data(
    blueprint: &Blueprint,
    jenkins: &model::Jenkins,
    home: &Home,
    password: &Text,
) -> Text {
    let script = user_data::jenkins::render(&user_data::jenkins::Jenkins {
        region: &blueprint.region,
        log_group: &jenkins.log_group,
        home: &jenkins.home.path,
        port: jenkins.port,
        host: jenkins.host.as_deref(),
        java_version: jenkins.java_version,
        version: jenkins.version.as_deref(),
        plugins: &jenkins.plugins,
    });
    let script = script.expect("the environment's rules refuse names that would not do");
    let mut parts = vec![Text::from(user_data::jenkins::preamble())];
    for (variable, value) in [
        (
            user_data::jenkins::FILE_SYSTEM,
            home.file_system.reference(),
        ),
        (
            user_data::jenkins::ACCESS_POINT,
            home.access_point.reference(),
        ),
        (user_data::jenkins::ADMIN_PASSWORD, password.clone()),
    ] {
        parts.push(format!("{variable}='").into());
        parts.push(value);
        parts.push("'\n".into());
    }
    parts.push(script.into());
    Text::concat(parts)
}
