//! A test double of Amazon ECS: an endpoint that speaks ECS's protocol and lets the environment that
//! runs on this machine do the work, so that rolling deployments, the circuit breaker and rollbacks
//! can be driven by any client of ECS.
//!
//! [`world`] says what is emulated, [`state`] what is known, [`observe`] what the environment's
//! snapshots mean in ECS's words, [`services`] and [`tasks`] how that is told, [`definitions`] keeps
//! task definitions; all of them are pure. [`emulator`] answers operations, [`scheduler`] reaches the
//! environment, [`http`] is the endpoint.

pub mod definitions;
pub mod emulator;
pub mod fault;
pub mod http;
pub mod ids;
pub mod initial;
pub mod input;
pub mod names;
pub mod observe;
mod operations;
pub mod scheduler;
pub mod services;
pub mod state;
pub mod stops;
pub mod tasks;
pub mod time;
pub mod world;
