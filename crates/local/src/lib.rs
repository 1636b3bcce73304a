//! The local target: a blueprint made real on one Linux machine.

pub mod accounts;
pub mod command;
pub mod container;
pub mod events;
pub mod id;
pub mod keys;
pub mod layout;
pub mod logs;
pub mod network;
pub mod release;
pub mod secrets;
pub mod servers;
pub mod wait;
