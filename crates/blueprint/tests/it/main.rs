//! Blueprints of whole environments.

mod endpoints;
mod global;
mod golden;
mod invariants;
mod support;
mod views;
