//! dnsmasq as the VPC's resolver: the private hosted zone, and a forwarder for the rest.

use std::fmt::Write;
use std::net::IpAddr;

use crate::text::{UnsafeText, host_name, word};

/// The program, as Debian installs it.
pub const PROGRAM: &str = "/usr/sbin/dnsmasq";

/// The signal after which it reads the hosts file again and forgets cached answers.
pub const RELOAD_SIGNAL: &str = "SIGHUP";

/// The resolver at the VPC's `.2` address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolver {
    /// Address it listens on, UDP and TCP.
    pub address: IpAddr,
    /// Port, 53 by default.
    pub port: u16,
    /// The private zones, e.g. `us-east-1.magecloudkit.internal`: names in them that the hosts file
    /// does not have do not exist, and are never asked for upstream.
    pub zones: Vec<String>,
    /// Path of the hosts file of [`render_hosts`].
    pub hosts_file: String,
    /// Resolvers that the other names are forwarded to. With none, other names are refused.
    pub upstreams: Vec<IpAddr>,
    /// Seconds that a client may keep an answer from the hosts file; short, so that a failover is
    /// seen.
    pub ttl_seconds: u32,
    /// Forwarded answers that are kept.
    pub cache_size: u32,
}

impl Resolver {
    /// A resolver on port 53 with a TTL of one second and no upstream.
    pub fn new(address: IpAddr, zone: impl Into<String>, hosts_file: impl Into<String>) -> Self {
        Self {
            address,
            port: 53,
            zones: vec![zone.into()],
            hosts_file: hosts_file.into(),
            upstreams: Vec::new(),
            ttl_seconds: 1,
            cache_size: 1000,
        }
    }
}

/// A name of the zone and what it stands for; several addresses are given in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Full name without a final dot.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// The configuration file. dnsmasq reads nothing of the machine's own (`/etc/hosts`,
/// `/etc/resolv.conf`) and changes neither user nor group: it is started as the user it shall be.
///
/// # Errors
/// [`UnsafeText`] when a name or path would change the meaning of the file.
pub fn render(resolver: &Resolver) -> Result<String, UnsafeText> {
    let mut text = format!(
        "# The resolver of the VPC. Rendered; changes are lost.
keep-in-foreground
log-facility=-
pid-file=
user=
group=
no-resolv
no-hosts
no-poll
listen-address={}
port={}
bind-interfaces
addn-hosts={}
local-ttl={}
cache-size={}
# Names without a dot, and addresses of private networks, are nobody else's business.
domain-needed
bogus-priv
",
        resolver.address,
        resolver.port,
        word("the path of the hosts file", &resolver.hosts_file)?,
        resolver.ttl_seconds,
        resolver.cache_size,
    );
    for zone in &resolver.zones {
        let _ = writeln!(text, "local=/{}/", host_name("the name of a zone", zone)?);
    }
    for upstream in &resolver.upstreams {
        let _ = writeln!(text, "server={upstream}");
    }
    Ok(text)
}

/// The hosts file: one line per address, in the order given. Reverse lookups answer with the first
/// name of an address.
///
/// # Errors
/// [`UnsafeText`] when a name is no host name.
pub fn render_hosts(records: &[Record]) -> Result<String, UnsafeText> {
    let mut text = String::new();
    for record in records {
        let name = host_name("the name of a record", &record.name)?;
        for address in &record.addresses {
            let _ = writeln!(text, "{address} {name}");
        }
    }
    Ok(text)
}

/// The command line.
pub fn command_line(config_file: &str) -> Vec<String> {
    vec![PROGRAM.to_owned(), format!("--conf-file={config_file}")]
}

/// The command line that checks a configuration file and ends.
pub fn check_command_line(config_file: &str) -> Vec<String> {
    vec![
        PROGRAM.to_owned(),
        "--test".to_owned(),
        format!("--conf-file={config_file}"),
    ]
}
