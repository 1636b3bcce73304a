//! Why a stack is not as wanted.

use crate::{error::AwsError, failure::Reason, follow::Ended};

/// Why a stack is not as wanted.
#[derive(Debug)]
pub struct StackFailure {
    /// The stack's id, such as `data`.
    pub stack: String,
    /// The stack's full name.
    pub name: String,
    /// What went wrong between us and AWS; none where CloudFormation itself gave up.
    pub error: Option<AwsError>,
    /// The status in which it ended; empty where an error kept us from knowing.
    pub status: String,
    /// The first resource that failed, and why.
    pub reason: Option<Reason>,
}

impl StackFailure {
    /// What happened, in one sentence.
    pub fn message(&self) -> String {
        match (&self.error, &self.reason) {
            (Some(error), _) => error.to_string(),
            (None, Some(reason)) => format!(
                "{} ended as {}: {} {}: {}",
                self.name, self.status, reason.logical_id, reason.status, reason.text
            ),
            (None, None) => format!("{} ended as {}", self.name, self.status),
        }
    }
}

/// Why a stack did not become what it should.
pub(crate) enum Trouble {
    Error(AwsError),
    Ended(Ended),
}

impl From<AwsError> for Trouble {
    fn from(error: AwsError) -> Self {
        Self::Error(error)
    }
}

impl Trouble {
    pub(crate) fn of(self, stack: &str, name: &str) -> StackFailure {
        let (error, status, reason) = match self {
            Self::Error(error) => (Some(error), String::new(), None),
            Self::Ended(ended) => (None, ended.status, ended.reason),
        };
        StackFailure {
            stack: stack.to_owned(),
            name: name.to_owned(),
            error,
            status,
            reason,
        }
    }
}
