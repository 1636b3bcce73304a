//! Running a program to its end: what it printed, or why it failed.

use std::{
    ffi::{OsStr, OsString},
    io::Write,
    os::fd::OwnedFd,
    process::{self, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Signal, pidfd_send_signal};

use crate::container::runtime::{descriptor_of, ended_within};

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started; most often it is not installed.
    #[error("could not start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// Its input could not be written or its output not read.
    #[error("lost the connection to `{program}`")]
    Pipe {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It took longer than it may, and was killed.
    #[error("`{program}` had not ended after {} s", limit.as_secs())]
    TooLong {
        /// The program.
        program: String,
        /// How long it might take.
        limit: Duration,
    },
    /// It ended with another status than 0.
    #[error("`{program}` failed ({status}): {stderr}")]
    Failed {
        /// The program with its first argument, which names the action; never more, since an
        /// argument may be private.
        program: String,
        /// How it ended.
        status: process::ExitStatus,
        /// The last lines of what it wrote to its standard error.
        stderr: String,
    },
}

/// What a program printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// The standard output as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// A program and its arguments.
#[derive(Debug)]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    input: Option<Vec<u8>>,
    limit: Option<Duration>,
}

impl Command {
    /// A program found on the `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            input: None,
            limit: None,
        }
    }

    /// Adds an argument. Arguments are visible to every user of the machine: no secrets.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, arguments: I) -> Self {
        self.arguments.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Gives it this as its standard input.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Kills it when it takes longer.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The program with its first argument, for messages.
    fn label(&self) -> String {
        let program = self.program.to_string_lossy();
        match self.arguments.first() {
            Some(first) => format!("{program} {}", first.to_string_lossy()),
            None => program.into_owned(),
        }
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it can't be started, its pipes break, or it ends with another status than 0.
    pub fn run(self) -> Result<Output, CommandError> {
        let label = self.label();
        let pipe = |source| CommandError::Pipe {
            program: label.clone(),
            source,
        };
        let mut child = process::Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.environment)
            .stdin(if self.input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| CommandError::Start {
                program: label.clone(),
                source,
            })?;
        let guard = self
            .limit
            .and_then(|limit| Some((descriptor_of(child.id())?, limit)))
            .map(|(process, limit)| thread::spawn(move || kill_after(&process, limit)));
        let writer = child
            .stdin
            .take()
            .zip(self.input)
            .map(|(mut pipe, input)| thread::spawn(move || pipe.write_all(&input)));
        let output = child.wait_with_output().map_err(pipe)?;
        let killed = guard.is_some_and(|guard| guard.join().unwrap_or_default());
        if let Some(limit) = self.limit.filter(|_| killed) {
            return Err(CommandError::TooLong {
                program: label,
                limit,
            });
        }
        if !output.status.success() {
            return Err(CommandError::Failed {
                program: label,
                status: output.status,
                stderr: last_lines(&output.stderr),
            });
        }
        match writer.map(thread::JoinHandle::join) {
            Some(Ok(Err(source))) => Err(pipe(source)),
            Some(Err(_)) => Err(pipe(std::io::Error::other("the writing thread panicked"))),
            _ => Ok(Output {
                stdout: output.stdout,
                stderr: output.stderr,
            }),
        }
    }
}

/// Whether the process had to be killed.
fn kill_after(process: &OwnedFd, limit: Duration) -> bool {
    !ended_within(process, limit) && pidfd_send_signal(process, Signal::KILL).is_ok()
}

fn last_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    match lines.len() {
        0 => "it printed no reason".to_owned(),
        count => lines[count.saturating_sub(4)..].join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_comes_back_as_output() {
        let large = vec![b'x'; 1 << 20];
        let output = Command::new("cat").stdin(large.clone()).run().unwrap();
        assert_eq!(output.stdout, large);
    }

    #[test]
    fn a_failure_tells_the_last_lines_but_not_the_arguments() {
        let error = Command::new("sh")
            .args(["-c", "echo first >&2; echo second >&2; exit 3", "private"])
            .run()
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("first; second") && text.contains("exit status: 3"),
            "{text}"
        );
        assert!(!text.contains("private"));
    }

    #[test]
    fn what_takes_too_long_is_killed() {
        let limit = Duration::from_millis(50);
        let error = Command::new("sleep").arg("60").limit(limit).run();
        assert!(
            matches!(error, Err(CommandError::TooLong { .. })),
            "{error:?}"
        );
        assert!(
            Command::new("true")
                .limit(Duration::from_secs(60))
                .run()
                .is_ok()
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Command::new("mck-no-such-program").run().unwrap_err();
        assert_eq!(error.to_string(), "could not start `mck-no-such-program`");
    }
}
