//! OCI containers: what one is made of ([`plan`]), the bundle that says so to the OCI runtime
//! ([`bundle`]), and starting, watching and stopping it ([`launch`], [`runtime`]).
//!
//! A container is started by a launcher, a process of its own, so that a supervisor killed in the
//! middle leaves either a whole container or a bundle without the mark of a finished start. conmon
//! then holds its output and its exit code, so that neither depends on the supervisor.

pub mod bundle;
pub mod cgroup;
pub mod launch;
pub mod plan;
pub mod runtime;

pub use cgroup::CgroupRoot;
pub use plan::{BindMount, ContainerPlan, FilePlan, Limits, RootTree, Temporary, TreeMount, User};
pub use runtime::{ContainerState, Runtime, RuntimeError};
