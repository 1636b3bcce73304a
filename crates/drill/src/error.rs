//! What can keep a drill from being held.

use crate::DrillKind;

/// An error of a fault, of whatever kind the target that it breaks has.
pub type FaultError = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no report. A store that fails under the drill is none of these: that is reported.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// A value of the plan is out of its range.
    #[error("{field} is {given}, but must be {allowed}")]
    Plan {
        /// The field of [`crate::DrillPlan`].
        field: &'static str,
        /// What it is.
        given: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// The name is not that of a drill.
    #[error("there is no drill {name:?}; there are {}", DrillKind::names())]
    UnknownKind {
        /// What was given.
        name: String,
    },
    /// Something was broken before the drill began, and nothing was broken on top of it.
    #[error("the drill was not begun, since not everything is healthy: {detail}")]
    NotWhole {
        /// What the observer said.
        detail: String,
    },
    /// The store did not answer as a storefront when the load was prepared.
    #[error("{step} failed: {problem}")]
    Prepare {
        /// What was tried, with the path.
        step: String,
        /// What came instead.
        problem: String,
    },
    /// The fault could not be injected. Its source says why.
    #[error("could not {fault}")]
    Fault {
        /// What the fault does, in its own words.
        fault: String,
        /// The error of the target.
        source: FaultError,
    },
    /// A thread of the load could not be started.
    #[error("could not start a thread for the load")]
    Thread(#[source] std::io::Error),
    /// The drill was stopped before there was anything to report.
    #[error("stopped before the load began")]
    Stopped,
}
