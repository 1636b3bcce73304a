//! What is wrong with a file, for people and for programs.

use std::{fmt, sync::Arc};

use miette::{LabeledSpan, NamedSource, SourceCode};

use crate::tree::Span;

/// At most this many mistakes are kept; a file that is broken throughout needs no more.
const KEPT: usize = 100;

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code without its prefix `mck::environment::`.
    pub(crate) code: &'static str,
    /// One plain sentence.
    pub(crate) message: String,
    /// The places, the first one first.
    pub(crate) labels: Vec<Label>,
    /// What is allowed, or what to do.
    pub(crate) help: Option<String>,
    /// The environments in which it is a mistake, where it is not one in all of them.
    pub(crate) environments: Vec<String>,
}

/// A place in the file and what to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    pub span: Span,
    pub text: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            environments: Vec::new(),
        }
    }

    pub(crate) fn at(mut self, span: Span) -> Self {
        self.labels.push(Label { span, text: None });
        self
    }

    pub(crate) fn labelled(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: Some(text.into()),
        });
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The stable code, such as `mck::environment::unknown_key`.
    pub fn code(&self) -> String {
        format!("mck::environment::{}", self.code)
    }

    /// The mistake in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What is allowed, or what to do.
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    fn position(&self) -> usize {
        self.labels.first().map_or(0, |label| label.span.start)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.environments.is_empty() {
            write!(out, "In {}: ", quoted_list(self.environments.iter()))?;
        }
        out.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn code(&self) -> Option<Box<dyn fmt::Display + '_>> {
        Some(Box::new(Self::code(self)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Error)
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().map(|label| {
            LabeledSpan::new_with_span(label.text.clone(), label.span.clone())
        })))
    }
}

/// All mistakes of a file, in the order of their places.
///
/// As a [`miette::Diagnostic`] each mistake is a related one, shown with the lines of the file;
/// values that look secret are masked in those lines.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    source: Arc<NamedSource<String>>,
    all: Vec<Diagnostic>,
    /// How many there were before the last ones were left out.
    total: usize,
}

impl Diagnostics {
    /// Sorts and takes out what is said twice. `source` must hold no secret.
    pub(crate) fn new(source: Arc<NamedSource<String>>, mut all: Vec<Diagnostic>) -> Self {
        all.sort_by(|one, other| {
            (one.position(), one.code, &one.message).cmp(&(
                other.position(),
                other.code,
                &other.message,
            ))
        });
        all.dedup();
        let total = all.len();
        all.truncate(KEPT);
        Self { source, all, total }
    }

    /// The file's name.
    pub fn file_name(&self) -> &str {
        self.source.name()
    }

    /// The mistakes, in the order of their places; of very many the first 100.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.all.iter()
    }

    /// How many there are; never 0 in an error.
    pub fn len(&self) -> usize {
        self.total
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The mistakes for a program: a list of objects with `code`, `severity`, `message`, `help`,
    /// `file`, `environments` (empty for all) and `spans`; lines and columns (in characters) are
    /// counted from 1.
    pub fn to_json(&self) -> serde_json::Value {
        self.all.iter().map(|one| self.one_to_json(one)).collect()
    }

    fn one_to_json(&self, one: &Diagnostic) -> serde_json::Value {
        let text = self.source.inner();
        let spans = one.labels.iter().map(|label| {
            let (line, column) = position(text, label.span.start);
            let (end_line, end_column) = position(text, label.span.end);
            serde_json::json!({
                "line": line,
                "column": column,
                "end-line": end_line,
                "end-column": end_column,
                "label": label.text,
            })
        });
        serde_json::json!({
            "code": one.code(),
            "severity": "error",
            "message": one.message,
            "help": one.help,
            "file": self.file_name(),
            "environments": one.environments,
            "spans": spans.collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file_name();
        match self.total {
            1 => write!(out, "{name} has a mistake"),
            count if count > KEPT => {
                write!(
                    out,
                    "{name} has {count} mistakes, of which these are the first {KEPT}"
                )
            }
            count => write!(out, "{name} has {count} mistakes"),
        }
    }
}

impl std::error::Error for Diagnostics {}

impl miette::Diagnostic for Diagnostics {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(
            self.all.iter().map(|one| one as &dyn miette::Diagnostic),
        ))
    }
}

/// The line and the column in characters of a byte offset, both from 1.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// "`a`, `b` and `c`".
pub(crate) fn quoted_list<T: fmt::Display>(items: impl Iterator<Item = T>) -> String {
    join(items, "and")
}

/// "`a`, `b` or `c`".
pub(crate) fn quoted_choice<T: fmt::Display>(items: impl Iterator<Item = T>) -> String {
    join(items, "or")
}

fn join<T: fmt::Display>(items: impl Iterator<Item = T>, word: &str) -> String {
    let items: Vec<String> = items.map(|item| format!("`{item}`")).collect();
    match items.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// "Did you mean `x`? ", or nothing where no candidate is close enough.
pub(crate) fn suggestion<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    let distance = |candidate: &str| {
        let longest = written.chars().count().max(candidate.chars().count());
        (
            strsim::damerau_levenshtein(&written.to_lowercase(), candidate),
            longest,
        )
    };
    candidates
        .map(|candidate| (distance(candidate), candidate))
        .filter(|((edits, longest), _)| *edits * 5 <= *longest * 2)
        .min_by_key(|((edits, _), candidate)| (*edits, *candidate))
        .map(|(_, candidate)| format!("Did you mean `{candidate}`? "))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_characters_not_bytes() {
        assert_eq!(position("a = \"é\" x", 8), (1, 8));
        assert_eq!(position("a\nbc", 3), (2, 2));
        assert_eq!(position("a\n", 99), (2, 1));
    }

    #[test]
    fn only_a_close_name_is_suggested() {
        assert_eq!(
            suggestion("tagret", ["target", "region"].into_iter()),
            "Did you mean `target`? "
        );
        assert_eq!(suggestion("database", ["target", "region"].into_iter()), "");
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(quoted_list(["a", "b", "c"].iter()), "`a`, `b` and `c`");
        assert_eq!(quoted_choice(["a"].iter()), "`a`");
    }
}
