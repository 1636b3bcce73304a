//! Where Jenkins keeps everything: it outlives the server, and the stack.

use mck_blueprint::model;
use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Statement, Text, pseudo,
    resources::efs::{
        self,
        access_point::{CreationInfo, PosixUser, RootDirectory},
        file_system::{BackupPolicy, ElasticFileSystemTag},
    },
};
use mck_server_config::user_data::jenkins::USER_ID;

use super::NAME;
use crate::{names, security_groups, servers, stack::Stack, synthesis::Scene};

/// What a client of the file system can ask for (EFS user guide, "EFS actions for NFS clients").
pub(super) const MOUNT: &str = "elasticfilesystem:ClientMount";
pub(super) const WRITE: &str = "elasticfilesystem:ClientWrite";
const ROOT: &str = "elasticfilesystem:ClientRootAccess";

/// The file system's resources.
pub(super) struct Home {
    /// The file system.
    pub(super) file_system: LogicalId,
    /// The way into it, as the user `jenkins` and no other.
    pub(super) access_point: LogicalId,
    /// A mount target in each zone.
    pub(super) mount_targets: Vec<LogicalId>,
}

impl Home {
    /// The file system's ARN.
    pub(super) fn file_system_arn(&self) -> Text {
        let resource = Text::concat(["file-system/".into(), self.file_system.reference()]);
        pseudo::arn("elasticfilesystem", resource)
    }

    /// The access point's ARN.
    pub(super) fn access_point_arn(&self) -> Text {
        let resource = Text::concat(["access-point/".into(), self.access_point.reference()]);
        pseudo::arn("elasticfilesystem", resource)
    }
}

pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>, jenkins: &model::Jenkins) -> Home {
    let name = servers::full_name(scene.blueprint, NAME);
    // With a policy nobody comes in without a role that allows it (EFS user guide, "Using IAM to
    // control file system data access"); this one demands TLS besides.
    let in_the_clear = Statement::deny([MOUNT, WRITE, ROOT])
        .named("TlsOnly")
        .to(Principal::Any)
        .on_all()
        .when("Bool", "aws:SecureTransport", ["false"]);
    let file_system = efs::FileSystem {
        encrypted: true.into(),
        throughput_mode: "elastic".into(),
        performance_mode: "generalPurpose".into(),
        // The stack's own plan sees to backups.
        backup_policy: Some(BackupPolicy {
            status: "DISABLED".into(),
        }),
        file_system_policy: PolicyDocument::new([in_the_clear]).into(),
        file_system_tags: vec![ElasticFileSystemTag {
            key: "Name".into(),
            value: name.into(),
        }],
        ..Default::default()
    };
    let description = "The file system of Jenkins' home";
    let file_system = stack
        .add("JenkinsFileSystem", description, &file_system)
        .retained()
        .id();
    Home {
        access_point: add_access_point(stack, &file_system),
        mount_targets: add_mount_targets(stack, scene, jenkins, &file_system),
        file_system,
    }
}

fn add_access_point(stack: &mut Stack, file_system: &LogicalId) -> LogicalId {
    let user = USER_ID.to_string();
    let access_point = efs::AccessPoint {
        file_system_id: file_system.reference(),
        posix_user: Some(PosixUser {
            uid: user.as_str().into(),
            gid: user.as_str().into(),
            ..Default::default()
        }),
        root_directory: Some(RootDirectory {
            path: "/jenkins".into(),
            creation_info: Some(CreationInfo {
                owner_uid: user.as_str().into(),
                owner_gid: user.as_str().into(),
                permissions: "0750".into(),
            }),
        }),
        ..Default::default()
    };
    let description = "The way into Jenkins' home, as its user alone";
    stack
        .add("JenkinsAccessPoint", description, &access_point)
        .id()
}

fn add_mount_targets(
    stack: &mut Stack,
    scene: &Scene<'_>,
    jenkins: &model::Jenkins,
    file_system: &LogicalId,
) -> Vec<LogicalId> {
    let group = security_groups::id(stack, scene, &jenkins.home.security_group);
    let mut targets = Vec::new();
    for subnet in &jenkins.home.subnets {
        let target = efs::MountTarget {
            file_system_id: file_system.reference(),
            subnet_id: stack.have_or_take(&names::network::subnet(subnet)),
            security_groups: vec![group.clone()],
            ..Default::default()
        };
        let id = LogicalId::of(&["jenkins-mount-target", subnet]);
        let description = format!("Offers Jenkins' home in the subnet {subnet}");
        targets.push(stack.add(id, description, &target).id());
    }
    targets
}
