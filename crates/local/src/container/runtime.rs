//! Starting, watching and stopping containers.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::{
        fd::OwnedFd,
        unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FlockOperation, flock},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};
use serde::{Deserialize, Serialize};

use super::{
    bundle,
    cgroup::CgroupRoot,
    launch::{LaunchPlan, files},
    plan::{ContainerPlan, User},
};
use crate::{logs, text};

/// An OCI runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// crun.
    Crun,
    /// runc.
    Runc,
}

impl Program {
    /// The program's name on the `PATH`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crun => "crun",
            Self::Runc => "runc",
        }
    }

    /// The program on the `PATH`; none where it is not installed.
    pub fn path(self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .map(|folder| folder.join(self.name()))
            .find(|program| program.is_file())
    }

    /// Its global options: its state below `root`, and control groups left to us.
    pub fn options(self, root: &Path) -> Vec<String> {
        let root = format!("--root={}", root.display());
        match self {
            Self::Crun => vec![root, "--cgroup-manager=disabled".to_owned()],
            Self::Runc => vec![root],
        }
    }
}

/// Why something about a container failed.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A file of the bundle could not be written or read.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The launcher could not be run.
    #[error("could not run the launcher")]
    Launcher(#[source] io::Error),
    /// The launcher failed; the reason is what it said.
    #[error("container {id} did not start: {reason}")]
    Start {
        /// The container.
        id: String,
        /// What the launcher said.
        reason: String,
    },
    /// The container did not stop though it was killed.
    #[error("container {id} did not stop within {}s of SIGKILL", seconds)]
    Stuck {
        /// The container.
        id: String,
        /// How long it was waited for.
        seconds: u64,
    },
}

/// What a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerState {
    /// There is no bundle.
    Absent,
    /// A bundle whose start was not finished.
    Unfinished,
    /// Its first process runs.
    Running {
        /// That process, in the host's numbering.
        pid: u32,
    },
    /// It ended; with this exit code where conmon could note it (128 and the signal's number for a
    /// signal).
    Exited(Option<i32>),
}

/// The exit code for what a signal ended, where the signal is not known.
const EXIT_BY_SIGNAL: i32 = 255;

/// Where containers of an environment live.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// The OCI runtime.
    pub program: Program,
    /// The program that has the `container-launch` command.
    pub launcher: PathBuf,
    /// The folder of bundles.
    pub bundles: PathBuf,
    /// The OCI runtime's state folder.
    pub root: PathBuf,
    /// The folder of logs.
    pub logs: PathBuf,
    /// The machine's control groups.
    pub cgroups: CgroupRoot,
}

impl Runtime {
    /// The bundle folder of a container.
    pub fn bundle(&self, id: &str) -> PathBuf {
        self.bundles.join(id)
    }

    /// The log file of a container.
    pub fn log(&self, id: &str) -> PathBuf {
        self.logs.join(format!("{id}.log"))
    }

    /// The mark with which a container was started.
    pub fn mark(&self, id: &str) -> Option<String> {
        LaunchPlan::load(&self.bundle(id)).map(|plan| plan.mark)
    }

    /// Starts a container; what was left of an earlier one of that id is removed first. `mark` is
    /// kept with it, for [`Self::mark`].
    /// `descriptors` (at most two) are inherited by its first process as 3 and 4.
    ///
    /// # Errors
    /// When the bundle can't be written, or the launcher says why it failed.
    pub fn start(
        &self,
        plan: &ContainerPlan,
        mark: &str,
        descriptors: Vec<OwnedFd>,
    ) -> Result<u32, RuntimeError> {
        let count = u8::try_from(descriptors.len()).unwrap_or(u8::MAX);
        let folder = self.prepare(plan, mark, count)?;
        self.run_launcher(&plan.id, &folder, descriptors)?;
        match self.state(&plan.id) {
            ContainerState::Running { pid } => Ok(pid),
            ContainerState::Exited(code) => Err(RuntimeError::Start {
                id: plan.id.clone(),
                reason: self.short_life(&plan.id, code),
            }),
            _ => Err(RuntimeError::Start {
                id: plan.id.clone(),
                reason: "its first process is not there".to_owned(),
            }),
        }
    }

