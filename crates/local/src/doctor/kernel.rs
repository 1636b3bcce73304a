//! Features of the Linux kernel: seen, or tried out in namespaces that end with the trial.

use std::{fs, path::Path};

use rustix::fs::{Access, access};

use super::{Area, Finding, Status};
use crate::{command::Command, container::CgroupRoot};

/// Namespaces by their names in `/proc/self/ns`.
const NAMESPACES: [(&str, &str); 5] = [
    ("net", "network namespaces"),
    ("mnt", "mount namespaces"),
    ("pid", "process namespaces"),
    ("ipc", "IPC namespaces"),
    ("uts", "host name namespaces"),
];

/// A feature, and commands that need it, for `sh` in network and mount namespaces of its own.
const TRIALS: [(&str, &str, &str); 3] = [
    (
        "veth",
        "ip link add mck0 type veth peer name mck1",
        "load the kernel module `veth`",
    ),
    (
        "nftables",
        "nft add table inet mck",
        "load the kernel module `nf_tables`",
    ),
    (
        "overlayfs",
        "mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work /mnt/root && mount -t overlay none \
         -o lowerdir=/usr,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root",
        "load the kernel module `overlay`; in a container, give it the right to mount",
    ),
];

/// What `/proc` says.
pub(super) fn glance() -> Vec<Finding> {
    let missing = NAMESPACES
        .iter()
        .filter(|(file, _)| !Path::new("/proc/self/ns").join(file).exists());
    missing
        .map(|(_, name)| {
            let detail = "this kernel has none";
            Finding::new(Area::Kernel, *name, Status::Missing, detail)
                .hint("use a kernel that is built with them, as all distributions' are")
        })
        .collect()
}

/// [`glance`], and trials.
pub(super) fn examine() -> Vec<Finding> {
    let mut findings = glance();
    if findings.is_empty() {
        let detail = NAMESPACES.map(|(file, _)| file).join(", ");
        findings.push(Finding::new(Area::Kernel, "namespaces", Status::Ok, detail));
    }
    findings.extend(TRIALS.iter().map(|(name, script, hint)| {
        let trial = Command::new("unshare")
            .args(["--net", "--mount", "--propagation", "private", "sh", "-c"])
            .arg(script)
            .run();
        match trial {
            Ok(_) => Finding::new(Area::Kernel, *name, Status::Ok, "works"),
            Err(error) => {
                let detail = error.to_string();
                Finding::new(Area::Kernel, *name, Status::Missing, detail).hint(*hint)
            }
        }
    }));
    findings
}

/// Which control groups there are and whether they can be made.
pub(super) fn control_groups() -> Finding {
    judge(&CgroupRoot::detect(), &|folder| {
        fs::metadata(folder).is_ok() && access(folder, Access::WRITE_OK).is_ok()
    })
}

fn judge(root: &CgroupRoot, writable: &dyn Fn(&Path) -> bool) -> Finding {
    let name = "control groups";
    let (version, folder, limits) = match root {
        CgroupRoot::V2(folder) => ("version 2", Some(folder), true),
        CgroupRoot::V1 { memory, cpu, .. } => {
            let limits = memory.is_some() && cpu.is_some();
            ("version 1", memory.as_ref().or(cpu.as_ref()), limits)
        }
    };
    match folder {
        Some(folder) if !writable(folder) => {
            let detail = format!("{version}, but none can be made in {}", folder.display());
            Finding::new(Area::ControlGroups, name, Status::Missing, detail)
                .hint("in a container, give it write access to `/sys/fs/cgroup`")
        }
        _ if !limits => {
            let detail = format!("{version} without the controllers for memory and CPU");
            Finding::new(Area::ControlGroups, name, Status::Warning, detail)
                .hint("tasks will not be held to their memory and CPU")
        }
        _ => Finding::new(Area::ControlGroups, name, Status::Ok, version),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn this_machine_can_do_all_that_is_needed() {
        for finding in examine() {
            assert_eq!(finding.status, Status::Ok, "{finding:?}");
        }
    }

    #[test]
    fn control_groups_that_cannot_be_made_or_do_not_limit_are_told_apart() {
        let second = CgroupRoot::V2(PathBuf::from("/sys/fs/cgroup"));
        assert_eq!(judge(&second, &|_| true).status, Status::Ok);
        assert_eq!(judge(&second, &|_| false).status, Status::Missing);
        let first = CgroupRoot::V1 {
            memory: None,
            cpu: None,
            cpuacct: None,
            pids: None,
            freezer: Some(PathBuf::from("/sys/fs/cgroup/freezer")),
        };
        assert_eq!(judge(&first, &|_| true).status, Status::Warning);
    }
}
