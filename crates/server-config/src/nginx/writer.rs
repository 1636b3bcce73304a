//! Indented lines and blocks: all that nginx's syntax needs.

#[derive(Default)]
pub(super) struct ConfigWriter {
    text: String,
    depth: usize,
}

impl ConfigWriter {
    pub(super) fn line(&mut self, line: &str) {
        for _ in 0..self.depth {
            self.text.push_str("    ");
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn comment(&mut self, text: &str) {
        self.line(&format!("# {text}"));
    }

    pub(super) fn block(&mut self, header: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("{header} {{"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line("}");
    }

    /// A location that answers 403.
    pub(super) fn deny(&mut self, location: &str) {
        self.block(&format!("location {location}"), |out| out.line("deny all;"));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A quoted nginx string. A `$` still begins a variable: nginx has no way to escape it.
pub(super) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `text` as a regular expression that matches itself, and that needs no quoting in nginx's syntax.
pub(super) fn regex_literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '.' => escaped.push_str(r"\."),
            '/' | '_' | '-' => escaped.push(character),
            _ if character.is_ascii_alphanumeric() || !character.is_ascii() => {
                escaped.push(character);
            }
            _ => escaped.push_str(&format!(r"\x{:02x}", u32::from(character))),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{quoted, regex_literal};

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    }

    #[test]
    fn regex_literals_match_only_themselves() {
        assert_eq!(regex_literal("errors/404.php"), r"errors/404\.php");
        assert_eq!(regex_literal("a+\"é"), r"a\x2b\x22é");
    }
}
