//! OCI image layouts: images in a folder (OCI image layout specification 1.0).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use mck_aws_stacks::hexadecimal;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{
    error::{ImageError, at},
    manifest::{Descriptor, INDEX, Index},
};

const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A folder with an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    top: PathBuf,
}

impl Layout {
    /// A layout in this folder, made where it is missing.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn create(top: &Path) -> Result<Self, ImageError> {
        let blobs = top.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(at(&blobs))?;
        let mark = top.join("oci-layout");
        fs::write(&mark, r#"{"imageLayoutVersion":"1.0.0"}"#).map_err(at(&mark))?;
        Ok(Self::of(top))
    }

    /// The layout that is in this folder.
    pub fn of(top: &Path) -> Self {
        Self {
            top: top.to_owned(),
        }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.top
    }

    /// The file of a blob; `digest` with its `sha256:`.
    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
        self.top.join("blobs/sha256").join(digest)
    }

    pub(crate) fn has(&self, blob: &Descriptor) -> bool {
        fs::metadata(self.blob(&blob.digest)).is_ok_and(|it| it.len() == blob.size)
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, digest: &str) -> Result<T, ImageError> {
        read_json(&self.blob(digest))
    }

    pub(crate) fn put(&self, media_type: &str, content: &[u8]) -> Result<Descriptor, ImageError> {
        let mut blob = self.begin()?;
        blob.write_all(content).map_err(at(&self.top))?;
        let (digest, size) = self.finish(blob)?;
        Ok(Descriptor::new(media_type, digest, size))
    }

    /// Takes a blob over from a reader; what has another digest is thrown away.
    pub(crate) fn take(&self, blob: &Descriptor, from: &mut dyn Read) -> Result<(), ImageError> {
        let mut fresh = self.begin()?;
        io::copy(from, &mut fresh).map_err(at(&self.top))?;
        let (digest, _) = self.finish(fresh)?;
        if digest == blob.digest {
            return Ok(());
        }
        let path = self.blob(&digest);
        fs::remove_file(&path).map_err(at(&path))?;
        let reason = format!("its content has the digest {digest}");
        Err(ImageError::unusable(&blob.digest, reason))
    }

    /// Takes a blob over from another layout, without copying where the file system allows it.
    pub(crate) fn adopt(&self, other: &Self, blob: &Descriptor) -> Result<(), ImageError> {
        if self.has(blob) {
            return Ok(());
        }
        let (from, to) = (other.blob(&blob.digest), self.blob(&blob.digest));
        if fs::hard_link(&from, &to).is_ok() {
            return Ok(());
        }
        let mut file = File::open(&from).map_err(at(&from))?;
        self.take(blob, &mut file)
    }

    pub(crate) fn begin(&self) -> Result<FreshBlob, ImageError> {
        let path = self
            .top
            .join(format!("blobs/sha256/.fresh-{}", std::process::id()));
        let file = File::create(&path).map_err(at(&path))?;
        Ok(FreshBlob {
            path,
            file: BufWriter::with_capacity(1 << 20, file),
            hash: Sha256::new(),
            size: 0,
        })
    }

    pub(crate) fn finish(&self, blob: FreshBlob) -> Result<(String, u64), ImageError> {
        let FreshBlob {
            path,
            mut file,
            hash,
            size,
        } = blob;
        file.flush().map_err(at(&path))?;
        let digest = format!("sha256:{}", hexadecimal(&hash.finalize()));
        let target = self.blob(&digest);
        fs::rename(&path, &target).map_err(at(&target))?;
        Ok((digest, size))
    }

    /// Makes an image the only one, under a tag.
    pub(crate) fn set(&self, tag: &str, manifest: &Descriptor) -> Result<(), ImageError> {
        let mut named = manifest.clone();
        named.annotations = BTreeMap::from([(REF_NAME.to_owned(), tag.to_owned())]);
        let index = Index {
            schema_version: 2,
            media_type: INDEX.to_owned(),
            manifests: vec![named],
        };
        let path = self.top.join("index.json");
        serde_json::to_vec(&index)
            .map_err(io::Error::from)
            .and_then(|text| fs::write(&path, text))
            .map_err(at(&path))
    }

    /// The manifest or index of a tag; without one that of the only image.
    pub(crate) fn find(&self, tag: Option<&str>) -> Result<Descriptor, ImageError> {
        let index: Index = read_json(&self.top.join("index.json"))?;
        let is_meant = |it: &&Descriptor| {
            tag.is_none() || it.annotations.get(REF_NAME).map(String::as_str) == tag
        };
        let found: Vec<&Descriptor> = index.manifests.iter().filter(is_meant).collect();
        match found.as_slice() {
            [only] => Ok((*only).clone()),
            [] => Err(self.unusable("has no such image")),
            _ => Err(self.unusable("has several images: name one by its tag")),
        }
    }

    fn unusable(&self, reason: &str) -> ImageError {
        ImageError::unusable(&format!("oci:{}", self.top.display()), reason)
    }

    /// Removes all blobs but these.
    pub(crate) fn prune(&self, keep: &BTreeSet<&str>) -> Result<(), ImageError> {
        let folder = self.top.join("blobs/sha256");
        for entry in fs::read_dir(&folder).map_err(at(&folder))? {
            let entry = entry.map_err(at(&folder))?;
            let digest = format!("sha256:{}", entry.file_name().to_string_lossy());
            if !keep.contains(digest.as_str()) {
                fs::remove_file(entry.path()).map_err(at(&entry.path()))?;
            }
        }
        Ok(())
    }
}

/// A blob that is being written; its digest is known at the end.
pub(crate) struct FreshBlob {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    size: u64,
}

impl Write for FreshBlob {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.size += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ImageError> {
    fs::read(path)
        .and_then(|text| serde_json::from_slice(&text).map_err(io::Error::from))
        .map_err(at(path))
}
