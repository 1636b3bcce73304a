//! What went wrong, in one form: `error:`, what caused it, and `hint:` lines.

use std::{error::Error, fmt};

use mck_environment::Diagnostics;
use miette::Diagnostic;

use crate::exit::Exit;

/// The code of the file's own mistake, and of a name that the command line asks for.
const UNKNOWN_ENVIRONMENT: &str = "mck::environment::unknown_environment";

/// A failure of a command.
#[derive(Debug)]
pub struct Failure {
    /// How `mck` ends.
    pub exit: Exit,
    /// What went wrong.
    pub what: What,
    /// Where in the environment file it comes from.
    pub places: Vec<Diagnostics>,
    /// What to do.
    pub hints: Vec<String>,
}

/// What went wrong.
#[derive(Debug)]
pub enum What {
    /// A sentence, and what caused it, the nearest first.
    Message {
        /// The sentence.
        message: String,
        /// The causes.
        causes: Vec<String>,
    },
    /// Mistakes in the environment file.
    Mistakes(Box<Diagnostics>),
    /// Everything was said already.
    Said,
}

impl Failure {
    /// A failure in one sentence.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            what: What::Message {
                message: message.into(),
                causes: Vec::new(),
            },
            places: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// A failure whose whole story is an error and its sources.
    pub fn from_error(exit: Exit, error: &(dyn Error + 'static)) -> Self {
        let failure = Self::new(exit, error.to_string());
        match error.source() {
            Some(source) => failure.caused_by(source),
            None => failure,
        }
    }

    /// A failure that was told as the command's own result.
    pub fn said(exit: Exit) -> Self {
        Self {
            exit,
            what: What::Said,
            places: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Adds an error and its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        if let What::Message { message, causes } = &mut self.what {
            let chain = std::iter::successors(Some(error), |&error| error.source());
            for text in chain.map(ToString::to_string) {
                // An error that only hands on its source says the same again.
                if text != *message && causes.last() != Some(&text) {
                    causes.push(text);
                }
            }
        }
        self
    }

    /// Whether its message or one of its causes has a text.
    pub fn says(&self, text: &str) -> bool {
        match &self.what {
            What::Message { message, causes } => {
                message.contains(text) || causes.iter().any(|cause| cause.contains(text))
            }
            What::Mistakes(_) | What::Said => false,
        }
    }

    /// Adds where in the environment file it comes from.
    #[must_use]
    pub fn place(mut self, place: Diagnostics) -> Self {
        self.places.push(place);
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<Diagnostics> for Failure {
    fn from(mistakes: Diagnostics) -> Self {
        unknown_environment(&mistakes).unwrap_or_else(|| Self {
            exit: Exit::File,
            what: What::Mistakes(Box::new(mistakes)),
            places: Vec::new(),
            hints: Vec::new(),
        })
    }
}

/// The failure where the only mistake is that the command line asks for an environment that the
/// file does not have.
fn unknown_environment(mistakes: &Diagnostics) -> Option<Failure> {
    let mut all = mistakes.iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    let is_in_the_file = Diagnostic::labels(only).is_some_and(|mut labels| labels.next().is_some());
    if only.code() != UNKNOWN_ENVIRONMENT || is_in_the_file {
        return None;
    }
    let failure = Failure::new(Exit::Unknown, only.to_string());
    Some(only.help_text().into_iter().fold(failure, Failure::hint))
}

/// A name that is not among those that there are: what was meant, and which there are.
pub fn unknown(kind: &str, name: &str, known: &[String]) -> Failure {
    let failure = Failure::new(Exit::Unknown, format!("there is no {kind} `{name}`"));
    let closest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(edits, candidate)| {
            edits * 5 <= candidate.chars().count().max(name.chars().count()) * 2
        })
        .min();
    let failure = match closest {
        Some((_, candidate)) => failure.hint(format!("did you mean `{candidate}`?")),
        None => failure,
    };
    if known.is_empty() {
        failure.hint("there is none at all")
    } else {
        failure.hint(format!("there is {}", Quoted(known)))
    }
}

/// Names as a list that reads as a sentence.
struct Quoted<'a>(&'a [String]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let before = match index {
                0 => "",
                last if last + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(out, "{before}`{name}`")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_tells_what_there_is() {
        let known = ["shop".to_owned(), "blog".to_owned(), "admin".to_owned()];
        let failure = unknown("app", "shpo", &known);
        assert_eq!(failure.exit, Exit::Unknown);
        assert_eq!(
            failure.hints,
            [
                "did you mean `shop`?",
                "there is `shop`, `blog` and `admin`"
            ]
        );
        assert_eq!(unknown("app", "x", &[]).hints, ["there is none at all"]);
    }

    #[test]
    fn causes_are_told_once() {
        let inner = std::io::Error::other("disk on fire");
        let failure = Failure::new(Exit::Internal, "could not write").caused_by(&inner);
        let What::Message { causes, .. } = failure.what else {
            panic!("it is a message");
        };
        assert_eq!(causes, ["disk on fire"]);
    }
}
