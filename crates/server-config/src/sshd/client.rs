//! The client's side: `ssh` with a configuration of its own, so that the person's settings and keys
//! are neither used nor changed.

use std::fmt::Write;
use std::net::IpAddr;

use crate::text::{UnsafeText, word};

/// A server that can be named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHost {
    /// The name, e.g. `bastion`.
    pub alias: String,
    /// Its address, as seen from the bastion for servers behind it.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Account there.
    pub user: String,
    /// Alias of the server to go through.
    pub jump: Option<String>,
}

/// Renders the client's configuration. Only keys of the known hosts file are trusted.
///
/// # Errors
/// [`UnsafeText`] when a value would change the meaning of the file.
pub fn render_client_config(
    hosts: &[ClientHost],
    identity_file: &str,
    known_hosts_file: &str,
) -> Result<String, UnsafeText> {
    let mut text = String::new();
    for host in hosts {
        let alias = word("the alias of a server", &host.alias)?;
        if alias.contains([',', '%']) {
            return Err(UnsafeText {
                field: "the alias of a server",
                problem: "is no single name",
            });
        }
        let user = word("the login user", &host.user)?;
        let _ = write!(
            text,
            "Host {alias}\n  HostName {}\n  Port {}\n  User {user}\n",
            host.address, host.port
        );
        if let Some(jump) = &host.jump {
            let _ = writeln!(text, "  ProxyJump {}", word("the alias of a server", jump)?);
        }
    }
    let _ = write!(
        text,
        "Host *
  IdentityFile {}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {}
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  UpdateHostKeys no
  PasswordAuthentication no
  KbdInteractiveAuthentication no
  ForwardAgent no
  ForwardX11 no
  ServerAliveInterval 30
  LogLevel ERROR
",
        word("the path of the identity", identity_file)?,
        word("the path of the known hosts", known_hosts_file)?,
    );
    Ok(text)
}

/// The client with that configuration; the command may be empty for a shell.
///
/// # Errors
/// [`UnsafeText`] when the alias is no name.
pub fn client_command_line(
    config_file: &str,
    alias: &str,
    command: &[String],
) -> Result<Vec<String>, UnsafeText> {
    let mut line = ["/usr/bin/ssh", "-F", config_file, "--"]
        .map(str::to_owned)
        .to_vec();
    line.push(word("the alias of a server", alias)?.to_owned());
    line.extend_from_slice(command);
    Ok(line)
}
