//! Why a node can't be rendered.

use crate::text::UnsafeText;

/// An input that has no correct configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A value would change the meaning of the file.
    #[error(transparent)]
    UnsafeText(#[from] UnsafeText),
    /// Neither listener accepts connections anywhere.
    #[error("the load balancer has no listener with an address or an inherited descriptor")]
    NoListener,
    /// A rule or the default action names a target group that is not there.
    #[error("there is no target group named {0:?}")]
    UnknownTargetGroup(String),
    /// Two target groups, or two targets of one group, share a name.
    #[error("the name {0:?} is used twice")]
    DuplicateName(String),
    /// Two rules share a priority (an ALB refuses that too).
    #[error("two rules have priority {0}")]
    DuplicatePriority(u32),
    /// A number is outside of its range.
    #[error("{field} is {value}, allowed is {allowed}")]
    OutOfRange {
        /// Which input it was.
        field: &'static str,
        /// What it was.
        value: u64,
        /// What it may be.
        allowed: &'static str,
    },
    /// A rule without any condition would hide every later rule.
    #[error("the rule of priority {0} has neither a host nor a path")]
    NoCondition(u32),
    /// A matcher that is not a list of codes and ranges.
    #[error("{0:?} is not a list of HTTP codes such as \"200\", \"200,302\" or \"200-399\"")]
    Matcher(String),
}
