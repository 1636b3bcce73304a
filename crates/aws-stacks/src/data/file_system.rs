//! The shared file system. Ways into it, access points, are the apps'.

use mck_blueprint::model::{DnsTarget, FileSystem};
use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Statement, Text, pseudo,
    resources::efs::{
        self,
        file_system::{BackupPolicy, ElasticFileSystemTag, LifecyclePolicy},
    },
};
use mck_environment::{settings::Throughput, units::Duration};

use super::name_tag;
use crate::{names, security_groups, stack::Stack, synthesis::Scene, units};

/// What a client of the file system can ask for (EFS user guide, "EFS actions for NFS clients").
const CLIENT_ACTIONS: [&str; 3] = [
    "elasticfilesystem:ClientMount",
    "elasticfilesystem:ClientWrite",
    "elasticfilesystem:ClientRootAccess",
];

pub(super) fn add(
    stack: &mut Stack,
    scene: &Scene<'_>,
    files: &FileSystem,
    key: &LogicalId,
) -> LogicalId {
    let tags = name_tag(scene.blueprint, &files.name);
    let properties = efs::FileSystem {
        encrypted: true.into(),
        kms_key_id: key.attribute("Arn"),
        performance_mode: "generalPurpose".into(),
        throughput_mode: match files.throughput {
            Throughput::Elastic => "elastic",
            Throughput::Bursting => "bursting",
        }
        .into(),
        lifecycle_policies: lifecycle(files.infrequent_access_after),
        // The stack's own plan sees to backups.
        backup_policy: Some(BackupPolicy {
            status: "DISABLED".into(),
        }),
        file_system_policy: policy().into(),
        file_system_tags: tags
            .into_iter()
            .map(|tag| ElasticFileSystemTag {
                key: tag.key.into(),
                value: tag.value,
            })
            .collect(),
        ..Default::default()
    };
    let description = "The file system that all tasks share";
    let id = stack
        .add("FileSystem", description, &properties)
        .retained()
        .id();
    let group = security_groups::id(stack, scene, &files.security_group);
    for node in &files.mount_targets {
        let target = efs::MountTarget {
            file_system_id: id.reference(),
            subnet_id: stack.take(&names::network::subnet(&node.subnet)),
            security_groups: vec![group.clone()],
            ..Default::default()
        };
        let target_id = LogicalId::of(&["mount-target", &node.name]);
        let description = format!("Offers the file system in {}", node.zone);
        stack.add(target_id, description, &target);
    }
    hand_over(stack, &id);
    id
}

/// With a policy nobody comes in without a role that allows it (EFS user guide, "Using IAM to control
/// file system data access"); this one demands TLS and the way through a mount target besides.
fn policy() -> PolicyDocument {
    let deny = |name: &str| {
        Statement::deny(CLIENT_ACTIONS)
            .named(name)
            .to(Principal::Any)
            .on_all()
    };
    PolicyDocument::new([
        deny("TlsOnly").when("Bool", "aws:SecureTransport", ["false"]),
        deny("MountTargetsOnly").when(
            "Bool",
            "elasticfilesystem:AccessedViaMountTarget",
            ["false"],
        ),
    ])
}

/// Files that nobody touches get cheaper, and dearer again at the first touch. EFS wants each rule in
/// a policy of its own.
fn lifecycle(after: Duration) -> Vec<LifecyclePolicy> {
    let after = match units::days(after) {
        0 => return Vec::new(),
        1 => "AFTER_1_DAY".to_owned(),
        days => format!("AFTER_{days}_DAYS"),
    };
    vec![
        LifecyclePolicy {
            transition_to_ia: after.into(),
            ..Default::default()
        },
        LifecyclePolicy {
            transition_to_primary_storage_class: "AFTER_1_ACCESS".into(),
            ..Default::default()
        },
    ]
}

fn hand_over(stack: &mut Stack, id: &LogicalId) {
    stack.hand_over(
        &names::data::file_system(),
        "The shared file system",
        id.reference(),
    );
    let host = Text::concat([
        id.reference(),
        Text::from(".efs."),
        pseudo::region(),
        Text::from("."),
        pseudo::url_suffix(),
    ]);
    stack.hand_over(
        &names::data::endpoint(&DnsTarget::FileSystem),
        "The host of the file system's mount target in the caller's zone",
        host,
    );
}
