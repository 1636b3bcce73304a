//! The launcher: the process that turns a bundle into a running container.
//!
//! It is a process of its own for three reasons: it takes on the container's control group and a
//! mount namespace, which a supervisor must not; descriptors that it inherits reach the container
//! and no one else; and a supervisor killed meanwhile does not stop it half-way.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock},
    mount::{MountFlags, MountPropagationFlags, mount, mount_change},
    thread::UnshareFlags,
};
use serde::{Deserialize, Serialize};

use super::{cgroup::CgroupRoot, plan::ContainerPlan, runtime::Program};

/// What the launcher needs to know, as `launch.json` in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchPlan {
    /// The container's id.
    pub id: String,
    /// The OCI runtime's program.
    pub runtime: Program,
    /// The OCI runtime's own state folder.
    pub runtime_root: PathBuf,
    /// The container's control group, relative to ours.
    pub cgroup: PathBuf,
    /// Overlays to mount, in order.
    pub overlays: Vec<Overlay>,
    /// The container's log file.
    pub log: PathBuf,
    /// How many descriptors, from 0 up, are for the container.
    pub descriptors: u8,
    /// The mark of the container's plan.
    pub mark: String,
    /// The signal that asks it to stop.
    pub stop_signal: String,
    /// How long it may take to stop, in milliseconds.
    pub stop_timeout_millis: u64,
    /// When an environment stops: those with a lower number first.
    pub stop_order: u8,
}

/// An overlay mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// The lower layers, the topmost first.
    pub lower: Vec<PathBuf>,
    /// The upper layer, private to the container.
    pub upper: PathBuf,
    /// The overlay's work folder.
    pub work: PathBuf,
    /// Where it is mounted.
    pub target: PathBuf,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

