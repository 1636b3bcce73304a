//! SQL dumps out and in.
//!
//! An import replaces a schema, and a dump that breaks off in the middle must not leave half of it.
//! Moving tables in from a second schema by `RENAME TABLE` won't do: it refuses tables with triggers,
//! which Magento's indexers have, and views, and leaves routines and events behind. So the whole dump
//! is first loaded into a temporary server of its own, where a broken, cut-off or foreign dump fails
//! and touches nothing; then the schema's data are dumped and kept, and the dump is loaded. What can
//! still go wrong there is outside the dump (a full disk, a dead server), and then the data from
//! before are loaded again.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::Stdio,
};

use mck_server_config::mariadb::{
    self, Output,
    dump::{Compression, Definers, Filter, NotADump},
};

use super::{
    BackupError, Backups, Progress, Server, at, make,
    programs::{self, query, text},
    quoted, remove,
    snapshot::schemas,
    temporary::TemporaryServer,
};
use crate::piped::Piped;

/// What is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The dump: plain, or compressed by gzip or zstd, which its first bytes tell.
    pub file: PathBuf,
    /// The schema that it replaces.
    pub schema: String,
    /// What becomes of definers.
    pub definers: Definers,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The dump of what was there before, if there was something.
    pub kept: Option<PathBuf>,
    /// How many tables and views there are now.
    pub tables: u64,
}

/// The longest line before the first line feed that is looked at to tell a dump from other files.
const LONGEST_FIRST_LINE: usize = 64 << 10;

impl Backups {
    /// Writes a consistent dump of a schema to a file, without locking the schema; compressed if the
    /// name ends with `.gz` or `.zst`. The file is there whole or not at all.
    ///
    /// # Errors
    /// When the schema does not exist or the file can't be written.
    pub fn export(&self, server: &Server, schema: &str, file: &Path) -> Result<(), BackupError> {
        let fresh = PathBuf::from(format!("{}.new", file.display()));
        let line = mariadb::dump_command_line(&text(&server.socket), schema)
            .map_err(|_| BackupError::Schema(schema.to_owned()))?;
        let written = write_dump(&line, &fresh, Compression::for_name(&text(file)));
        let written = written.and_then(|()| fs::rename(&fresh, file).map_err(at(file)));
        if written.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&fresh);
        }
        written
    }

    /// Replaces a schema by a dump. The store should take no requests meanwhile: between the old
    /// schema and the whole new one there is a time with a part of it.
    ///
    /// # Errors
    /// When the file is no dump or can't be loaded: then nothing has changed, or what was before is
    /// back. [`BackupError::NotPutBack`] is the one exception.
    pub fn import(
        &self,
        server: &Server,
        import: &Import,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Imported, BackupError> {
        let _lock = self.lock()?;
        quoted(&import.schema)?;
        progress(Progress::Rehearsing);
        self.rehearse(import)?;
        progress(Progress::Keeping);
        let folder = self.folder.join("imports");
        make(&folder)?;
        let kept = folder.join(format!("{}.sql.zst", file_name(&import.schema)));
        let existed = schemas(&server.socket)?.contains(&import.schema);
        if existed {
            self.export(server, &import.schema, &kept)?;
        }
        progress(Progress::Loading);
        let Err(broken) = replace(&server.socket, import) else {
            let tables = count(&server.socket, &import.schema)?;
            let kept = existed.then_some(kept);
            return Ok(Imported { kept, tables });
        };
        let before = Import {
            file: kept.clone(),
            definers: Definers::Keep,
            ..import.clone()
        };
        let put_back = match existed {
            true => replace(&server.socket, &before),
            false => drop_schema(&server.socket, &import.schema),
        };
        Err(match put_back {
            Ok(()) => BackupError::PutBack {
                source: Box::new(broken),
            },
            Err(source) => BackupError::NotPutBack {
                kept,
                source: Box::new(source),
            },
        })
    }

    /// Loads the dump where it can harm nobody.
    fn rehearse(&self, import: &Import) -> Result<(), BackupError> {
        // A quick look first: most wrong files are wrong in their first line.
        look(import)?;
        let data = self.scratch("rehearsal")?;
        let rehearsed = (|| {
            programs::copy(&self.empty_data, &data)?;
            let server = TemporaryServer::start(self, &data)?;
            replace(&server.socket(), import)?;
            let mut others = schemas(&server.socket())?;
            others.retain(|schema| *schema != import.schema);
            if others.is_empty() {
                Ok(())
            } else {
                Err(BackupError::OtherSchemas(others))
            }
        })();
        remove(&data)?;
        rehearsed
    }
}

/// A file's name for a schema, whose name may hold anything.
fn file_name(schema: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
    schema
        .chars()
        .map(|letter| if plain(letter) { letter } else { '_' })
        .collect()
}

