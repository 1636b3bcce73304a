//! Public keys and the lines that they stand in.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::text::UnsafeText;

/// An Ed25519 public key as `ssh-keygen` writes it, without its comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(String);

const ALGORITHM: &str = "ssh-ed25519";

impl FromStr for PublicKey {
    type Err = UnsafeText;

    /// Reads the content of a `.pub` file.
    fn from_str(text: &str) -> Result<Self, UnsafeText> {
        let mut words = text.split_ascii_whitespace();
        let error = UnsafeText {
            field: "a public key",
            problem: "is not an Ed25519 public key",
        };
        match (words.next(), words.next()) {
            // 51 bytes in base64: the length and name of the algorithm, the length and the key.
            (Some(ALGORITHM), Some(key))
                if key.len() == 68
                    && key.starts_with("AAAAC3NzaC1lZDI1NTE5AAAAI")
                    && key
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b)) =>
            {
                Ok(Self(key.to_owned()))
            }
            _ => Err(error),
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{ALGORITHM} {}", self.0)
    }
}

/// A line of `authorized_keys` that allows forwarding, and a terminal where wanted, and nothing that
/// OpenSSH may add in later versions.
pub fn authorized_key_line(key: &PublicKey, terminal: bool) -> String {
    let terminal = if terminal { ",pty" } else { "" };
    format!("restrict,port-forwarding{terminal} {key}\n")
}

/// A line of `known_hosts`: this key is the server's at that address and port.
pub fn known_hosts_line(address: IpAddr, port: u16, key: &PublicKey) -> String {
    if port == 22 {
        format!("{address} {key}\n")
    } else {
        format!("[{address}]:{port} {key}\n")
    }
}
