//! What an environment has on the machine, found without asking `mck`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
    process::Command,
};

use mck_local::id::EnvironmentId;

use super::{process::run, store::Store};

/// All that there is of an environment, and of the host what must be the same afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftovers {
    /// Named network namespaces.
    pub namespaces: BTreeSet<String>,
    /// Mount points.
    pub mounts: BTreeSet<String>,
    /// Command lines of processes, by their numbers.
    pub processes: BTreeMap<u32, String>,
    /// Control groups.
    pub cgroups: BTreeSet<String>,
    /// Files in the state folder and in folders for temporary files.
    pub files: BTreeSet<String>,
    /// The host's own tables of nftables that are the kit's.
    pub tables: BTreeSet<String>,
    /// The host's network interfaces that are the kit's.
    pub links: BTreeSet<String>,
}

/// All that there is of a store.
pub fn everything_of(store: &Store) -> Leftovers {
    let id = store.id.as_str();
    Leftovers {
        namespaces: names_with("/run/netns", id),
        mounts: mounts(id, store.top()),
        processes: processes(&store.id, store.top()),
        cgroups: cgroups(id),
        files: files(store),
        tables: lines_of("nft", &["list", "tables"], |line| line.contains("mck")),
        links: lines_of("ip", &["-o", "link"], |line| line.contains(": mck")),
    }
}

impl Leftovers {
    /// Nothing may be left but the environment's own folder, if that was made at all.
    #[track_caller]
    pub fn assert_none_but_folder(mut self, store: &Store) {
        self.files
            .remove(&store.layout().top().display().to_string());
        self.assert_none();
    }

    /// Nothing may be left.
    #[track_caller]
    pub fn assert_none(&self) {
        let nothing = Self {
            namespaces: BTreeSet::new(),
            mounts: BTreeSet::new(),
            processes: BTreeMap::new(),
            cgroups: BTreeSet::new(),
            files: BTreeSet::new(),
            tables: BTreeSet::new(),
            links: BTreeSet::new(),
        };
        assert_eq!(*self, nothing);
    }
}

fn names_with(folder: &str, text: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.contains(text)).collect()
}

fn mounts(id: &str, top: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let points = text.lines().filter_map(|line| line.split(' ').nth(4));
    points
        .filter(|point| point.contains(id) || Path::new(point).starts_with(top))
        // The disk that a test gives to the state folder is the test's own.
        .filter(|point| !(Path::new(point).parent() == Some(top) && point.ends_with("state")))
        .map(str::to_owned)
        .collect()
}

/// Processes whose command line, control group or folder names the environment.
pub fn processes(id: &EnvironmentId, top: &Path) -> BTreeMap<u32, String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let top = top.display().to_string();
    let of_environment = |pid: &u32| {
        let folder = Path::new("/proc").join(pid.to_string());
        let command = fs::read(folder.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let groups = fs::read_to_string(folder.join("cgroup")).unwrap_or_default();
        let named = |text: &str| text.contains(id.as_str()) || text.contains(&top);
        (named(&command) || named(&groups)).then(|| format!("{command} {}", groups.trim()))
    };
    pids.filter(|pid| *pid != std::process::id())
        .filter_map(|pid| of_environment(&pid).map(|text| (pid, text)))
        .collect()
}

/// Control groups, of either version, at most so deep as a task's container's.
fn cgroups(id: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![(0, Path::new("/sys/fs/cgroup").to_owned())];
    while let Some((depth, folder)) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name().to_string_lossy().contains(id) {
                found.insert(entry.path().display().to_string());
            }
            if depth < 5 {
                folders.push((depth + 1, entry.path()));
            }
        }
    }
    found
}

fn files(store: &Store) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in [&store.state, &store.temporary()] {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        found.extend(entries.map(|entry| entry.path().display().to_string()));
    }
    for folder in ["/tmp", "/var/tmp", "/run", "/dev/shm", "/var/lib", "/etc"] {
        let names = names_with(folder, store.id.as_str());
        found.extend(names.into_iter().map(|name| format!("{folder}/{name}")));
    }
    found
}

fn lines_of(program: &str, arguments: &[&str], wanted: fn(&str) -> bool) -> BTreeSet<String> {
    let text = run(Command::new(program).args(arguments)).good();
    let lines = text.lines().filter(|line| wanted(line));
    lines.map(str::to_owned).collect()
}

/// Unmounts all that is mounted below a folder, the innermost first.
pub fn unmount_below(folder: &Path) {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = text.lines().rev().filter_map(|line| line.split(' ').nth(4));
    for point in points {
        if point != folder.to_string_lossy() && Path::new(point).starts_with(folder) {
            let _ = Command::new("umount").args(["-l", point]).status();
        }
    }
}

/// Removes all control groups of an environment whose processes have ended.
pub fn remove_cgroups(id: &EnvironmentId) -> io::Result<()> {
    cgroups(id.as_str())
        .iter()
        .try_for_each(|group| remove_tree(Path::new(group)))
}

fn remove_tree(group: &Path) -> io::Result<()> {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    match fs::remove_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
