//! The OCI bundle: `config.json` of the OCI runtime specification 1.0.

use serde_json::{Value, json};

use super::plan::{BindMount, ContainerPlan, RootTree, Temporary};

/// What a container must never see of the kernel, whatever else is masked.
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
];

/// What a container over the machine's own root must never see of it; an image's is its own.
const MASKED_ON_MACHINE: &[&str] = &["/root", "/home", "/boot", "/etc/shadow", "/etc/gshadow"];

/// Kernel settings that a container can't change.
const READ_ONLY: &[&str] = &[
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// The text of `config.json`.
pub fn config(plan: &ContainerPlan) -> Value {
    let environment: Vec<String> = [(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    )]
    .into_iter()
    .filter(|(name, _)| !plan.environment.0.contains_key(*name))
    .map(|(name, value)| format!("{name}={value}"))
    .chain(
        plan.environment
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    )
    .collect();
    let capabilities = json!(plan.capabilities);
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": plan.terminal,
            "user": { "uid": plan.user.uid, "gid": plan.user.gid },
            "args": plan.command,
            "env": environment,
            "cwd": plan.working_directory,
            "capabilities": {
                "bounding": capabilities,
                "effective": capabilities,
                "permitted": capabilities,
                "inheritable": [],
                "ambient": [],
            },
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs", "readonly": plan.read_only_root },
        "hostname": plan.hostname,
        "mounts": mounts(plan),
        "linux": {
            "namespaces": [
                { "type": "pid" },
                { "type": "ipc" },
                { "type": "uts" },
                { "type": "mount" },
                { "type": "network", "path": plan.network_namespace },
            ],
            "maskedPaths": masked(plan),
            "readonlyPaths": READ_ONLY,
        },
    })
}

/// What is masked, but for files that the container gets of its own.
fn masked(plan: &ContainerPlan) -> Vec<&str> {
    let own = |path: &&str| plan.files.iter().any(|file| file.path == *path);
    let of_machine = match plan.root {
        RootTree::Machine => MASKED_ON_MACHINE,
        RootTree::Layers(_) => &[],
    };
    let all = MASKED
        .iter()
        .chain(of_machine)
        .copied()
        .chain(plan.masked.iter().map(String::as_str));
    all.filter(|path| !own(path)).collect()
}

fn mounts(plan: &ContainerPlan) -> Vec<Value> {
    let mut mounts = vec![
        json!({ "destination": "/proc", "type": "proc", "source": "proc" }),
        json!({
            "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        }),
        json!({
            "destination": "/dev/pts", "type": "devpts", "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        }),
        json!({
            "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
            "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        }),
        json!({
            "destination": "/sys", "type": "sysfs", "source": "sysfs",
            "options": ["nosuid", "noexec", "nodev", "ro"],
        }),
    ];
    mounts.extend(plan.temporary.iter().map(temporary));
    mounts.extend(plan.binds.iter().map(bind));
    mounts
}

fn temporary(mount: &Temporary) -> Value {
    let mut options = vec!["nosuid".to_owned(), "nodev".to_owned()];
    options.push(format!("mode={:o}", mount.mode));
    options.extend(mount.size_mib.map(|size| format!("size={size}m")));
    if mount.seeded {
        // An extension that crun and runc share.
        options.push("tmpcopyup".to_owned());
    }
    json!({
        "destination": mount.path, "type": "tmpfs", "source": "tmpfs", "options": options,
    })
}

fn bind(mount: &BindMount) -> Value {
    let access = if mount.read_only { "ro" } else { "rw" };
    json!({
        "destination": mount.path, "type": "bind", "source": mount.source,
        "options": ["bind", "nosuid", "nodev", access],
    })
}