    /// How a container ended that has hardly begun, in its own words.
    fn short_life(&self, id: &str, code: Option<i32>) -> String {
        let how = format!("as soon as it had started it {}", text::exit(code));
        match logs::last_lines(&self.log(id), 2) {
            words if words.is_empty() => how,
            words => format!("{how}; its last words: {}", words.replace('\n', " | ")),
        }
    }

    /// Writes a container's bundle; what was left of an earlier one of that id is removed first.
    fn prepare(
        &self,
        plan: &ContainerPlan,
        mark: &str,
        descriptors: u8,
    ) -> Result<PathBuf, RuntimeError> {
        self.remove(&plan.id)?;
        let folder = self.bundle(&plan.id);
        self.cgroups
            .create(&plan.cgroup, plan.limits)
            .map_err(|source| RuntimeError::File {
                path: plan.cgroup.clone(),
                source,
            })?;
        let mut launch =
            LaunchPlan::new(plan, &folder, self.program, &self.root, self.log(&plan.id));
        mark.clone_into(&mut launch.mark);
        launch.descriptors = descriptors;
        make_folders(&plan.folders)
            .and_then(|()| write_bundle(plan, &launch, &folder))
            .map_err(|source| RuntimeError::File {
                path: folder.clone(),
                source,
            })?;
        Ok(folder)
    }

