//! The only place that prints. Results go to the standard output; all that only a person wants to
//! know goes to the standard error, so that results can be piped.

use std::{
    cell::RefCell,
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use mck_environment::Diagnostics;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters,
    ThemeStyles,
};
use serde::Serialize;

use crate::{
    cli::{ColorChoice, GlobalOptions},
    environment_variables as variables,
    failure::{Failure, What},
    style::{ColorRequest, Style, decide},
};

/// The width of what is not printed to a terminal.
const DEFAULT_WIDTH: usize = 100;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Quiet,
    Normal,
    Verbose,
}

/// The only place that prints.
#[derive(Debug)]
pub struct Printer {
    level: Level,
    out: Style,
    error: Style,
    broken: RefCell<Option<io::Error>>,
}

impl Printer {
    /// A printer as the command line asks for.
    pub fn new(options: &GlobalOptions) -> Self {
        let level = match (options.quiet, options.verbose) {
            (true, _) => Level::Quiet,
            (false, true) => Level::Verbose,
            (false, false) => Level::Normal,
        };
        Self {
            level,
            out: style(options.color, io::stdout().is_terminal()),
            error: style(options.color, io::stderr().is_terminal()),
            broken: RefCell::new(None),
        }
    }

    /// A printer for when there is no command line that could be read.
    pub fn plain() -> Self {
        Self {
            level: Level::Normal,
            out: Style::new(false),
            error: Style::new(false),
            broken: RefCell::new(None),
        }
    }

    /// How results are painted.
    pub const fn out_style(&self) -> Style {
        self.out
    }

    /// How notes are painted.
    pub const fn error_style(&self) -> Style {
        self.error
    }

    /// The width for results: the terminal's, or none where lines are not to be broken.
    pub fn out_width(&self) -> Option<usize> {
        terminal_size(&io::stdout()).map(|(width, _)| width)
    }

    /// Width and height of the terminal for displays that redraw themselves; none where there is
    /// none, it is dumb, or nothing is to be said.
    pub fn live_size(&self) -> Option<(usize, usize)> {
        if self.level != Level::Normal || is_dumb() || !io::stderr().is_terminal() {
            return None;
        }
        terminal_size(&io::stderr())
    }

    /// Whether a person sits there who can be asked.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// A line of the result.
    pub fn result(&self, text: impl Display) {
        self.write(io::stdout(), format_args!("{text}\n"));
    }

    /// A part of the result as it is.
    pub fn result_bytes(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        self.keep(out.write_all(bytes).and_then(|()| out.flush()));
    }

