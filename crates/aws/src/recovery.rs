//! The way out of a stack's state, towards what is wanted.

use crate::status::Phase;

/// The next step towards a stack that is as its template says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Make it with a change set of type CREATE.
    Create,
    /// Change it with a change set of type UPDATE.
    Update,
    /// Remove what can't be changed any more, and look again.
    Delete,
    /// Go on with going back, and look again.
    ContinueRollback,
    /// Wait until it has ended, and look again.
    Follow,
    /// Somebody else is at work.
    Refuse,
}

/// What is known of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Situation {
    /// What its status means; none where it is not there.
    pub(crate) phase: Option<Phase>,
    /// Whether what is in progress was begun by the same change as ours.
    pub(crate) is_ours: bool,
    /// Whether it is being deleted or taken back: nobody is hindered by waiting for the end.
    pub(crate) is_winding_down: bool,
}

/// The next step towards a stack that is as its template says.
pub(crate) const fn towards_wanted(situation: Situation) -> Step {
    match situation.phase {
        None | Some(Phase::Deleted | Phase::Review) => Step::Create,
        Some(Phase::Settled) => Step::Update,
        Some(Phase::CreationFailed | Phase::DeletionFailed) => Step::Delete,
        Some(Phase::Stuck) => Step::ContinueRollback,
        Some(Phase::InProgress) if situation.is_ours || situation.is_winding_down => Step::Follow,
        Some(Phase::InProgress) => Step::Refuse,
    }
}

/// The next step towards no stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemovalStep {
    /// It is gone.
    Done,
    /// Ask for its deletion.
    Delete,
    /// Ask for its deletion, leaving what could not be deleted.
    DeleteRetaining,
    /// Wait until it has ended, and look again.
    Follow,
    /// Somebody else is at work.
    Refuse,
}

/// The next step towards no stack, after so many failed deletions of ours.
pub(crate) const fn towards_removed(situation: Situation, failed: u32) -> RemovalStep {
    match situation.phase {
        None | Some(Phase::Deleted) => RemovalStep::Done,
        // What fails once often waits for something that is slow to go; what fails twice stays.
        Some(Phase::DeletionFailed) if failed >= 2 => RemovalStep::DeleteRetaining,
        Some(Phase::InProgress) if situation.is_winding_down => RemovalStep::Follow,
        Some(Phase::InProgress) => RemovalStep::Refuse,
        Some(_) => RemovalStep::Delete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation(phase: Option<Phase>, is_ours: bool, is_winding_down: bool) -> Situation {
        Situation {
            phase,
            is_ours,
            is_winding_down,
        }
    }

    #[test]
    fn every_state_has_a_way_out() {
        for (phase, step) in [
            (None, Step::Create),
            (Some(Phase::Deleted), Step::Create),
            (Some(Phase::Review), Step::Create),
            (Some(Phase::Settled), Step::Update),
            (Some(Phase::CreationFailed), Step::Delete),
            (Some(Phase::DeletionFailed), Step::Delete),
            (Some(Phase::Stuck), Step::ContinueRollback),
            (Some(Phase::InProgress), Step::Refuse),
        ] {
            assert_eq!(
                towards_wanted(situation(phase, false, false)),
                step,
                "{phase:?}"
            );
        }
    }

    #[test]
    fn what_we_began_is_followed_and_what_ends_anyway_awaited() {
        let phase = Some(Phase::InProgress);
        assert_eq!(towards_wanted(situation(phase, true, false)), Step::Follow);
        assert_eq!(towards_wanted(situation(phase, false, true)), Step::Follow);
    }

    #[test]
    fn deletion_is_tried_twice_before_anything_is_left() {
        let failed = situation(Some(Phase::DeletionFailed), false, false);
        assert_eq!(towards_removed(failed, 0), RemovalStep::Delete);
        assert_eq!(towards_removed(failed, 1), RemovalStep::Delete);
        assert_eq!(towards_removed(failed, 2), RemovalStep::DeleteRetaining);
        assert_eq!(
            towards_removed(situation(None, false, false), 2),
            RemovalStep::Done
        );
        let busy = situation(Some(Phase::InProgress), true, false);
        assert_eq!(towards_removed(busy, 0), RemovalStep::Refuse);
        let going = situation(Some(Phase::InProgress), false, true);
        assert_eq!(towards_removed(going, 0), RemovalStep::Follow);
        for phase in [
            Phase::Settled,
            Phase::Stuck,
            Phase::Review,
            Phase::CreationFailed,
        ] {
            let there = situation(Some(phase), false, false);
            assert_eq!(towards_removed(there, 0), RemovalStep::Delete, "{phase:?}");
        }
    }
}