/// Why a container was not launched.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The bundle can't be read or written.
    #[error("could not use {path}")]
    Bundle {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `launch.json` is not what we wrote.
    #[error("{path} is damaged")]
    Plan {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The control group could not be joined.
    #[error("could not join the control group {}", group.display())]
    Cgroup {
        /// The group.
        group: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A mount failed.
    #[error("could not mount {}", target.display())]
    Mount {
        /// The mount point.
        target: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// conmon or the OCI runtime refused.
    #[error("{program} refused to start the container: {reason}")]
    Refused {
        /// The program.
        program: String,
        /// What it said.
        reason: String,
    },
}

/// File names in a bundle.
pub mod files {
    /// The launcher's plan.
    pub const LAUNCH: &str = "launch.json";
    /// Locked while a launcher works on the bundle.
    pub const LOCK: &str = "lock";
    /// Present once the container was started whole.
    pub const STARTED: &str = "started";
    /// The container's first process.
    pub const PID: &str = "pid";
    /// The folder in which conmon leaves the exit code, in a file named by the container's id.
    pub const EXITS: &str = "exits";
}

impl LaunchPlan {
    /// The launch of a planned container from its bundle folder.
    pub fn new(
        plan: &ContainerPlan,
        bundle: &Path,
        runtime: Program,
        root: &Path,
        log: PathBuf,
    ) -> Self {
        let rootfs = bundle.join("rootfs");
        let mut overlays = vec![Overlay {
            lower: plan.root.lower(),
            upper: bundle.join("upper"),
            work: bundle.join("work"),
            target: rootfs.clone(),
            read_only: false,
        }];
        overlays.extend(plan.trees.iter().enumerate().map(|(index, tree)| Overlay {
            lower: vec![tree.source.clone()],
            upper: bundle.join(format!("tree-{index}/upper")),
            work: bundle.join(format!("tree-{index}/work")),
            target: rootfs.join(tree.path.trim_start_matches('/')),
            read_only: true,
        }));
        Self {
            id: plan.id.clone(),
            runtime,
            runtime_root: root.to_owned(),
            cgroup: plan.cgroup.clone(),
            overlays,
            log,
            descriptors: 0,
            mark: plan.mark(),
            stop_signal: plan.stop_signal.clone(),
            stop_timeout_millis: u64::try_from(plan.stop_timeout.as_millis()).unwrap_or(u64::MAX),
            stop_order: plan.stop_order,
        }
    }
}

impl LaunchPlan {
    /// The plan in a bundle; none where it has none that can be read.
    pub fn load(bundle: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(bundle.join(files::LAUNCH)).ok()?).ok()
    }
}

/// Runs the container of a bundle attached to the standard streams; the whole work of the hidden
/// `container-run` command.
///
/// # Errors
/// Only when it could not become the OCI runtime.
pub fn run_attached(bundle: &Path) -> Result<(), LaunchError> {
    let path = bundle.join(files::LAUNCH);
    let at = |source| LaunchError::Bundle {
        path: path.clone(),
        source,
    };
    let text = fs::read(&path).map_err(at)?;
    let plan: LaunchPlan = serde_json::from_slice(&text).map_err(|error| at(error.into()))?;
    prepare(&plan)?;
    let error = Command::new(plan.runtime.name())
        .args(plan.runtime.options(&plan.runtime_root))
        .args(["run", "--pid-file"])
        .arg(bundle.join(files::PID))
        .arg("--bundle")
        .arg(bundle)
        .arg(&plan.id)
        .exec();
    Err(LaunchError::Refused {
        program: plan.runtime.name().to_owned(),
        reason: error.to_string(),
    })
}

/// Joins the control group and mounts the overlays, in a mount namespace of this process's own.
fn prepare(plan: &LaunchPlan) -> Result<(), LaunchError> {
    CgroupRoot::detect()
        .join(&plan.cgroup, std::process::id())
        .map_err(|source| LaunchError::Cgroup {
            group: plan.cgroup.clone(),
            source,
        })?;
    enter_private_mounts()?;
    plan.overlays.iter().try_for_each(|overlay| {
        mount_overlay(overlay).map_err(|source| LaunchError::Mount {
            target: overlay.target.clone(),
            source,
        })
    })
}

/// Launches the container of a bundle; the whole work of the hidden `container-launch` command.
///
/// # Errors
/// When any step fails; the bundle then has no mark of a finished start.
pub fn launch(bundle: &Path) -> Result<(), LaunchError> {
    let path = bundle.join(files::LAUNCH);
    let at = |path: PathBuf| move |source| LaunchError::Bundle { path, source };
    let text = fs::read(&path).map_err(at(path.clone()))?;
    let plan: LaunchPlan =
        serde_json::from_slice(&text).map_err(|source| LaunchError::Plan { path, source })?;
    let inherited = keep_descriptors(plan.descriptors).map_err(at(bundle.to_owned()))?;
    let lock_path = bundle.join(files::LOCK);
    let lock = File::create(&lock_path).map_err(at(lock_path.clone()))?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|error| at(lock_path)(error.into()))?;

    prepare(&plan)?;
    create(&plan, bundle, inherited)?;
    start(&plan)?;
    let started = bundle.join(files::STARTED);
    File::create(&started).map(drop).map_err(at(started))
}

/// Moves the first descriptors out of the way of standard input, output and error, to 3 and up,
/// where a container finds what it inherits. Nothing else is open yet, so they get these numbers.
fn keep_descriptors(count: u8) -> io::Result<u8> {
    let stdio: [&dyn std::os::fd::AsFd; 2] = [&io::stdin(), &io::stdout()];
    for (index, descriptor) in stdio.iter().take(count.into()).enumerate() {
        let kept = rustix::io::dup(descriptor)?;
        if usize::try_from(kept.as_raw_fd()) != Ok(index + 3) {
            return Err(io::Error::other(
                "an inherited descriptor has an unexpected number",
            ));
        }
        // The container's process is its owner from here on.
        std::mem::forget(kept);
    }
    Ok(count)
}

/// A mount namespace of our own, into which unmounts of the host still come, so that a namespace
/// file removed there is not kept alive here. The OCI runtime must not see the host's control
/// groups: crun refuses a hybrid hierarchy, though it is told to leave them alone.
pub fn enter_private_mounts() -> Result<(), LaunchError> {
    let failed = |target: &str| {
        let target = PathBuf::from(target);
        move |error: rustix::io::Errno| LaunchError::Mount {
            target,
            source: error.into(),
        }
    };
    // SAFETY: the mount namespace is not shared with anything that relies on it in this process,
    // which has one thread and goes on to start or become another program.
    #[allow(unsafe_code)]
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }.map_err(failed("/"))?;
    mount_change(
        "/",
        MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC,
    )
    .map_err(failed("/"))?;
    mount(
        "tmpfs",
        "/sys/fs/cgroup",
        "tmpfs",
        MountFlags::empty(),
        None,
    )
    .map_err(failed("/sys/fs/cgroup"))
}

/// Mounts an overlay. Its folders are named by open descriptors, so that their paths may hold what
/// separates options, and that many layers fit into the one page that options may take.
///
/// # Errors
/// When a folder is missing or the kernel refuses.
pub fn mount_overlay(overlay: &Overlay) -> io::Result<()> {
    fs::create_dir_all(&overlay.target)?;
    // Opened here, since overlayfs takes an upper folder only from the mount namespace it is in.
    let opened = |path: &PathBuf| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty())
    };
    let named = |folder: &OwnedFd| format!("/proc/self/fd/{}", folder.as_raw_fd());
    let lower: Vec<OwnedFd> = overlay.lower.iter().map(opened).collect::<Result<_, _>>()?;
    let (upper, work) = (opened(&overlay.upper)?, opened(&overlay.work)?);
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.iter().map(named).collect::<Vec<_>>().join(":"),
        named(&upper),
        named(&work),
    );
    let options = std::ffi::CString::new(options)?;
    let flags = if overlay.read_only {
        MountFlags::RDONLY
    } else {
        MountFlags::empty()
    };
    let options = Some(options.as_c_str());
    Ok(mount(
        "overlay",
        &overlay.target,
        "overlay",
        flags,
        options,
    )?)
}