    /// The result for a program.
    pub fn json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.result(text),
            Err(error) => self.keep(Err(error.into())),
        }
    }

    /// A result for a program among others: one line.
    pub fn json_line(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.result(text),
            Err(error) => self.keep(Err(error.into())),
        }
    }

    /// A line for a person.
    pub fn note(&self, text: impl Display) {
        if self.level > Level::Quiet {
            self.write(io::stderr(), format_args!("{text}\n"));
        }
    }

    /// A line for a person who wants to know everything.
    pub fn detail(&self, text: impl Display) {
        if self.level == Level::Verbose {
            self.write(io::stderr(), format_args!("{text}\n"));
        }
    }

    /// A part of a display that redraws itself, as it is.
    pub fn draw(&self, text: &str) {
        self.write(io::stderr(), format_args!("{text}"));
    }

    /// Text about a failure; never silent.
    pub fn error_text(&self, text: impl Display) {
        self.write(io::stderr(), format_args!("{text}\n"));
    }

    /// `warning:` with a hint.
    pub fn warning(&self, message: impl Display, hint: Option<&str>) {
        if self.level > Level::Quiet {
            let label = self.error.yellow("warning:");
            self.error_text(format_args!("{label} {message}"));
            if let Some(hint) = hint {
                self.hint(hint);
            }
        }
    }

    /// A `hint:` line.
    pub fn hint(&self, hint: impl Display) {
        let label = self.error.cyan("hint:");
        self.error_text(format_args!("{label} {hint}"));
    }

    /// The commands that come next.
    pub fn next(&self, commands: &[(&str, &str)]) {
        let width = commands
            .iter()
            .map(|(command, _)| command.len())
            .max()
            .unwrap_or(0);
        self.note("\nNext:");
        for (command, meaning) in commands {
            let padding = " ".repeat(width - command.len());
            let command = self.error.cyan(command);
            self.note(format_args!("  {command}{padding}  {meaning}"));
        }
    }

    /// A failure.
    pub fn failure(&self, failure: &Failure) {
        match &failure.what {
            What::Message { message, causes } => {
                self.error_text(format_args!("{} {message}", self.error.red("error:")));
                for cause in causes {
                    let cause = cause.trim_end().replace('\n', "\n    ");
                    self.error_text(format_args!("  caused by: {cause}"));
                }
            }
            What::Mistakes(mistakes) => self.mistakes(mistakes),
            What::Said => {}
        }
        for places in &failure.places {
            self.places(places);
        }
        for hint in &failure.hints {
            self.hint(hint);
        }
    }

    /// The mistakes of a file, each with its lines of the file.
    fn mistakes(&self, mistakes: &Diagnostics) {
        for mistake in mistakes.related().into_iter().flatten() {
            self.error_text(format_args!("{} {mistake}", self.error.red("error:")));
            self.lines_of_file(mistakes, mistake);
            if let Some(help) = mistake.help() {
                self.hint(help);
            }
            self.error_text("");
        }
        self.error_text(mistakes);
    }

    /// Where a failure comes from, with the lines of the file.
    fn places(&self, places: &Diagnostics) {
        for place in places.related().into_iter().flatten() {
            self.error_text(format_args!("{} {place}", self.error.yellow("note:")));
            self.lines_of_file(places, place);
        }
    }

    /// The lines of the file that a message is about; none where it has no place.
    fn lines_of_file(&self, all: &Diagnostics, one: &dyn Diagnostic) {
        let theme = GraphicalTheme {
            characters: ThemeCharacters::unicode(),
            styles: if self.error.is_on() {
                ThemeStyles::ansi()
            } else {
                ThemeStyles::none()
            },
        };
        let width = terminal_size(&io::stderr()).map_or(DEFAULT_WIDTH, |(width, _)| width);
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width)
            .with_links(false);
        let snippet = Snippet {
            source: all.source_code(),
            mistake: one,
        };
        let has_place = one
            .labels()
            .is_some_and(|mut labels| labels.next().is_some());
        let mut text = String::new();
        if has_place && handler.render_report(&mut text, &snippet).is_ok() {
            // The first line is the message's, which was printed already.
            let lines = text.trim_matches('\n').split_once('\n');
            self.error_text(lines.map_or("", |(_, rest)| rest));
        }
    }

    /// The first error of writing, except that a reader who has seen enough went away.
    pub fn broken(&self) -> Option<io::Error> {
        let error = self.broken.take();
        error.filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// Whether nobody reads what is printed.
    pub fn is_closed(&self) -> bool {
        self.broken.borrow().is_some()
    }

    fn write(&self, mut stream: impl Write, text: std::fmt::Arguments<'_>) {
        self.keep(stream.write_fmt(text).and_then(|()| stream.flush()));
    }

    fn keep(&self, result: io::Result<()>) {
        if let Err(error) = result {
            self.broken.borrow_mut().get_or_insert(error);
        }
    }
}

fn style(choice: ColorChoice, terminal: bool) -> Style {
    let (no_color, clicolor, force) = (
        variables::read(variables::NO_COLOR),
        variables::read(variables::CLICOLOR),
        variables::read(variables::CLICOLOR_FORCE),
    );
    Style::new(decide(ColorRequest {
        choice,
        no_color: no_color.as_deref(),
        clicolor: clicolor.as_deref(),
        clicolor_force: force.as_deref(),
        terminal: terminal && !is_dumb(),
    }))
}

fn is_dumb() -> bool {
    variables::read(variables::TERM).is_some_and(|term| term == "dumb")
}

fn terminal_size(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<(usize, usize)> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    // A terminal that does not know its size says 0.
    Some(match (size.ws_col, size.ws_row) {
        (0, _) | (_, 0) => (DEFAULT_WIDTH, 40),
        (columns, rows) => (columns.into(), rows.into()),
    })
}

/// A mistake's places without its words, which are printed in our own form.
struct Snippet<'a> {
    source: Option<&'a dyn SourceCode>,
    mistake: &'a dyn Diagnostic,
}

impl std::fmt::Debug for Snippet<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Snippet")
    }
}

impl Display for Snippet<'_> {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippet<'_> {}

impl Diagnostic for Snippet<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.mistake.labels()
    }
}
