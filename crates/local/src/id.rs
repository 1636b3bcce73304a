//! The id of an environment on this machine.

use std::{fmt, str::FromStr};

/// The longest id, in bytes: a project's name, a dash and an environment's name.
const LONGEST: usize = 33;

/// What all that an environment makes on this machine is named after, such as `shop-local`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentId(String);

/// A text that is no environment's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no environment id: it must be 1 to 33 of the characters a-z, 0-9 and `-`")]
pub struct InvalidEnvironmentId(pub String);

impl EnvironmentId {
    /// An id of 1 to 33 of the characters `a-z`, `0-9` and `-`.
    ///
    /// # Errors
    /// When the text is something else.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidEnvironmentId> {
        let id = id.into();
        if (1..=LONGEST).contains(&id.len()) && is_name(&id) {
            Ok(Self(id))
        } else {
            Err(InvalidEnvironmentId(id))
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the network namespace of one of the environment's parts:
    /// `mck-shop-local.db-0` for `db-0` of `shop-local`.
    ///
    /// The dot can be in no id, so that `shop` never takes a namespace of `shop-local` for its
    /// own.
    pub fn namespace(&self, part: &str) -> String {
        format!("{}{part}", self.namespace_prefix())
    }

    /// What the names of all the environment's namespaces, and of no other's, start with.
    pub fn namespace_prefix(&self) -> String {
        format!("mck-{}.", self.0)
    }
}

/// Whether a text consists of `a-z`, `0-9` and `-` only.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl fmt::Display for EnvironmentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for EnvironmentId {
    type Err = InvalidEnvironmentId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_ids() {
        for good in ["a", "shop-local", &"x".repeat(33)] {
            assert_eq!(EnvironmentId::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "Shop",
            "shop_local",
            "shop.local",
            "../x",
            "é",
            &"x".repeat(34),
        ] {
            assert!(EnvironmentId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_id_is_the_start_of_another_ones_namespaces() {
        let shop = EnvironmentId::new("shop").unwrap();
        let local = EnvironmentId::new("shop-local").unwrap();
        assert_eq!(local.namespace("db-0"), "mck-shop-local.db-0");
        assert!(
            !local
                .namespace("db-0")
                .starts_with(&shop.namespace_prefix())
        );
    }
}
