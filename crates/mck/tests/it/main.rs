//! The real program, run as a person runs it.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod check;
mod cost;
mod exit_codes;
mod harness;
mod help;
mod init;
mod life;
mod output;
mod pipelines;
mod plan;
mod reference;
mod releases;
mod show;
