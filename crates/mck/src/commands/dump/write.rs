//! A dump out of a schema.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
    process::{Command as Process, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use mck_local::{command::CommandError, piped::Piped, wait};
use mck_server_config::mariadb::dump::Compression;
use rustix::process::{Gid, Uid};

use super::{LOOK, Watch, failed};
use crate::{
    environment_variables::{self, SUDO_GID, SUDO_UID},
    exit::Exit,
    failure::Failure,
};

const STEP: &str = "writes the dump";

/// Lets a program write a dump to a file, which is there whole or not at all and is the user's alone;
/// or to the standard output. A name that ends with `.gz` or `.zst` is that of a compressed one.
///
/// # Errors
/// Where a program fails, the file can't be written, or Ctrl-C is pressed.
pub fn write(
    dumper: &mut Process,
    to: Option<&Path>,
    watch: &mut Watch<'_>,
) -> Result<(), Failure> {
    dumper.stdin(Stdio::null());
    match to {
        Some(path) => to_file(dumper, path, watch),
        None => to_output(dumper, watch),
    }
}

fn to_output(dumper: &mut Process, watch: &Watch<'_>) -> Result<(), Failure> {
    let mut dumper = Piped::spawn(dumper.stdout(Stdio::inherit())).map_err(|it| failed(&it))?;
    while !dumper.has_ended() {
        if watch.is_interrupted() {
            dumper.kill();
            return Err(interrupted());
        }
        wait::pause(LOOK);
    }
    dumper.wait().map_err(|it| failed(&it))
}

fn to_file(dumper: &mut Process, path: &Path, watch: &mut Watch<'_>) -> Result<(), Failure> {
    let unusable = |error: &io::Error| unwritable(path, error);
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let name = path.file_name().ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{} is no file's name", path.display()))
    })?;
    // Gone with this function, unless it gets the final name; readable for the user alone.
    let part = tempfile::Builder::new()
        .prefix(name)
        .suffix(".part")
        .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
        .map_err(|error| unusable(&error))?;
    let mut dumper = Piped::spawn(dumper.stdout(Stdio::piped())).map_err(|it| failed(&it))?;
    let compression = Compression::for_name(&path.to_string_lossy());
    let (mut compressor, text) = match compressor(&mut dumper, compression) {
        Ok(started) => started,
        Err(error) => {
            dumper.kill();
            return Err(failed(&error));
        }
    };
    let output = part
        .as_file()
        .try_clone()
        .map_err(|error| unusable(&error))?;
    let copied = copy(text, output, watch, || {
        dumper.kill();
        compressor.as_mut().map(Piped::kill);
    });
    if copied.is_err() {
        dumper.kill();
        compressor.as_mut().map(Piped::kill);
    }
    if watch.is_interrupted() {
        return Err(interrupted());
    }
    copied.map_err(|error| unusable(&error))?;
    // Who feeds the pipe is to blame first.
    dumper.wait().map_err(|it| failed(&it))?;
    if let Some(compressor) = &mut compressor {
        compressor.wait().map_err(|it| failed(&it))?;
    }
    let owner = rustix::process::geteuid().is_root().then(asker).flatten();
    finish(part.as_file(), owner).map_err(|error| unusable(&error))?;
    part.persist(path).map_err(|error| unusable(&error.error))?;
    Ok(())
}

/// Who ran `sudo`, to whom the file belongs then: user and group.
fn asker() -> Option<(u32, u32)> {
    let number = |name| environment_variables::read(name)?.to_str()?.parse().ok();
    Some((number(SUDO_UID)?, number(SUDO_GID)?))
}

/// Gives the file to whom it is for, and makes it last.
fn finish(file: &File, owner: Option<(u32, u32)>) -> io::Result<()> {
    if let Some((user, group)) = owner {
        let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
        rustix::fs::fchown(file, Some(user), Some(group))?;
    }
    file.sync_all()
}

type Text = Box<dyn Read + Send>;

