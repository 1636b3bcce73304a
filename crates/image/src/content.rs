//! What each image that is made for an app holds, decided from the blueprint.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use mck_aws_stacks::{files_digest, files_label};
use mck_blueprint::model::{App, ConfigurationFile, Container, Image, MountSource};

use crate::error::ImageError;

/// An image that is put below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The base image of this name; whoever builds says where it is.
    Named(String),
    /// The user's own image, by reference.
    Own(String),
}

impl fmt::Display for Base {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Named(text) | Self::Own(text)) = self;
        out.write_str(text)
    }
}

/// What comes on top of a base image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The image's name.
    pub name: String,
    /// What is below.
    pub base: Base,
    /// Where the release lies; none where no container of the image sees it.
    pub release: Option<String>,
    /// Configuration files, by path.
    pub files: BTreeMap<String, ConfigurationFile>,
    /// Folders that are there, by path.
    pub folders: BTreeMap<String, Folder>,
    /// The signal that ends it.
    pub stop_signal: String,
    /// Labels: the digest of each container's files.
    pub labels: BTreeMap<String, String>,
}

/// A folder of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The user that owns it, by name or number.
    pub owner: String,
}

/// What each image of an app holds, in the order of their names.
///
/// # Errors
/// Where containers that share an image want different files at one path, or other signals.
pub fn contents(app: &App) -> Result<Vec<Content>, ImageError> {
    let containers = &app.task_definition.containers;
    let names: BTreeSet<&str> = containers
        .iter()
        .filter_map(Container::made_image)
        .collect();
    names
        .into_iter()
        .map(|name| {
            let of_image = containers.iter().filter(|it| it.made_image() == Some(name));
            content(name, of_image)
        })
        .collect()
}

fn base(container: &Container) -> Base {
    match &container.image {
        Image::Base(name) => Base::Named(name.clone()),
        Image::Oci(reference) => Base::Own(reference.clone()),
    }
}

fn content<'a>(
    name: &str,
    containers: impl Iterator<Item = &'a Container>,
) -> Result<Content, ImageError> {
    let mut containers = containers.peekable();
    let mut content = Content {
        name: name.to_owned(),
        base: containers
            .peek()
            .map_or_else(|| Base::Named(name.to_owned()), |first| base(first)),
        release: None,
        files: BTreeMap::new(),
        folders: BTreeMap::new(),
        stop_signal: String::new(),
        labels: BTreeMap::new(),
    };
    for container in containers {
        if content.stop_signal.is_empty() {
            content.stop_signal.clone_from(&container.stop_signal);
        } else if content.stop_signal != container.stop_signal {
            return Err(ImageError::unusable(
                name,
                format!(
                    "its containers want the signals {} and {}, and an image has one",
                    content.stop_signal, container.stop_signal
                ),
            ));
        }
        for file in &container.files {
            let before = content.files.insert(file.path.clone(), file.clone());
            if before.is_some_and(|before| before != *file) {
                return Err(ImageError::Conflict {
                    image: name.to_owned(),
                    path: file.path.clone(),
                });
            }
        }
        if !container.files.is_empty() {
            let label = files_label(&container.name);
            content.labels.insert(label, files_digest(container));
        }
        add_mounts(&mut content, container);
    }
    Ok(content)
}

/// Docker fills a volume of a task from the image's folder, owner and all, so such a folder is the
/// container's user's. Other mounts hide what is below.
fn add_mounts(content: &mut Content, container: &Container) {
    for mount in &container.mounts {
        let owner = match &mount.source {
            MountSource::Release => {
                content.release = Some(mount.path.clone());
                continue;
            }
            MountSource::Temporary if mount.seeded => &container.user,
            MountSource::TaskVolume(_) | MountSource::Media(_) => &container.user,
            MountSource::Temporary | MountSource::Host(_) => continue,
        };
        let owner = owner.clone();
        content.folders.insert(mount.path.clone(), Folder { owner });
    }
}

#[cfg(test)]
mod tests;
