//! Progress: a stream of snapshots on one side, pure renderers on the other.

pub mod deployment;
#[cfg(test)]
pub mod example;
pub mod follow;
pub mod frame;
mod plain;
pub mod screen;
pub mod stacks;
pub mod watch;

use mck_local::supervisor::snapshot::State;

/// A state in one word.
pub const fn state_word(state: State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Starting => "starting",
        State::Ready => "ready",
        State::Failed => "failed",
        State::Draining => "draining",
        State::Unhealthy => "unhealthy",
    }
}
