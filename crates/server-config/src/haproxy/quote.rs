//! Quoting for HAProxy's configuration language (manual §2.2).

use super::RenderError;
use crate::text;

/// A text as one single-quoted argument: everything inside is literal, and a single quote is closed,
/// escaped and opened again.
pub(super) fn quote(field: &'static str, value: &str) -> Result<String, RenderError> {
    Ok(format!(
        "'{}'",
        text::line(field, value)?.replace('\'', r"'\''")
    ))
}

/// A PCRE that matches an ALB pattern in full: `*` is any run of characters, `?` any single one.
pub(super) fn pattern_to_regex(pattern: &str) -> String {
    let mut regex = String::from("^");
    for character in pattern.chars() {
        match character {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            character if character.is_ascii_alphanumeric() || "/_-".contains(character) => {
                regex.push(character);
            }
            character if character.is_ascii() => {
                regex.push('\\');
                regex.push(character);
            }
            character => regex.push(character),
        }
    }
    regex.push('$');
    regex
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What HAProxy makes of single-quoted text and of `\'` outside of quotes.
    fn unquote(argument: &str) -> String {
        let (mut text, mut quoted) = (String::new(), false);
        let mut characters = argument.chars();
        while let Some(character) = characters.next() {
            match character {
                '\'' => quoted = !quoted,
                '\\' if !quoted => text.extend(characters.next()),
                character => text.push(character),
            }
        }
        assert!(!quoted, "{argument}");
        text
    }

    proptest! {
        #[test]
        fn quoted_text_comes_back(text in "[^\\p{C}]{0,20}|['\\\\\" #$]{0,8}") {
            prop_assert_eq!(unquote(&quote("x", &text).unwrap()), text);
        }
    }

    #[test]
    fn quotes_are_closed_and_opened_again() {
        assert_eq!(
            quote("x", "a'b $c \"d\" #e").unwrap(),
            r#"'a'\''b $c "d" #e'"#
        );
        assert!(quote("x", "a\nb").is_err());
    }

    #[test]
    fn patterns_match_in_full() {
        assert_eq!(pattern_to_regex("/img/*.jp?g"), r"^/img/.*\.jp.g$");
        assert_eq!(pattern_to_regex("/a+(b)$"), r"^/a\+\(b\)\$$");
    }
}
