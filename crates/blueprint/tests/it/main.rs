//! Blueprints of whole environments.

mod golden;
mod invariants;
mod support;
mod views;
