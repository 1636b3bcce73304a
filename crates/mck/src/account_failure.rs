//! Failures of the account as failures of a command: each with its exit code and its way out.

use mck_aws::{AwsError, ScheduleError, StackFailure};

use crate::{exit::Exit, failure::Failure};

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        let failure = Self::from_error(exit_of(&error), &error);
        match hint_of(&error) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<ScheduleError> for Failure {
    fn from(error: ScheduleError) -> Self {
        Self::from_error(Exit::Internal, &error)
    }
}

fn exit_of(error: &AwsError) -> Exit {
    match error {
        AwsError::Busy { .. } => Exit::Busy,
        AwsError::UnexpectedLoss { .. } => Exit::Declined,
        AwsError::TooLarge { .. } => Exit::Stacks,
        AwsError::ChangeSet { .. } | AwsError::Deadline { .. } => Exit::StackFailed,
        AwsError::Call { .. } | AwsError::Incomplete { .. } | AwsError::OutputMissing { .. } => {
            Exit::Account
        }
        AwsError::NotPlaced { .. } => Exit::NotHealthy,
        AwsError::Runtime(_) => Exit::Internal,
    }
}

/// What helps against an error.
pub fn hint_of(error: &AwsError) -> Option<&'static str> {
    match error {
        AwsError::Busy { .. } => Some("wait until it has ended; the same `mck apply` follows it"),
        AwsError::UnexpectedLoss { .. } => Some("`mck plan` shows it again"),
        error => error.kind()?.hint(),
    }
}

/// Stacks that failed, as one failure: the worst exit code, and each with its reason and hints.
pub fn of_stacks(what: &str, failed: &[StackFailure]) -> Failure {
    let is_busy = |it: &StackFailure| matches!(it.error, Some(AwsError::Busy { .. }));
    let exit = if failed.iter().all(is_busy) {
        Exit::Busy
    } else {
        Exit::StackFailed
    };
    let names: Vec<&str> = failed.iter().map(|it| it.stack.as_str()).collect();
    let mut failure = Failure::new(exit, format!("{what}: {}", names.join(", ")));
    for stack in failed {
        failure = failure.caused_by(&std::io::Error::other(stack.message()));
    }
    let mut hints: Vec<String> = failed
        .iter()
        .filter_map(|it| match (&it.error, &it.reason) {
            (Some(error), _) => hint_of(error).map(str::to_owned),
            (None, reason) => reason.as_ref()?.hint(),
        })
        .collect();
    hints.dedup();
    hints.into_iter().fold(failure, Failure::hint)
}
