//! OpenSSH: the bastion's server, and the client that goes through it.
//!
//! The bastion runs over the machine's own file system with three account files of its own mounted
//! over `/etc/passwd`, `/etc/group` and `/etc/shadow` ([`Accounts`]), so that it knows one person and
//! no account of the machine.

mod accounts;
mod client;
mod keys;
mod server;

pub use accounts::{Accounts, LoginUser, accounts};
pub use client::{ClientHost, client_command_line, render_client_config};
pub use keys::{PublicKey, authorized_key_line, known_hosts_line};
pub use server::{Bastion, Forwarding, check_command_line, command_line, render};

/// The server, as Debian installs it. It must be started by its absolute path.
pub const PROGRAM: &str = "/usr/sbin/sshd";

/// A directory that must exist, owned by root and writable by nobody else, e.g. as a tmpfs.
pub const PRIVILEGE_SEPARATION_DIRECTORY: &str = "/run/sshd";

/// The capabilities without which a part of it fails, found by taking away one after the other:
/// becoming the person who logs in (`SETUID`, `SETGID`), confining the unauthenticated half
/// (`SYS_CHROOT`) and ending it (`KILL`).
pub const CAPABILITIES: [&str; 4] = ["CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT"];

/// What a terminal needs beside: giving it to the person (`CHOWN`, `FOWNER`) and recording the login
/// (`AUDIT_WRITE`, whose refusal ends the session).
pub const TERMINAL_CAPABILITIES: [&str; 3] = ["CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_FOWNER"];