fn create(plan: &LaunchPlan, bundle: &Path, descriptors: u8) -> Result<(), LaunchError> {
    let name = plan.runtime.name();
    // conmon wants the whole path.
    let runtime = plan.runtime.path().ok_or_else(|| LaunchError::Refused {
        program: name.to_owned(),
        reason: "it is not installed".to_owned(),
    })?;
    let mut conmon = Command::new("conmon");
    conmon
        .args(["--cid", &plan.id, "--cuuid", &plan.id, "--name", &plan.id])
        .arg("--runtime")
        .arg(&runtime)
        .args(
            plan.runtime
                .options(&plan.runtime_root)
                .iter()
                .flat_map(|option| ["--runtime-arg", option]),
        )
        .arg("--bundle")
        .arg(bundle)
        .arg("--container-pidfile")
        .arg(bundle.join(files::PID))
        .arg("--conmon-pidfile")
        .arg(bundle.join("conmon.pid"))
        .arg("--exit-dir")
        .arg(bundle.join(files::EXITS))
        .arg("--persist-dir")
        .arg(bundle.join("persist"))
        .arg("--socket-dir-path")
        .arg(bundle.join("sockets"))
        .arg("--log-path")
        .arg(format!("k8s-file:{}", plan.log.display()))
        .args([
            "--log-size-max",
            "67108864",
            "--no-new-keyring",
            "--log-level",
            "error",
        ]);
    if descriptors > 0 {
        conmon.env("LISTEN_FDS", descriptors.to_string());
    }
    run_conmon(conmon)
}

/// What conmon reports once the OCI runtime has created the container, or failed to.
#[derive(Debug, Deserialize)]
struct Report {
    pid: i64,
    #[serde(default)]
    message: String,
}

/// Runs conmon, which goes to the background at once, until it reports.
fn run_conmon(mut conmon: Command) -> Result<(), LaunchError> {
    let broken = |error: io::Error| LaunchError::Refused {
        program: "conmon".to_owned(),
        reason: error.to_string(),
    };
    // Not closed on exec, since conmon finds it by its number; it closes it for what it runs.
    let (reading, writing) = rustix::pipe::pipe().map_err(|error| broken(error.into()))?;
    rustix::io::fcntl_setfd(&reading, rustix::io::FdFlags::CLOEXEC)
        .map_err(|error| broken(error.into()))?;
    conmon.env("_OCI_SYNCPIPE", writing.as_raw_fd().to_string());
    run(conmon, "conmon")?;
    drop(writing);
    let mut line = String::new();
    io::BufRead::read_line(&mut io::BufReader::new(File::from(reading)), &mut line)
        .map_err(broken)?;
    let report: Report = serde_json::from_str(&line).map_err(|_| LaunchError::Refused {
        program: "conmon".to_owned(),
        reason: format!("it reported {line:?}"),
    })?;
    if report.pid > 0 {
        return Ok(());
    }
    Err(LaunchError::Refused {
        program: "the OCI runtime".to_owned(),
        reason: report.message.trim().to_owned(),
    })
}

fn start(plan: &LaunchPlan) -> Result<(), LaunchError> {
    let mut runtime = Command::new(plan.runtime.name());
    runtime
        .args(plan.runtime.options(&plan.runtime_root))
        .arg("start")
        .arg(&plan.id);
    run(runtime, plan.runtime.name())
}

/// Runs a program whose output is short; conmon's child keeps no end of the pipe, since the OCI
/// runtime's own messages go to the container's log.
fn run(mut command: Command, name: &str) -> Result<(), LaunchError> {
    let refused = |reason: String| LaunchError::Refused {
        program: name.to_owned(),
        reason,
    };
    let status = command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status()
        .map_err(|error| refused(error.to_string()))?;
    if status.success() {
        Ok(())
    } else {
        Err(refused(status.to_string()))
    }
}

/// Becomes the OCI runtime's `exec` in a running container.
///
/// # Errors
/// Only when it could not become it.
pub fn become_exec(runtime: Program, root: &Path, arguments: &[String]) -> Result<(), LaunchError> {
    enter_private_mounts()?;
    let error = Command::new(runtime.name())
        .args(runtime.options(root))
        .arg("exec")
        .args(arguments)
        .exec();
    Err(LaunchError::Refused {
        program: runtime.name().to_owned(),
        reason: error.to_string(),
    })
}
