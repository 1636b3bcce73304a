//! Whether something listens on a port in a process's network namespace, from `/proc`.

use std::fs;

use crate::servers::Readiness;

/// The state of a listening TCP socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// Whether the port is listened on in the network namespace of a process.
pub fn is_ready(pid: u32, readiness: Readiness) -> bool {
    let (protocol, port, state) = match readiness {
        Readiness::Tcp(port) => ("tcp", port, Some(LISTEN)),
        Readiness::Udp(port) => ("udp", port, None),
    };
    ["", "6"].iter().any(|version| {
        fs::read_to_string(format!("/proc/{pid}/net/{protocol}{version}"))
            .is_ok_and(|table| has_socket(&table, port, state))
    })
}

/// Whether a table of `/proc/net` has a socket on a local port, in a state.
fn has_socket(table: &str, port: u16, state: Option<&str>) -> bool {
    let ending = format!(":{port:04X}");
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let local = fields.next().is_some_and(|local| local.ends_with(&ending));
        let remote_then_state = fields.nth(1);
        local && state.is_none_or(|state| remote_then_state == Some(state))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 0503001F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1
   1: 0503001F:1F90 0603001F:0050 01 00000000:00000000 00:00000000 00000000 0 0 2";

    #[test]
    fn only_a_listening_socket_on_the_port_counts() {
        assert!(has_socket(TABLE, 3306, Some(LISTEN)));
        assert!(!has_socket(TABLE, 8080, Some(LISTEN)));
        assert!(has_socket(TABLE, 8080, None));
        assert!(!has_socket(TABLE, 80, None));
    }

    #[test]
    fn a_socket_of_this_process_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_ready(std::process::id(), Readiness::Tcp(port)));
        drop(listener);
        assert!(!is_ready(std::process::id(), Readiness::Tcp(port)));
    }
}
