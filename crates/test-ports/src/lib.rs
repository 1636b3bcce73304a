//! Ports of the loopback address for tests that start servers: each given to one test only.
//!
//! A port that the kernel gave and took back (`bind` to port 0, `close`) can be given to another
//! server before the first one listens on it. These ports are outside of the range that the
//! kernel gives from by default (32768 to 60999, `ip_local_port_range`), and each is reserved on
//! this machine until the process that asked for it ends.

use std::{
    hash::{BuildHasher, RandomState},
    io,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
    sync::{Mutex, PoisonError},
};

/// The first port that is given.
const FIRST: u16 = 10_000;
/// How many ports there are to give from.
const NUMBER: u16 = 20_000;

/// Names in the kernel's abstract namespace: the process that bound one alone has it, and its end
/// frees it, however it ends.
static RESERVED: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// A port of 127.0.0.1 on which nothing listens and which no other test has or gets.
///
/// # Panics
/// When every port is taken.
#[must_use]
pub fn reserve() -> u16 {
    let begin = RandomState::new().hash_one(()) % u64::from(NUMBER);
    let begin = u16::try_from(begin).expect("a remainder of a u16 is one");
    (0..NUMBER)
        .map(|step| FIRST + (begin + step) % NUMBER)
        .find(|port| take(*port).is_ok())
        .expect("a port of this machine is free")
}

fn take(port: u16) -> io::Result<()> {
    let name = SocketAddr::from_abstract_name(format!("mck-test-port-{port}"))?;
    let reservation = UnixListener::bind_addr(&name)?;
    TcpListener::bind(("127.0.0.1", port))?;
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    reserved.push(reservation);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{FIRST, NUMBER, reserve, take};
    use std::{collections::BTreeSet, net::TcpListener};

    #[test]
    fn no_port_is_given_twice() {
        let ports: BTreeSet<u16> = (0..500).map(|_| reserve()).collect();
        assert_eq!(ports.len(), 500);
        assert!(
            ports
                .iter()
                .all(|port| (FIRST..FIRST + NUMBER).contains(port))
        );
        assert!(ports.iter().all(|port| take(*port).is_err()));
    }

    #[test]
    fn a_port_on_which_somebody_listens_is_not_given() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(take(listener.local_addr().unwrap().port()).is_err());
    }
}
