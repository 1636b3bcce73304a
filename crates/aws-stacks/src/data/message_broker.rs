//! The message broker: RabbitMQ on Amazon MQ.

use mck_blueprint::model::{DnsTarget, MessageBroker};
use mck_cloudformation::{
    Expression, LogicalId, Text,
    resources::amazonmq::{
        self,
        broker::{LogList, MaintenanceWindow, TagsEntry, User},
    },
};
use mck_environment::settings::BrokerDeployment;

use super::{name_tag, windows};
use crate::{names, secrets, security_groups, stack::Stack, synthesis::Scene};

/// Data is encrypted with a key of AWS's own: RabbitMQ takes no other (CloudFormation resource
/// reference, `AWS::AmazonMQ::Broker EncryptionOptions`). Amazon MQ makes the log groups.
pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>, broker: &MessageBroker) {
    let (day, time) = windows::BROKER_MAINTENANCE;
    let subnets = broker.subnets.iter().map(|it| names::network::subnet(it));
    let properties = amazonmq::Broker {
        broker_name: broker.name.as_str().into(),
        engine_type: "RABBITMQ".into(),
        engine_version: broker.version.as_str().into(),
        deployment_mode: match broker.deployment {
            BrokerDeployment::SingleInstance => "SINGLE_INSTANCE",
            BrokerDeployment::Cluster => "CLUSTER_MULTI_AZ",
        }
        .into(),
        host_instance_type: broker.instance_type.as_str().into(),
        subnet_ids: subnets.map(|it| stack.take(&it)).collect(),
        security_groups: vec![security_groups::id(stack, scene, &broker.security_group)],
        publicly_accessible: false.into(),
        auto_minor_version_upgrade: true.into(),
        maintenance_window_start_time: Some(MaintenanceWindow {
            day_of_week: day.into(),
            time_of_day: time.into(),
            time_zone: "UTC".into(),
        }),
        logs: Some(LogList {
            general: true.into(),
            ..Default::default()
        }),
        users: vec![User {
            username: broker.user.as_str().into(),
            password: secrets::value(stack, scene, &broker.password_secret),
            ..Default::default()
        }],
        tags: name_tag(scene.blueprint, "message-broker")
            .into_iter()
            .map(|tag| TagsEntry {
                key: tag.key.into(),
                value: tag.value,
            })
            .collect(),
        ..Default::default()
    };
    let description = "The message broker with its queues";
    let id = stack
        .add("MessageBroker", description, &properties)
        .retained()
        .id();
    stack.hand_over(
        &names::data::endpoint(&DnsTarget::MessageBroker),
        "The host of the message broker",
        host(&id),
    );
}

/// The host of `amqps://host:port`, which is the first of a list of one.
fn host(broker: &LogicalId) -> Text {
    let endpoints = Expression::attribute(broker, "AmqpEndpoints");
    let endpoint = Expression::select(0, &endpoints);
    let after_scheme = Expression::select(1, &Expression::split("://", endpoint));
    Expression::select(0, &Expression::split(":", after_scheme)).into()
}
