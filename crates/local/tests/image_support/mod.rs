//! Small images made from Debian's static busybox, and a registry on loopback.
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use sha2::{Digest, Sha256};

/// Runs a program to its end; a missing one is named with its Debian package.
pub fn run(package: &str, command: &mut Command) -> Vec<u8> {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: install Debian's package {package}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output.stdout
}

pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A layer's archive under construction.
pub struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    pub fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn add(mut self, kind: tar::EntryType, name: &str, mode: u32, content: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(1_000_000);
        header.set_size(content.len() as u64);
        self.0.append_data(&mut header, name, content).unwrap();
        self
    }

    pub fn file(self, name: &str, mode: u32, content: &[u8]) -> Self {
        self.add(tar::EntryType::Regular, name, mode, content)
    }

    pub fn folder(self, name: &str, mode: u32) -> Self {
        self.add(tar::EntryType::Directory, name, mode, b"")
    }

    pub fn link(mut self, kind: tar::EntryType, name: &str, target: &str) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o777);
        header.set_size(0);
        self.0.append_link(&mut header, name, target).unwrap();
        self
    }

    pub fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

/// A root with busybox, two users, and things for upper layers to hide.
pub fn base_layer() -> Vec<u8> {
    let busybox = fs::read("/bin/busybox").expect("install Debian's package busybox-static");
    Layer::new()
        .folder("bin", 0o755)
        .file("bin/busybox", 0o755, &busybox)
        .link(tar::EntryType::Symlink, "bin/sh", "busybox")
        .link(tar::EntryType::Link, "bin/cat", "bin/busybox")
        .folder("etc", 0o755)
        .file(
            "etc/passwd",
            0o644,
            b"root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n",
        )
        .file("etc/group", 0o644, b"root:x:0:\nweb:x:80:\n")
        .folder("data", 0o755)
        .file("data/old", 0o644, b"old")
        .file("data/keep", 0o644, b"base")
        .folder("cache", 0o755)
        .file("cache/a", 0o644, b"a")
        .file("cache/b", 0o644, b"b")
        .bytes()
}

/// Changes, hides and replaces what the base has.
pub fn top_layer() -> Vec<u8> {
    Layer::new()
        .folder("data", 0o755)
        .file("data/.wh.old", 0o644, b"")
        .file("data/new", 0o644, b"new")
        .folder("cache", 0o755)
        .file("cache/.wh..wh..opq", 0o644, b"")
        .file("cache/c", 0o644, b"c")
        .link(
            tar::EntryType::Symlink,
            "data/out",
            "../../../../../etc/hostname",
        )
        .bytes()
}

/// Writes an OCI layout with one image, in the way that Go's tools write it.
pub struct Layout {
    pub path: PathBuf,
}

/// How a layer's blob is made of its archive.
#[derive(Clone, Copy)]
pub enum Blob {
    Plain,
    Gzip,
    Zstd,
}

impl Layout {
    /// An image of layers, the base first, with `execution` as the `config` of its configuration.
    pub fn write(path: &Path, execution: &str, layers: &[(Blob, Vec<u8>)]) -> Self {
        let diff_ids: Vec<_> = layers.iter().map(|(_, archive)| sha256(archive)).collect();
        Self::write_claiming(path, execution, layers, &diff_ids)
    }

    /// As [`Self::write`], with diff-ids that may be wrong.
    pub fn write_claiming(
        path: &Path,
        execution: &str,
        layers: &[(Blob, Vec<u8>)],
        diff_ids: &[String],
    ) -> Self {
        let layout = Self {
            path: path.to_owned(),
        };
        fs::create_dir_all(path.join("blobs/sha256")).unwrap();
        fs::write(path.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let descriptors: Vec<String> = layers
            .iter()
            .map(|(kind, archive)| match kind {
                Blob::Plain => layout.blob("layer.v1.tar", archive),
                Blob::Gzip => layout.blob("layer.v1.tar+gzip", &layout.filtered("gzip", archive)),
                Blob::Zstd => layout.blob("layer.v1.tar+zstd", &layout.filtered("zstd", archive)),
            })
            .collect();
        let diff_ids: Vec<_> = diff_ids
            .iter()
            .map(|id| format!(r#""sha256:{id}""#))
            .collect();
        let history = vec![r#"{"created_by":"a test"}"#; layers.len()].join(",");
        let config = format!(
            r#"{{"created":"2026-01-02T03:04:05Z","architecture":"{}","os":"linux","config":{execution},"rootfs":{{"type":"layers","diff_ids":[{}]}},"history":[{history}]}}"#,
            match std::env::consts::ARCH {
                "x86_64" => "amd64",
                "aarch64" => "arm64",
                other => other,
            },
            diff_ids.join(","),
        );
        let config = layout.blob("config.v1+json", config.as_bytes());
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[{}]}}"#,
            descriptors.join(","),
        );
        let manifest = layout.blob("manifest.v1+json", manifest.as_bytes());
        let named = manifest.replacen(
            '{',
            r#"{"annotations":{"org.opencontainers.image.ref.name":"1"},"#,
            1,
        );
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{named}]}}"#);
        fs::write(path.join("index.json"), index).unwrap();
        layout
    }

    fn blob(&self, kind: &str, content: &[u8]) -> String {
        let digest = sha256(content);
        fs::write(self.path.join("blobs/sha256").join(&digest), content).unwrap();
        let kind = format!("application/vnd.oci.image.{kind}");
        format!(
            r#"{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{}}}"#,
            content.len()
        )
    }

    fn filtered(&self, program: &str, archive: &[u8]) -> Vec<u8> {
        let path = self.path.join("archive");
        fs::write(&path, archive).unwrap();
        let input = fs::File::open(&path).unwrap();
        // Without the time, which gzip would keep.
        let options: &[&str] = if program == "gzip" { &["-cn"] } else { &["-c"] };
        let out = run(program, Command::new(program).args(options).stdin(input));
        fs::remove_file(path).unwrap();
        out
    }

    /// skopeo's name of the image.
    pub fn reference(&self) -> String {
        format!("oci:{}:1", self.path.display())
    }
}

/// skopeo, to bring an image where a test needs it.
pub fn skopeo_copy(from: &str, to: &str) {
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["copy", "--quiet", "--dest-tls-verify=false", from, to]);
    run("skopeo", &mut skopeo);
}

/// A registry of Debian's package docker-registry; ends with this value.
pub struct Registry {
    process: Child,
    pub port: u16,
}

impl Registry {
    pub fn start(folder: &Path) -> Self {
        let port = mck_test_ports::reserve();
        let config = folder.join("registry.yml");
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
            folder.join("registry").display(),
        );
        fs::write(&config, text).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("install Debian's package docker-registry");
        let registry = Self { process, port };
        let connect = || TcpStream::connect(("127.0.0.1", port)).ok();
        mck_local::wait::until(Duration::from_secs(20), connect).expect("the registry listens");
        registry
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// All below a folder: path, mode, and content of files.
pub fn listing(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = match metadata.is_file() {
                true => sha256(&fs::read(&path).unwrap()),
                false => String::new(),
            };
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            lines.push(format!(
                "{name} {:o} {content}",
                metadata.permissions().mode()
            ));
            if metadata.is_dir() {
                pending.push(path);
            }
        }
    }
    lines.sort();
    lines
}
