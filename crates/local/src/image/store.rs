//! The images that an environment has fetched.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    config::{ConfigError, ConfigFile, ImageConfig, Index, Layer, Manifest, is_hex_digest},
    error::ImageError,
    files::{at, make_private, names, read_json, read_json_if_there, remove, write_json},
    layer::unpack_blob,
    merged,
    reference::Reference,
    users::Users,
};
use crate::command::Command;

/// How long skopeo may take for an image, in its own notation.
const COPY_TIMEOUT: &str = "30m";
/// How often skopeo tries again what a network failed.
const COPY_RETRIES: &str = "3";
/// The image's name in the OCI layout of a pull.
const COPIED: &str = "image";

/// An unpacked image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The SHA-256 of its configuration, 64 hexadecimal digits: what Docker calls its image id.
    pub id: String,
    /// Its layers as folders, the topmost first, as overlayfs wants its lower layers.
    pub layers: Vec<PathBuf>,
    /// What it says of how to run it.
    pub config: ImageConfig,
}

impl Image {
    /// Its users and groups.
    ///
    /// # Errors
    /// When a layer can't be read.
    pub fn users(&self) -> Result<Users, ImageError> {
        let read = |path: &str| {
            let text = merged::read(&self.layers, path).map_err(at(Path::new(path)))?;
            Ok(text.unwrap_or_default())
        };
        Ok(Users {
            passwd: read("/etc/passwd")?,
            group: read("/etc/group")?,
        })
    }
}

/// An image, as kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Record {
    /// Diff-ids, the base first.
    layers: Vec<String>,
    /// Digests of manifest, configuration and layers.
    blobs: BTreeSet<String>,
    config: ImageConfig,
}

/// Where a reference led.
#[derive(Debug, Serialize, Deserialize)]
struct Led {
    reference: String,
    id: String,
}

/// What came out of a copy.
struct Copied {
    id: String,
    layers: Vec<Layer>,
    record: Record,
}

/// The images below one folder.
#[derive(Debug, Clone)]
pub struct ImageStore {
    top: PathBuf,
}

impl ImageStore {
    /// The images in the folder `images` below the environment's folder of releases.
    pub fn new(releases: &Path) -> Self {
        Self {
            top: releases.join("images"),
        }
    }

    /// Fetches an image, or what has changed of it, and unpacks the layers that are new. A pinned
    /// reference that was fetched before needs no network. May be interrupted at any instant and
    /// run several times at once.
    ///
    /// # Errors
    /// When skopeo can't copy it, it is not for this machine, or a layer can't be unpacked.
    pub fn pull(&self, reference: &Reference) -> Result<Image, ImageError> {
        for folder in ["blobs", "layers/sha256", "ids", "references", "work"] {
            make_private(&self.top.join(folder))?;
        }
        let key = key(reference);
        let _kept = self.lock("lock", File::lock_shared)?;
        let _ours = self.lock(&format!("references/{key}.lock"), File::lock)?;
        if reference.is_pinned()
            && let Some(image) = self.load(reference)?
        {
            return Ok(image);
        }
        // By process as well, since skopeo may outlive a pull that was killed.
        let work = format!("{key}-{}", std::process::id());
        let work = self.top.join("work").join(work);
        self.clear_leftovers(&key);
        make_private(&work)?;
        let result = self.pull_by_way_of(&work, reference);
        // What is left over is removed by the next pull or prune.
        let _ = remove(&work);
        result
    }

    fn pull_by_way_of(&self, work: &Path, reference: &Reference) -> Result<Image, ImageError> {
        let copied = self.copy(reference, work)?;
        self.unpack(reference, &copied.layers, work)?;
        write_json(&self.record_path(&copied.id), &copied.record)?;
        let led = Led {
            reference: reference.to_string(),
            id: copied.id.clone(),
        };
        write_json(&self.led_path(reference), &led)?;
        Ok(self.image(copied.id, copied.record))
    }

