//! An app's images put together.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use mck_aws_stacks::hexadecimal;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::{
    content::Content,
    error::{ImageError, at},
    layer::{self, WrittenLayer},
    layout::Layout,
    manifest::{
        CONFIG, Config, DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, INDEX, Index, MANIFEST, Manifest,
    },
    reference::Reference,
    registry::Registry,
    users,
};

/// When images say that they were made: always the same, so that they are the same.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// The length of a release's id.
const ID_LENGTH: usize = 12;

/// The machine's architecture, in Go's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// x86-64.
    Amd64,
    /// 64-bit ARM.
    Arm64,
}

impl Platform {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// What a layer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerKind {
    /// The base image's.
    Base,
    /// Composer's packages.
    Vendor,
    /// The rest of the release.
    Release,
    /// Configuration files and folders.
    Configuration,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Layer {
    /// What it holds.
    pub kind: LayerKind,
    /// Its digest, compressed.
    pub digest: String,
    /// Its size in bytes, compressed.
    pub size: u64,
    /// Its files, folders and links; none of a base's layer.
    pub entries: Option<usize>,
}

/// An image that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MadeImage {
    /// Its name.
    pub name: String,
    /// Its manifest's digest.
    pub digest: String,
    /// Its layers, the base's first.
    pub layers: Vec<Layer>,
}

/// A release to make images of.
#[derive(Debug, Clone, Copy)]
pub struct Recipe<'a> {
    /// Its tree; none where the images below have the code.
    pub tree: Option<&'a Path>,
    /// Its id, which is the images' tag.
    pub release: &'a str,
    /// Its revision.
    pub revision: &'a str,
}

/// The id of a release that is made of the user's own images: twelve hexadecimal digits, as those of
/// releases that are made of code. `bases` are the digests of what is built on.
pub fn release_of_images<'a>(revision: &str, bases: impl IntoIterator<Item = &'a str>) -> String {
    let bases: BTreeSet<&str> = bases.into_iter().collect();
    let mut hash = Sha256::new();
    for text in [revision].into_iter().chain(bases) {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text);
    }
    let mut id = hexadecimal(&hash.finalize());
    id.truncate(ID_LENGTH);
    id
}

/// Brings an image to build on into a layout, unless it is there. Gives its manifest's digest.
/// `registry` is asked where the reference names one.
///
/// # Errors
/// When it can't be fetched, or is not for the platform.
pub fn fetch_base(
    layout: &Layout,
    reference: &Reference,
    platform: Platform,
    registry: Option<&Registry>,
) -> Result<String, ImageError> {
    let source = Source::of(reference, registry)?;
    let mut manifest = source.begin(layout)?;
    if [INDEX, DOCKER_INDEX].contains(&manifest.media_type.as_str()) {
        let index: Index = layout.json(&manifest.digest)?;
        let is_meant = |it: &&Descriptor| {
            let of = it.platform.as_ref();
            of.is_some_and(|of| of.os == "linux" && of.architecture == platform.as_str())
        };
        let found = index.manifests.iter().find(is_meant);
        manifest = found.cloned().ok_or_else(|| {
            let reason = format!("it has no image for linux/{}", platform.as_str());
            ImageError::unusable(&reference.to_string(), reason)
        })?;
        source.bring(layout, &manifest, true)?;
    }
    if ![MANIFEST, DOCKER_MANIFEST].contains(&manifest.media_type.as_str()) {
        let reason = format!("{} is no image", manifest.media_type);
        return Err(ImageError::unusable(&reference.to_string(), reason));
    }
    let image: Manifest = layout.json(&manifest.digest)?;
    source.bring(layout, &image.config, false)?;
    let config: Config = layout.json(&image.config.digest)?;
    if config.architecture != platform.as_str() {
        let reason = format!(
            "it is for {}, and the servers are {}",
            config.architecture,
            platform.as_str()
        );
        return Err(ImageError::unusable(&reference.to_string(), reason));
    }
    for blob in &image.layers {
        source.bring(layout, blob, false)?;
    }
    Ok(manifest.digest)
}

