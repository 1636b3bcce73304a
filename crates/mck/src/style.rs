//! Colour: always an addition to words, never instead of them.

use std::{ffi::OsStr, fmt::Display};

use crate::cli::ColorChoice;

/// Paints text, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    on: bool,
}

impl Style {
    /// With colour or without.
    pub const fn new(on: bool) -> Self {
        Self { on }
    }

    /// Whether it paints.
    pub const fn is_on(self) -> bool {
        self.on
    }

    fn paint(self, code: &str, text: impl Display) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }

    /// For headings and names.
    pub fn bold(self, text: impl Display) -> String {
        self.paint("1", text)
    }

    /// For what matters less.
    pub fn dim(self, text: impl Display) -> String {
        self.paint("2", text)
    }

    /// For what went wrong.
    pub fn red(self, text: impl Display) -> String {
        self.paint("1;31", text)
    }

    /// For what is as it should be.
    pub fn green(self, text: impl Display) -> String {
        self.paint("32", text)
    }

    /// For what needs a look.
    pub fn yellow(self, text: impl Display) -> String {
        self.paint("33", text)
    }

    /// For what can be typed or opened.
    pub fn cyan(self, text: impl Display) -> String {
        self.paint("36", text)
    }
}

/// What decides about colour.
#[derive(Debug, Clone, Copy)]
pub struct ColorRequest<'a> {
    /// What the command line says.
    pub choice: ColorChoice,
    /// `NO_COLOR`, where it is not empty.
    pub no_color: Option<&'a OsStr>,
    /// `CLICOLOR`, where it is not empty.
    pub clicolor: Option<&'a OsStr>,
    /// `CLICOLOR_FORCE`, where it is not empty.
    pub clicolor_force: Option<&'a OsStr>,
    /// Whether the output is a terminal that is not dumb.
    pub terminal: bool,
}

/// Whether to paint: the command line wins, then `NO_COLOR`, then `CLICOLOR_FORCE`, then
/// `CLICOLOR`, then the terminal.
pub fn decide(request: ColorRequest<'_>) -> bool {
    match request.choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if request.no_color.is_some() => false,
        ColorChoice::Auto if request.clicolor_force.is_some_and(|value| value != "0") => true,
        ColorChoice::Auto => request.terminal && request.clicolor.is_none_or(|value| value != "0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTO: ColorRequest<'static> = ColorRequest {
        choice: ColorChoice::Auto,
        no_color: None,
        clicolor: None,
        clicolor_force: None,
        terminal: true,
    };

    #[test]
    fn a_terminal_gets_colour_unless_someone_objects() {
        let one = Some(OsStr::new("1"));
        let zero = Some(OsStr::new("0"));
        assert!(decide(AUTO));
        assert!(!decide(ColorRequest {
            no_color: one,
            ..AUTO
        }));
        assert!(!decide(ColorRequest {
            clicolor: zero,
            ..AUTO
        }));
        assert!(!decide(ColorRequest {
            choice: ColorChoice::Never,
            ..AUTO
        }));
        assert!(decide(ColorRequest {
            choice: ColorChoice::Always,
            no_color: one,
            ..AUTO
        }));
    }

    #[test]
    fn a_file_gets_none_unless_it_is_forced() {
        let file = ColorRequest {
            terminal: false,
            ..AUTO
        };
        let one = Some(OsStr::new("1"));
        assert!(!decide(file));
        assert!(decide(ColorRequest {
            clicolor_force: one,
            ..file
        }));
        assert!(!decide(ColorRequest {
            clicolor_force: one,
            no_color: one,
            ..file
        }));
        assert!(decide(ColorRequest {
            choice: ColorChoice::Always,
            ..file
        }));
    }
}