/// Starts the program that compresses what the other writes; gives what comes out at the end.
fn compressor(
    dumper: &mut Piped,
    compression: Compression,
) -> Result<(Option<Piped>, Text), CommandError> {
    let text = dumper.output();
    if compression == Compression::None {
        return Ok((None, boxed(text)));
    }
    let line = compression.compress_command_line();
    let text = text.map_or_else(Stdio::null, Stdio::from);
    let mut compressor = Piped::start(&line, text, Stdio::piped())?;
    let text = compressor.output();
    Ok((Some(compressor), boxed(text)))
}

fn boxed(text: Option<impl Read + Send + 'static>) -> Text {
    text.map_or_else(|| Box::new(io::empty()) as Text, |text| Box::new(text))
}

/// Copies to the end, and shows how much there is; calls `stop` at Ctrl-C, which ends the text.
fn copy(
    mut text: Text,
    mut file: File,
    watch: &mut Watch<'_>,
    mut stop: impl FnMut(),
) -> io::Result<()> {
    let written = Arc::new(AtomicU64::new(0));
    let (send, receive) = mpsc::channel();
    let count = Arc::clone(&written);
    thread::spawn(move || {
        // Nobody waits for it any more only where the program ends.
        let _ = send.send(copy_counted(&mut text, &mut file, &count));
    });
    loop {
        match receive.recv_timeout(LOOK) {
            Ok(result) => return result,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            Err(mpsc::RecvTimeoutError::Timeout) if watch.is_interrupted() => stop(),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                watch.show(STEP, written.load(Ordering::Relaxed), None);
            }
        }
    }
}

fn copy_counted(text: &mut Text, file: &mut File, count: &AtomicU64) -> io::Result<()> {
    let mut piece = vec![0; 256 << 10];
    loop {
        match text.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => {
                file.write_all(&piece[..length])?;
                count.fetch_add(length as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let failure =
        |exit| Failure::new(exit, format!("{} can't be written", path.display())).caused_by(error);
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            failure(Exit::DiskFull).hint("free some room and run it again; nothing was written")
        }
        _ => failure(Exit::Usage),
    }
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted; no dump was written")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{interrupt::Interrupt, printer::Printer};

    fn written(script: &str, path: &Path) -> Result<(), Failure> {
        let printer = Printer::plain();
        let interrupt = Interrupt::note(&[]).expect("no signal is asked for");
        let mut dumper = Process::new("sh");
        dumper.args(["-c", script]);
        write(
            &mut dumper,
            Some(path),
            &mut Watch::new(&printer, &interrupt),
        )
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
        names.collect()
    }

    #[test]
    fn a_dump_is_compressed_as_its_name_says() {
        let folder = tempfile::tempdir().unwrap();
        for (name, head) in [
            ("a.sql", &b"hello"[..]),
            ("a.sql.gz", b"\x1f\x8b"),
            ("a.sql.zst", b"\x28\xb5\x2f\xfd"),
        ] {
            let path = folder.path().join(name);
            written("printf hello", &path).expect("it is written");
            assert!(fs::read(&path).unwrap().starts_with(head), "{name}");
        }
        assert_eq!(names(folder.path()).len(), 3);
    }

    #[test]
    fn what_broke_off_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.sql", "a.sql.gz"] {
            let path = folder.path().join(name);
            fs::write(&path, "before").unwrap();
            let script = "printf hello; echo it broke >&2; exit 3";
            let failure = written(script, &path).expect_err("it failed");
            assert_eq!(failure.exit, Exit::NotHealthy);
            assert!(format!("{:?}", failure.what).contains("it broke"));
            assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        }
        assert_eq!(names(folder.path()).len(), 2, "{:?}", names(folder.path()));
    }

    #[test]
    fn a_dump_is_its_user_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sql");
        written("printf hello", &path).expect("it is written");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_made_with_sudo_belongs_to_who_ran_it() {
        use std::os::unix::fs::MetadataExt;
        if !rustix::process::geteuid().is_root() {
            // Nobody else can give a file away.
            return;
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        finish(file.as_file(), Some((65_534, 65_533))).unwrap();
        let data = fs::metadata(file.path()).unwrap();
        assert_eq!((data.uid(), data.gid()), (65_534, 65_533));
        finish(file.as_file(), None).unwrap();
    }
}
