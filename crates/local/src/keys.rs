//! Keys and certificates that the environment makes for itself, once, by the usual programs.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    thread,
};

use mck_server_config::sshd::PublicKey;

use crate::{
    command::{Command, CommandError},
    layout::write_atomically,
};

/// Why keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// `ssh-keygen` or `openssl` failed.
    #[error(transparent)]
    Program(#[from] CommandError),
    /// A file could not be read or written.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key file is not what `ssh-keygen` writes.
    #[error("{} is no Ed25519 public key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

/// The environment's keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// SSH host keys by node.
    pub host_keys: BTreeMap<String, String>,
    /// SSH host keys' public halves by node.
    pub public_host_keys: BTreeMap<String, PublicKey>,
    /// The public half of the key by which `mck ssh` logs in.
    pub client: PublicKey,
    /// The load balancer's certificate, its chain and its key, in PEM.
    pub certificate: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.host_keys.keys()).finish()
    }
}

/// File names in the folder of keys.
pub mod files {
    /// The private key of `mck ssh`.
    pub const CLIENT: &str = "ssh-client";
    /// The certificate of the local certificate authority, for a browser to trust.
    pub const AUTHORITY: &str = "ca.pem";
}

/// Reads the keys in a folder; makes those that are missing. `hosts` are the names that the load
/// balancer's certificate is for; it is made again when they change.
///
/// # Errors
/// When a program is missing or fails, or a file can't be used.
pub fn ensure(folder: &Path, nodes: &[String], hosts: &[String]) -> Result<Keys, KeyError> {
    let (ssh, tls) = thread::scope(|scope| {
        let makers: Vec<_> = nodes
            .iter()
            .map(|node| format!("ssh-host-{node}"))
            .chain([files::CLIENT.to_owned()])
            .map(|name| scope.spawn(move || ssh_key(folder, &name)))
            .collect();
        let tls = certificate(folder, hosts);
        let ssh: Result<Vec<_>, _> = makers
            .into_iter()
            .map(|maker| {
                maker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect();
        (ssh, tls)
    });
    let mut ssh = ssh?;
    let (_, client) = ssh.pop().expect("the client's key was asked for last");
    let (private, public): (Vec<_>, Vec<_>) = ssh.into_iter().unzip();
    Ok(Keys {
        host_keys: nodes.iter().cloned().zip(private).collect(),
        public_host_keys: nodes.iter().cloned().zip(public).collect(),
        client,
        certificate: tls?,
    })
}

fn read(path: &Path) -> Result<String, KeyError> {
    fs::read_to_string(path).map_err(|source| KeyError::File {
        path: path.to_owned(),
        source,
    })
}

fn ssh_key(folder: &Path, name: &str) -> Result<(String, PublicKey), KeyError> {
    let path = folder.join(name);
    let public = folder.join(format!("{name}.pub"));
    if !public.exists() {
        // Left by a run that was killed in between; ssh-keygen would ask.
        let _ = fs::remove_file(&path);
        Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
            .arg(&path)
            .run()?;
    }
    let key = read(&public)?
        .parse()
        .map_err(|_| KeyError::NoKey { path: public })?;
    Ok((read(&path)?, key))
}

/// The load balancer's certificate, from a certificate authority of the environment's own.
fn certificate(folder: &Path, hosts: &[String]) -> Result<String, KeyError> {
    let bundle = folder.join("load-balancer.pem");
    let names = folder.join("load-balancer.hosts");
    let wanted = hosts.join("\n");
    if bundle.exists() && fs::read_to_string(&names).is_ok_and(|made_for| made_for == wanted) {
        return read(&bundle);
    }
    let (authority, authority_key) = (folder.join(files::AUTHORITY), folder.join("ca.key"));
    if !authority.exists() {
        request(&[
            "-x509",
            "-days",
            "3650",
            "-subj",
            "/CN=MageCloudKit local CA",
        ])
        .args(["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"])
        .args(["-addext", "keyUsage=critical,keyCertSign,cRLSign"])
        .arg("-keyout")
        .arg(&authority_key)
        .arg("-out")
        .arg(&authority)
        .run()?;
    }
    let (leaf, leaf_key) = (
        folder.join("load-balancer.crt"),
        folder.join("load-balancer.key"),
    );
    let alternatives: Vec<String> = hosts
        .iter()
        .map(|host| format!("DNS:{host}"))
        .chain(["DNS:localhost".to_owned(), "IP:127.0.0.1".to_owned()])
        .collect();
    request(&["-x509", "-days", "397", "-subj", "/CN=localhost"])
        .arg("-CA")
        .arg(&authority)
        .arg("-CAkey")
        .arg(&authority_key)
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-addext", "extendedKeyUsage=serverAuth"])
        .args([
            "-addext",
            &format!("subjectAltName={}", alternatives.join(",")),
        ])
        .arg("-keyout")
        .arg(&leaf_key)
        .arg("-out")
        .arg(&leaf)
        .run()?;
    let text = [read(&leaf)?, read(&authority)?, read(&leaf_key)?].concat();
    for (path, content) in [(&bundle, &text), (&names, &wanted)] {
        write_atomically(path, content.as_bytes()).map_err(|source| KeyError::File {
            path: path.clone(),
            source,
        })?;
    }
    Ok(text)
}

fn request(options: &[&str]) -> Command {
    Command::new("openssl")
        .args([
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_the_certificate_again_when_hosts_change() {
        let folder = tempfile::tempdir().unwrap();
        let nodes = ["bastion".to_owned(), "app-1".to_owned()];
        let hosts = ["shop.localhost".to_owned()];
        let first = ensure(folder.path(), &nodes, &hosts).unwrap();
        assert_eq!(ensure(folder.path(), &nodes, &hosts).unwrap(), first);
        let other = ensure(folder.path(), &nodes, &["blog.localhost".to_owned()]).unwrap();
        assert_ne!(other.certificate, first.certificate);
        assert_eq!(other.host_keys, first.host_keys);
        let verified = Command::new("openssl")
            .args(["verify", "-verify_hostname", "blog.localhost", "-CAfile"])
            .arg(folder.path().join(files::AUTHORITY))
            .arg(folder.path().join("load-balancer.crt"))
            .run();
        verified.unwrap();
    }
}
