//! A port of this machine behind which a port of the VPC is, for as long as a command needs it: the
//! session-manager-plugin forwards it over a session of Session Manager.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use mck_aws::{Account, OpenedPort, PluginCall};
use mck_local::wait;
use rustix::process::{Pid, Signal, kill_process};

use super::plugin;
use crate::{exit::Exit, failure::Failure};

/// How long the plugin may take to open the port: it speaks to Systems Manager, and that to the
/// instance.
const OPENING: Duration = Duration::from_secs(30);
/// How long it may take to end its session.
const ENDING: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(100);
/// Where the plugin listens; else it takes what `localhost` is.
const LISTEN: (&str, &str) = ("SSM_PLUGIN_LOCAL_HOST", "127.0.0.1");
/// How many of the plugin's lines are told.
const LAST_LINES: usize = 5;

/// A forwarded port. It ends with this.
pub struct Forward<'a> {
    account: &'a Account,
    region: &'a str,
    session: String,
    child: Child,
    lines: Receiver<String>,
    said: VecDeque<String>,
    port: u16,
}

impl<'a> Forward<'a> {
    /// Lets the plugin forward the port of a session, and waits until it listens there.
    ///
    /// # Errors
    /// Where the plugin ends or takes too long, or `stop` says so.
    pub fn open(
        account: &'a Account,
        region: &'a str,
        opened: OpenedPort,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, Failure> {
        let (child, lines) = match start(&opened) {
            Ok(started) => started,
            Err(error) => {
                // What could not be started is what is told.
                let _ = account.end_session(region, &opened.session);
                return Err(plugin::missing(&error));
            }
        };
        let mut forward = Self {
            account,
            region,
            session: opened.session,
            child,
            lines,
            said: VecDeque::new(),
            port: 0,
        };
        forward.port = forward.wait_until_open(stop)?;
        Ok(forward)
    }

    /// The port of this machine.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What the plugin said last, as causes of a failure.
    pub fn explain(&mut self, failure: Failure) -> Failure {
        while let Ok(line) = self.lines.try_recv() {
            self.note(line);
        }
        let ended = matches!(self.child.try_wait(), Ok(Some(_)));
        let failure = if ended {
            failure.caused_by(&std::io::Error::other("the session-manager-plugin ended"))
        } else {
            failure
        };
        let own = self.said.iter().filter(|line| !is_usual(line));
        own.fold(failure, |failure, line| {
            let line = format!("session-manager-plugin: {line}");
            failure.caused_by(&std::io::Error::other(line))
        })
    }

    fn wait_until_open(&mut self, stop: &dyn Fn() -> bool) -> Result<u16, Failure> {
        let deadline = Instant::now() + OPENING;
        loop {
            if stop() {
                return Err(Failure::new(Exit::Interrupted, "interrupted"));
            }
            match self.lines.recv_timeout(LOOK) {
                Ok(line) => {
                    let port = port_of(&line);
                    self.note(line);
                    if let Some(port) = port {
                        return Ok(port);
                    }
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {}
                Err(reason) => return Err(self.not_opened(reason)),
            }
        }
    }

    fn not_opened(&mut self, reason: RecvTimeoutError) -> Failure {
        let message = match reason {
            RecvTimeoutError::Disconnected => {
                // It closes its output a moment before it has ended.
                wait::until(ENDING, || self.child.try_wait().ok().flatten());
                "no port was forwarded".to_owned()
            }
            RecvTimeoutError::Timeout => {
                format!("no port was forwarded within {} s", OPENING.as_secs())
            }
        };
        let failure = self.explain(Failure::new(Exit::Account, message));
        failure.hint("`mck ssh` shows whether sessions on the Bastion can be opened at all")
    }

    fn note(&mut self, line: String) {
        if line.trim().is_empty() {
            return;
        }
        if self.said.len() == LAST_LINES {
            self.said.pop_front();
        }
        self.said.push_back(line);
    }

    /// Lets the plugin end its session; whether it did.
    fn end(&mut self) -> bool {
        let end = |child: &mut Child| child.try_wait().ok().flatten();
        if let Some(status) = end(&mut self.child) {
            return status.success();
        }
        // As Ctrl-C does: that makes it end the session before it ends itself.
        let asked = kill_process(Pid::from_child(&self.child), Signal::INT);
        let ended = wait::until(ENDING, || end(&mut self.child));
        match (asked, ended) {
            (Ok(()), Some(status)) => status.success(),
            _ => {
                // One that has ended needs not be killed.
                let _ = self.child.kill();
                let _ = self.child.wait();
                false
            }
        }
    }
}

impl Drop for Forward<'_> {
    fn drop(&mut self) {
        if !self.end() {
            // Without this Systems Manager ends it after a time without use.
            let _ = self.account.end_session(self.region, &self.session);
        }
    }
}

fn start(opened: &OpenedPort) -> std::io::Result<(Child, Receiver<String>)> {
    let (name, value) = &opened.call.variable;
    let mut child = Command::new(PluginCall::PROGRAM)
        .args(&opened.call.arguments)
        .env(name, value)
        .env(LISTEN.0, LISTEN.1)
        // Ctrl-C at a client's prompt is for the client alone.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (send, lines) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        read(out, send.clone());
    }
    if let Some(errors) = child.stderr.take() {
        read(errors, send);
    }
    Ok((child, lines))
}

/// Hands on lines until the plugin ends, so that it never waits for a reader.
fn read(stream: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            // Nobody listens any more when the command has ended.
            let _ = to.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

/// The port of this machine, where the plugin says that it listens: `Port 41234 opened for sessionId
/// ann-0123.`
fn port_of(line: &str) -> Option<u16> {
    let (port, rest) = line.trim().strip_prefix("Port ")?.split_once(' ')?;
    rest.starts_with("opened for sessionId")
        .then(|| port.parse().ok())?
}

/// Whether a line tells nothing that helps.
fn is_usual(line: &str) -> bool {
    let usual = [
        "Starting session with SessionId",
        "Port ",
        "Waiting for connections",
        "Connection accepted for session",
    ];
    usual.iter().any(|begin| line.trim().starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_tells_where_it_listens() {
        let line = "Port 41234 opened for sessionId ann-0123.";
        assert_eq!(port_of(line), Some(41_234));
        for other in [
            "",
            "Waiting for connections...",
            "Port 123456 opened for sessionId ann-0123.",
            "Port x opened for sessionId ann-0123.",
            "Unix socket /p/s opened for sessionId ann-0123.",
        ] {
            assert_eq!(port_of(other), None, "{other}");
        }
    }

    #[test]
    fn only_what_explains_is_told() {
        assert!(is_usual("Starting session with SessionId: ann-0123"));
        assert!(!is_usual(
            "Connection to destination port failed, check SSM Agent logs."
        ));
    }
}
