//! The blueprint: the whole architecture as one value, the same for every target.
//!
//! [`model`] is what a blueprint can say; [`Blueprint::plan`] decides it from an
//! [`Environment`](mck_environment::Environment). Nothing here reads a file, a clock or the
//! network: the same environment gives the same blueprint, byte for byte.

mod access;
pub mod difference;
pub mod instance_types;
pub mod model;
mod nodes;
pub mod placement;
mod planning;
pub mod rollout;
pub mod scaling;
pub mod schedule;
pub mod trunking;
pub mod views;

pub use model::Blueprint;
pub use planning::PlanningError;
