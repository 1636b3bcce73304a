//! Where containers of a task can write.
//!
//! - Media: the shared file system, through an access point, with TLS and the task's role.
//! - Memory of a container's own: a `tmpfs`. Docker leaves one empty, so a place that begins as a copy
//!   of the image's folder is a volume of the task, which Docker fills from the image.
//! - A folder that containers of a task share: a volume of the task.
//! - The release is in the image.

use std::collections::BTreeMap;

use mck_blueprint::model::{AppCluster, Container, MountPoint, MountSource};
use mck_cloudformation::{
    LogicalId, Text,
    resources::ecs::task_definition::{
        self as parts, AuthorizationConfig, DockerVolumeConfiguration, EfsVolumeConfiguration,
        HostVolumeProperties, Tmpfs,
    },
};

use crate::units::mebibytes;

/// Where jobs that must not run twice find their lock files.
pub(crate) const LOCKS: &str = "/mnt/locks";
/// The name of the volume with the lock files, and of its access point's folder.
const LOCKS_VOLUME: &str = "locks";
/// What the agent of ECS Exec writes to in a container, in MiB; with a read-only root it could not
/// start (containers-roadmap, issue 1359).
const EXEC_FOLDERS: [(&str, u8); 2] = [("/var/lib/amazon", 16), ("/var/log/amazon", 16)];

/// The ways into the shared file system that an app has.
#[derive(Debug, Default)]
pub(crate) struct Media {
    /// The file system's id; absent where there is none.
    pub(crate) file_system: Text,
    /// Access points by folder.
    pub(crate) folders: BTreeMap<String, LogicalId>,
    /// The access point of the app's lock files, where it has jobs that need one.
    pub(crate) locks: Option<LogicalId>,
}

/// The volumes of a task definition, while its containers are written.
pub(super) struct Volumes<'a> {
    media: &'a Media,
    cluster: &'a AppCluster,
    volumes: BTreeMap<String, parts::Volume>,
}

/// What a container mounts.
#[derive(Default)]
pub(super) struct Mounts {
    pub(super) points: Vec<parts::MountPoint>,
    pub(super) tmpfs: Vec<Tmpfs>,
}

impl<'a> Volumes<'a> {
    pub(super) const fn new(media: &'a Media, cluster: &'a AppCluster) -> Self {
        Self {
            media,
            cluster,
            volumes: BTreeMap::new(),
        }
    }

    pub(super) fn finish(self) -> Vec<parts::Volume> {
        self.volumes.into_values().collect()
    }

    /// What a container mounts; `exec` where ECS Exec runs commands in it, `locks` where it takes a
    /// lock.
    pub(super) fn of(&mut self, container: &Container, exec: bool, locks: bool) -> Mounts {
        let mut mounts = Mounts::default();
        for mount in &container.mounts {
            self.mount(container, mount, &mut mounts);
        }
        if let Some(access_point) = self.media.locks.as_ref().filter(|_| locks) {
            self.insert(self.efs(LOCKS_VOLUME, access_point));
            mounts.points.push(point(LOCKS_VOLUME, LOCKS, false));
        }
        if exec && container.read_only_root {
            let own = EXEC_FOLDERS.iter().map(|(path, size)| Tmpfs {
                container_path: (*path).into(),
                size: (*size).into(),
                ..Default::default()
            });
            mounts.tmpfs.extend(own);
        }
        mounts
    }

    fn mount(&mut self, container: &Container, mount: &MountPoint, mounts: &mut Mounts) {
        let volume = match &mount.source {
            MountSource::Release => return,
            MountSource::Temporary if !mount.seeded => {
                mounts.tmpfs.push(self.tmpfs(container, mount));
                return;
            }
            MountSource::Temporary => {
                let name = format!("{}-{}", container.name, slug(&mount.path));
                task_volume(&name)
            }
            MountSource::TaskVolume(name) => task_volume(&format!("shared-{}", slug(name))),
            MountSource::Media(folder) => {
                let access_point = &self.media.folders[folder];
                self.efs(&format!("media-{}", slug(folder)), access_point)
            }
            MountSource::Host(path) => parts::Volume {
                name: format!("host-{}", slug(path)).into(),
                host: Some(HostVolumeProperties {
                    source_path: path.into(),
                }),
                ..Default::default()
            },
        };
        let name = volume.name.literal().unwrap_or_default().to_owned();
        mounts
            .points
            .push(point(&name, &mount.path, mount.read_only));
        self.insert(volume);
    }

    fn insert(&mut self, volume: parts::Volume) {
        let name = volume.name.literal().unwrap_or_default().to_owned();
        self.volumes.insert(name, volume);
    }

    fn efs(&self, name: &str, access_point: &LogicalId) -> parts::Volume {
        parts::Volume {
            name: name.into(),
            efs_volume_configuration: Some(EfsVolumeConfiguration {
                filesystem_id: self.media.file_system.clone(),
                transit_encryption: "ENABLED".into(),
                authorization_config: Some(AuthorizationConfig {
                    access_point_id: access_point.reference(),
                    iam: "ENABLED".into(),
                }),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    /// ECS wants a size. Where none is said, it is what the kernel would take itself: half of the
    /// server's memory, or less where the container may not have that much.
    fn tmpfs(&self, container: &Container, mount: &MountPoint) -> Tmpfs {
        let half = mebibytes(self.cluster.capacity.memory) / 2;
        let most = container.memory.map_or(half, mebibytes);
        Tmpfs {
            container_path: (&mount.path).into(),
            size: mount.size.map_or(most.min(half), mebibytes).into(),
            ..Default::default()
        }
    }
}

fn task_volume(name: &str) -> parts::Volume {
    parts::Volume {
        name: name.into(),
        docker_volume_configuration: Some(DockerVolumeConfiguration {
            scope: "task".into(),
            driver: "local".into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn point(volume: &str, path: &str, read_only: bool) -> parts::MountPoint {
    parts::MountPoint {
        source_volume: volume.into(),
        container_path: path.into(),
        read_only: read_only.into(),
    }
}

/// A path as a volume's name: letters, digits, `-` and `_` (ECS).
fn slug(path: &str) -> String {
    path.trim_matches('/').replace(
        |letter: char| !letter.is_ascii_alphanumeric() && letter != '_',
        "-",
    )
}
