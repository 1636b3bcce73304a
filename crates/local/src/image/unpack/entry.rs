//! What an entry becomes on disk, next to an open folder.

use std::{
    ffi::OsStr,
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::PathBuf,
};

use rustix::{
    fs::{
        AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags,
        chmodat, chownat, fsetxattr, makedev, mkdirat, mknodat, openat, statat, unlinkat,
        utimensat,
    },
    io::Errno,
};

use crate::image::merged::{OPAQUE, OPAQUE_VALUE};

/// How a folder is opened.
pub(super) const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// The owner, mode and time of an entry.
pub(super) struct Attributes {
    uid: Uid,
    gid: Gid,
    mode: Mode,
    pub(super) seconds: i64,
}

/// What there is at a name.
#[derive(PartialEq, Eq)]
pub(super) enum Present {
    Nothing,
    Whiteout,
    Folder,
    Other,
}

impl Attributes {
    pub(super) fn of(header: &tar::Header) -> io::Result<Self> {
        let number = |value: u64| {
            u32::try_from(value).map_err(|_| io::Error::other("an owner's number is too large"))
        };
        let fields = header.as_old();
        let uid = number_or_blank(&fields.uid, header.uid())?;
        let gid = number_or_blank(&fields.gid, header.gid())?;
        let mode = number_or_blank(&fields.mode, header.mode())?;
        let seconds = number_or_blank(&fields.mtime, header.mtime())?;
        Ok(Self {
            uid: Uid::from_raw(number(uid)?),
            gid: Gid::from_raw(number(gid)?),
            mode: Mode::from_raw_mode(mode & 0o7777),
            seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
        })
    }

    /// The owner comes before the mode, since a change of owner takes setuid away.
    pub(super) fn set(&self, parent: &OwnedFd, name: &OsStr) -> io::Result<()> {
        let no_follow = AtFlags::SYMLINK_NOFOLLOW;
        chownat(parent, name, Some(self.uid), Some(self.gid), no_follow)?;
        chmodat(parent, name, self.mode, AtFlags::empty())?;
        utimensat(parent, name, &times(self.seconds), no_follow)?;
        Ok(())
    }

    pub(super) fn set_owner_and_time(&self, parent: &OwnedFd, name: &OsStr) -> io::Result<()> {
        let no_follow = AtFlags::SYMLINK_NOFOLLOW;
        chownat(parent, name, Some(self.uid), Some(self.gid), no_follow)?;
        utimensat(parent, name, &times(self.seconds), no_follow)?;
        Ok(())
    }
}

/// A number of a header; a field that was left blank is 0, as GNU tar and Go read it.
fn number_or_blank<T: Default>(field: &[u8], number: io::Result<T>) -> io::Result<T> {
    match number {
        Err(_) if field.iter().all(|byte| matches!(byte, 0 | b' ')) => Ok(T::default()),
        other => other,
    }
}

pub(super) fn times(seconds: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: seconds,
            tv_nsec: 0,
        },
    }
}

pub(super) fn present(parent: &OwnedFd, name: &OsStr) -> rustix::io::Result<Present> {
    let stat = match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(Present::Nothing),
        Err(error) => return Err(error),
    };
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Present::Folder,
        FileType::CharacterDevice if stat.st_rdev == makedev(0, 0) => Present::Whiteout,
        _ => Present::Other,
    })
}

pub(super) fn same_file(
    parent: &OwnedFd,
    name: &OsStr,
    other_parent: &OwnedFd,
    other: &OsStr,
) -> bool {
    let identity = |parent: &OwnedFd, name: &OsStr| {
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some((stat.st_dev, stat.st_ino))
    };
    let first = identity(parent, name);
    first.is_some() && first == identity(other_parent, other)
}

/// Takes away what is at a name: the later entry of an archive counts.
pub(super) fn clear(parent: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match present(parent, name)? {
        Present::Nothing => Ok(()),
        Present::Folder => fs::remove_dir_all(through(parent).join(name)),
        Present::Whiteout | Present::Other => Ok(unlinkat(parent, name, AtFlags::empty())?),
    }
}

/// The path of an open folder.
fn through(folder: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", folder.as_raw_fd()).into()
}

/// Makes a folder where there is none. One in the place of a whiteout hides what is below.
pub(super) fn make_folder(parent: &OwnedFd, name: &OsStr) -> io::Result<()> {
    let before = present(parent, name)?;
    if before == Present::Folder {
        return Ok(());
    }
    clear(parent, name)?;
    mkdirat(parent, name, Mode::from_raw_mode(0o755))?;
    chmodat(parent, name, Mode::from_raw_mode(0o755), AtFlags::empty())?;
    if before == Present::Whiteout {
        mark_opaque(&openat(parent, name, FOLDER, Mode::empty())?)?;
    }
    Ok(())
}

pub(super) fn make_whiteout(parent: &OwnedFd, name: &OsStr) -> rustix::io::Result<()> {
    let kind = FileType::CharacterDevice;
    mknodat(parent, name, kind, Mode::empty(), makedev(0, 0))
}

pub(super) fn mark_opaque(folder: &OwnedFd) -> io::Result<()> {
    Ok(fsetxattr(
        folder,
        OPAQUE,
        OPAQUE_VALUE,
        XattrFlags::empty(),
    )?)
}