    /// Removes what interrupted pulls of a reference left, as far as nothing still writes there.
    fn clear_leftovers(&self, key: &str) {
        let work = self.top.join("work");
        let names = names(&work).unwrap_or_default();
        for name in names.iter().filter(|name| name.starts_with(key)) {
            let _ = remove(&work.join(name));
        }
    }

    /// The image that a reference led to when it was last pulled; none where it was not.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn load(&self, reference: &Reference) -> Result<Option<Image>, ImageError> {
        let led: Option<Led> = read_json_if_there(&self.led_path(reference))?;
        match led.filter(|led| led.reference == reference.to_string()) {
            Some(led) => self.load_id(&led.id),
            None => Ok(None),
        }
    }

    /// An image by its id; none where it is not there.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn load_id(&self, id: &str) -> Result<Option<Image>, ImageError> {
        if !is_hex_digest(id) {
            return Ok(None);
        }
        let record: Option<Record> = read_json_if_there(&self.record_path(id))?;
        Ok(record.map(|record| self.image(id.to_owned(), record)))
    }

    /// The ids of the images that are kept.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn list(&self) -> Result<BTreeSet<String>, ImageError> {
        let names = names(&self.top.join("ids"))?;
        let ids = names
            .iter()
            .filter_map(|name| name.strip_suffix(".json"))
            .filter(|id| is_hex_digest(id));
        Ok(ids.map(str::to_owned).collect())
    }

    /// Removes all images but those of `keep`, and what only they or an interrupted pull needed.
    /// Waits until no pull is under way. An image that a container runs must be kept.
    ///
    /// # Errors
    /// When something can't be removed; what is left is removed the next time.
    pub fn prune(&self, keep: &BTreeSet<String>) -> Result<(), ImageError> {
        if !self.top.exists() {
            return Ok(());
        }
        let _alone = self.lock("lock", File::lock)?;
        let (mut layers, mut blobs) = (BTreeSet::new(), BTreeSet::new());
        let folder = self.top.join("ids");
        for name in names(&folder)? {
            let path = folder.join(&name);
            if name
                .strip_suffix(".json")
                .is_some_and(|id| keep.contains(id))
            {
                let record: Record = read_json(&path)?;
                layers.extend(record.layers);
                blobs.extend(record.blobs);
            } else {
                remove(&path)?;
            }
        }
        self.prune_references(keep)?;
        remove(&self.top.join("work"))?;
        self.remove_all_but(&self.top.join("layers/sha256"), &layers)?;
        self.remove_all_but(&self.top.join("blobs/sha256"), &blobs)?;
        remove(&self.top.join("work"))
    }

    fn prune_references(&self, keep: &BTreeSet<String>) -> Result<(), ImageError> {
        let folder = self.top.join("references");
        for name in names(&folder)? {
            let path = folder.join(&name);
            let led: Option<Led> = match name.strip_suffix(".json") {
                Some(_) => read_json_if_there(&path)?,
                None => None,
            };
            if led.is_none_or(|led| !keep.contains(&led.id)) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// Removes by way of the work folder, so that what is left in place is always whole.
    fn remove_all_but(&self, folder: &Path, keep: &BTreeSet<String>) -> Result<(), ImageError> {
        let work = self.top.join("work");
        make_private(&work)?;
        for name in names(folder)? {
            if !keep.contains(&name) {
                let path = folder.join(&name);
                fs::rename(&path, work.join(&name)).map_err(at(&path))?;
                remove(&work.join(&name))?;
            }
        }
        Ok(())
    }

    fn copy(&self, reference: &Reference, work: &Path) -> Result<Copied, ImageError> {
        let layout = work.join("layout");
        let mut skopeo = Command::new("skopeo").args(["copy", "--quiet"]).args([
            "--command-timeout",
            COPY_TIMEOUT,
            "--retry-times",
            COPY_RETRIES,
        ]);
        if reference.is_loopback() {
            skopeo = skopeo.arg("--src-tls-verify=false");
        }
        skopeo
            .arg("--dest-shared-blob-dir")
            .arg(self.top.join("blobs"))
            .arg(reference.to_string())
            .arg(format!("oci:{}:{COPIED}", layout.display()))
            .run()
            .map_err(|source| ImageError::Fetch {
                reference: reference.to_string(),
                source,
            })?;
        self.read_copied(reference, &layout)
    }

    fn read_copied(&self, reference: &Reference, layout: &Path) -> Result<Copied, ImageError> {
        let wrong = |source| ImageError::Config {
            reference: reference.to_string(),
            source,
        };
        let index: Index = read_json(&layout.join("index.json"))?;
        let manifests = index.manifests.iter();
        let manifest_id = manifests
            .map(super::config::Descriptor::hex)
            .next()
            .unwrap_or_else(|| Err(ConfigError::Digest(String::new())))
            .map_err(wrong)?;
        let manifest: Manifest = read_json(&self.blob(&manifest_id))?;
        let id = manifest.config.hex().map_err(wrong)?;
        let file: ConfigFile = read_json(&self.blob(&id))?;
        let config = file.execution().map_err(wrong)?;
        let layers = manifest.layers(&file).map_err(wrong)?;
        let mut blobs: BTreeSet<String> = layers.iter().map(|layer| layer.blob.clone()).collect();
        blobs.extend([manifest_id, id.clone()]);
        let record = Record {
            layers: layers.iter().map(|layer| layer.diff_id.clone()).collect(),
            blobs,
            config,
        };
        Ok(Copied { id, layers, record })
    }

    /// Unpacks the layers that are not there, all on disk before any gets its name.
    fn unpack(
        &self,
        reference: &Reference,
        layers: &[Layer],
        work: &Path,
    ) -> Result<(), ImageError> {
        let _one_at_a_time = self.lock("layers/lock", File::lock)?;
        let mut fresh = Vec::new();
        for layer in layers {
            let target = self.layer(&layer.diff_id);
            let folder = work.join(&layer.diff_id);
            if target.exists() || folder.exists() {
                continue;
            }
            DirBuilder::new()
                .mode(0o755)
                .create(&folder)
                .map_err(at(&folder))?;
            unpack_blob(&self.blob(&layer.blob), layer, &folder).map_err(|source| {
                ImageError::Layer {
                    reference: reference.to_string(),
                    layer: layer.diff_id.clone(),
                    source,
                }
            })?;
            fresh.push((folder, target));
        }
        if fresh.is_empty() {
            return Ok(());
        }
        File::open(work)
            .and_then(|work| Ok(rustix::fs::syncfs(work)?))
            .map_err(at(work))?;
        for (folder, target) in fresh {
            fs::rename(&folder, &target).map_err(at(&target))?;
        }
        Ok(())
    }

    /// The image of a record. A layer that is there a second time further down adds nothing, and
    /// overlayfs refuses it; what is below a layer that hides all of it does not take part.
    fn image(&self, id: String, record: Record) -> Image {
        let mut layers: Vec<PathBuf> = Vec::new();
        for diff_id in record.layers.iter().rev() {
            let layer = self.layer(diff_id);
            let hides_all = merged::is_opaque(&layer);
            if !layers.contains(&layer) {
                layers.push(layer);
            }
            if hides_all {
                break;
            }
        }
        Image {
            id,
            layers,
            config: record.config,
        }
    }

    fn blob(&self, digest: &str) -> PathBuf {
        self.top.join("blobs/sha256").join(digest)
    }

    fn layer(&self, diff_id: &str) -> PathBuf {
        self.top.join("layers/sha256").join(diff_id)
    }

    fn record_path(&self, id: &str) -> PathBuf {
        self.top.join("ids").join(format!("{id}.json"))
    }

    fn led_path(&self, reference: &Reference) -> PathBuf {
        let name = format!("{}.json", key(reference));
        self.top.join("references").join(name)
    }

    fn lock(
        &self,
        name: &str,
        how: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<File, ImageError> {
        let path = self.top.join(name);
        let file = File::create(&path).map_err(at(&path))?;
        how(&file).map_err(at(&path))?;
        Ok(file)
    }
}

/// The file name that stands for a reference.
fn key(reference: &Reference) -> String {
    crate::text::digest(&reference.to_string())
}
