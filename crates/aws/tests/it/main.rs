//! The client against servers that stand in for AWS, over the real protocol.
//!
//! Each test runs in network and process namespaces of its own, with one stand-in: whatever happens,
//! nothing is left.

mod account;
mod calls;
mod faults;
mod kills;
mod life;
mod stacks;
mod stand_in;
mod stuck;
mod tokens;
