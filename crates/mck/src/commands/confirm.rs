//! Asking before something that can't be undone.

use std::io;

use crate::{exit::Exit, failure::Failure, session::Session};

/// A question whose answer is a word that must be typed.
pub struct Question<'a> {
    /// What is done, as the beginning of a sentence that ends with "needs your word".
    pub what: &'a str,
    /// What comes of it, in one sentence.
    pub consequence: &'a str,
    /// The word.
    pub word: &'a str,
    /// What is said after another answer.
    pub declined: &'a str,
}

/// Asks; without a person to ask `--yes` is needed.
pub fn ask(session: &Session<'_>, question: &Question<'_>) -> Result<(), Failure> {
    let printer = session.printer;
    if !printer.can_ask() {
        let message = format!("{} needs your word", question.what);
        return Err(Failure::new(Exit::Usage, message).hint("give it with `--yes`"));
    }
    let (consequence, word) = (question.consequence, question.word);
    printer.draw(&format!("{consequence}\nType {word} to go on: "));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| {
        Failure::new(Exit::Internal, "the answer can't be read").caused_by(&error)
    })?;
    if answer.trim() == word {
        return Ok(());
    }
    Err(Failure::new(Exit::Declined, question.declined))
}
