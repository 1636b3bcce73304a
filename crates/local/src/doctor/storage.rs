//! Whether the state folder can be written to and has room.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, StatVfs, StatVfsMountFlags, access, statvfs};

use super::{Area, Finding, Status};

/// The least room for a database, releases and logs: 1 GiB.
const LEAST: u64 = 1 << 30;

/// Looks at the state folder, or at what it would be made in.
pub(super) fn look(state_folder: &Path) -> Vec<Finding> {
    let existing = nearest_existing(state_folder);
    let shown = state_folder.display();
    let hint = "give a folder that can be written to with `MCK_STATE_DIR`";
    let statistics = match statvfs(&existing) {
        Ok(statistics) => statistics,
        Err(error) => {
            let detail = format!("{shown} can't be looked at: {error}");
            let finding = Finding::new(Area::StateFolder, "state folder", Status::Missing, detail);
            return vec![finding.hint(hint)];
        }
    };
    let read_only = statistics.f_flag.contains(StatVfsMountFlags::RDONLY);
    let writable = !read_only && existing.is_dir() && access(&existing, Access::WRITE_OK).is_ok();
    let folder = if writable {
        Finding::new(
            Area::StateFolder,
            "state folder",
            Status::Ok,
            shown.to_string(),
        )
    } else {
        let detail = format!("{shown} can't be written to");
        Finding::new(Area::StateFolder, "state folder", Status::Missing, detail).hint(hint)
    };
    vec![folder, space(free_bytes(&statistics))]
}

fn free_bytes(statistics: &StatVfs) -> u64 {
    statistics.f_bavail.saturating_mul(statistics.f_frsize)
}

fn space(free: u64) -> Finding {
    let detail = format!("{} MiB free", free >> 20);
    if free >= LEAST {
        Finding::new(Area::Space, "disk space", Status::Ok, detail)
    } else {
        let detail = format!("{detail}; an environment needs {} MiB", LEAST >> 20);
        Finding::new(Area::Space, "disk space", Status::Missing, detail)
            .hint("free some, or give a folder on another disk with `MCK_STATE_DIR`")
    }
}

fn nearest_existing(folder: &Path) -> PathBuf {
    folder
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("/"))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_can_be_made_is_fine_and_one_below_a_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        assert_eq!(look(&inner)[0].status, Status::Ok);
        std::fs::write(folder.path().join("file"), "").unwrap();
        let below = folder.path().join("file/b");
        assert_eq!(look(&below)[0].status, Status::Missing);
    }

    #[test]
    fn a_full_disk_is_told() {
        assert_eq!(space(LEAST).status, Status::Ok);
        let finding = space(12 << 20);
        assert_eq!(finding.status, Status::Missing);
        assert_eq!(finding.detail, "12 MiB free; an environment needs 1024 MiB");
    }
}
