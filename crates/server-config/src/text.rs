//! Checks on values that become part of a configuration file.

use crate::secret::Secret;

/// A value that would change the meaning of the file it is written into.
///
/// The value itself is not part of the message: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct UnsafeText {
    /// Which input it was.
    pub field: &'static str,
    /// What is wrong with it, as the end of a sentence.
    pub problem: &'static str,
}

/// A value that every configuration language here takes literally and unquoted: ASCII letters,
/// digits and `-_./:@%+=,~`, at least one.
///
/// # Errors
/// [`UnsafeText`] for anything else.
pub fn word<'a>(field: &'static str, value: &'a str) -> Result<&'a str, UnsafeText> {
    if value.is_empty() {
        return Err(UnsafeText {
            field,
            problem: "is empty",
        });
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,~".contains(&byte);
    if value.bytes().all(plain) {
        Ok(value)
    } else {
        Err(UnsafeText {
            field,
            problem: "may hold only letters, digits and -_./:@%+=,~",
        })
    }
}

/// A value on one line: no control characters.
///
/// # Errors
/// [`UnsafeText`] when there is one.
pub fn line<'a>(field: &'static str, value: &'a str) -> Result<&'a str, UnsafeText> {
    if value.chars().any(char::is_control) {
        Err(UnsafeText {
            field,
            problem: "may not hold control characters",
        })
    } else {
        Ok(value)
    }
}

/// A secret on one line, not empty.
///
/// # Errors
/// [`UnsafeText`], which does not hold the secret.
pub fn secret_line<'a>(field: &'static str, value: &'a Secret) -> Result<&'a str, UnsafeText> {
    if value.expose().is_empty() {
        return Err(UnsafeText {
            field,
            problem: "is empty",
        });
    }
    line(field, value.expose())
}

/// A host name of RFC 1123: labels of letters, digits and inner hyphens, 253 characters at most.
///
/// # Errors
/// [`UnsafeText`] for anything else.
pub fn host_name<'a>(field: &'static str, value: &'a str) -> Result<&'a str, UnsafeText> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if value.len() <= 253 && value.split('.').all(label) {
        Ok(value)
    } else {
        Err(UnsafeText {
            field,
            problem: "is not a host name",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_plain() {
        assert!(word("x", "172.31.0.10:80").is_ok());
        for bad in ["", "a b", "a\nb", "a;b", "a#", "a\"", "a'", "$a", "é"] {
            assert!(word("x", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn host_names_follow_the_rfc() {
        assert!(host_name("x", "db.us-east-1.magecloudkit.internal").is_ok());
        for bad in ["", ".", "a..b", "-a", "a-", "a_b", "a b", &"a".repeat(64)] {
            assert!(host_name("x", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn errors_do_not_repeat_the_value() {
        let error = secret_line("password", &Secret::new("hunter2\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "password may not hold control characters"
        );
    }
}
