//! The way from the internet gateway to the internet: slirp4netns.
//!
//! It makes connections of its own on the host for those that come out of a tap device in the
//! gateway's namespace; so nothing on the host has to be changed, no forwarding, no firewall.

use std::{
    fs::{self, File},
    io::Read as _,
    net::Ipv4Addr,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, Signal, kill_process},
};

use super::{NetworkError, attachment::INTERNET_GATEWAY_NAME, inside::namespace_path};
use crate::{id::EnvironmentId, wait};

/// The program.
const PROGRAM: &str = "slirp4netns";

/// The range on the tap device: from 198.18.0.0/15, which is kept for benchmarks (RFC 2544), so
/// that it is neither a VPC's nor anybody's on the internet.
const RANGE: &str = "198.18.0.0/24";

/// Answers DNS for the resolver by asking the host's servers: the third address of the range
/// (slirp4netns(1), `--cidr`).
pub const INTERNET_DNS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 3);

/// How long the way may take to open. It takes some 20 ms.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// How long the program may take to obey before it is killed.
const STOP_WITHIN: Duration = Duration::from_millis(500);

/// The command line that opens an environment's way to the internet. It writes to its standard
/// input, which takes the place of a descriptor of its own, once the way is open. The host's
/// loopback is out of reach, as it must be for anything that a task runs. Its `--enable-sandbox`
/// can't be used: version 1.2.0 takes away the host's mounts of named network namespaces.
pub fn internet_command(environment: &EnvironmentId) -> Vec<String> {
    let namespace = namespace_path(&environment.namespace(INTERNET_GATEWAY_NAME));
    let cidr = format!("--cidr={RANGE}");
    let namespace = namespace.to_string_lossy();
    [
        PROGRAM,
        "--configure",
        "--mtu=1500",
        &cidr,
        "--disable-host-loopback",
        "--ready-fd=0",
        "--netns-type=path",
        &namespace,
        "tap0",
    ]
    .map(str::to_owned)
    .into()
}

/// Opens an environment's way to the internet and waits until it is open. The program goes on in
/// a process group of its own, whatever becomes of the caller; its messages go to `log`. The
/// caller should wait for the child's end and start it again.
///
/// # Errors
/// When it can't be started, or is not ready within 5 s.
pub fn start_internet(environment: &EnvironmentId, log: &File) -> Result<Child, NetworkError> {
    let action = || "start slirp4netns";
    let command = internet_command(environment);
    let (ready, writer) = std::io::pipe().map_err(NetworkError::system(action()))?;
    let output = || log.try_clone().map_err(NetworkError::system(action()));
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(writer)
        .stdout(Stdio::from(output()?))
        .stderr(Stdio::from(output()?))
        .process_group(0)
        .spawn()
        .map_err(NetworkError::system(action()))?;
    wait_until_ready(ready).inspect_err(|_| {
        // It may have ended by itself already.
        let _ = child.kill();
        let _ = child.wait();
    })?;
    Ok(child)
}

fn wait_until_ready(mut ready: std::io::PipeReader) -> Result<(), NetworkError> {
    let failed = |reason: &str| NetworkError::Internet {
        reason: reason.to_owned(),
    };
    let timeout = Timespec {
        tv_sec: READY_WITHIN.as_secs().cast_signed(),
        tv_nsec: 0,
    };
    let mut waiting = [PollFd::new(&ready, PollFlags::IN)];
    let count =
        poll(&mut waiting, Some(&timeout)).map_err(NetworkError::system("wait for slirp4netns"))?;
    if count == 0 {
        return Err(failed("it was not ready within 5 s"));
    }
    let mut byte = [0];
    match ready.read(&mut byte) {
        Ok(1) => Ok(()),
        _ => Err(failed("it ended at once; its log says why")),
    }
}

/// The processes that keep an environment's way to the internet open, whoever started them.
///
/// # Errors
/// When `/proc` can't be read.
pub fn internet_processes(environment: &EnvironmentId) -> Result<Vec<Pid>, NetworkError> {
    let wanted = internet_command(environment);
    let failed = || NetworkError::system("read /proc");
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc").map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = number.and_then(Pid::from_raw) else {
            continue;
        };
        // A process that has just ended has no command line any more.
        let Ok(line) = fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let same = wanted
            .iter()
            .map(String::as_bytes)
            .chain([&b""[..]])
            .eq(arguments);
        if same {
            processes.push(pid);
        }
    }
    Ok(processes)
}

/// Ends a process of [`internet_processes`]: asks, and kills it after half a second. Its parent
/// has to wait for it still.
///
/// # Errors
/// When it can't be ended.
pub fn stop_internet(pid: Pid) -> Result<(), NetworkError> {
    let send = |signal| match kill_process(pid, signal) {
        Err(rustix::io::Errno::SRCH) => Ok(()),
        result => result.map_err(NetworkError::system(format!("stop {PROGRAM}"))),
    };
    send(Signal::TERM)?;
    match wait::until(STOP_WITHIN, || (!is_running(pid)).then_some(())) {
        Some(()) => Ok(()),
        None => send(Signal::KILL),
    }
}

/// Whether a process has not ended; one that only waits for its parent has no command line.
fn is_running(pid: Pid) -> bool {
    fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).is_ok_and(|line| !line.is_empty())
}
