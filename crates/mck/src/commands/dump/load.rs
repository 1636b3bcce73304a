//! A dump into a schema.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Cursor, IsTerminal, Read, Write},
    path::Path,
    process::{ChildStdin, Command as Process, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use mck_local::{command::CommandError, piped::Piped};
use mck_server_config::mariadb::dump::{Compression, Definers, Filter, NotADump};

use super::{LOOK, Watch, failed};
use crate::{client_failure::file as of_file, exit::Exit, failure::Failure};

/// What the first bytes of a file must tell: how it is compressed.
const HEAD: usize = 4;
/// How much of a dump is looked at before its first line is read whole.
const FIRST_LOOK: usize = 64 << 10;
/// The longest line that a dump may have, in bytes: the largest packet that a server takes (MySQL
/// reference manual, `max_allowed_packet`).
const LONGEST_LINE: u64 = 1 << 30;

/// Where a dump comes from.
pub struct Input {
    text: Box<dyn Read + Send>,
    name: String,
    size: Option<u64>,
}

impl Input {
    /// A file, or the standard input.
    ///
    /// # Errors
    /// Where the file can't be read, or nothing is redirected to the standard input.
    pub fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            if io::stdin().is_terminal() {
                let hint =
                    "name a file with `--input`, or redirect one: `mck db import < dump.sql`";
                return Err(Failure::new(Exit::Usage, "there is nothing to import").hint(hint));
            }
            return Ok(Self {
                text: Box::new(io::stdin()),
                name: "the standard input".to_owned(),
                size: None,
            });
        };
        let name = path.display().to_string();
        let unreadable = |error: &io::Error| {
            Failure::new(Exit::Usage, format!("{name} can't be read")).caused_by(error)
        };
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let data = file.metadata().map_err(|error| unreadable(&error))?;
        if data.is_dir() {
            return Err(unreadable(&io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self {
            text: Box::new(file),
            name,
            size: data.is_file().then_some(data.len()),
        })
    }

    /// Whether it may be read twice, which a pipe can't.
    pub const fn is_file(&self) -> bool {
        self.size.is_some()
    }
}

/// Why a dump was not read to its end.
enum Broken {
    Read(io::Error),
    NotADump(NotADump),
    Program(CommandError),
    Write(io::Error),
    Interrupted,
}

/// Reads a dump to its end and loads nothing, so that one that is cut off or something else changes
/// nothing.
///
/// # Errors
/// Where it is no dump that can be loaded, or Ctrl-C is pressed.
pub fn check(input: Input, watch: &mut Watch<'_>) -> Result<(), Failure> {
    let name = input.name.clone();
    let read = run(input, io::sink(), "checks the dump", watch);
    read.map_err(|broken| told(&name, broken))
}

/// Gives a dump to a client, line by line: without definers, so that views and triggers are those of
/// who imports, without the schema's name and without the state of replication.
///
/// # Errors
/// As [`check`], and where the client fails. What was loaded before stays.
pub fn load(client: &mut Process, input: Input, watch: &mut Watch<'_>) -> Result<(), Failure> {
    let name = input.name.clone();
    client.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut client = Piped::spawn(client).map_err(|it| failed(&it))?;
    let Some(statements) = client.input() else {
        return client.wait().map_err(|it| failed(&it));
    };
    match run(input, statements, "loads the dump", watch) {
        Ok(()) => client.wait().map_err(|it| failed(&it)),
        Err(Broken::Write(error)) => {
            // It ended while there was something to read: it tells why.
            client.wait().map_err(|it| failed(&it))?;
            Err(told(&name, Broken::Write(error)))
        }
        Err(broken) => {
            client.kill();
            Err(told(&name, broken))
        }
    }
}

fn told(name: &str, broken: Broken) -> Failure {
    match broken {
        Broken::Read(error) => of_file(Path::new(name), &error),
        Broken::NotADump(error) => {
            Failure::new(Exit::Usage, format!("{name} is no dump that can be loaded"))
                .caused_by(&error)
        }
        Broken::Program(error) => failed(&error),
        Broken::Write(error) => {
            Failure::new(Exit::NotHealthy, "the client ended before the dump did").caused_by(&error)
        }
        Broken::Interrupted => Failure::new(Exit::Interrupted, "interrupted"),
    }
}

/// Lets the lines go through the filter to `to`, and watches meanwhile.
fn run(
    input: Input,
    to: impl Write + Send + 'static,
    step: &str,
    watch: &mut Watch<'_>,
) -> Result<(), Broken> {
    let size = input.size;
    let count = Arc::new(AtomicU64::new(0));
    let text = Counted {
        text: input.text,
        count: Arc::clone(&count),
    };
    let (send, receive) = mpsc::channel();
    // Left behind where it waits for an input that does not come when Ctrl-C is pressed.
    thread::spawn(move || {
        // Nobody waits for it any more only where the program ends.
        let _ = send.send(feed(text, to));
    });
    loop {
        match receive.recv_timeout(LOOK) {
            Ok(result) => return result,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Broken::Read(io::ErrorKind::UnexpectedEof.into()));
            }
            Err(mpsc::RecvTimeoutError::Timeout) if watch.is_interrupted() => {
                return Err(Broken::Interrupted);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                watch.show(step, count.load(Ordering::Relaxed), size);
            }
        }
    }
}

