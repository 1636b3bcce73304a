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

/// Every write has a key of its own, so that no later one can cover up that it was lost, and so that one
/// without an answer, which may still arrive, is not mistaken for another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visitor {
    pub(crate) cookies: Cookies,
    /// The acknowledged value of each key; nothing if its write was not acknowledged.
    stored: Vec<Option<String>>,
}

impl Visitor {
    /// The key to write to next.
    pub(crate) fn key_to_write(&self) -> String {
        name(self.stored.len())
    }

    /// Notes how the write of `value` to that key ended.
    pub(crate) fn note_write(&mut self, value: String, outcome: Result<(), Failure>) {
        self.stored.push(outcome.ok().map(|()| value));
    }

    /// Whether a value was acknowledged that can be read back.
    pub(crate) fn has_stored(&self) -> bool {
        self.stored.iter().any(Option::is_some)
    }

    /// Whether another visitor has to take over.
    pub(crate) fn is_full(&self) -> bool {
        self.stored.len() >= MAXIMUM_KEYS
    }

    /// What is lost, in words, if the session does not hold all that was acknowledged.
    pub(crate) fn find_loss(&self, session: &Value) -> Option<String> {
        self.stored.iter().enumerate().find_map(|(number, stored)| {
            let stored = stored.as_deref()?;
            let found = session.get(name(number)).and_then(Value::as_str);
            (found != Some(stored)).then(|| {
                let found = found.map_or_else(|| "nothing".to_owned(), |it| format!("{it:?}"));
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
    fn everything_that_was_acknowledged_must_be_there() {
        let mut visitor = Visitor::default();
        assert!(!visitor.has_stored());
        assert_eq!(visitor.find_loss(&json!({})), None);
        assert_eq!(write(&mut visitor, "one", Ok(())), "k0");
        assert_eq!(write(&mut visitor, "two", Ok(())), "k1");
        assert!(visitor.has_stored());
        assert_eq!(
            visitor.find_loss(&json!({"k0": "one", "k1": "two", "other": 1})),
            None
        );
        let loss = visitor.find_loss(&json!({"k0": "old", "k1": "two"}));
        assert_eq!(
            loss.as_deref(),
            Some(r#"k0 was stored as "one", found "old""#)
        );
        let loss = visitor.find_loss(&json!({"k0": "one"}));
        assert_eq!(
            loss.as_deref(),
            Some(r#"k1 was stored as "two", found nothing"#)
        );
        assert!(visitor.find_loss(&json!([])).is_some());
    }

    #[test]
    fn a_later_write_does_not_cover_up_a_loss() {
        let mut visitor = Visitor::default();
        write(&mut visitor, "one", Ok(()));
        let key = write(&mut visitor, "two", Ok(()));
        assert!(visitor.find_loss(&json!({key: "two"})).is_some());
    }

    #[test]
    fn a_write_without_an_answer_may_have_happened_or_not() {
        let mut visitor = Visitor::default();
        write(&mut visitor, "one", Err(Failure::Timeout));
        assert!(!visitor.has_stored());
        write(&mut visitor, "two", Ok(()));
        assert_eq!(visitor.find_loss(&json!({"k1": "two"})), None);
        assert_eq!(visitor.find_loss(&json!({"k0": "one", "k1": "two"})), None);
    }

    #[test]
    fn a_visitor_gives_up_before_the_session_is_full() {
        let mut visitor = Visitor::default();
        let mut written = 0;
        while !visitor.is_full() {
            write(&mut visitor, "x", Err(Failure::Status(503)));
            written += 1;
        }
        assert!(written < 64);
    }

    #[test]
    fn only_what_was_never_taken_or_was_refused_is_surely_undone() {
        assert!(is_surely_undone(Failure::ConnectionRefused));
        assert!(is_surely_undone(Failure::Status(422)));
        for failure in [
            Failure::Status(503),
            Failure::Timeout,
            Failure::ConnectionReset,
            Failure::ConnectionClosed,
            Failure::WrongContent,
        ] {
            assert!(!is_surely_undone(failure), "{failure}");
        }
    }
}
