//! Visitors and customers who take turns.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Each is in the hands of one thread at a time; who waited longest comes first.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    waiting: Mutex<VecDeque<T>>,
}

impl<T> Pool<T> {
    pub(crate) fn new(members: impl IntoIterator<Item = T>) -> Self {
        Self {
            waiting: Mutex::new(members.into_iter().collect()),
        }
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.lock().pop_front()
    }

    pub(crate) fn put(&self, member: T) {
        self.lock().push_back(member);
    }

    pub(crate) fn into_members(self) -> Vec<T> {
        self.waiting
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
