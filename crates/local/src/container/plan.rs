//! What a container is made of.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

/// A container, ready to be started; no choice is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerPlan {
    /// Its id, unique in the environment; also the name of its bundle and log.
    pub id: String,
    /// The network namespace that it lives in, as a file.
    pub network_namespace: PathBuf,
    /// Its host name.
    pub hostname: String,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The folder in which the command starts.
    pub working_directory: String,
    /// The user that it runs as.
    pub user: User,
    /// Environment variables, secrets included: the bundle that holds them is for root only.
    pub environment: Environment,
    /// What its root file system is made of.
    pub root: RootTree,
    /// Whether its root file system is read-only.
    pub read_only_root: bool,
    /// Linux capabilities that it keeps.
    pub capabilities: Vec<String>,
    /// Trees shown read-only over the root, such as a release.
    pub trees: Vec<TreeMount>,
    /// Folders and files of the host shown in it.
    pub binds: Vec<BindMount>,
    /// Folders of the host that must exist, for their owner alone; sources of `binds`.
    pub folders: Vec<(PathBuf, User)>,
    /// Memory file systems of its own.
    pub temporary: Vec<Temporary>,
    /// Files put into it.
    pub files: Vec<FilePlan>,
    /// Paths that it must not see.
    pub masked: Vec<String>,
    /// The cgroup that it lives in, below the environment's.
    pub cgroup: PathBuf,
    /// Limits of that cgroup.
    pub limits: Limits,
    /// The signal that asks it to stop, such as `SIGTERM`.
    pub stop_signal: String,
    /// How long it may take to stop before it is killed.
    pub stop_timeout: Duration,
    /// When an environment stops: those with a lower number first.
    pub stop_order: u8,
    /// Whether its command has a terminal.
    pub terminal: bool,
}

impl ContainerPlan {
    /// A text that is another one for every other plan, secrets included, and tells nothing of
    /// them.
    pub fn mark(&self) -> String {
        let environment = &self.environment.0;
        let files: Vec<_> = self.files.iter().map(|file| &file.content).collect();
        let text = format!("{self:?} {environment:?} {files:?}");
        crate::text::digest(&text)
    }
}

/// Environment variables whose values are not for logs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(pub BTreeMap<String, String>);

impl fmt::Debug for Environment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.0.keys()).finish()
    }
}

/// A user by its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// What a root file system is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootTree {
    /// The machine's own `/`: nothing to pull.
    Machine,
    /// The layers of an unpacked image, the topmost first.
    Layers(Vec<PathBuf>),
}

impl RootTree {
    /// The folders that are the overlay's lower layers, the topmost first.
    pub fn lower(&self) -> Vec<PathBuf> {
        match self {
            Self::Machine => vec![PathBuf::from("/")],
            Self::Layers(layers) => layers.clone(),
        }
    }
}

/// A tree shown over the root, read-only, with empty folders added where others are mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeMount {
    /// The tree on the host.
    pub source: PathBuf,
    /// The absolute path in the container.
    pub path: String,
    /// Folders below `path` (relative) that other mounts need and the tree may lack.
    pub mount_points: Vec<String>,
}

/// A folder or file of the host shown in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindMount {
    /// The path on the host.
    pub source: PathBuf,
    /// The absolute path in the container.
    pub path: String,
    /// Whether it can't be written to.
    pub read_only: bool,
}

/// A memory file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    /// The absolute path in the container.
    pub path: String,
    /// The mode of its top folder, such as `0o1777`.
    pub mode: u32,
    /// Whether it begins as a copy of what is at the path.
    pub seeded: bool,
    /// The most that it may hold, in MiB; half of the machine's memory where it is not said.
    pub size_mib: Option<u64>,
}

impl Temporary {
    /// One that everyone may write to, like `/tmp`.
    pub fn shared(path: &str) -> Self {
        Self::with_mode(path, 0o1777)
    }

    /// An empty one whose top folder has a mode.
    pub fn with_mode(path: &str, mode: u32) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            seeded: false,
            size_mib: None,
        }
    }
}

/// A file put into a container's private layer.
#[derive(Clone, PartialEq, Eq)]
pub struct FilePlan {
    /// The absolute path in the container.
    pub path: String,
    /// The content.
    pub content: String,
    /// The mode, such as `0o644`; `0o400` where the content is secret.
    pub mode: u32,
    /// The owner.
    pub owner: User,
}

impl fmt::Debug for FilePlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} ({:o}, {} bytes)",
            self.path,
            self.mode,
            self.content.len()
        )
    }
}

/// Limits of a cgroup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Memory above which the kernel kills, in bytes.
    pub memory: Option<u64>,
    /// CPU units (1024 is one virtual CPU): the weight when processors are short.
    pub cpu: Option<u32>,
    /// Processes and threads.
    pub processes: Option<u32>,
}
