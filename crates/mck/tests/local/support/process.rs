//! Programs with a limit on their time.

use std::{
    fs,
    io::Read,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use mck_local::wait;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// No command of these tests takes this long on a machine that works.
const LIMIT: Duration = Duration::from_secs(90);
/// How long the output may stay open after the program has ended: a descriptor that it left to a
/// process in the background would make `mck up | tee log` hang.
const OPEN_AFTER_END: Duration = Duration::from_secs(5);

/// How a program ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The command line, for failures.
    #[expect(dead_code, reason = "read by `Debug` in what a failed test prints")]
    pub command: String,
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// The standard output.
    pub out: String,
    /// The standard error.
    pub err: String,
    /// How long it took.
    pub took: Duration,
}

impl Finished {
    /// The output of a program that must have done well.
    #[track_caller]
    pub fn good(self) -> String {
        self.with_code(0).out
    }

    /// As it is, where it ended with a code.
    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// As it is, where its standard error tells something.
    #[track_caller]
    pub fn telling(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{text:?} is not told: {self:#?}");
        self
    }

    /// A failure as every one must be: the documented code, one sentence, and a way out.
    #[track_caller]
    pub fn failed(self, code: i32) -> Self {
        let finished = self.with_code(code);
        assert!(finished.err.contains("error: "), "{finished:#?}");
        assert!(finished.err.contains("hint: "), "{finished:#?}");
        finished
    }
}

/// A program that runs.
pub struct Running {
    command: String,
    child: Child,
    begun: std::time::Instant,
    out: mpsc::Receiver<String>,
    err: mpsc::Receiver<String>,
}

impl Running {
    /// Starts a program.
    pub fn start(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let out = collect(child.stdout.take().unwrap());
        let err = collect(child.stderr.take().unwrap());
        Self {
            command: name,
            child,
            begun: std::time::Instant::now(),
            out,
            err,
        }
    }

    /// Sends a signal to it and all of its group, as a terminal does.
    pub fn signal(&self, signal: Signal) {
        kill_process_group(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it ends.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        let status = wait::until(LIMIT, || self.child.try_wait().unwrap());
        let took = self.begun.elapsed();
        let threads = status.is_none().then(threads).unwrap_or_default();
        if status.is_none() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
        let read = |from: &mpsc::Receiver<String>| from.recv_timeout(OPEN_AFTER_END);
        let (out, err) = (read(&self.out), read(&self.err));
        let (Ok(out), Ok(err)) = (out, err) else {
            panic!("{} left its output open", self.command);
        };
        let Some(status) = status else {
            panic!("{} did not end:\n{out}\n{err}\n{threads}", self.command);
        };
        Finished {
            command: self.command,
            code: status.code(),
            out,
            err,
            took,
        }
    }
}

/// What all threads of the program under test wait for in the kernel.
fn threads() -> String {
    let mut found = String::new();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let exe = fs::read_link(process.path().join("exe"));
        if !exe.is_ok_and(|exe| exe == Path::new(env!("CARGO_BIN_EXE_mck"))) {
            continue;
        }
        let command = fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        found += &format!("{}\n", command.replace('\0', " "));
        let threads = fs::read_dir(process.path().join("task"));
        for thread in threads.into_iter().flatten().flatten() {
            let read = |file| fs::read_to_string(thread.path().join(file)).unwrap_or_default();
            found += &format!("  {} {}\n", read("wchan"), read("syscall").trim());
        }
    }
    found
}

fn collect(mut from: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// Runs a program to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Finished {
    Running::start(command).finish()
}

/// Kills a process, which may have ended already.
pub fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    let _ = kill_process(pid, Signal::KILL);
}
