//! Control groups, of version 1 (also hybrid) and 2, made by us rather than by the OCI runtime:
//! crun refuses a hybrid hierarchy, and App Servers need a group above their containers'.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::plan::Limits;

/// Where control groups are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CgroupRoot {
    /// One hierarchy per controller, at these folders.
    V1 {
        /// The memory controller.
        memory: Option<PathBuf>,
        /// The CPU controller.
        cpu: Option<PathBuf>,
        /// The CPU accounting controller.
        cpuacct: Option<PathBuf>,
        /// The process count controller.
        pids: Option<PathBuf>,
        /// The freezer, which also finds every process.
        freezer: Option<PathBuf>,
    },
    /// The unified hierarchy.
    V2(PathBuf),
}

/// The folder of all our groups.
const OURS: &str = "magecloudkit";

impl CgroupRoot {
    /// What this machine has, mounted at `/sys/fs/cgroup`.
    pub fn detect() -> Self {
        let top = Path::new("/sys/fs/cgroup");
        if top.join("cgroup.controllers").exists() {
            return Self::V2(top.to_owned());
        }
        let controller = |name: &str| Some(top.join(name)).filter(|path| path.is_dir());
        Self::V1 {
            memory: controller("memory"),
            cpu: controller("cpu"),
            cpuacct: controller("cpuacct"),
            pids: controller("pids"),
            freezer: controller("freezer"),
        }
    }

    fn folders(&self) -> Vec<&PathBuf> {
        match self {
            Self::V1 {
                memory,
                cpu,
                cpuacct,
                pids,
                freezer,
            } => [memory, cpu, cpuacct, pids, freezer]
                .into_iter()
                .flatten()
                .collect(),
            Self::V2(root) => vec![root],
        }
    }

    /// Makes the group `path` (relative, below ours) with its limits.
    ///
    /// # Errors
    /// When a folder or a limit can't be written.
    pub fn create(&self, path: &Path, limits: Limits) -> io::Result<()> {
        for folder in self.folders() {
            let group = folder.join(OURS).join(path);
            fs::create_dir_all(&group)?;
        }
        match self {
            Self::V1 {
                memory, cpu, pids, ..
            } => {
                let write = |root: &Option<PathBuf>, file: &str, value: Option<u64>| match root
                    .as_ref()
                    .zip(value)
                {
                    Some((root, value)) => {
                        fs::write(root.join(OURS).join(path).join(file), value.to_string())
                    }
                    None => Ok(()),
                };
                write(memory, "memory.limit_in_bytes", limits.memory)?;
                write(
                    cpu,
                    "cpu.shares",
                    limits.cpu.map(|units| u64::from(units.max(2))),
                )?;
                write(pids, "pids.max", limits.processes.map(u64::from))
            }
            Self::V2(root) => {
                enable_controllers(root, &Path::new(OURS).join(path))?;
                let group = root.join(OURS).join(path);
                let write = |file: &str, value: Option<u64>| match value {
                    Some(value) => fs::write(group.join(file), value.to_string()),
                    None => Ok(()),
                };
                write("memory.max", limits.memory)?;
                write("cpu.weight", limits.cpu.map(cpu_weight))?;
                write("pids.max", limits.processes.map(u64::from))
            }
        }
    }

    /// Moves a process into the group `path`.
    ///
    /// # Errors
    /// When the group is gone or may not be joined.
    pub fn join(&self, path: &Path, pid: u32) -> io::Result<()> {
        for folder in self.folders() {
            fs::write(
                folder.join(OURS).join(path).join("cgroup.procs"),
                pid.to_string(),
            )?;
        }
        Ok(())
    }

    /// The processes in the group `path` and in those below it.
    pub fn processes(&self, path: &Path) -> Vec<u32> {
        let Some(folder) = self
            .folders()
            .first()
            .map(|folder| folder.join(OURS).join(path))
        else {
            return Vec::new();
        };
        let mut found = Vec::new();
        collect_processes(&folder, &mut found);
        found
    }

