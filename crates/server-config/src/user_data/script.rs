//! A shell script, line by line.

use std::fmt::Write;

/// What ends a file inside a script; no file here has a line like it.
const END: &str = "END";

/// A Bash script for cloud-init.
#[derive(Debug, Default)]
pub(crate) struct Script(String);

impl Script {
    /// A script that goes on after a mistake and reports it: a server that serves is worth more than
    /// one that lacks a setting, and the report is in the log group.
    pub(crate) fn that_goes_on() -> Self {
        let mut script = Self::bare();
        script.line("set -u -o pipefail");
        script.line("trap 'echo \"user data: line $LINENO failed: $BASH_COMMAND\" >&2' ERR");
        script
    }

    /// A script that ends with the first mistake.
    pub(crate) fn that_stops() -> Self {
        let mut script = Self::bare();
        script.line("set -eu -o pipefail");
        script
    }

    fn bare() -> Self {
        Self("#!/bin/bash\n".to_owned())
    }

    /// Lines of a script that stands elsewhere.
    pub(crate) fn part() -> Self {
        Self::default()
    }

    /// One command.
    pub(crate) fn line(&mut self, command: &str) {
        self.0.push_str(command);
        self.0.push('\n');
    }

    /// A file of root's, with the folders above it.
    pub(crate) fn file(&mut self, path: &str, mode: &str, content: &str) {
        debug_assert!(content.lines().all(|line| line != END));
        let _ = write!(
            self.0,
            "install -D -m {mode} /dev/stdin {path} <<'{END}'\n{}\n{END}\n",
            content.trim_end_matches('\n')
        );
    }

    /// Another script's lines.
    pub(crate) fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// The text.
    pub(crate) fn text(self) -> String {
        self.0
    }
}