    /// Starts a container that may end at any time, so that its end at once is no failure.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_and_forget(&self, plan: &ContainerPlan, mark: &str) -> Result<(), RuntimeError> {
        match self.start(plan, mark, Vec::new()) {
            Err(RuntimeError::Start { .. })
                if matches!(self.state(&plan.id), ContainerState::Exited(_)) =>
            {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    /// Waits until a container's first process has ended and its exit code is there; false when
    /// that takes longer than the limit.
    pub fn wait_for_exit(&self, id: &str, pid: u32, limit: Duration) -> bool {
        if descriptor_of(pid).is_some_and(|descriptor| !ended_within(&descriptor, limit)) {
            return false;
        }
        self.exit_code(id);
        true
    }

    /// The exit code of a container whose first process has ended: conmon notes it a moment later.
    pub fn exit_code(&self, id: &str) -> Option<i32> {
        let path = self.bundle(id).join(files::EXITS).join(id);
        let noted = || {
            fs::read_to_string(&path)
                .ok()
                .filter(|text| !text.is_empty())
        };
        crate::wait::until(Duration::from_millis(250), noted)?
            .trim()
            .parse()
            .ok()
    }

    /// Runs a command in a running container and gives its exit code; none when it could not be
    /// run or took too long.
    pub fn execute(&self, id: &str, command: &[String], limit: Duration) -> Option<i32> {
        let mut child = Command::new(&self.launcher)
            .arg("container-exec")
            .arg(self.program.name())
            .arg(&self.root)
            .args(self.like_container(id))
            .arg(id)
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let ended = crate::wait::until(limit, || child.try_wait().ok().flatten());
        if ended.is_none() {
            let _ = child.kill();
            let _ = child.wait();
        }
        ended?.code()
    }

    /// Runs a container attached to this process's standard streams, to its end; gives its exit
    /// code. Nothing of it is left.
    ///
    /// # Errors
    /// When its bundle can't be written or the launcher not be run.
    pub fn run_attached(&self, plan: &ContainerPlan) -> Result<i32, RuntimeError> {
        let folder = self.prepare(plan, "attached", 0)?;
        let status = Command::new(&self.launcher)
            .arg("container-run")
            .arg(&folder)
            .status()
            .map_err(RuntimeError::Launcher)?;
        self.remove(&plan.id)?;
        Ok(status.code().unwrap_or(EXIT_BY_SIGNAL))
    }

    /// Starts a container as a child of this process, which reads nothing and prints into a file.
    ///
    /// # Errors
    /// When its bundle can't be written or the launcher not be run.
    pub fn start_attached(
        &self,
        plan: &ContainerPlan,
        output: &File,
    ) -> Result<Child, RuntimeError> {
        let folder = self.prepare(plan, "attached", 0)?;
        let streams = output
            .try_clone()
            .and_then(|one| Ok((one, output.try_clone()?)));
        let (out, err) = streams.map_err(RuntimeError::Launcher)?;
        Command::new(&self.launcher)
            .arg("container-run")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(RuntimeError::Launcher)
    }

    /// Waits for the end of a container that [`Self::start_attached`] started; gives its exit code.
    /// Nothing of it is left.
    ///
    /// # Errors
    /// When its bundle can't be removed.
    pub fn finish(&self, id: &str, child: &mut Child) -> Result<i32, RuntimeError> {
        let status = child.wait().map_err(RuntimeError::Launcher)?;
        self.remove(id)?;
        Ok(status.code().unwrap_or(EXIT_BY_SIGNAL))
    }

    /// Runs a command in a running container, attached to this process's standard streams; gives
    /// its exit code.
    ///
    /// # Errors
    /// When the launcher can't be run.
    pub fn exec_attached(
        &self,
        id: &str,
        command: &[String],
        terminal: bool,
    ) -> Result<i32, RuntimeError> {
        let mut launcher = Command::new(&self.launcher);
        launcher
            .arg("container-exec")
            .arg(self.program.name())
            .arg(&self.root);
        if terminal {
            launcher.arg("--tty");
        }
        launcher.args(self.like_container(id)).arg(id);
        // Not the runtime's own `--env`: it would replace the container's whole environment.
        if let Some(kind) = std::env::var_os("TERM").filter(|_| terminal) {
            let mut variable = OsString::from("TERM=");
            variable.push(kind);
            launcher.arg("/usr/bin/env").arg(variable);
        }
        let status = launcher
            .args(command)
            .status()
            .map_err(RuntimeError::Launcher)?;
        Ok(status.code().unwrap_or(EXIT_BY_SIGNAL))
    }

    /// The options that make the OCI runtime's `exec` run as the container's own user, in its
    /// folder.
    fn like_container(&self, id: &str) -> Vec<String> {
        let text = fs::read(self.bundle(id).join("config.json")).ok();
        let config = text.and_then(|text| serde_json::from_slice(&text).ok());
        let config: serde_json::Value = config.unwrap_or_default();
        let process = &config["process"];
        let user = process["user"].as_object();
        let user = user.map(|user| format!("--user={}:{}", user["uid"], user["gid"]));
        let folder = process["cwd"].as_str();
        let folder = folder.map(|folder| format!("--cwd={folder}"));
        user.into_iter().chain(folder).collect()
    }

    /// Asks a container's first process something by a signal; all is well if it is gone.
    pub fn signal(&self, id: &str, signal: &str) {
        if let ContainerState::Running { pid } = self.state(id)
            && let Some(pid) = Pid::from_raw(pid.cast_signed())
        {
            let _ = kill_process(pid, signal_of(signal));
        }
    }

    fn run_launcher(
        &self,
        id: &str,
        folder: &Path,
        descriptors: Vec<OwnedFd>,
    ) -> Result<(), RuntimeError> {
        let errors = folder.join("launch.log");
        let file = fs::File::create(&errors).map_err(|source| RuntimeError::File {
            path: errors.clone(),
            source,
        })?;
        let mut handed = descriptors.into_iter().map(Stdio::from);
        let status = Command::new(&self.launcher)
            .arg("container-launch")
            .arg(folder)
            .stdin(handed.next().unwrap_or_else(Stdio::null))
            .stdout(handed.next().unwrap_or_else(Stdio::null))
            .stderr(file)
            .status()
            .map_err(RuntimeError::Launcher)?;
        if status.success() {
            return Ok(());
        }
        let said = fs::read_to_string(&errors).unwrap_or_default();
        let logged = crate::logs::last_lines(&self.log(id), 3);
        let reason = [said.trim(), logged.trim()].join(" ").trim().to_owned();
        Err(RuntimeError::Start {
            id: id.to_owned(),
            reason,
        })
    }

    /// What a container does now.
    pub fn state(&self, id: &str) -> ContainerState {
        let folder = self.bundle(id);
        if !folder.exists() {
            return ContainerState::Absent;
        }
        if let Ok(code) = fs::read_to_string(folder.join(files::EXITS).join(id)) {
            return ContainerState::Exited(code.trim().parse().ok());
        }
        if !folder.join(files::STARTED).exists() {
            return ContainerState::Unfinished;
        }
        match running_pid(&folder) {
            Some(pid) => ContainerState::Running { pid },
            None => ContainerState::Exited(None),
        }
    }

    /// Waits until no launcher works on the bundle, for at most `limit`.
    pub fn wait_for_launcher(&self, id: &str, limit: Duration) {
        let deadline = Instant::now() + limit;
        let Ok(lock) = fs::File::open(self.bundle(id).join(files::LOCK)) else {
            return;
        };
        while flock(&lock, FlockOperation::NonBlockingLockShared).is_err() {
            if Instant::now() > deadline {
                return;
            }
            crate::wait::pause(Duration::from_millis(5));
        }
    }

    /// Asks a container to stop, kills it when it takes too long, and removes what is left of it.
    ///
    /// # Errors
    /// When it can't be killed or its bundle can't be removed.
    pub fn stop(&self, id: &str, signal: &str, timeout: Duration) -> Result<(), RuntimeError> {
        self.signal_and_wait(id, signal, timeout)?;
        self.remove(id)
    }

    /// Stops a container by the signal and within the time that it was planned with.
    ///
    /// # Errors
    /// When it can't be killed or its bundle can't be removed.
    pub fn stop_as_planned(&self, id: &str) -> Result<(), RuntimeError> {
        self.wait_for_launcher(id, Duration::from_secs(10));
        if let Some(plan) = LaunchPlan::load(&self.bundle(id)) {
            let timeout = Duration::from_millis(plan.stop_timeout_millis);
            self.signal_and_wait(id, &plan.stop_signal, timeout)?;
        }
        self.remove(id)
    }

    /// As [`Self::stop`], but keeps the bundle and the exit code.
    ///
    /// # Errors
    /// When it can't be killed.
    pub fn signal_and_wait(
        &self,
        id: &str,
        signal: &str,
        timeout: Duration,
    ) -> Result<(), RuntimeError> {
        let ContainerState::Running { pid } = self.state(id) else {
            return Ok(());
        };
        let Some(process) = Pid::from_raw(pid.cast_signed()) else {
            return Ok(());
        };
        // The descriptor is of this very process, so a number used again can't be hit below.
        let Ok(descriptor) = pidfd_open(process, PidfdFlags::empty()) else {
            return Ok(());
        };
        let _ = kill_process(process, signal_of(signal));
        if ended_within(&descriptor, timeout) {
            return Ok(());
        }
        let _ = kill_process(process, Signal::KILL);
        let grace = Duration::from_secs(10);
        if ended_within(&descriptor, grace) {
            return Ok(());
        }
        Err(RuntimeError::Stuck {
            id: id.to_owned(),
            seconds: grace.as_secs(),
        })
    }

    /// Removes a container that has ended or was never whole; kills what still runs.
    ///
    /// # Errors
    /// When it can't be killed or its bundle can't be removed.
    pub fn remove(&self, id: &str) -> Result<(), RuntimeError> {
        let folder = self.bundle(id);
        if !folder.exists() {
            return Ok(());
        }
        self.wait_for_launcher(id, Duration::from_secs(10));
        self.signal_and_wait(id, "SIGKILL", Duration::from_secs(10))?;
        if let Some(pid) = running_pid(&folder).and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            let _ = kill_process(pid, Signal::KILL);
        }
        wait_for_conmon(&folder, Duration::from_secs(5));
        remove_folder(&self.root.join(id))?;
        remove_folder(&folder)
    }

    /// The ids of all containers that have a bundle.
    pub fn list(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.bundles).into_iter().flatten().flatten();
        let mut ids: Vec<String> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        ids.sort();
        ids
    }
}

