//! One program of a pipe.

use std::{
    fs,
    io::{Read, Seek},
    process::{self, Child, Stdio},
};

use crate::command::CommandError;

/// One program of a pipe, its words of complaint kept in a file.
#[derive(Debug)]
pub struct Piped {
    child: Child,
    label: String,
    stderr: fs::File,
}

impl Piped {
    /// Starts a command line.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn start(line: &[String], input: Stdio, output: Stdio) -> Result<Self, CommandError> {
        let mut command = process::Command::new(&line[0]);
        command.args(&line[1..]).stdin(input).stdout(output);
        Self::spawn(&mut command)
    }

    /// Starts a command, whose standard error becomes the file.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn spawn(command: &mut process::Command) -> Result<Self, CommandError> {
        let label = command.get_program().to_string_lossy().into_owned();
        let start = |source| CommandError::Start {
            program: label.clone(),
            source,
        };
        // Without a name, so that it is gone with its last descriptor.
        let stderr = rustix::fs::open(
            std::env::temp_dir(),
            rustix::fs::OFlags::TMPFILE | rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::from_raw_mode(0o600),
        );
        let stderr = fs::File::from(stderr.map_err(|error| start(error.into()))?);
        let child = command
            .env("TZ", "UTC")
            .stderr(stderr.try_clone().map_err(start)?)
            .spawn()
            .map_err(start)?;
        Ok(Self {
            child,
            label,
            stderr,
        })
    }

    /// Its standard input, if that was made a pipe.
    pub fn input(&mut self) -> Option<process::ChildStdin> {
        self.child.stdin.take()
    }

    /// Its standard output, if that was made a pipe.
    pub fn output(&mut self) -> Option<process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        // One that can't be asked is told by `wait`.
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it, whatever it does.
    pub fn kill(&mut self) {
        // One that has ended needs not be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Where it ended with another status than 0, with its last words.
    pub fn wait(&mut self) -> Result<(), CommandError> {
        let status = self.child.wait().map_err(|source| CommandError::Pipe {
            program: self.label.clone(),
            source,
        })?;
        if status.success() {
            return Ok(());
        }
        let mut stderr = String::new();
        let read = self
            .stderr
            .rewind()
            .and_then(|()| self.stderr.read_to_string(&mut stderr));
        let lines: Vec<&str> = stderr.lines().collect();
        let last = lines[lines.len().saturating_sub(4)..].join("; ");
        Err(CommandError::Failed {
            program: self.label.clone(),
            status,
            stderr: read.map_or_else(|error| error.to_string(), |_| last),
        })
    }
}
