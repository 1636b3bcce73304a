//! Failovers, lost zones and servers, with the real servers and under load.
//!
//! `MCK_FAILOVER_ROUNDS` says how often the writer is killed; the figures are printed (see them with
//! `--nocapture`).

#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]
#![allow(clippy::print_stdout, reason = "figures are for a person to read")]

#[path = "../local/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with other tests, which use the rest"
)]
mod support;

mod database;
mod redis;
mod zones;
