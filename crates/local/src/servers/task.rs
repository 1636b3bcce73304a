//! Tasks: the containers of a task definition in one network namespace, as ECS's `awsvpc` has them.

use std::{net::Ipv4Addr, path::PathBuf};

use mck_blueprint::model::{App, Container, HookStage, Image, MountSource};
use mck_environment::units::Size;

use super::{Context, ServerError, root_file};
use crate::{
    container::{BindMount, ContainerPlan, Limits, RootTree, Temporary, TreeMount},
    image::{Explicit, LoadedImage, TaskImages, apply_defaults},
    release::{Release, ReleaseStore},
};

/// Where a task runs and what it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPlace {
    /// Its id, unique in the environment: the app's name and eight hexadecimal digits.
    pub id: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// The App Server whose capacity it takes.
    pub server: String,
    /// The tree of the release, for an app with code of its own.
    pub tree: Option<PathBuf>,
    /// What `/REVISION.txt` says.
    pub revision: String,
    /// The images that its containers are made of, by reference.
    pub images: TaskImages,
}

/// The folder of a task's volumes and logs carries this prefix; also its network namespace.
pub fn namespace_part(task: &str) -> String {
    format!("task-{task}")
}

/// The id of a container of a task.
pub fn container_id(task: &str, container: &str) -> String {
    format!("{task}.{container}")
}

/// The containers of a task, in the order of their start.
///
/// # Errors
/// When a container's user does not exist, or its image is not among the place's or has no command.
pub fn containers(
    context: &Context,
    app: &App,
    place: &TaskPlace,
) -> Result<Vec<ContainerPlan>, ServerError> {
    let definition = &app.task_definition;
    definition
        .containers
        .iter()
        .map(|container| plan(context, container, place, None))
        .collect()
}

/// A container like one of the app's, that runs another command: a hook, a job, a one-off task.
///
/// # Errors
/// As [`containers`].
pub fn one_off(
    context: &Context,
    container: &Container,
    place: &TaskPlace,
    command: Vec<String>,
) -> Result<ContainerPlan, ServerError> {
    plan(context, container, place, Some(command))
}

fn plan(
    context: &Context,
    container: &Container,
    place: &TaskPlace,
    command: Option<Vec<String>>,
) -> Result<ContainerPlan, ServerError> {
    let part = namespace_part(&place.id);
    let image = image(container, place)?;
    let command = command.unwrap_or_else(|| container.command.clone());
    // Of an image's container the user is found among the image's own, below.
    let user = image.map_or(container.user.as_str(), |_| "root");
    let mut plan = context.container(&part, user, command)?;
    plan.id = container_id(&place.id, &container.name);
    plan.hostname.clone_from(&place.id);
    plan.working_directory
        .clone_from(&container.working_directory);
    plan.read_only_root = container.read_only_root;
    plan.capabilities.clone_from(&container.capabilities);
    plan.stop_signal.clone_from(&container.stop_signal);
    plan.stop_timeout = container.stop_timeout.into();
    plan.stop_order = 1;
    plan.cgroup = PathBuf::from(context.layout.id().as_str())
        .join(&place.server)
        .join(&place.id)
        .join(&container.name);
    plan.limits = Limits {
        memory: container.memory.map(|size| size.as_mib() << 20),
        cpu: Some(container.cpu).filter(|cpu| *cpu > 0),
        processes: Some(4_096),
    };
    set_environment(context, container, place, &mut plan);
    plan.files.extend(container.files.iter().map(|file| {
        let mut file_plan = root_file(&file.path, file.content.clone());
        file_plan.mode = if file.executable { 0o755 } else { 0o644 };
        file_plan
    }));
    if let Some(image) = image {
        run_from(image, container, &mut plan)?;
    }
    add_mounts(context, container, place, &mut plan);
    Ok(plan)
}

/// The image that a container is made of; none for one of the machine's own programs.
fn image<'a>(
    container: &Container,
    place: &'a TaskPlace,
) -> Result<Option<&'a LoadedImage>, ServerError> {
    let Image::Oci(reference) = &container.image else {
        return Ok(None);
    };
    let image = place.images.get(reference);
    let image = image.ok_or_else(|| ServerError::NoImage(reference.clone()))?;
    Ok(Some(&**image))
}

