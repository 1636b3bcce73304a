//! Small helps with texts.

use sha2::{Digest, Sha256};

/// An error with all that caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // Transparent errors repeat their source.
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

/// How a container ended, for a person.
pub fn exit(code: Option<i32>) -> String {
    match code {
        None => "ended; its exit code is not known".to_owned(),
        Some(137) => "was killed (SIGKILL: by hand, or out of memory)".to_owned(),
        Some(139) => "crashed (SIGSEGV)".to_owned(),
        Some(143) => "was stopped (SIGTERM)".to_owned(),
        Some(code @ 129..=160) => format!("was stopped by signal {}", code - 128),
        Some(code) => format!("ended with exit code {code}"),
    }
}

/// Bytes as hexadecimal digits, two a byte.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Sixteen hexadecimal digits that stand for a text.
pub fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names() {
        assert_eq!(exit(Some(3)), "ended with exit code 3");
        assert_eq!(exit(Some(134)), "was stopped by signal 6");
    }
}
