//! The topic that alarms go to, encrypted, and the people who hear it.

use std::collections::BTreeSet;

use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Statement, Text, pseudo,
    resources::{kms, sns},
};

use sha2::{Digest, Sha256};

use crate::{hexadecimal, stack::Stack, synthesis::Scene};

/// Services that publish to the topic and say for which account they do.
const ACCOUNTABLE: [&str; 2] = ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"];
/// EventBridge does not say it to an encrypted topic (Amazon SNS developer guide, "Enable
/// compatibility between event sources from AWS services and encrypted topics"). It publishes to
/// topics of the rule's own account only.
const EVENTS: &str = "events.amazonaws.com";

pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>) {
    let name = format!(
        "{}-{}-alarms",
        scene.blueprint.project, scene.blueprint.environment
    );
    let key = add_key(stack, &name);
    let topic = stack
        .add(
            super::topic(),
            "The topic that alarms and failures are published to",
            &sns::Topic {
                topic_name: (&name).into(),
                display_name: (&name).into(),
                kms_master_key_id: key.reference(),
                ..Default::default()
            },
        )
        .id();
    stack.add(
        "AlarmTopicPolicy",
        "Lets AWS's monitoring publish to the topic, and nobody without TLS",
        &sns::TopicPolicy {
            topics: vec![topic.reference()],
            policy_document: topic_policy(&topic).into(),
        },
    );
    let receivers: BTreeSet<&String> = scene.blueprint.alarm_receivers.iter().collect();
    for address in receivers {
        stack.add(
            receiver(address),
            "Someone who hears alarms by e-mail, once they confirmed it",
            &sns::Subscription {
                topic_arn: topic.reference(),
                protocol: "email".into(),
                endpoint: address.into(),
                ..Default::default()
            },
        );
    }
}

/// It follows from the address: were receivers numbered, all after one that is taken out would have
/// to confirm again.
fn receiver(address: &str) -> LogicalId {
    let digest = Sha256::digest(address);
    LogicalId::of(&["alarm-receiver", &hexadecimal(&digest[..4])])
}

/// AWS's own key for SNS can't be used here: its policy lets no other service in. The key goes with
/// its stack: nothing that lasts is encrypted with it.
fn add_key(stack: &mut Stack, name: &str) -> LogicalId {
    let use_it = || Statement::allow(["kms:Decrypt", "kms:GenerateDataKey*"]).on_all();
    let policy = PolicyDocument::new([
        Statement::allow(["kms:*"])
            .named("Account")
            .to(Principal::Aws(vec![account_root()]))
            .on_all(),
        use_it()
            .named("Monitoring")
            .to(services(&ACCOUNTABLE))
            .when("StringEquals", "aws:SourceAccount", [pseudo::account()]),
        use_it().named("Events").to(services(&[EVENTS])),
    ]);
    stack
        .add(
            "AlarmTopicKey",
            "The key that encrypts the topic of alarms",
            &kms::Key {
                description: format!("Encrypts the topic {name}").into(),
                enable_key_rotation: true.into(),
                pending_window_in_days: 7.into(),
                key_policy: policy.into(),
                ..Default::default()
            },
        )
        .id()
}

fn topic_policy(topic: &LogicalId) -> PolicyDocument {
    let publish = || Statement::allow(["sns:Publish"]).on([topic.reference()]);
    PolicyDocument::new([
        publish()
            .named("Monitoring")
            .to(services(&ACCOUNTABLE))
            .when("StringEquals", "aws:SourceAccount", [pseudo::account()]),
        publish().named("Events").to(services(&[EVENTS])),
        Statement::deny(["sns:Publish"])
            .named("OnlyEncrypted")
            .on([topic.reference()])
            .to(Principal::Any)
            .when("Bool", "aws:SecureTransport", ["false"]),
    ])
}

fn account_root() -> Text {
    Text::concat([
        "arn:".into(),
        pseudo::partition(),
        ":iam::".into(),
        pseudo::account(),
        ":root".into(),
    ])
}

fn services(names: &[&str]) -> Principal {
    Principal::Services(names.iter().copied().map(Text::from).collect())
}
