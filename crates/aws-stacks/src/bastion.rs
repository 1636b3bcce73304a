//! The Bastion, in the stack `network`: one instance with an address that stays.
//!
//! It is an instance rather than an Auto Scaling group of one: nothing depends on it, EC2 recovers it
//! from a broken host by itself, its zone is the blueprint's, and its address needs no script with
//! the right to move addresses. Its image is looked up when it starts, so that a new one does not
//! replace it; it keeps itself up to date.

use mck_blueprint::model;
use mck_cloudformation::{
    LogicalId, Tag,
    resources::ec2::{self, instance},
};
use mck_environment::settings::Architecture;
use mck_server_config::user_data;

use crate::{log_groups, names, servers, stack::Stack, synthesis::Scene};

const NAME: &str = "bastion";
/// The root device of Ubuntu's images.
const ROOT_DEVICE: &str = "/dev/sda1";

pub(crate) fn add(stack: &mut Stack, scene: &Scene<'_>, bastion: &model::Bastion) {
    let blueprint = scene.blueprint;
    let description = "Keeps the Bastion's system logs";
    log_groups::add(stack, blueprint, &bastion.log_group, description);
    let profile = servers::add_profile(stack, NAME, &bastion.log_group, []);
    let template = add_launch_template(stack, scene, bastion, &profile);
    let subnet = stack.have_or_take(&names::network::subnet(&bastion.node.subnet));
    let instance = ec2::Instance {
        launch_template: Some(instance::LaunchTemplateSpecification {
            launch_template_id: template.reference(),
            version: template.attribute("LatestVersionNumber"),
            ..Default::default()
        }),
        subnet_id: subnet,
        tags: vec![Tag::name(servers::full_name(blueprint, NAME))],
        ..Default::default()
    };
    let description = "The Bastion, through which people come in";
    let instance = stack.add("Bastion", description, &instance).id();
    let address = ec2::Eip {
        domain: "vpc".into(),
        instance_id: instance.reference(),
        tags: vec![Tag::name(servers::full_name(blueprint, NAME))],
        ..Default::default()
    };
    let description = "The Bastion's address, which stays when it is replaced";
    let gateway = LogicalId::from("InternetGatewayAttachment");
    let added = stack.add("BastionAddress", description, &address);
    let added = if blueprint.network.existing.is_none() {
        added.after([&gateway])
    } else {
        added
    };
    let address = added.id();
    stack.hand_over(
        &names::network::bastion(),
        "The Bastion's instance",
        instance.reference(),
    );
    stack.template.output(
        "BastionAddress",
        "The Bastion's address",
        address.reference(),
    );
}

fn add_launch_template(
    stack: &mut Stack,
    scene: &Scene<'_>,
    bastion: &model::Bastion,
    profile: &LogicalId,
) -> LogicalId {
    let architecture = match bastion.architecture {
        Architecture::X86_64 => "amd64",
        Architecture::Arm64 => "arm64",
    };
    let image = format!(
        "/aws/service/canonical/ubuntu/server/24.04/stable/current/{architecture}/hvm/ebs-gp3/ami-id"
    );
    let user_data = user_data::bastion::render(&user_data::bastion::Bastion {
        log_group: &bastion.log_group,
        authorized_keys: &bastion.authorized_keys,
    });
    let user_data =
        user_data.expect("the environment's rules refuse names and keys that would not do");
    let server = servers::Server {
        name: NAME,
        image: servers::newest_image(&image),
        instance_type: &bastion.instance_type,
        profile,
        security_group: &bastion.node.security_group,
        root_volume: servers::root_volume(ROOT_DEVICE, servers::gibibytes(bastion.volume_size)),
        user_data: user_data.into(),
    };
    let description = "How the Bastion is started: Ubuntu 24.04 LTS, hardened";
    servers::add_launch_template(stack, scene, ("BastionLaunchTemplate", description), server)
}