/// Puts the image below the container, and takes from it what the settings leave to it.
fn run_from(
    image: &LoadedImage,
    container: &Container,
    plan: &mut ContainerPlan,
) -> Result<(), ServerError> {
    fn said(text: &str) -> Option<&str> {
        Some(text).filter(|text| !text.is_empty())
    }
    plan.root = RootTree::Layers(image.image.layers.clone());
    let command = std::mem::take(&mut plan.command);
    let explicit = Explicit {
        command: Some(command.as_slice()).filter(|command| !command.is_empty()),
        user: said(&container.user),
        working_directory: said(&container.working_directory),
        stop_signal: said(&container.stop_signal),
    };
    apply_defaults(plan, &image.image.config, &image.users, &explicit)?;
    Ok(())
}

fn set_environment(
    context: &Context,
    container: &Container,
    place: &TaskPlace,
    plan: &mut ContainerPlan,
) {
    let variables = &mut plan.environment.0;
    variables.extend(container.environment.clone());
    let secrets = container.secrets.iter();
    variables.extend(
        secrets.map(|(name, secret)| (name.clone(), context.secrets.value(secret).to_owned())),
    );
    variables.insert("TASK_ID".to_owned(), place.id.clone());
    variables.insert("REVISION".to_owned(), place.revision.clone());
}

fn add_mounts(
    context: &Context,
    container: &Container,
    place: &TaskPlace,
    plan: &mut ContainerPlan,
) {
    let user = plan.user.clone();
    for mount in &container.mounts {
        let shared = match &mount.source {
            MountSource::Host(path) => {
                plan.binds.push(BindMount {
                    source: path.into(),
                    path: mount.path.clone(),
                    read_only: mount.read_only,
                });
                continue;
            }
            MountSource::Release => {
                if let Some(tree) = &place.tree {
                    let mount_points = mount_points_below(container, &mount.path);
                    plan.trees.push(TreeMount {
                        source: tree.clone(),
                        path: mount.path.clone(),
                        mount_points,
                    });
                }
                continue;
            }
            MountSource::Temporary => {
                plan.temporary
                    .retain(|temporary| temporary.path != mount.path);
                // In a folder that is shared by several users nobody may rename what is another's;
                // of a copy of the release everything is root's, and the app replaces it.
                let mode = if mount.seeded { 0o777 } else { 0o1777 };
                plan.temporary.push(Temporary {
                    seeded: mount.seeded,
                    size_mib: mount.size.map(Size::as_mib),
                    ..Temporary::with_mode(&mount.path, mode)
                });
                continue;
            }
            MountSource::Media(folder) => context.layout.data("media").join(folder),
            MountSource::TaskVolume(name) => context
                .layout
                .run()
                .join("volumes")
                .join(&place.id)
                .join(name),
        };
        plan.folders.push((shared.clone(), user.clone()));
        plan.binds.push(BindMount {
            source: shared,
            path: mount.path.clone(),
            read_only: mount.read_only,
        });
    }
}

/// Where other mounts of the container lie inside the release's tree.
fn mount_points_below(container: &Container, top: &str) -> Vec<String> {
    let others = container.mounts.iter().map(|mount| &mount.path);
    others
        .filter_map(|path| path.strip_prefix(top)?.strip_prefix('/'))
        .map(str::to_owned)
        .collect()
}

/// The tree that tasks of an app see: their release's, or the source itself where that is wanted;
/// none for an app without code of its own.
pub fn tree(context: &Context, app: &App, release: Option<&Release>) -> Option<PathBuf> {
    if app.live_source {
        return app
            .source
            .as_ref()
            .map(|source| context.folder.join(source));
    }
    let store = ReleaseStore::new(&context.layout.releases(), &app.name);
    release.map(|release| store.tree(&release.id))
}

/// The command and container of an app's hook; none when the app has no such hook.
pub fn hook(app: &App, stage: HookStage) -> Option<(&Container, Vec<String>)> {
    let hook = app.hooks.iter().find(|hook| hook.stage == stage)?;
    let container = app
        .task_definition
        .containers
        .iter()
        .find(|container| container.name == hook.container)?;
    Some((container, hook.command.clone()))
}
