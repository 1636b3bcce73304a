//! OCI images: fetched once, unpacked once, shown as the lower layers of a container's root.
//!
//! Fetching is skopeo's work: it knows registries, their credentials (its own auth file, see
//! containers-auth.json(5)), `docker save` archives and OCI layouts, and verifies every digest. It
//! copies into an OCI layout whose blobs all images share, so that a layer that is there already
//! is not fetched again. Decompression is gzip's and zstd's.
//!
//! Unpacking is ours ([`unpack`]), since umoci can only merge all layers of an image into one
//! tree. Here each layer becomes a folder named by its diff-id, with whiteouts in overlayfs's own
//! form, and an image is a list of such folders ([`Image::layers`]): images share them without a
//! copy, and the kernel puts them together. As with Docker's overlay2 driver, the folders above an
//! entry that a layer leaves out are root's with mode 0755, whatever a lower layer says of them.
//!
//! ```text
//! images/
//!   blobs/sha256/DIGEST     what was fetched, compressed
//!   layers/sha256/DIFF-ID/  unpacked
//!   ids/ID.json             an image: its layers, blobs and configuration
//!   references/KEY.json     the image that a reference led to last
//!   work/KEY-PROCESS/       a pull under way
//! ```

mod config;
mod defaults;
mod error;
mod files;
mod layer;
mod library;
mod merged;
mod reference;
mod store;
mod unpack;
mod users;

pub use config::{ConfigError, ImageConfig};
pub use defaults::{DefaultsError, Explicit, apply_defaults};
pub use error::ImageError;
pub use layer::LayerError;
pub use library::{ImageLibrary, LoadedImage, TaskImages};
pub use reference::{Reference, ReferenceError};
pub use store::{Image, ImageStore};
pub use unpack::UnpackError;
pub use users::Users;
