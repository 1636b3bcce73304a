//! Ways into the shared file system: an access point for each of its folders that the app uses.

use mck_blueprint::model::{App, Container, MountSource};
use mck_cloudformation::{
    LogicalId, Text,
    resources::efs::{
        self,
        access_point::{AccessPointTag, CreationInfo, PosixUser, RootDirectory},
    },
};

use crate::{names, roles::FileSystemAccess, stack::Stack, task_definition::Media};

/// User and group of Debian's `www-data`, as which the presets run. Whoever comes in through an
/// access point is this user, so that containers that run as others share the folders.
const USER: &str = "33";
/// The folder that holds apps' lock files; no store has an underscore in its name.
const LOCKS: &str = "_locks";

/// Adds the access points of the folders that the app's containers mount, and one for lock files
/// where a job needs one.
pub(super) fn add(stack: &mut Stack, app: &App) -> Media {
    let mut media = Media::default();
    for folder in app.task_definition.containers.iter().flat_map(folders) {
        if media.folders.contains_key(folder) {
            continue;
        }
        let id = LogicalId::of(&["media", folder]);
        let description = format!("The folder {folder} of the shared file system");
        let id = add_one(stack, id, &description, folder);
        media.folders.insert(folder.to_owned(), id);
    }
    if media.folders.is_empty() {
        return media;
    }
    media.file_system = stack.take(&names::data::file_system());
    if app.jobs.iter().any(|job| !job.overlap) {
        let description = "The folder of the lock files of scheduled jobs";
        let folder = format!("{LOCKS}/{}", app.name);
        media.locks = Some(add_one(stack, "Locks".into(), description, &folder));
    }
    media
}

/// The folders that containers mount, and the folder of lock files if they take one.
pub(super) fn access(
    media: &Media,
    containers: &[Container],
    locks: bool,
) -> Vec<FileSystemAccess> {
    let way = |access_point: &LogicalId, read_only| FileSystemAccess {
        file_system: media.file_system.clone(),
        access_point: access_point.clone(),
        read_only,
    };
    let mounts = || containers.iter().flat_map(|container| &container.mounts);
    let of = media.folders.iter().filter_map(|(folder, access_point)| {
        let source = MountSource::Media(folder.clone());
        let mut mounts = mounts().filter(|mount| mount.source == source).peekable();
        mounts.peek()?;
        Some(way(access_point, mounts.all(|mount| mount.read_only)))
    });
    let lock = media.locks.iter().filter(|_| locks);
    of.chain(lock.map(|access_point| way(access_point, false)))
        .collect()
}

fn folders(container: &Container) -> impl Iterator<Item = &str> {
    let mounts = container.mounts.iter();
    mounts.filter_map(|mount| match &mount.source {
        MountSource::Media(folder) => Some(folder.as_str()),
        _ => None,
    })
}

fn add_one(stack: &mut Stack, id: LogicalId, description: &str, folder: &str) -> LogicalId {
    let file_system: Text = stack.take(&names::data::file_system());
    let properties = efs::AccessPoint {
        file_system_id: file_system,
        posix_user: Some(PosixUser {
            uid: USER.into(),
            gid: USER.into(),
            ..Default::default()
        }),
        root_directory: Some(RootDirectory {
            path: format!("/{folder}").into(),
            creation_info: Some(CreationInfo {
                owner_uid: USER.into(),
                owner_gid: USER.into(),
                permissions: "0755".into(),
            }),
        }),
        access_point_tags: vec![AccessPointTag {
            key: "Name".into(),
            value: folder.into(),
        }],
        ..Default::default()
    };
    stack.add(id, description, &properties).id()
}