    /// Removes the group `path` and those below it; what still has processes stays and is an
    /// error.
    ///
    /// # Errors
    /// When a group is still in use.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        for folder in self.folders() {
            remove_tree(&folder.join(OURS).join(path))?;
            // Other environments may have groups of their own beside; then ours is not empty.
            let _ = fs::remove_dir(folder.join(OURS));
        }
        Ok(())
    }

    /// Memory in use by the group `path`, in bytes, without page cache that can be dropped.
    pub fn memory_in_use(&self, path: &Path) -> Option<u64> {
        let (folder, usage, inactive) = match self {
            Self::V1 { memory, .. } => (
                memory.as_ref()?,
                "memory.usage_in_bytes",
                "total_inactive_file",
            ),
            Self::V2(root) => (root, "memory.current", "inactive_file"),
        };
        let group = folder.join(OURS).join(path);
        let used: u64 = fs::read_to_string(group.join(usage))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let droppable = statistic(&group.join("memory.stat"), inactive).unwrap_or(0);
        Some(used.saturating_sub(droppable))
    }

    /// Processor time used by the group `path` since it was made, in microseconds.
    pub fn cpu_time(&self, path: &Path) -> Option<u64> {
        match self {
            Self::V1 { cpuacct, .. } => {
                let file = cpuacct
                    .as_ref()?
                    .join(OURS)
                    .join(path)
                    .join("cpuacct.usage");
                let nanoseconds: u64 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
                Some(nanoseconds / 1_000)
            }
            Self::V2(root) => statistic(&root.join(OURS).join(path).join("cpu.stat"), "usage_usec"),
        }
    }
}

/// CPU units as a cgroup 2 weight, by the kernel's own conversion of shares (2..262144) to weights
/// (1..10000).
fn cpu_weight(units: u32) -> u64 {
    1 + (u64::from(units.clamp(2, 262_144)) - 2) * 9_999 / 262_142
}

/// In the unified hierarchy a controller must be switched on in each group above.
fn enable_controllers(root: &Path, path: &Path) -> io::Result<()> {
    let mut group = root.to_owned();
    let parents = path.parent().into_iter().flat_map(Path::components);
    for step in std::iter::once(None).chain(parents.map(Some)) {
        if let Some(step) = step {
            group.push(step);
        }
        for controller in ["+memory", "+cpu", "+pids"] {
            match fs::write(group.join("cgroup.subtree_control"), controller) {
                // The controller is not there or kept by version 1: its limit is then not written.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
    }
    Ok(())
}

fn statistic(file: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.trim().parse().ok()
}

fn collect_processes(folder: &Path, found: &mut Vec<u32>) {
    if let Ok(text) = fs::read_to_string(folder.join("cgroup.procs")) {
        found.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect_processes(&entry.path(), found);
        }
    }
}

fn remove_tree(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_units_become_weights_as_the_kernel_converts_shares() {
        assert_eq!(
            (cpu_weight(2), cpu_weight(1_024), cpu_weight(262_144)),
            (1, 39, 10_000)
        );
    }

    #[test]
    fn a_group_is_made_with_its_limits_joined_and_removed() {
        let root = CgroupRoot::detect();
        let name = format!("test-{}", std::process::id());
        let path = Path::new(&name).join("inner");
        let limits = Limits {
            memory: Some(64 << 20),
            cpu: Some(512),
            processes: Some(32),
        };
        root.create(&path, limits).unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        root.join(&path, child.id()).unwrap();
        assert_eq!(root.processes(Path::new(&name)), [child.id()]);
        assert!(
            root.remove(Path::new(&name)).is_err(),
            "a group in use can't be removed"
        );
        child.kill().unwrap();
        child.wait().unwrap();
        root.remove(Path::new(&name)).unwrap();
        assert!(root.processes(Path::new(&name)).is_empty());
    }
}
