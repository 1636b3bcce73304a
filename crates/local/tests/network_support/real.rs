//! A real network in namespaces, taken down whatever becomes of the test.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream},
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use mck_blueprint::Blueprint;
use mck_local::{
    command::Command,
    id::EnvironmentId,
    network::{NetworkPlan, apply, in_namespace, teardown},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with, sockopt},
};

/// A visitor, inside of the Bastion's allowed range.
pub const OFFICE_CLIENT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// A visitor from elsewhere.
pub const OTHER_CLIENT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 200);
/// A server on the internet.
pub const WEBSITE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 77);

/// How long a connection may take: longer than TCP waits before it tries again, since the machine
/// may be busy. A forbidden one takes this long.
const PATIENCE: Duration = Duration::from_millis(1500);

pub struct Vpc {
    pub plan: NetworkPlan,
}

impl Vpc {
    /// Makes the network under a name that no other test or test run uses.
    pub fn new(test: &str, blueprint: &Blueprint) -> Self {
        let vpc = Self {
            plan: super::plan_of(blueprint, &environment(test)),
        };
        apply(&vpc.plan).unwrap();
        vpc
    }

    /// Gives the internet side addresses of its own.
    pub fn with_internet(self) -> Self {
        let lines = [OFFICE_CLIENT, OTHER_CLIENT, WEBSITE]
            .map(|address| format!("address add {address}/32 dev lo\n"))
            .concat();
        self.ip("igw", &lines);
        self
    }

    pub fn namespace(&self, part: &str) -> String {
        self.plan.environment.namespace(part)
    }

    pub fn address(&self, part: &str) -> Ipv4Addr {
        self.plan.attachments[part].address
    }

    /// Runs `ip` inside of a part.
    pub fn ip(&self, part: &str, lines: &str) {
        let namespace = self.namespace(part);
        let command = Command::new("ip")
            .args(["-n", &namespace, "-batch", "-"])
            .stdin(lines);
        command.run().unwrap();
    }

    /// Listens on all addresses of a part.
    pub fn listen(&self, part: &str, port: u16) -> TcpListener {
        in_namespace(&self.namespace(part), || {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
        })
        .unwrap()
        .unwrap()
    }

    /// Which of the targets accept a connection from a part, all tried at once.
    pub fn reached(
        &self,
        part: &str,
        from: Option<Ipv4Addr>,
        targets: &[(Ipv4Addr, u16)],
    ) -> Vec<bool> {
        in_namespace(&self.namespace(part), || {
            let sockets: Vec<OwnedFd> = targets
                .iter()
                .map(|(address, port)| connecting(from, *address, *port))
                .collect();
            wait_connected(&sockets)
        })
        .unwrap()
    }

    pub fn reaches(&self, part: &str, target: Ipv4Addr, port: u16) -> bool {
        self.reached(part, None, &[(target, port)])[0]
    }

    /// Connects from a part to a listener and tells whom the listener sees.
    pub fn seen_from(
        &self,
        part: &str,
        listener: &TcpListener,
        target: Ipv4Addr,
    ) -> Option<IpAddr> {
        let address = SocketAddr::from((target, listener.local_addr().unwrap().port()));
        let stream = in_namespace(&self.namespace(part), || {
            TcpStream::connect_timeout(&address, PATIENCE)
        });
        let _stream = stream.unwrap().ok()?;
        Some(listener.accept().unwrap().1.ip())
    }
}

impl Drop for Vpc {
    fn drop(&mut self) {
        let result = teardown(&self.plan.environment);
        if !std::thread::panicking() {
            result.unwrap();
        }
    }
}

pub fn environment(test: &str) -> EnvironmentId {
    assert!(
        rustix::process::geteuid().is_root(),
        "the network's tests need root"
    );
    EnvironmentId::new(format!("{test}-{}", std::process::id())).unwrap()
}

fn connecting(from: Option<Ipv4Addr>, address: Ipv4Addr, port: u16) -> OwnedFd {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    if let Some(from) = from {
        bind(&socket, &SocketAddrV4::new(from, 0)).unwrap();
    }
    // What becomes of it is asked later.
    let _ = connect(&socket, &SocketAddrV4::new(address, port));
    socket
}

fn wait_connected(sockets: &[OwnedFd]) -> Vec<bool> {
    let deadline = Instant::now() + PATIENCE;
    let mut done = vec![None; sockets.len()];
    while let Some(left) = deadline.checked_duration_since(Instant::now()) {
        let open: Vec<usize> = (0..sockets.len())
            .filter(|index| done[*index].is_none())
            .collect();
        if open.is_empty() {
            break;
        }
        let mut waiting: Vec<PollFd<'_>> = open
            .iter()
            .map(|index| PollFd::new(&sockets[*index], PollFlags::OUT))
            .collect();
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap(),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        poll(&mut waiting, Some(&timeout)).unwrap();
        for (index, poll) in open.into_iter().zip(waiting) {
            if !poll.revents().is_empty() {
                let error = sockopt::socket_error(sockets[index].as_fd()).unwrap();
                done[index] = Some(error.is_ok());
            }
        }
    }
    done.into_iter()
        .map(|connected| connected == Some(true))
        .collect()
}
