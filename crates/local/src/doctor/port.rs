//! Whether a port of the host is free, and who has it.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
};

use super::{Area, Finding, Status};

/// Programs whose Debian packages start a service that takes ports of the host.
const SERVICES: [(&str, &str); 5] = [
    ("haproxy", "haproxy"),
    ("nginx", "nginx"),
    ("apache2", "apache2"),
    ("memcached", "memcached"),
    ("varnishd", "varnish"),
];

/// The program that holds a container's sockets.
const CONTAINER_MONITOR: &str = "conmon";

/// Whether an address can be listened on. A listener without SO_REUSEPORT, such as this one, is
/// refused where another listens, whatever options that one has.
pub fn look(address: SocketAddr) -> Finding {
    let name = format!("port {}", address.port());
    match TcpListener::bind(address) {
        Ok(_) => Finding::new(Area::Port, name, Status::Ok, format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken(name, address),
        Err(error) => Finding::new(
            Area::Port,
            name,
            Status::Missing,
            format!("{address} can't be listened on: {error}"),
        )
        .hint("set `listen` of `[local]` to an address of this machine"),
    }
}

fn taken(name: String, address: SocketAddr) -> Finding {
    let other = "choose another port with `http-port` and `https-port` of `[local]`";
    match holder(address.port()) {
        Some((program, pid)) if program == CONTAINER_MONITOR => {
            let whose = match environment_of(pid) {
                Some(id) => format!("the environment `{id}`"),
                None => "a container".to_owned(),
            };
            Finding::new(
                Area::Port,
                name,
                Status::Missing,
                format!("{address} is taken by {whose}"),
            )
            .hint(format!("stop it with `mck stop`, or {other}"))
        }
        Some((program, pid)) => {
            let detail = format!("{address} is taken by `{program}` (process {pid})");
            let service = SERVICES.iter().find(|(known, _)| *known == program);
            let hint = match service {
                Some((_, service)) => {
                    format!("stop it with `systemctl disable --now {service}`, or {other}")
                }
                None => format!("stop that program, or {other}"),
            };
            Finding::new(Area::Port, name, Status::Missing, detail).hint(hint)
        }
        None => {
            let detail = format!("{address} is taken by another program");
            Finding::new(Area::Port, name, Status::Missing, detail).hint(other)
        }
    }
}

/// The name and id of the process that listens on a port of the host, as far as it can be seen.
fn holder(port: u16) -> Option<(String, u32)> {
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
    let socket = tables.iter().find_map(|table| {
        let text = fs::read_to_string(table).ok()?;
        listening_socket(&text, port).map(|inode| format!("socket:[{inode}]"))
    })?;
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten();
        descriptors
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|target| target.as_os_str() == socket.as_str())
    })?;
    let program = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some((program.trim_end().to_owned(), pid))
}

/// The environment whose container a conmon watches, by the bundle on its command line:
/// `…/ID/run/containers/NAME`.
fn environment_of(pid: u32) -> Option<String> {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    line.split('\0').find_map(environment_of_bundle)
}

fn environment_of_bundle(path: &str) -> Option<String> {
    let (before, _) = path.split_once("/run/containers/")?;
    before.rsplit('/').next().map(str::to_owned)
}

/// The inode of the socket that listens on a port, from a table of `/proc/net` (proc(5)).
fn listening_socket(table: &str, port: u16) -> Option<&str> {
    let ending = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let listens = fields.get(3) == Some(&"0A");
        (listens && fields.get(1)?.ends_with(&ending)).then(|| fields.get(9).copied())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_its_holder() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let finding = look(address);
        assert_eq!(finding.status, Status::Missing);
        let us = format!("(process {})", std::process::id());
        assert!(finding.detail.contains(&us), "{}", finding.detail);
        drop(listener);
        assert_eq!(look(address).status, Status::Ok);
    }

    #[test]
    fn a_bundle_names_its_environment() {
        let bundle = "/var/lib/magecloudkit/shop-local/run/containers/lb-a";
        assert_eq!(environment_of_bundle(bundle).as_deref(), Some("shop-local"));
        assert_eq!(environment_of_bundle("--bundle"), None);
    }

    #[test]
    fn an_address_of_another_machine_is_told_apart_from_a_taken_port() {
        // 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it.
        let finding = look("192.0.2.1:8080".parse().unwrap());
        assert!(finding.hint.unwrap().contains("`listen`"));
    }
}
