//! What the store acknowledged, and must therefore still have in the end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::visitor::Visitor;

/// A picture that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) path: String,
    /// The seed of [`crate::png::picture`].
    pub(crate) seed: u64,
}

/// The entries of a ledger.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// Tokens that were answered with 201 or 409.
    pub(crate) tokens: Vec<String>,
    /// How many of them were answered with 409: the load balancer sent them twice.
    pub(crate) duplicates: u64,
    /// Tokens without an answer, or with one that leaves open whether they were stored.
    pub(crate) unanswered: Vec<String>,
    pub(crate) uploads: Vec<Upload>,
    /// Visitors whose session has no room for another key.
    pub(crate) retired: Vec<Visitor>,
    /// What was lost of each session that did not hold what was acknowledged.
    pub(crate) lost_sessions: Vec<String>,
}

/// Shared by the threads of the load.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Mutex<Entries>,
}

impl Ledger {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn into_entries(self) -> Entries {
        self.entries
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
