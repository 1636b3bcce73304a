//! From a blueprint to all its stacks.

use std::collections::{BTreeMap, BTreeSet};

use mck_blueprint::model::{App, AppCluster, Blueprint, Jenkins};
use mck_cloudformation::Template;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    app, cluster, data, edge, global, hexadecimal,
    index::Index,
    jenkins, network, observability, parallel, releases,
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
        Self {
            file: file.to_owned(),
            digest: hexadecimal(&Sha256::digest(content)),
        }
    }
}

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
        let stacks = parallel::map(&parts(blueprint), |part| part.stacks(&scene, siblings));
        let stacks = stacks.into_iter().flatten().collect();
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

/// Stacks that are made without looking at others.
enum Part<'a> {
    Network,
    Data,
    Edge,
    Releases,
    Observability,
    Cluster(&'a AppCluster),
    App(&'a App),
    Jenkins(&'a Jenkins),
    Global,
}

/// All parts of an environment, each after those that it depends on.
fn parts(blueprint: &Blueprint) -> Vec<Part<'_>> {
    let mut parts = vec![
        Part::Network,
        Part::Data,
        Part::Edge,
        Part::Releases,
        Part::Observability,
    ];
    parts.extend(blueprint.clusters.iter().map(Part::Cluster));
    parts.extend(blueprint.apps.iter().map(Part::App));
    parts.extend(blueprint.jenkins.iter().map(Part::Jenkins));
    parts.push(Part::Global);
    parts
}

impl Part<'_> {
    fn stacks(&self, scene: &Scene<'_>, siblings: &[&Blueprint]) -> Vec<Stack> {
        match self {
            Self::Network => vec![network::stack(scene)],
            Self::Data => vec![data::stack(scene)],
            Self::Edge => edge::stacks(scene),
            Self::Releases => releases::stacks(scene),
            Self::Observability => vec![observability::stack(scene)],
            Self::Cluster(cluster) => vec![cluster::stack(scene, cluster)],
            Self::App(app) => vec![app::stack(scene, app)],
            Self::Jenkins(jenkins) => vec![jenkins::stack(scene, jenkins)],
            Self::Global => global::stacks(scene, siblings),
        }
    }
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