fn refuse(file: &Path) -> impl Fn(NotADump) -> BackupError + use<> {
    let path = file.to_owned();
    move |source| BackupError::NotADump {
        path: path.clone(),
        source,
    }
}

fn write_dump(line: &[String], file: &Path, compression: Compression) -> Result<(), BackupError> {
    let output = File::create(file).map_err(at(file))?;
    let synced = output.try_clone().map_err(at(file))?;
    let mut dump = Piped::start(line, Stdio::null(), Stdio::piped())?;
    let text = dump.output().map_or_else(Stdio::null, Stdio::from);
    let line = compression.compress_command_line();
    let mut compressor = match Piped::start(&line, text, output.into()) {
        Ok(compressor) => compressor,
        Err(error) => {
            dump.kill();
            return Err(error.into());
        }
    };
    let (compressor, dump) = (compressor.wait(), dump.wait());
    compressor?;
    dump?;
    synced.sync_data().map_err(at(file))
}

/// A dump as it is read.
struct Reader {
    process: Piped,
    lines: BufReader<Box<dyn io::Read>>,
}

fn reader(path: &Path) -> Result<Reader, BackupError> {
    let mut file = File::open(path).map_err(at(path))?;
    let mut head = [0; 4];
    let length = io::Read::read(&mut file, &mut head).map_err(at(path))?;
    io::Seek::rewind(&mut file).map_err(at(path))?;
    let line = Compression::of(&head[..length]).decompress_command_line();
    let mut process = Piped::start(&line, file.into(), Stdio::piped())?;
    let text: Box<dyn io::Read> = match process.output() {
        Some(text) => Box::new(text),
        None => Box::new(io::empty()),
    };
    Ok(Reader {
        process,
        lines: BufReader::with_capacity(LONGEST_FIRST_LINE, text),
    })
}

fn look(import: &Import) -> Result<(), BackupError> {
    let Reader { process, lines } = &mut reader(&import.file)?;
    let mut line = Vec::new();
    let mut limited = io::Read::take(lines, LONGEST_FIRST_LINE as u64);
    let read = limited.read_until(b'\n', &mut line);
    read.map_err(at(&import.file))?;
    if line.is_empty() {
        // An archive that can't be read says so.
        process.wait()?;
        return Err(refuse(&import.file)(NotADump::Empty));
    }
    process.kill();
    let mut filter = Filter::new(import.definers);
    filter.line(&line).map(drop).map_err(refuse(&import.file))
}

fn drop_schema(socket: &Path, schema: &str) -> Result<(), BackupError> {
    let schema = quoted(schema)?;
    query(socket, &format!("DROP DATABASE IF EXISTS {schema};\n")).map(drop)
}

/// Replaces a schema by a dump, without a net.
fn replace(socket: &Path, import: &Import) -> Result<(), BackupError> {
    drop_schema(socket, &import.schema)?;
    let schema = quoted(&import.schema)?;
    let create = format!("CREATE DATABASE {schema} CHARACTER SET utf8mb4;\n");
    query(socket, &create)?;
    let what = "the path of the socket";
    let mut line = mariadb::client_command_line(&text(socket), Output::Rows)
        .map_err(|_| BackupError::Answer { what })?;
    line.push("--max-allowed-packet=1G".to_owned());
    line.push(format!("--database={}", import.schema));
    let mut dump = reader(&import.file)?;
    let client = Piped::start(&line, Stdio::piped(), Stdio::null());
    let mut client = match client {
        Ok(client) => client,
        Err(error) => {
            dump.process.kill();
            return Err(error.into());
        }
    };
    let fed = feed(&mut dump, &mut client, import);
    match fed {
        Ok(()) => {
            let client = client.wait();
            client?;
            Ok(dump.process.wait()?)
        }
        Err(BackupError::File { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            dump.process.kill();
            client.wait()?;
            let what = "the dump";
            Err(BackupError::Answer { what })
        }
        Err(error) => {
            dump.process.kill();
            client.kill();
            Err(error)
        }
    }
}

/// Gives the client the dump line by line.
fn feed(dump: &mut Reader, client: &mut Piped, import: &Import) -> Result<(), BackupError> {
    let Some(input) = client.input() else {
        return Ok(());
    };
    let mut input = BufWriter::with_capacity(1 << 20, input);
    let mut filter = Filter::new(import.definers);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = dump.lines.read_until(b'\n', &mut line);
        if read.map_err(at(&import.file))? == 0 {
            break;
        }
        let load = filter.line(&line).map_err(refuse(&import.file))?;
        input.write_all(&load).map_err(at(&import.file))?;
    }
    filter.finish().map_err(refuse(&import.file))?;
    input.flush().map_err(at(&import.file))
}

fn count(socket: &Path, schema: &str) -> Result<u64, BackupError> {
    let schema = quoted(schema)?;
    let printed = query(socket, &format!("SHOW TABLES FROM {schema};\n"))?;
    Ok(printed.lines().count() as u64)
}