/// Where a base image comes from.
enum Source<'a> {
    Layout(Layout, Option<&'a str>),
    Registry(&'a Registry, &'a str, &'a str),
}

impl<'a> Source<'a> {
    fn of(reference: &'a Reference, registry: Option<&'a Registry>) -> Result<Self, ImageError> {
        match (reference, registry) {
            (Reference::Layout { folder, tag }, _) => {
                Ok(Self::Layout(Layout::of(folder), tag.as_deref()))
            }
            (
                Reference::Registry {
                    repository,
                    version,
                },
                Some(registry),
            ) => Ok(Self::Registry(registry, &repository.name, version)),
            (Reference::Registry { .. }, None) => Err(ImageError::unusable(
                &reference.to_string(),
                "no registry to ask",
            )),
        }
    }

    fn begin(&self, layout: &Layout) -> Result<Descriptor, ImageError> {
        match self {
            Self::Layout(from, tag) => {
                let found = from.find(*tag)?;
                layout.adopt(from, &found)?;
                Ok(found)
            }
            Self::Registry(registry, name, version) => {
                let (media_type, text) = registry.manifest(name, version)?;
                let found = layout.put(&media_type, &text)?;
                if version.contains(':') && *version != found.digest {
                    let reason = format!("the registry gave {}", found.digest);
                    return Err(ImageError::unusable(version, reason));
                }
                Ok(found)
            }
        }
    }

    fn bring(
        &self,
        layout: &Layout,
        blob: &Descriptor,
        is_manifest: bool,
    ) -> Result<(), ImageError> {
        if layout.has(blob) {
            return Ok(());
        }
        match self {
            Self::Layout(from, _) => layout.adopt(from, blob),
            Self::Registry(registry, name, _) if is_manifest => {
                let (_, text) = registry.manifest(name, &blob.digest)?;
                layout.take(blob, &mut text.as_slice())
            }
            Self::Registry(registry, name, _) => registry.fetch(name, blob, layout),
        }
    }
}

/// Makes the app's images, each in the layout that has its base: the base's manifest digest tells
/// which of the layout's images that is.
///
/// # Errors
/// When the release can't be read, the layouts not be written, or a user is not in the base image.
pub fn build(
    recipe: Recipe<'_>,
    images: &[(&Content, &Layout, &str)],
) -> Result<Vec<MadeImage>, ImageError> {
    let mut releases: BTreeMap<&str, ReleaseLayers> = BTreeMap::new();
    let mut made = Vec::new();
    for (content, layout, base) in images {
        let mut fresh = Vec::new();
        if let (Some(path), Some(tree)) = (content.release.as_deref(), recipe.tree) {
            let layers = match releases.get(path) {
                Some(there) => there,
                None => releases
                    .entry(path)
                    .or_insert(release_layers(tree, path, layout)?),
            };
            for (kind, layer) in &layers.layers {
                layout.adopt(&layers.layout, &layer.descriptor)?;
                fresh.push((*kind, layer.clone()));
            }
        }
        made.push(assemble(recipe, content, layout, base, fresh)?);
    }
    Ok(made)
}

/// A release's layers, and where they were written.
struct ReleaseLayers {
    layout: Layout,
    layers: Vec<(LayerKind, WrittenLayer)>,
}

fn release_layers(tree: &Path, path: &str, layout: &Layout) -> Result<ReleaseLayers, ImageError> {
    let mut layers = Vec::new();
    for (is_vendor, entries) in layer::of_release(tree, path)? {
        let kind = if is_vendor {
            LayerKind::Vendor
        } else {
            LayerKind::Release
        };
        layers.push((kind, layer::write(layout, &entries)?));
    }
    Ok(ReleaseLayers {
        layout: (*layout).clone(),
        layers,
    })
}

fn assemble(
    recipe: Recipe<'_>,
    content: &Content,
    layout: &Layout,
    base: &str,
    mut fresh: Vec<(LayerKind, WrittenLayer)>,
) -> Result<MadeImage, ImageError> {
    let mut manifest: Manifest = layout.json(base)?;
    let mut config: Config = layout.json(&manifest.config.digest)?;
    let below = content.base.to_string();
    let passwd = users::passwd(layout, &below, &manifest.layers)?;
    let owner = |user: &str| users::owner(&below, &passwd, user);
    let entries = layer::of_content(content, owner)?;
    if !entries.is_empty() {
        let written = layer::write(layout, &entries)?;
        fresh.push((LayerKind::Configuration, written));
    }
    let of_base = manifest.layers.iter().map(|layer| Layer {
        kind: LayerKind::Base,
        digest: layer.digest.clone(),
        size: layer.size,
        entries: None,
    });
    let of_release = fresh.iter().map(|(kind, layer)| Layer {
        kind: *kind,
        digest: layer.descriptor.digest.clone(),
        size: layer.descriptor.size,
        entries: Some(layer.entries),
    });
    let layers: Vec<Layer> = of_base.chain(of_release).collect();
    complete(&mut config, recipe, content, &fresh);
    MANIFEST.clone_into(&mut manifest.media_type);
    manifest.config = put_json(layout, CONFIG, &config)?;
    manifest.layers = manifest
        .layers
        .iter()
        .map(Descriptor::in_oci_words)
        .chain(fresh.into_iter().map(|(_, layer)| layer.descriptor))
        .collect();
    let whole = put_json(layout, MANIFEST, &manifest)?;
    layout.set(recipe.release, &whole)?;
    let mut keep: BTreeSet<&str> = layers.iter().map(|it| it.digest.as_str()).collect();
    keep.extend([whole.digest.as_str(), manifest.config.digest.as_str()]);
    layout.prune(&keep)?;
    Ok(MadeImage {
        name: content.name.clone(),
        digest: whole.digest,
        layers,
    })
}

fn put_json(
    layout: &Layout,
    media_type: &str,
    value: &impl Serialize,
) -> Result<Descriptor, ImageError> {
    let text = serde_json::to_vec(value).map_err(io::Error::from);
    layout.put(media_type, &text.map_err(at(layout.path()))?)
}

/// The base's configuration with what the release adds.
fn complete(
    config: &mut Config,
    recipe: Recipe<'_>,
    content: &Content,
    fresh: &[(LayerKind, WrittenLayer)],
) {
    let diff_ids = fresh.iter().map(|(_, layer)| layer.diff_id.clone());
    config.rootfs.diff_ids.extend(diff_ids);
    config.others.insert("created".to_owned(), CREATED.into());
    let history = config.others.entry("history").or_insert_with(|| json!([]));
    if let Some(history) = history.as_array_mut() {
        history.extend(fresh.iter().map(
            |(kind, _)| json!({"created": CREATED, "created_by": "mck build", "comment": kind}),
        ));
    }
    if !content.stop_signal.is_empty() {
        let signal = content.stop_signal.as_str().into();
        config.config.insert("StopSignal".to_owned(), signal);
    }
    let labels = config.config.entry("Labels").or_insert(Json::Null);
    if !labels.is_object() {
        *labels = Json::Object(Map::new());
    }
    if let Some(labels) = labels.as_object_mut() {
        let own = [
            ("org.opencontainers.image.version", recipe.release),
            ("org.opencontainers.image.revision", recipe.revision),
        ];
        labels.extend(own.map(|(name, value)| (name.to_owned(), value.into())));
        let files = content.labels.iter();
        labels.extend(files.map(|(name, value)| (name.clone(), value.as_str().into())));
    }
}

#[cfg(test)]
mod tests;
