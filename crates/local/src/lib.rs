//! The local target: a blueprint made real on one Linux machine.
//!
//! `servers` plans every server as a container; `network`, `container`, `release`, `secrets` and
//! `keys` are what the plans are made real with; `supervisor` brings what is wanted and what there
//! is together; `client` is how commands talk to it.

pub mod accounts;
pub mod backup;
pub mod client;
pub mod command;
pub mod container;
pub mod doctor;
pub mod events;
pub mod id;
pub mod image;
pub mod keys;
pub mod layout;
mod listening;
pub mod logs;
pub mod network;
pub mod origin;
pub mod piped;
pub mod release;
pub mod secrets;
pub mod servers;
pub mod supervisor;
pub mod text;
pub mod wait;