fn remove_folder(path: &Path) -> Result<(), RuntimeError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RuntimeError::File {
            path: path.to_owned(),
            source: error,
        }),
        _ => Ok(()),
    }
}

/// The container's first process, if it is still the one that the bundle started.
fn running_pid(folder: &Path) -> Option<u32> {
    let pid: u32 = fs::read_to_string(folder.join(files::PID))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let started = process_start(pid)?;
    let written = fs::metadata(folder.join(files::PID))
        .ok()?
        .modified()
        .ok()?;
    // A number used again belongs to a process that began after the file was written.
    (started <= written + Duration::from_secs(2)).then_some(pid)
}

/// When a process began, from `/proc`; none when it is gone or has ended and was not yet waited for.
fn process_start(pid: u32) -> Option<std::time::SystemTime> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name = stat.rsplit_once(") ")?.1;
    let mut fields = after_name.split(' ');
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let ticks: u64 = fields.nth(18)?.parse().ok()?;
    let per_second = rustix::param::clock_ticks_per_second();
    let since_boot = Duration::from_millis(ticks * 1_000 / per_second);
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime = Duration::try_from_secs_f64(uptime.split(' ').next()?.parse().ok()?).ok()?;
    std::time::SystemTime::now()
        .checked_sub(uptime)?
        .checked_add(since_boot)
}