struct Counted {
    text: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let length = self.text.read(piece)?;
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

fn feed(mut text: Counted, to: impl Write) -> Result<(), Broken> {
    let mut head = Vec::new();
    let read = (&mut text).take(HEAD as u64).read_to_end(&mut head);
    read.map_err(Broken::Read)?;
    let compression = Compression::of(&head);
    let whole = Cursor::new(head).chain(text);
    if compression == Compression::None {
        return filter(whole, to);
    }
    let line = compression.decompress_command_line();
    let mut program =
        Piped::start(&line, Stdio::piped(), Stdio::piped()).map_err(Broken::Program)?;
    let (input, output) = (program.input(), program.output());
    let (Some(input), Some(output)) = (input, output) else {
        return program.wait().map_err(Broken::Program);
    };
    let compressed = thread::spawn(move || copy(whole, input));
    let filtered = filter(output, to);
    // A broken archive says so itself, and is the reason for a dump that seems to be cut off.
    match filtered {
        Ok(()) => {
            program.wait().map_err(Broken::Program)?;
            compressed.join().unwrap_or(Ok(())).map_err(Broken::Read)
        }
        Err(Broken::NotADump(reason @ (NotADump::CutOff | NotADump::Empty))) => {
            program.wait().map_err(Broken::Program)?;
            Err(Broken::NotADump(reason))
        }
        Err(broken) => {
            program.kill();
            Err(broken)
        }
    }
}

fn copy(mut whole: impl Read, mut input: ChildStdin) -> io::Result<()> {
    match io::copy(&mut whole, &mut input) {
        // The program ended, and tells why.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map(drop),
    }
}

fn filter(text: impl Read, to: impl Write) -> Result<(), Broken> {
    let mut lines = BufReader::with_capacity(FIRST_LOOK, text);
    let mut to = BufWriter::with_capacity(1 << 20, to);
    let mut filter = Filter::new(Definers::Drop);
    let mut line = Vec::new();
    // Other files may have no line feed for a long time.
    read_line(&mut lines, &mut line, FIRST_LOOK as u64)?;
    let look = Filter::new(Definers::Drop).line(&line).map(drop);
    look.map_err(Broken::NotADump)?;
    if !line.ends_with(b"\n") {
        read_line(&mut lines, &mut line, LONGEST_LINE)?;
    }
    while !line.is_empty() {
        let loaded = filter.line(&line).map_err(Broken::NotADump)?;
        to.write_all(&loaded).map_err(Broken::Write)?;
        line.clear();
        read_line(&mut lines, &mut line, LONGEST_LINE)?;
    }
    filter.finish().map_err(Broken::NotADump)?;
    to.flush().map_err(Broken::Write)
}

/// Adds a line with its line feed, or as much of it as the limit allows; nothing at the end.
fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>, limit: u64) -> Result<(), Broken> {
    let read = lines.take(limit).read_until(b'\n', line);
    read.map(drop).map_err(Broken::Read)
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::*;
    use crate::{interrupt::Interrupt, printer::Printer};

    const DUMP: &str = "-- MySQL dump 10.13\nUSE `other`;\nCREATE TABLE t (id INT);\n\
        /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER\n-- Dump completed\n";
    const LOADED: &str = "-- MySQL dump 10.13\n\nCREATE TABLE t (id INT);\n\
        /*!50017 */ /*!50003 TRIGGER\n-- Dump completed\n";

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, name: &str, text: &[u8]) -> std::path::PathBuf {
            let path = self.0.path().join(name);
            fs::write(&path, text).unwrap();
            path
        }

        /// Loads a file into a program that keeps what it gets.
        fn load(&self, path: &Path, script: &str) -> Result<String, Failure> {
            let kept = self.0.path().join("kept");
            let mut client = Command::new("sh");
            client.args(["-c", script]).env("KEPT", &kept);
            let (printer, interrupt) = (Printer::plain(), Interrupt::note(&[]).unwrap());
            let mut watch = Watch::new(&printer, &interrupt);
            check(Input::open(Some(path))?, &mut watch)?;
            load(&mut client, Input::open(Some(path))?, &mut watch)?;
            Ok(fs::read_to_string(kept).unwrap())
        }
    }

    fn compressed(program: &str, path: &Path) -> Vec<u8> {
        let output = Command::new(program).arg("-c").arg(path).output();
        output.unwrap().stdout
    }

    #[test]
    fn a_dump_arrives_as_it_may_be_loaded_however_it_is_compressed() {
        let place = Place::new();
        let plain = place.write("a.sql", DUMP.as_bytes());
        let gzip = place.write("a.gz", &compressed("gzip", &plain));
        let zstd = place.write("a.zst", &compressed("zstd", &plain));
        for path in [&plain, &gzip, &zstd] {
            assert_eq!(place.load(path, "cat > $KEPT").unwrap(), LOADED, "{path:?}");
        }
    }

    #[test]
    fn what_is_no_whole_dump_is_told_before_anything_is_loaded() {
        let place = Place::new();
        let whole = place.write("a.sql", DUMP.as_bytes());
        let gzip = compressed("gzip", &whole);
        for (name, text, reason) in [
            ("cut.sql", &DUMP.as_bytes()[..60], "cut off"),
            ("cut.gz", &gzip[..gzip.len() - 12], "unexpected end of file"),
            (
                "page.html",
                b"<html></html>",
                "does not begin like an SQL dump",
            ),
            ("binary", &[7; 100_000], "no SQL"),
            ("empty", b"", "empty"),
        ] {
            let path = place.write(name, text);
            let failure = place.load(&path, "cat > $KEPT").expect_err(name);
            let told = format!("{:?}", failure.what);
            assert!(told.contains(reason), "{name}: {told}");
            assert!(!place.0.path().join("kept").exists(), "{name}");
        }
    }

    #[test]
    fn a_client_that_fails_says_why() {
        let place = Place::new();
        let line = format!("INSERT INTO t VALUES ('{}');\n", "x".repeat(100_000));
        let text = format!(
            "-- MySQL dump 10.13\n{}-- Dump completed\n",
            line.repeat(50)
        );
        let path = place.write("a.sql", text.as_bytes());
        let failure = place.load(&path, "echo ERROR 1146 >&2; exit 1");
        let failure = failure.expect_err("it fails");
        assert_eq!(failure.exit, Exit::NotHealthy);
        assert!(format!("{:?}", failure.what).contains("ERROR 1146"));
    }
}
