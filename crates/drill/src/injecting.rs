//! The fault on its way: injected on a thread of its own, while the load goes on.

use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::error::{DrillError, FaultError};
use crate::fault::Fault;
use crate::load::microseconds;
use crate::timeline::Injection;

type FaultThread<'scope> = ScopedJoinHandle<'scope, (Duration, Result<Vec<String>, FaultError>)>;

/// How far the fault is.
pub(crate) enum Injecting<'scope> {
    NotBegun,
    Running {
        started: Duration,
        thread: FaultThread<'scope>,
    },
    Done(Injection),
}

impl<'scope> Injecting<'scope> {
    /// Begins to inject a fault into a drill whose load began at `start`.
    pub(crate) fn begin(
        scope: &'scope Scope<'scope, '_>,
        fault: &'scope mut dyn Fault,
        start: Instant,
    ) -> Result<Self, DrillError> {
        let started = start.elapsed();
        let builder = std::thread::Builder::new().name("drill-fault".to_owned());
        let inject = move || {
            let done = fault.inject();
            (start.elapsed(), done)
        };
        let thread = builder
            .spawn_scoped(scope, inject)
            .map_err(DrillError::Thread)?;
        Ok(Self::Running { started, thread })
    }

    /// Takes the result if there is one.
    pub(crate) fn look(self, start: Instant, fault: &str) -> Result<Self, DrillError> {
        let is_over = matches!(&self, Self::Running { thread, .. } if thread.is_finished());
        if !is_over {
            return Ok(self);
        }
        Ok(self
            .finish(start, fault)?
            .map_or(Self::NotBegun, Self::Done))
    }

    /// Waits for the result, if the fault was begun.
    pub(crate) fn finish(
        self,
        start: Instant,
        fault: &str,
    ) -> Result<Option<Injection>, DrillError> {
        let (started, thread) = match self {
            Self::NotBegun => return Ok(None),
            Self::Done(injection) => return Ok(Some(injection)),
            Self::Running { started, thread } => (started, thread),
        };
        let (ended, done) = thread.join().unwrap_or_else(|_| {
            (
                start.elapsed(),
                Err("the thread that injected the fault panicked".into()),
            )
        });
        let fault = fault.to_owned();
        let done = done.map_err(|source| DrillError::Fault { fault, source })?;
        let (started, ended) = (microseconds(started), microseconds(ended));
        Ok(Some(Injection {
            started,
            ended,
            done,
        }))
    }
}
