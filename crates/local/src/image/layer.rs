//! A layer's blob: decompressed, checked against its diff-id, unpacked.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

use sha2::{Digest, Sha256};

use super::{
    config::{Compression, Layer},
    unpack::{UnpackError, unpack},
};

/// Why a layer was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// Its blob can't be read.
    #[error("could not read it")]
    Read(#[source] io::Error),
    /// The program that decompresses it could not be started; most often it is not installed.
    #[error("could not start `{program}`")]
    Start {
        /// The program, also the name of its Debian package.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The program that decompresses it failed.
    #[error("`{program}` could not decompress it ({status})")]
    Decompress {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
    },
    /// Its content is not what the image's configuration says.
    #[error("its content has the digest {0}")]
    Content(String),
    /// It could not be unpacked.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
}

/// Unpacks a layer's blob into an empty folder.
///
/// # Errors
/// When it can't be read, is not what it should be, or can't be written.
pub(super) fn unpack_blob(blob: &Path, layer: &Layer, folder: &Path) -> Result<(), LayerError> {
    let file = File::open(blob).map_err(LayerError::Read)?;
    match layer.compression {
        Compression::None => unpack_stream(file, layer, folder).0,
        Compression::Gzip => unpack_through("gzip", file, layer, folder),
        Compression::Zstd => unpack_through("zstd", file, layer, folder),
    }
}

/// A program that ends with this value.
struct Decompressor(Child);

impl Drop for Decompressor {
    fn drop(&mut self) {
        // It may have ended by itself; there is no more to do for it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Decompressor {
    fn start(program: &'static str, blob: File) -> Result<(Self, ChildStdout), LayerError> {
        let start = |source| LayerError::Start { program, source };
        let mut child = Command::new(program)
            .arg("-dc")
            .stdin(blob)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(start)?;
        let output = child
            .stdout
            .take()
            .ok_or_else(|| start(io::Error::other("it has no output")))?;
        Ok((Self(child), output))
    }
}

fn unpack_through(
    program: &'static str,
    blob: File,
    layer: &Layer,
    folder: &Path,
) -> Result<(), LayerError> {
    let (mut decompressor, output) = Decompressor::start(program, blob)?;
    let (result, whole) = unpack_stream(output, layer, folder);
    // What was cut short by us is no failure of its own.
    if whole {
        let status = decompressor.0.wait().map_err(LayerError::Read)?;
        if !status.success() {
            return Err(LayerError::Decompress { program, status });
        }
    }
    result
}

/// Unpacks and checks a stream; also tells whether it was read to its end.
fn unpack_stream(
    stream: impl Read,
    layer: &Layer,
    folder: &Path,
) -> (Result<(), LayerError>, bool) {
    let mut stream = Checked {
        stream,
        digest: Sha256::new(),
        ended: false,
    };
    let result = unpack(&mut stream, folder)
        .map_err(LayerError::from)
        .and_then(|()| {
            // The digest is of all of it, and archives are padded.
            io::copy(&mut stream, &mut io::sink()).map_err(LayerError::Read)
        });
    let digest = crate::text::hex(&stream.digest.finalize());
    let result = match result {
        Ok(_) if digest == layer.diff_id => Ok(()),
        Ok(_) => Err(LayerError::Content(digest)),
        Err(error) => Err(error),
    };
    (result, stream.ended)
}

/// A stream whose digest is taken as it is read.
struct Checked<R> {
    stream: R,
    digest: Sha256,
    ended: bool,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.digest.update(&buffer[..count]);
        self.ended |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}
