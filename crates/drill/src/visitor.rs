//! A visitor with a session, and what the session must hold.

use serde_json::Value;

use crate::http::Cookies;
use crate::outcome::Failure;

/// Fewer than the 64 keys that a session of the storefront may hold.
const MAXIMUM_KEYS: usize = 60;

/// Whether a write that ended like this has surely not happened.
pub(crate) fn is_surely_undone(failure: Failure) -> bool {
    matches!(
        failure,
        Failure::ConnectionRefused | Failure::Status(400..=499)
    )
}

/// A visitor stores values under one key for as long as it is certain what is there. A write without
/// an answer leaves its key alone for good, for it might still arrive later; the next goes to a new
/// key. So nothing is called lost that never was acknowledged, and nothing lost is overlooked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visitor {
    pub(crate) cookies: Cookies,
    keys: Vec<Key>,
}

#[derive(Clone, Debug, Default)]
struct Key {
    acknowledged: Option<String>,
    unanswered: Option<String>,
}

impl Visitor {
    /// The key to write to next.
    pub(crate) fn key_to_write(&mut self) -> String {
        if self.keys.last().is_none_or(|key| key.unanswered.is_some()) {
            self.keys.push(Key::default());
        }
        name(self.keys.len() - 1)
    }

    /// Notes how the write of `value` to the last key ended.
    pub(crate) fn note_write(&mut self, value: String, outcome: Result<(), Failure>) {
        let key = self
            .keys
            .last_mut()
            .expect("a key was chosen for the write before");
        match outcome {
            Ok(()) => key.acknowledged = Some(value),
            Err(failure) if is_surely_undone(failure) => {}
            Err(_) => key.unanswered = Some(value),
        }
    }

    /// Whether a value was acknowledged that can be read back.
    pub(crate) fn has_stored(&self) -> bool {
        self.keys.iter().any(|key| key.acknowledged.is_some())
    }

    /// Whether another visitor has to take over.
    pub(crate) fn is_full(&self) -> bool {
        self.keys.len() >= MAXIMUM_KEYS
    }

    /// What is lost, in words, if the session does not hold all that was acknowledged.
    pub(crate) fn find_loss(&self, session: &Value) -> Option<String> {
        self.keys.iter().enumerate().find_map(|(number, key)| {
            let stored = key.acknowledged.as_deref()?;
            let found = session.get(name(number)).and_then(Value::as_str);
            let is_kept = found == Some(stored)
                || found.is_some_and(|value| key.unanswered.as_deref() == Some(value));
            (!is_kept).then(|| {
                let found =
                    found.map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}"));
                format!("{} was stored as {stored:?}, found {found}", name(number))
            })
        })
    }
}

fn name(number: usize) -> String {
    format!("k{number}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn write(visitor: &mut Visitor, value: &str, outcome: Result<(), Failure>) -> String {
        let key = visitor.key_to_write();
        visitor.note_write(value.to_owned(), outcome);
        key
    }

    #[test]
    fn only_the_last_acknowledged_value_will_do() {
        let mut visitor = Visitor::default();
        assert!(!visitor.has_stored());
        assert_eq!(visitor.find_loss(&json!({})), None);
        write(&mut visitor, "one", Ok(()));
        write(&mut visitor, "two", Ok(()));
        assert_eq!(visitor.find_loss(&json!({"k0": "two"})), None);
        let loss = visitor.find_loss(&json!({"k0": "one"}));
        assert_eq!(
            loss.as_deref(),
            Some(r#"k0 was stored as "two", found "one""#)
        );
        assert!(visitor.find_loss(&json!({})).is_some());
        assert!(visitor.find_loss(&json!([])).is_some());
    }

    #[test]
    fn a_write_without_an_answer_may_have_happened_or_not() {
        let mut visitor = Visitor::default();
        assert_eq!(write(&mut visitor, "one", Ok(())), "k0");
        assert_eq!(write(&mut visitor, "two", Err(Failure::Timeout)), "k0");
        assert_eq!(write(&mut visitor, "three", Ok(())), "k1");
        assert_eq!(
            visitor.find_loss(&json!({"k0": "one", "k1": "three"})),
            None
        );
        assert_eq!(
            visitor.find_loss(&json!({"k0": "two", "k1": "three"})),
            None
        );
        assert!(
            visitor
                .find_loss(&json!({"k0": "three", "k1": "three"}))
                .is_some()
        );
        assert!(visitor.find_loss(&json!({"k0": "two"})).is_some());
    }

    #[test]
    fn a_write_that_surely_did_not_happen_changes_nothing() {
        let mut visitor = Visitor::default();
        write(&mut visitor, "one", Ok(()));
        assert_eq!(
            write(&mut visitor, "two", Err(Failure::ConnectionRefused)),
            "k0"
        );
        assert!(visitor.find_loss(&json!({"k0": "two"})).is_some());
        assert_eq!(write(&mut visitor, "three", Ok(())), "k0");
    }

    #[test]
    fn a_visitor_gives_up_before_the_session_is_full() {
        let mut visitor = Visitor::default();
        while !visitor.is_full() {
            write(&mut visitor, "x", Err(Failure::Status(503)));
        }
        assert!(visitor.keys.len() < 64);
    }
}
