//! The client against servers that stand in for AWS, over the real protocol.
//!
//! Each test runs in network and process namespaces of its own, with one stand-in: whatever happens,
//! nothing is left.

mod account;
mod calls;
mod counting;
mod faults;
mod kills;
mod life;
mod stacks;
#[allow(dead_code, reason = "the tests of the program need more of it")]
mod stand_in;
mod stuck;
mod tokens;
