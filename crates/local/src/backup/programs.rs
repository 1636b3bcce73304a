//! Programs: MariaDB's own, in mount namespaces where they must be.

use std::{ffi::OsStr, fs, path::Path, sync::mpsc, thread, time::Duration};

use mck_server_config::mariadb::{self, Output};

use super::{BackupError, at};
use crate::command::{Command, CommandError};

/// A command line that was rendered.
pub fn command(line: &[String]) -> Command {
    Command::new(&line[0]).args(&line[1..])
}

/// A path as text; paths of ours are.
pub fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Runs statements as root through a socket and gives what they print as rows.
pub fn query(socket: &Path, statements: &str) -> Result<String, BackupError> {
    let what = "the path of the socket";
    let line = mariadb::client_command_line(&text(socket), Output::Rows)
        .map_err(|_| BackupError::Answer { what })?;
    Ok(command(&line).stdin(statements).run()?.text())
}

/// Runs a program to its end and looks at something a few times a second meanwhile.
pub fn run_watched(command: Command, look: &mut dyn FnMut()) -> Result<(), CommandError> {
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        scope.spawn(move || {
            // The receiver waits until it has this.
            let _ = send.send(command.run().map(drop));
        });
        loop {
            match receive.recv_timeout(Duration::from_millis(200)) {
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Timeout) => look(),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(CommandError::Pipe {
                        program: "the watched program".to_owned(),
                        source: std::io::ErrorKind::BrokenPipe.into(),
                    });
                }
            }
        }
    })
}

/// Bytes of the files in a folder, but not of binary logs, which backups leave out.
pub fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => size(&entry.path()),
            Ok(data) if !is_log(&entry.file_name()) => data.len(),
            _ => 0,
        })
        .sum()
}

fn is_log(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["binlog.", "relay.", "ibtmp"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// Copies a folder with all that is in it, sharing blocks where the file system can.
pub fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let command = Command::new("cp").args(["-a", "--reflink=auto", "--"]);
    command.arg(from).arg(to).run()?;
    Ok(())
}

/// Writes all of a folder's file system to the disk.
pub fn sync(folder: &Path) -> Result<(), BackupError> {
    let opened = fs::File::open(folder).map_err(at(folder))?;
    rustix::fs::syncfs(&opened).map_err(|error| at(folder)(error.into()))
}
