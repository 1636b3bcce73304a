//! Ctrl-C, seen by the thread that waits for something.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{exit::Exit, failure::Failure};

/// Knows whether Ctrl-C was pressed, or the program was asked to end, since it was made.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on the first signal is only noted; the second ends the program.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen() -> Result<Self, Failure> {
        let refused = |error: std::io::Error| {
            Failure::new(Exit::Internal, "could not listen for Ctrl-C").caused_by(&error)
        };
        let pressed = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // First in order: a second signal finds the flag set and ends the program.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                Exit::Interrupted.code().into(),
                Arc::clone(&pressed),
            )
            .map_err(refused)?;
            signal_hook::flag::register(signal, Arc::clone(&pressed)).map_err(refused)?;
        }
        Ok(Self(pressed))
    }

    /// From now on these signals are only noted, however often they come: for what must clean up
    /// after itself, and looks often.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn note(signals: &[i32]) -> Result<Self, Failure> {
        let pressed = Arc::new(AtomicBool::new(false));
        for &signal in signals {
            signal_hook::flag::register(signal, Arc::clone(&pressed)).map_err(|error| {
                Failure::new(Exit::Internal, "could not listen for signals").caused_by(&error)
            })?;
        }
        Ok(Self(pressed))
    }

    /// Whether it was.
    pub fn pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
