//! Where an environment keeps what it has: one folder, for root only.
//!
//! ```text
//! /var/lib/magecloudkit/shop-local/
//!   environment.json   what was applied last
//!   state.json                           what the supervisor recorded
//!   events.jsonl                         what happened
//!   secrets/ keys/ data/ releases/       kept by `mck stop`
//!   logs/                                kept by `mck stop`
//!   run/                                 gone with the machine's uptime
//! ```

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::id::EnvironmentId;

/// The folder of all environments, unless `MCK_STATE_DIR` names another.
pub const DEFAULT_STATE_FOLDER: &str = "/var/lib/magecloudkit";

/// The folders and files of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    top: PathBuf,
    id: EnvironmentId,
}

impl Layout {
    /// The environment's folder below the folder of all environments.
    pub fn new(state_folder: &Path, id: EnvironmentId) -> Self {
        Self {
            top: state_folder.join(id.as_str()),
            id,
        }
    }

    /// The environment's id.
    pub fn id(&self) -> &EnvironmentId {
        &self.id
    }

    /// The environment's folder.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The folder of all environments, which containers must not see.
    pub fn state_folder(&self) -> &Path {
        self.top.parent().unwrap_or(&self.top)
    }

    /// What was applied last: the text of the environment file and where it came from.
    pub fn environment_origin(&self) -> PathBuf {
        self.top.join("environment.json")
    }

    /// What the supervisor recorded.
    pub fn state(&self) -> PathBuf {
        self.top.join("state.json")
    }

    /// What happened, one JSON object a line.
    pub fn events(&self) -> PathBuf {
        self.top.join("events.jsonl")
    }

    /// Secrets, one file each.
    pub fn secrets(&self) -> PathBuf {
        self.top.join("secrets")
    }

    /// Keys and certificates.
    pub fn keys(&self) -> PathBuf {
        self.top.join("keys")
    }

    /// The data of a node, or of the file system `media`.
    pub fn data(&self, name: &str) -> PathBuf {
        self.top.join("data").join(name)
    }

    /// Releases of apps.
    pub fn releases(&self) -> PathBuf {
        self.top.join("releases")
    }

    /// Containers' logs.
    pub fn logs(&self) -> PathBuf {
        self.top.join("logs")
    }

    /// What does not outlive the machine's uptime.
    pub fn run(&self) -> PathBuf {
        self.top.join("run")
    }

    /// Containers' bundles.
    pub fn bundles(&self) -> PathBuf {
        self.run().join("containers")
    }

    /// The OCI runtime's own state.
    pub fn runtime_root(&self) -> PathBuf {
        self.run().join("runtime")
    }

    /// The folder with a node's control sockets, shown in its container as `/run/control`.
    pub fn control(&self, node: &str) -> PathBuf {
        self.run().join("control").join(node)
    }

    /// The supervisor's socket.
    pub fn socket(&self) -> PathBuf {
        self.run().join("supervisor.sock")
    }

    /// What the supervisor itself printed.
    pub fn supervisor_log(&self) -> PathBuf {
        self.logs().join("supervisor.log")
    }

    /// Locked by the supervisor while it lives.
    pub fn supervisor_lock(&self) -> PathBuf {
        self.top.join("supervisor.lock")
    }

    /// Locked by a command that changes the environment.
    pub fn command_lock(&self) -> PathBuf {
        self.top.join("command.lock")
    }

    /// Makes the folders; forgets what was there before the machine's last start.
    ///
    /// # Errors
    /// When a folder can't be made or written to.
    pub fn prepare(&self) -> io::Result<()> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let mark = self.run().join("boot-id");
        if self.run().exists() && fs::read_to_string(&mark).is_ok_and(|before| before != boot) {
            fs::remove_dir_all(self.run())?;
        }
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        let folders = [
            self.secrets(),
            self.keys(),
            self.top.join("data"),
            self.releases(),
            self.logs(),
            self.bundles(),
            self.runtime_root(),
            self.run().join("control"),
        ];
        folders
            .iter()
            .try_for_each(|folder| private.create(folder))?;
        write_atomically(&mark, boot.as_bytes())
    }
}

/// Writes a whole file, for root only, or leaves the old one.
///
/// # Errors
/// When it can't be written, as on a full disk.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(content)?;
        file.sync_data()?;
        fs::rename(&fresh, path)
    })();
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&fresh);
    }
    written
}

/// The ids of the environments that have a folder.
pub fn environments(state_folder: &Path) -> Vec<EnvironmentId> {
    let entries = fs::read_dir(state_folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut ids: Vec<EnvironmentId> = names.filter_map(|name| name.parse().ok()).collect();
    ids.sort();
    ids
}
