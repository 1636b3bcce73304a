//! The local target: a blueprint made real on one Linux machine.

pub mod command;
pub mod container;
pub mod logs;
pub mod wait;
