//! From a blueprint to all its stacks.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    thread,
};

use mck_blueprint::model::{App, Blueprint};
use mck_cloudformation::Template;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    app, cluster, data, edge, global,
    index::Index,
    jenkins, network, observability, releases,
    stack::{Stack, StackId},
};

/// The file that a blueprint came from; named in each template's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's name, without folders: they differ between machines.
    pub file: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub digest: String,
}

impl Source {
    /// A source of this name and content.
    pub fn new(file: &str, content: &[u8]) -> Self {
        let digest = Sha256::digest(content);
        Self {
            file: file.to_owned(),
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// Apps for which a thread of its own pays.
const LEAST_SHARE: usize = 16;

/// The key of a template's metadata that says where it comes from.
const METADATA: &str = "mck";

/// All stacks of an environment, each after those that it depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Stacks {
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// The stacks.
    pub stacks: Vec<Stack>,
}

impl Stacks {
    /// Turns a blueprint into stacks: the same for the same blueprint, byte for byte.
    ///
    /// `siblings` are the blueprints of all AWS environments of the project, this one among them:
    /// they share the global stacks.
    pub fn synthesise(blueprint: &Blueprint, siblings: &[&Blueprint], source: &Source) -> Self {
        let scene = Scene::new(blueprint, source);
        let mut stacks = vec![network::stack(&scene), data::stack(&scene)];
        stacks.extend(edge::stacks(&scene));
        stacks.extend(releases::stacks(&scene));
        stacks.push(observability::stack(&scene));
        stacks.extend(
            blueprint
                .clusters
                .iter()
                .map(|it| cluster::stack(&scene, it)),
        );
        stacks.extend(of_apps(&scene));
        stacks.extend(
            blueprint
                .jenkins
                .iter()
                .map(|it| jenkins::stack(&scene, it)),
        );
        stacks.extend(global::stacks(&scene, siblings));
        Self {
            project: blueprint.project.clone(),
            environment: blueprint.environment.clone(),
            stacks,
        }
    }

    /// The stack of that id.
    pub fn get(&self, id: &StackId) -> Option<&Stack> {
        self.stacks.iter().find(|stack| stack.id == *id)
    }
}

/// The stacks of all apps, in the apps' order. They do not know of each other, so that hundreds are
/// shared out among the processors.
fn of_apps(scene: &Scene<'_>) -> Vec<Stack> {
    let apps = &scene.blueprint.apps;
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let share = apps.len().div_ceil(processors).max(LEAST_SHARE);
    let make =
        |apps: &[App]| -> Vec<Stack> { apps.iter().map(|app| app::stack(scene, app)).collect() };
    let mut shares = apps.chunks(share);
    let Some(first) = shares.next() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let others: Vec<_> = shares.map(|apps| scope.spawn(move || make(apps))).collect();
        let mut stacks = make(first);
        for other in others {
            match other.join() {
                Ok(more) => stacks.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        stacks
    })
}

/// What every stack is made from.
pub(crate) struct Scene<'a> {
    pub(crate) blueprint: &'a Blueprint,
    pub(crate) source: &'a Source,
    pub(crate) index: Index<'a>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(blueprint: &'a Blueprint, source: &'a Source) -> Self {
        Self {
            blueprint,
            source,
            index: Index::of(blueprint),
        }
    }

    /// An empty stack of the environment.
    pub(crate) fn stack(&self, id: StackId, description: &str) -> Stack {
        let Blueprint {
            project,
            environment,
            ..
        } = self.blueprint;
        let mut stack = self.empty(
            format!("{project}-{environment}-{}", id.name()),
            format!("{project} {environment}: {description}"),
            id,
        );
        stack.tags.clone_from(&self.blueprint.tags);
        let metadata = stack.template.metadata.get_mut(METADATA);
        if let Some(metadata) = metadata {
            metadata["Environment"] = environment.as_str().into();
        }
        stack
    }

    /// An empty stack that the project's environments in the region share: it does not say from
    /// which of them it was made, so that it is the same from each.
    pub(crate) fn shared_stack(&self, id: StackId, description: &str) -> Stack {
        let project = &self.blueprint.project;
        self.empty(
            format!("{project}-{}", id.name()),
            format!("{project}: {description}"),
            id,
        )
    }

    fn empty(&self, name: String, description: String, id: StackId) -> Stack {
        let mut template = Template::new(description);
        template.metadata.insert(
            METADATA.to_owned(),
            json!({
                "Version": env!("CARGO_PKG_VERSION"),
                "Project": self.blueprint.project,
                "Stack": id.name(),
                "File": self.source.file,
                "FileSha256": self.source.digest,
            }),
        );
        Stack {
            name,
            region: self.blueprint.region.clone(),
            template,
            parameters: BTreeMap::new(),
            after: BTreeSet::new(),
            termination_protection: false,
            tags: BTreeMap::new(),
            id,
        }
    }
}
