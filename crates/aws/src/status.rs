//! What a stack's status means. Statuses are texts: a stand-in, or AWS in some years, may say what
//! the SDK does not know.

/// What a stack's status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is there and can be updated.
    Settled,
    /// It has a change set and no resources.
    Review,
    /// Something is being made, changed or removed.
    InProgress,
    /// Its creation failed, and it can only be deleted.
    CreationFailed,
    /// An update failed, and so did going back.
    Stuck,
    /// It could not be deleted.
    DeletionFailed,
    /// It is gone.
    Deleted,
}

impl Phase {
    /// What a status means (API reference, `Stack`, `StackStatus`).
    pub(crate) fn of(status: &str) -> Self {
        match status {
            "REVIEW_IN_PROGRESS" => Self::Review,
            "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => Self::CreationFailed,
            "UPDATE_ROLLBACK_FAILED" => Self::Stuck,
            "DELETE_FAILED" => Self::DeletionFailed,
            "DELETE_COMPLETE" => Self::Deleted,
            status if status.ends_with("_IN_PROGRESS") => Self::InProgress,
            _ => Self::Settled,
        }
    }
}

/// Whether a stack in this status is as its last operation wanted it.
pub(crate) fn is_success(status: &str) -> bool {
    matches!(
        status,
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" | "DELETE_COMPLETE"
    )
}

/// Whether a stack in this status is being taken back to where it was.
pub(crate) fn is_rollback(status: &str) -> bool {
    status.contains("ROLLBACK")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_means_something() {
        for (status, phase) in [
            ("CREATE_COMPLETE", Phase::Settled),
            ("UPDATE_COMPLETE", Phase::Settled),
            ("UPDATE_FAILED", Phase::Settled),
            ("UPDATE_ROLLBACK_COMPLETE", Phase::Settled),
            ("IMPORT_COMPLETE", Phase::Settled),
            ("IMPORT_ROLLBACK_COMPLETE", Phase::Settled),
            ("REVIEW_IN_PROGRESS", Phase::Review),
            ("CREATE_IN_PROGRESS", Phase::InProgress),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Phase::InProgress),
            ("UPDATE_ROLLBACK_IN_PROGRESS", Phase::InProgress),
            ("DELETE_IN_PROGRESS", Phase::InProgress),
            ("CREATE_FAILED", Phase::CreationFailed),
            ("ROLLBACK_COMPLETE", Phase::CreationFailed),
            ("ROLLBACK_FAILED", Phase::CreationFailed),
            ("UPDATE_ROLLBACK_FAILED", Phase::Stuck),
            ("DELETE_FAILED", Phase::DeletionFailed),
            ("DELETE_COMPLETE", Phase::Deleted),
        ] {
            assert_eq!(Phase::of(status), phase, "{status}");
        }
    }

    #[test]
    fn only_what_was_wanted_is_a_success() {
        assert!(is_success("UPDATE_COMPLETE"));
        for status in [
            "UPDATE_ROLLBACK_COMPLETE",
            "ROLLBACK_COMPLETE",
            "DELETE_FAILED",
        ] {
            assert!(!is_success(status), "{status}");
        }
    }
}
