//! Containers: what the file says of them, with defaults.

use std::collections::BTreeMap;

use mck_environment::{
    settings::{Container as Settings, Mount},
    units::{Duration, Size},
};

use mck_server_config::web_preset::CODE_DIRECTORY;

use super::PlanningError;
use crate::model::{Container, EndpointVariable, Image, MountPoint, MountSource};

/// Memory kept for a container of which nothing is said.
const DEFAULT_MEMORY: Size = Size::from_mib(128);
/// CPU units of a container of which nothing is said.
const DEFAULT_CPU: u32 = 128;
/// ECS's own default for the time that a container may take to stop.
const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A container with the defaults of everything but its name and image. Of an OCI image's container
/// the user, the folder and the signal are left to the image.
pub(in crate::planning) fn blank(name: &str, description: &str, image: Image) -> Container {
    let unless_image = |text: &str| match image {
        Image::Base(_) => text.to_owned(),
        Image::Oci(_) => String::new(),
    };
    Container {
        working_directory: unless_image("/"),
        user: unless_image("root"),
        stop_signal: unless_image("SIGTERM"),
        name: name.to_owned(),
        description: description.to_owned(),
        image,
        command: Vec::new(),
        environment: BTreeMap::new(),
        secrets: BTreeMap::new(),
        endpoints: BTreeMap::new(),
        port: None,
        cpu: DEFAULT_CPU,
        memory_reservation: DEFAULT_MEMORY,
        memory: None,
        essential: true,
        read_only_root: true,
        capabilities: Vec::new(),
        mounts: Vec::new(),
        files: Vec::new(),
        depends_on: BTreeMap::new(),
        health_check: None,
        stop_timeout: DEFAULT_STOP_TIMEOUT,
    }
}

/// Memory of a container's own at a path, at most `size`.
pub(super) fn temporary(path: &str, size: Option<Size>) -> MountPoint {
    MountPoint {
        path: path.to_owned(),
        source: MountSource::Temporary,
        read_only: false,
        seeded: false,
        size,
    }
}

/// A folder of the App Server.
pub(in crate::planning) fn host(path: &str, source: &str, read_only: bool) -> MountPoint {
    MountPoint {
        path: path.to_owned(),
        source: MountSource::Host(source.to_owned()),
        read_only,
        seeded: false,
        size: None,
    }
}

/// The app's release.
pub(super) fn release(path: &str) -> MountPoint {
    MountPoint {
        path: path.to_owned(),
        source: MountSource::Release,
        read_only: true,
        seeded: false,
        size: None,
    }
}

/// A folder of the shared file system, or, where there is none, of the task alone.
pub(super) fn media(path: &str, folder: &str, has_file_system: bool) -> MountPoint {
    let source = if has_file_system {
        MountSource::Media(folder.to_owned())
    } else {
        MountSource::TaskVolume(folder.to_owned())
    };
    MountPoint {
        path: path.to_owned(),
        source,
        read_only: false,
        seeded: false,
        size: None,
    }
}

/// What a container of the file's own is part of.
pub(super) struct Place<'a> {
    /// The app.
    pub(super) app: &'a str,
    /// The store's folder of the shared file system.
    pub(super) media_folder: &'a str,
    /// Whether there is a shared file system.
    pub(super) has_file_system: bool,
    /// The app's image, for containers without one.
    pub(super) image: Option<&'a String>,
    /// Whether the app has a release of its own code.
    pub(super) has_release: bool,
    /// Whether an image is built from that code, which then may bring the command.
    pub(super) builds_image: bool,
}

/// A container that the file alone describes. One without an image of its own runs the app's. From
/// an image it runs as the image says, else as `nobody`, in the app's release where it has one.
pub(super) fn from_settings(
    place: &Place<'_>,
    name: &str,
    settings: &Settings,
) -> Result<Container, PlanningError> {
    let image = match settings.image.as_ref().or(place.image) {
        Some(image) => Image::Oci(image.clone()),
        None if settings.command.is_some() || place.builds_image => Image::Base(name.to_owned()),
        None => {
            return Err(PlanningError::NothingToRun {
                app: place.app.to_owned(),
                container: name.to_owned(),
            });
        }
    };
    let is_base = matches!(image, Image::Base(_));
    let runs_release = place.has_release && is_base;
    let description = format!("Container `{name}` of app `{}`", place.app);
    let mut container = blank(name, &description, image);
    if is_base {
        "nobody".clone_into(&mut container.user);
    }
    if runs_release {
        container.mounts.push(release(CODE_DIRECTORY));
        container.working_directory = CODE_DIRECTORY.to_owned();
    }
    change(
        &mut container,
        place.media_folder,
        settings,
        place.has_file_system,
    );
    if settings.memory_reservation.is_none()
        && let Some(limit) = container.memory
    {
        container.memory_reservation = limit;
    }
    Ok(container)
}

/// Changes a container by what the file says of it.
pub(super) fn change(
    container: &mut Container,
    media_folder: &str,
    settings: &Settings,
    has_file_system: bool,
) {
    fn set<T: Clone>(target: &mut T, value: Option<&T>) {
        if let Some(value) = value {
            target.clone_from(value);
        }
    }
    if let Some(image) = &settings.image {
        container.image = Image::Oci(image.clone());
    }
    set(&mut container.command, settings.command.as_ref());
    set(
        &mut container.working_directory,
        settings.working_directory.as_ref(),
    );
    set(&mut container.user, settings.user.as_ref());
    set(&mut container.cpu, settings.cpu.as_ref());
    set(
        &mut container.memory_reservation,
        settings.memory_reservation.as_ref(),
    );
    set(&mut container.essential, settings.essential.as_ref());
    set(
        &mut container.read_only_root,
        settings.read_only_root.as_ref(),
    );
    set(&mut container.stop_timeout, settings.stop_timeout.as_ref());
    container.port = settings.port.or(container.port);
    container.memory = settings.memory.or(container.memory);
    container.health_check = settings
        .health_check
        .clone()
        .or(container.health_check.take());
    if !settings.capabilities.is_empty() {
        container.capabilities = settings
            .capabilities
            .iter()
            .map(|it| capability(it))
            .collect();
    }
    container.depends_on.extend(
        settings
            .depends_on
            .iter()
            .map(|(name, condition)| (name.clone(), *condition)),
    );
    for mount in &settings.mounts {
        let mount = match mount {
            Mount::Media { path } => media(path, media_folder, has_file_system),
            Mount::Temporary { path } => temporary(path, None),
        };
        container.mounts.retain(|known| known.path != mount.path);
        container.mounts.push(mount);
    }
}

/// A Linux capability by its full name; the file, like ECS, leaves `CAP_` out.
fn capability(name: &str) -> String {
    format!("CAP_{}", name.trim_start_matches("CAP_"))
}

/// Adds variables; one that is there already, plain or from a secret, gives way.
pub(super) fn add_variables(
    container: &mut Container,
    plain: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, String>,
) {
    for (name, value) in plain {
        container.secrets.remove(name);
        container.endpoints.remove(name);
        container.environment.insert(name.clone(), value.clone());
    }
    for (name, secret) in secrets {
        container.environment.remove(name);
        container.endpoints.remove(name);
        container.secrets.insert(name.clone(), secret.clone());
    }
}

/// Adds variables whose values only the target knows; one that is there already gives way.
pub(super) fn add_endpoints(
    container: &mut Container,
    endpoints: &BTreeMap<String, EndpointVariable>,
) {
    for (name, endpoint) in endpoints {
        container.environment.remove(name);
        container.secrets.remove(name);
        container.endpoints.insert(name.clone(), endpoint.clone());
    }
}
