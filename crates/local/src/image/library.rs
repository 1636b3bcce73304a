//! Images as containers are planned from: each is read once, since its id stands for its content.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Image, ImageError, ImageStore, Users};

/// An image with its users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedImage {
    /// The image.
    pub image: Image,
    /// Its users.
    pub users: Users,
}

/// The images that a task's containers are made of, by reference.
pub type TaskImages = BTreeMap<String, Arc<LoadedImage>>;

/// The images of an environment. Clones share what was read.
#[derive(Debug, Clone)]
pub struct ImageLibrary {
    store: ImageStore,
    loaded: Arc<Mutex<BTreeMap<String, Arc<LoadedImage>>>>,
}

impl ImageLibrary {
    /// The images below the environment's folder of releases.
    pub fn new(releases: &Path) -> Self {
        Self {
            store: ImageStore::new(releases),
            loaded: Arc::default(),
        }
    }

    /// Where they are kept.
    pub fn store(&self) -> &ImageStore {
        &self.store
    }

    /// An image by its id.
    ///
    /// # Errors
    /// When it is not there or can't be read.
    pub fn get(&self, id: &str) -> Result<Arc<LoadedImage>, ImageError> {
        // What a thread that panicked left is whole: entries are only ever inserted.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(image) = loaded.get(id) {
            return Ok(Arc::clone(image));
        }
        let image = self.store.load_id(id)?;
        let image = image.ok_or_else(|| ImageError::Gone { id: id.to_owned() })?;
        let users = image.users()?;
        let image = Arc::new(LoadedImage { image, users });
        loaded.insert(id.to_owned(), Arc::clone(&image));
        Ok(image)
    }

    /// The images of a task, of which the record has the ids by reference.
    ///
    /// # Errors
    /// When one is not there or can't be read.
    pub fn of(&self, ids: &BTreeMap<String, String>) -> Result<TaskImages, ImageError> {
        ids.iter()
            .map(|(reference, id)| Ok((reference.clone(), self.get(id)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let library = ImageLibrary::new(folder.path());
        let id = "a".repeat(64);
        let ids = BTreeMap::from([("shop:1".to_owned(), id.clone())]);
        let error = library.of(&ids).unwrap_err();
        assert!(error.to_string().contains(&id), "{error}");
        assert_eq!(library.of(&BTreeMap::new()).unwrap(), TaskImages::new());
    }
}
