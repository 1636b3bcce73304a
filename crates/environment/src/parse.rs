//! From bytes to a tree, refusing what is no file of ours before any real work is done.

use toml::de::DeTable;
use toml_parser::{Source, lexer::TokenKind};

use crate::{
    diagnostic::{Diagnostic, position},
    tree::{self, Node, Span, Value},
};

/// The largest file that is read, in bytes.
pub const MAXIMUM_SIZE: usize = 1024 * 1024;

/// The most entries of a table or list; it bounds the time of checks that compare all with all.
const MAXIMUM_ENTRIES: usize = 1_000;

/// The smallest useful file.
pub(crate) const SMALLEST: &str =
    "project = \"shop\"\n\n[app.shop]\npreset = \"magento2\"\nsource = \"src\"";

/// More dots than any key of ours has; the parser makes a table of each, so that a line of dots
/// would be nested deeper than the stack.
const MAXIMUM_DOTS: usize = 16;

/// More brackets within each other than any value of ours has.
const MAXIMUM_BRACKETS: usize = 16;

/// The bytes as text, where they are few enough and UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Diagnostic> {
    if bytes.len() > MAXIMUM_SIZE {
        let message = format!(
            "The file has {} bytes; at most {MAXIMUM_SIZE} (1 MiB) are read.",
            bytes.len()
        );
        return Err(Diagnostic::new("file_too_large", message)
            .help("A file of a few kilobytes describes many apps: is this the right file?"));
    }
    str::from_utf8(bytes).map_err(|error| {
        let valid = error.valid_up_to();
        let before = str::from_utf8(&bytes[..valid]).expect("checked up to here");
        let (line, column) = position(before, valid);
        let message =
            format!("The byte at offset {valid} (line {line}, column {column}) is not UTF-8.");
        Diagnostic::new("invalid_utf8", message)
            .at(valid..valid)
            .help("TOML is always UTF-8: save the file in that encoding.")
    })
}

/// The tree of a document, or every mistake of syntax.
pub(crate) fn document(text: &str) -> Result<Node, Vec<Diagnostic>> {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        let empty = Diagnostic::new("empty_file", "The file is empty.")
            .help(format!("The smallest useful file is:\n\n{SMALLEST}"));
        return Err(vec![empty]);
    }
    if let Some(span) = too_deep(text) {
        let message = "This is nested too deeply.";
        let help = format!(
            "At most {MAXIMUM_DOTS} dots in a key and {MAXIMUM_BRACKETS} brackets within each \
             other are read; no key of this file needs nearly as many."
        );
        return Err(vec![
            Diagnostic::new("too_deep", message).at(span).help(help),
        ]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors
            .iter()
            .map(|error| syntax_error(text, error))
            .collect());
    }
    let root = tree::from_document(table.get_ref(), table.span());
    let mut crowded = Vec::new();
    find_crowded(&root, &root.span, &mut crowded);
    if crowded.is_empty() {
        Ok(root)
    } else {
        Err(crowded)
    }
}

/// Tables and lists with more entries than an environment can have of anything.
fn find_crowded(node: &Node, shown: &Span, found: &mut Vec<Diagnostic>) {
    let count = match &node.value {
        Value::Table(table) => {
            for entry in table.values() {
                find_crowded(&entry.node, &entry.key_span, found);
            }
            table.len()
        }
        Value::Array(items) => {
            items
                .iter()
                .for_each(|item| find_crowded(item, &item.span, found));
            items.len()
        }
        _ => return,
    };
    if count > MAXIMUM_ENTRIES {
        let message =
            format!("There are {count} entries in this; at most {MAXIMUM_ENTRIES} are read.");
        let help = "No environment on AWS can have as many apps, hosts or variables.";
        found.push(
            Diagnostic::new("too_many_entries", message)
                .at(shown.clone())
                .help(help),
        );
    }
}

fn syntax_error(text: &str, error: &toml::de::Error) -> Diagnostic {
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    let help = if message.contains("duplicate key") {
        "Each key and each table header may be written once: join the two."
    } else {
        "See https://toml.io for the syntax. Strings are in quotes: region = \"us-east-1\"."
    };
    let span = error.span().unwrap_or(0..0);
    Diagnostic::new("syntax", format!("This is not TOML: {message}."))
        .at(clamp(text, span))
        .help(help)
}

/// The span within the text, on character boundaries and not beyond the line's end.
fn clamp(text: &str, span: Span) -> Span {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let line_end = text[start..]
        .find('\n')
        .map_or(text.len(), |newline| start + newline);
    start..end.min(line_end.max(start))
}

/// The first place that is nested too deeply, found on tokens alone.
fn too_deep(text: &str) -> Option<Span> {
    let (mut dots, mut brackets) = (0, 0_usize);
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
                dots = 0;
                brackets += 1;
            }
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                dots = 0;
                brackets = brackets.saturating_sub(1);
            }
            TokenKind::Equals | TokenKind::Comma | TokenKind::Newline => dots = 0,
            _ => {}
        }
        if dots > MAXIMUM_DOTS || brackets > MAXIMUM_BRACKETS {
            return Some(token.span().start()..token.span().end());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        document(text).unwrap_err()[0].code
    }

    #[test]
    fn a_key_of_half_a_million_dots_is_refused_before_it_is_parsed() {
        assert_eq!(code(&format!("a{} = 1", ".a".repeat(500_000))), "too_deep");
        assert_eq!(code(&format!("[a{}]", ".a".repeat(500_000))), "too_deep");
        assert_eq!(code(&format!("a = {}", "[".repeat(500_000))), "too_deep");
        assert_eq!(code(&format!("a = {}", "{a=".repeat(300_000))), "too_deep");
    }

    #[test]
    fn brackets_that_are_never_closed_nest_but_closed_ones_do_not() {
        assert!(document(&"[[a]]\n".repeat(200)).is_ok());
        assert!(document(&format!("a = [{}]", "[],".repeat(200))).is_ok());
    }

    #[test]
    fn all_syntax_errors_are_found_at_once() {
        assert_eq!(document("a = \nb = ]\n[c\nd = 1").unwrap_err().len(), 3);
    }

    #[test]
    fn more_entries_than_anything_has_are_refused() {
        let apps = |count: usize| {
            (0..count)
                .map(|it| format!("[app.a{it}]\n"))
                .collect::<String>()
        };
        assert!(document(&apps(MAXIMUM_ENTRIES)).is_ok());
        assert_eq!(code(&apps(MAXIMUM_ENTRIES + 1)), "too_many_entries");
        assert_eq!(
            code(&format!("a = [{}]", "1,".repeat(MAXIMUM_ENTRIES + 1))),
            "too_many_entries"
        );
    }

    #[test]
    fn a_byte_order_mark_and_crlf_are_accepted() {
        assert!(document("\u{feff}a = 1\r\nb = 2\r\n").is_ok());
    }

    #[test]
    fn a_file_of_one_mebibyte_is_read_and_one_byte_more_is_not() {
        assert!(text(&vec![b' '; MAXIMUM_SIZE]).is_ok());
        assert_eq!(
            text(&vec![b' '; MAXIMUM_SIZE + 1]).unwrap_err().code,
            "file_too_large"
        );
    }
}