fn wait_for_conmon(folder: &Path, limit: Duration) {
    let pid = fs::read_to_string(folder.join("conmon.pid"))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .and_then(Pid::from_raw);
    let is_conmon = |pid: Pid| {
        fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero()))
            .is_ok_and(|name| name.trim() == "conmon")
    };
    if let Some(pid) = pid.filter(|pid| is_conmon(*pid))
        && let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty())
        && !ended_within(&descriptor, limit)
    {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// A descriptor of a process; none where it is gone, or the system gives none.
pub fn descriptor_of(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(pid.cast_signed())?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Whether the process of a descriptor ended before the limit.
pub fn ended_within(descriptor: &OwnedFd, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(
            &mut [PollFd::new(descriptor, PollFlags::IN)],
            Some(&timeout),
        ) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

fn signal_of(name: &str) -> Signal {
    match name {
        "SIGINT" => Signal::INT,
        "SIGQUIT" => Signal::QUIT,
        "SIGKILL" => Signal::KILL,
        "SIGHUP" => Signal::HUP,
        "SIGUSR1" => Signal::USR1,
        "SIGUSR2" => Signal::USR2,
        "SIGWINCH" => Signal::WINCH,
        _ => Signal::TERM,
    }
}

/// Makes the folders that a container writes to, each for its owner; one that exists keeps its
/// owner's files.
fn make_folders(folders: &[(PathBuf, User)]) -> io::Result<()> {
    for (path, owner) in folders {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)?;
        chown(path, Some(owner.uid), Some(owner.gid))?;
    }
    Ok(())
}

fn write_bundle(plan: &ContainerPlan, launch: &LaunchPlan, folder: &Path) -> io::Result<()> {
    let mut private = fs::DirBuilder::new();
    private.recursive(true).mode(0o700).create(folder)?;
    for name in ["rootfs", "work", files::EXITS, "persist", "sockets"] {
        private.create(folder.join(name))?;
    }
    // The upper layer's own folder is the container's `/`.
    fs::DirBuilder::new()
        .mode(0o755)
        .create(folder.join("upper"))?;
    for (index, tree) in plan.trees.iter().enumerate() {
        let layer = folder.join(format!("tree-{index}"));
        fs::create_dir_all(layer.join("work"))?;
        make_path(&layer.join("upper"), "")?;
        for point in &tree.mount_points {
            make_path(&layer.join("upper"), point)?;
        }
        make_path(&folder.join("upper"), &tree.path)?;
    }
    for file in &plan.files {
        let (parent, _) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        make_path(&folder.join("upper"), parent)?;
        let path = folder.join("upper").join(file.path.trim_start_matches('/'));
        fs::write(&path, &file.content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(file.mode))?;
        chown(&path, Some(file.owner.uid), Some(file.owner.gid))?;
    }
    write_private(
        &folder.join("config.json"),
        &serde_json::to_vec(&bundle::config(plan))?,
    )?;
    write_private(&folder.join(files::LAUNCH), &serde_json::to_vec(launch)?)
}

/// Makes the folders of a path below `top`, each for everyone to enter, as in a usual root.
fn make_path(top: &Path, path: &str) -> io::Result<()> {
    let mut folder = top.to_owned();
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o755);
    for part in std::iter::once("").chain(path.split('/').filter(|part| !part.is_empty())) {
        folder.push(part);
        match builder.create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    io::Write::write_all(&mut file, content)
}
