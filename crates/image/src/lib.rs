//! OCI images made without a daemon: a base image and the layers of a release.
//!
//! `content` decides purely what an app's image on a base holds. `layer` turns it into archives that
//! are the same to the byte wherever they are made, `layout` keeps images in a folder, `build` puts
//! them together, and `registry` fetches bases and sends images.
//!
//! Formats: the OCI image specification 1.1; the protocol: the OCI distribution specification 1.1.

mod build;
mod content;
mod credentials;
mod error;
mod layer;
mod layout;
mod manifest;
mod reference;
mod registry;
mod users;

pub use build::{
    Layer, LayerKind, MadeImage, Platform, Recipe, build, fetch_base, release_of_images,
};
pub use content::{Base, Content, Folder, contents};
pub use credentials::Credentials;
pub use error::ImageError;
pub use layout::Layout;
pub use reference::{Reference, Repository};
pub use registry::{PushReport, PushedBlob, Registry};
