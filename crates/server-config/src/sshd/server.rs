//! The bastion's `sshd_config`.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use crate::text::{UnsafeText, word};

/// Where connections may be forwarded to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forwarding {
    /// Anywhere that the bastion's security group reaches.
    WhereTheNetworkAllows,
    /// Only there.
    Only(Vec<SocketAddr>),
}

/// The jump host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bastion {
    /// Address it listens on.
    pub address: IpAddr,
    /// Port, 22 by default.
    pub port: u16,
    /// The one account that may log in.
    pub user: String,
    /// Path of the Ed25519 host key, 0600 and root's.
    pub host_key_file: String,
    /// Path of the authorized keys; it and the folders above must be root's and writable by nobody
    /// else.
    pub authorized_keys_file: String,
    /// Where connections may be forwarded to.
    pub forwarding: Forwarding,
    /// Whether one may have a terminal on the bastion itself, which takes
    /// [`super::TERMINAL_CAPABILITIES`].
    pub terminal: bool,
    /// Keys that may be tried per connection, at least 1.
    pub max_auth_tries: u8,
}

/// Renders `sshd_config`: keys only, one account, local forwarding and nothing else that a session
/// could open. The algorithms are the current ones of OpenSSH without SHA-1, CBC, NIST key exchange
/// and encrypt-and-MAC.
///
/// # Errors
/// [`UnsafeText`] when a value would change the meaning of the file.
pub fn render(bastion: &Bastion) -> Result<String, UnsafeText> {
    if bastion.max_auth_tries == 0 {
        let field = "the number of keys tried per connection";
        return Err(UnsafeText {
            field,
            problem: "must be at least 1",
        });
    }
    Ok(format!(
        "# The bastion. Rendered; changes are lost.
ListenAddress {address}
Port {port}
PidFile none
LogLevel VERBOSE

HostKey {host_key}
HostKeyAlgorithms ssh-ed25519
KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org
Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com

AuthenticationMethods publickey
PubkeyAuthentication yes
AuthorizedKeysFile {authorized_keys}
PasswordAuthentication no
KbdInteractiveAuthentication no
HostbasedAuthentication no
PermitEmptyPasswords no
UsePAM no
PermitRootLogin no
AllowUsers {user}
StrictModes yes
MaxAuthTries {tries}
LoginGraceTime 30
MaxStartups 10:30:60
UseDNS no

AllowTcpForwarding local
PermitOpen {open}
AllowAgentForwarding no
AllowStreamLocalForwarding no
X11Forwarding no
GatewayPorts no
PermitTunnel no
PermitTTY {terminal}
PermitUserEnvironment no
PermitUserRC no
PrintMotd no
PrintLastLog no
TCPKeepAlive no
ClientAliveInterval 60
ClientAliveCountMax 3
",
        address = bastion.address,
        port = bastion.port,
        host_key = word("the path of the host key", &bastion.host_key_file)?,
        authorized_keys = word(
            "the path of the authorized keys",
            &bastion.authorized_keys_file
        )?,
        user = word("the login user", &bastion.user)?,
        tries = bastion.max_auth_tries,
        open = permit_open(&bastion.forwarding),
        terminal = if bastion.terminal { "yes" } else { "no" },
    ))
}

fn permit_open(forwarding: &Forwarding) -> String {
    match forwarding {
        Forwarding::WhereTheNetworkAllows => "any".to_owned(),
        Forwarding::Only(addresses) if addresses.is_empty() => "none".to_owned(),
        Forwarding::Only(addresses) => {
            let mut text = String::new();
            for (index, address) in addresses.iter().enumerate() {
                let separator = if index == 0 { "" } else { " " };
                let _ = write!(text, "{separator}{address}");
            }
            text
        }
    }
}

/// The server in the foreground, logging to the standard error stream.
pub fn command_line(config_file: &str) -> Vec<String> {
    [super::PROGRAM, "-D", "-e", "-f", config_file]
        .map(str::to_owned)
        .to_vec()
}

/// The command line that checks a configuration file and its keys, and ends.
pub fn check_command_line(config_file: &str) -> Vec<String> {
    [super::PROGRAM, "-t", "-f", config_file]
        .map(str::to_owned)
        .to_vec()
}
