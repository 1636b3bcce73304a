//! What a drill needs from the target: how to break something, and how to see that it is whole again.

use crate::error::FaultError;

/// Something to break on purpose.
pub trait Fault: Send {
    /// What it does, as the rest of a sentence that begins with "could not" or "the drill will":
    /// `kill the writer db-1`.
    fn describe(&self) -> String;

    /// Breaks it, once, and returns when it is broken (a deployment may return when it has ended or
    /// when it has begun). Answers with what was done, a sentence each, for the report.
    ///
    /// It runs while the load goes on. The drill waits for it to return, also when it is stopped: a
    /// fault that can take long holds a clone of the [`crate::StopFlag`].
    ///
    /// # Errors
    ///
    /// When it could not be broken. The drill then ends without a report.
    fn inject(&mut self) -> Result<Vec<String>, FaultError>;
}

/// A fault made of a description and a closure.
pub struct FaultFn<F> {
    description: String,
    inject: F,
}

impl<F> FaultFn<F>
where
    F: FnMut() -> Result<Vec<String>, FaultError> + Send,
{
    /// See [`Fault::describe`] and [`Fault::inject`] for what is expected of the two.
    pub fn new(description: impl Into<String>, inject: F) -> Self {
        Self {
            description: description.into(),
            inject,
        }
    }
}

impl<F> Fault for FaultFn<F>
where
    F: FnMut() -> Result<Vec<String>, FaultError> + Send,
{
    fn describe(&self) -> String {
        self.description.clone()
    }

    fn inject(&mut self) -> Result<Vec<String>, FaultError> {
        (self.inject)()
    }
}

/// What is seen of the target at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Everything that should run is there and healthy, and nothing is under way.
    pub is_whole: bool,
    /// What is not, or what is under way, in a few words: `3 of 4 tasks healthy`.
    pub detail: String,
    /// The reason for which a deployment was rolled back by itself, if one was since the fault.
    pub rolled_back: Option<String>,
}

/// Looks at the target, ten times a second, from a thread of its own. Closures are observers.
///
/// What can't be looked at (an API that does not answer) is not whole.
pub trait Observer: Send {
    /// The state now.
    fn observe(&mut self) -> Observation;
}

impl<F> Observer for F
where
    F: FnMut() -> Observation + Send,
{
    fn observe(&mut self) -> Observation {
        self()
    }
}
