//! `mck` itself, with the real servers, on this machine.
//!
//! Each test brings its own environment up: its own project name, state folder and host ports.
//! At most two are up at once. A test that fails leaves nothing behind either.

#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod access;
mod containers;
mod destroy;
mod disk;
mod magento;
mod mistakes;
mod neighbours;
mod restart;
mod storefront;
mod supervisor;
mod support;
mod unhealthy;
mod wordpress;
