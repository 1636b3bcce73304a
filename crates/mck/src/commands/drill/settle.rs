//! Waiting until an environment is as it is wanted.

use std::time::{Duration, Instant};

use mck_local::{client, layout::Layout, wait};

use crate::{exit::Exit, failure::Failure};

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long an app may take to be as it was after a drill.
const WITHIN: Duration = Duration::from_secs(600);

/// How long all must be as it is wanted to be trusted: what was just asked for may not have begun.
const STEADY: Duration = Duration::from_secs(1);

/// Waits until all is as it is wanted, and stays so.
///
/// # Errors
/// When that takes too long.
pub fn settle(layout: &Layout, app: &str) -> Result<(), Failure> {
    let begin = Instant::now();
    let mut since = Instant::now();
    while begin.elapsed() < WITHIN {
        if !client::snapshot(layout)?.settled {
            since = Instant::now();
        } else if since.elapsed() > STEADY {
            return Ok(());
        }
        wait::pause(INTERVAL);
    }
    let message = format!("{app} is not what it was before the drill");
    Err(Failure::new(Exit::NotHealthy, message).hint("`mck status` shows why"))
}
