//! Talking to the load balancer's nodes while they run.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use mck_server_config::haproxy::{
    Target, TargetGroup,
    commands::{self, Admission, CommandError},
    fail_open_backend,
    status::{OperationalState, ServerStatus, StatusError, parse_show_stat},
};

/// Why a node could not be talked to.
#[derive(Debug, thiserror::Error)]
pub enum BalancerError {
    /// Its socket does not answer.
    #[error("the load balancer's socket does not answer")]
    Socket(#[from] io::Error),
    /// It answered what can't be read.
    #[error("the load balancer's answer can't be read")]
    Status(#[from] StatusError),
    /// A name can't be in a command.
    #[error("a name can't be in a command")]
    Name(#[from] mck_server_config::haproxy::RenderError),
    /// It refused a command.
    #[error("the load balancer refused a command")]
    Refused(#[from] CommandError),
}

/// What a target group should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedGroup {
    /// The group, with the targets that take requests.
    pub group: TargetGroup,
    /// Targets among them that are only checked so far.
    pub held: BTreeSet<String>,
    /// Targets that finish what they have and get no more.
    pub draining: BTreeSet<String>,
}

/// What a node says of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// Whether its health checks pass.
    pub healthy: bool,
    /// Whether it was checked at all.
    pub checked: bool,
    /// What the last check said, where it is known.
    pub detail: Option<String>,
    /// Requests in flight.
    pub in_flight: u64,
    /// Requests since the node began.
    pub requests: u64,
}

/// One command for a node's socket, and what the node must answer for it to count.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Register(Box<TargetGroup>, Target, Admission),
    Release(String, String),
    AdmitToFailOpen(String, Target),
    Drain(String, String),
    Remove(String, String),
}

/// How a node finds its targets, and what it would not do.
#[derive(Debug)]
pub struct Synchronised {
    /// How it finds each target, by group and target.
    pub health: BTreeMap<(String, String), TargetHealth>,
    /// The first command that it refused; the next look tries again.
    pub refused: Option<BalancerError>,
}

/// Brings a node to what is wanted and tells how it finds each target.
///
/// A command that it refuses keeps neither the others nor what is known of health back: one target
/// that can't be removed must not keep new ones from being seen healthy.
///
/// # Errors
/// When the node does not answer.
pub fn synchronise(socket: &Path, wanted: &[WantedGroup]) -> Result<Synchronised, BalancerError> {
    let status = parse_show_stat(&ask(socket, commands::SHOW_STAT)?)?;
    let mut refused = None;
    for change in changes(wanted, &status) {
        match carry_out(socket, &change) {
            Ok(()) => {}
            Err(error @ BalancerError::Socket(_)) => return Err(error),
            Err(error) => drop(refused.get_or_insert(error)),
        }
    }
    let health = health(wanted, &status);
    Ok(Synchronised { health, refused })
}

fn health(
    wanted: &[WantedGroup],
    status: &[ServerStatus],
) -> BTreeMap<(String, String), TargetHealth> {
    let checked = status.iter().filter(|server| {
        wanted
            .iter()
            .any(|wanted| wanted.group.name == server.backend)
    });
    checked
        .map(|server| {
            let health = TargetHealth {
                // A held one has no weight, which HAProxy calls draining.
                healthy: matches!(
                    server.state,
                    OperationalState::Up | OperationalState::Draining
                ) && server.has_passed_a_check(),
                checked: !matches!(server.check_status.trim_start_matches("* "), "" | "INI"),
                detail: detail(server),
                in_flight: server.current_sessions,
                requests: server.total_sessions,
            };
            ((server.backend.clone(), server.server.clone()), health)
        })
        .collect()
}

/// What the last check said; `None` while the next one is under way and has wiped out its answer.
fn detail(server: &ServerStatus) -> Option<String> {
    let status = server.check_status.trim_start_matches("* ");
    Some(match (status, server.check_code) {
        ("" | "INI", _) => "not checked yet".to_owned(),
        ("L7OK", Some(code)) => format!("answers {code}"),
        ("L7STS", Some(code @ 100..)) => format!("the health check got {code}"),
        ("L7STS", _) => return None,
        ("L7TOUT" | "L4TOUT", _) => "the health check took too long".to_owned(),
        ("L4CON", _) => "the health check's connection was refused".to_owned(),
        (status, _) => format!("{status} {}", server.last_check).trim().to_owned(),
    })
}

/// What must change for a node to be as wanted.
fn changes(wanted: &[WantedGroup], status: &[ServerStatus]) -> Vec<Change> {
    let mut changes = Vec::new();
    for WantedGroup {
        group,
        held,
        draining,
    } in wanted
    {
        let present: BTreeMap<&str, &ServerStatus> = status
            .iter()
            .filter(|server| server.backend == group.name)
            .map(|server| (server.server.as_str(), server))
            .collect();
        let open = fail_open_backend(&group.name);
        let admitted = |name: &str| {
            status.iter().any(|server| {
                server.backend == open
                    && server.server == name
                    && server.state != OperationalState::Maintenance
            })
        };
        for target in &group.targets {
            let is_held = held.contains(&target.name);
            match present.get(target.name.as_str()) {
                None => {
                    let admission = if is_held {
                        Admission::Held
                    } else {
                        Admission::WhenHealthy
                    };
                    let group = Box::new(group.clone());
                    changes.push(Change::Register(group, target.clone(), admission));
                }
                Some(server) if server.state == OperationalState::Draining && !is_held => {
                    changes.push(Change::Release(group.name.clone(), target.name.clone()));
                }
                Some(_) if is_held => {}
                Some(server) if server.has_passed_a_check() && !admitted(&target.name) => {
                    changes.push(Change::AdmitToFailOpen(group.name.clone(), target.clone()));
                }
                Some(_) => {}
            }
        }
        // A removal can be finished in one of the group's backends and not yet in the other.
        let unwanted: BTreeSet<&str> = status
            .iter()
            .filter(|server| server.backend == group.name || server.backend == open)
            .map(|server| server.server.as_str())
            .filter(|name| !group.targets.iter().any(|target| target.name == *name))
            .collect();
        for name in unwanted {
            let key = (group.name.clone(), name.to_owned());
            if !draining.contains(name) {
                changes.push(Change::Remove(key.0, key.1));
            } else if present
                .get(name)
                .is_some_and(|server| server.state != OperationalState::Maintenance)
            {
                changes.push(Change::Drain(key.0, key.1));
            }
        }
    }
    changes
}

fn carry_out(socket: &Path, change: &Change) -> Result<(), BalancerError> {
    match change {
        Change::Register(group, target, admission) => {
            let reply = ask(socket, &commands::register(group, target, *admission)?)?;
            match commands::check_reply(&reply) {
                Err(CommandError::AlreadyExists) => Ok(()),
                other => Ok(other?),
            }
        }
        Change::Release(group, target) => Ok(commands::check_reply(&ask(
            socket,
            &commands::release(group, target)?,
        )?)?),
        Change::AdmitToFailOpen(group, target) => {
            let admit = commands::admit_to_fail_open(group, &target.name)?;
            match commands::check_reply(&ask(socket, &admit)?) {
                Err(CommandError::NoSuchServer) => {
                    let add = commands::add_to_fail_open(group, target)?;
                    commands::check_reply(&ask(socket, &add)?)?;
                    Ok(commands::check_reply(&ask(socket, &admit)?)?)
                }
                other => Ok(other?),
            }
        }
        Change::Drain(group, target) => {
            let reply = ask(socket, &commands::drain(group, target)?)?;
            // What is removed already, from one of the backends or from both, is drained.
            Ok(commands::check_removal_reply(&reply)?)
        }
        Change::Remove(group, target) => {
            let reply = ask(socket, &commands::remove(group, target)?)?;
            match commands::check_removal_reply(&reply) {
                // It has requests in flight; the next look tries again.
                Err(CommandError::StillConnected) => Ok(()),
                other => Ok(other?),
            }
        }
    }
}

fn ask(socket: &Path, command: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(command.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{BufRead, BufReader},
        net::{SocketAddr, TcpListener, TcpStream},
        os::fd::OwnedFd,
        process::{Child, Command, Stdio},
        sync::mpsc::{Receiver, Sender, channel},
        thread,
    };

    use mck_server_config::haproxy::{
        self, Algorithm, Binding, DefaultAction, HealthCheck, HttpListener,
    };

    use super::*;
    use crate::wait;

    /// A node of the load balancer.
    struct Node {
        process: Child,
        folder: tempfile::TempDir,
        address: SocketAddr,
    }

    impl Node {
        fn start(group: &TargetGroup) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let node = haproxy::Node {
                http: Some(HttpListener {
                    binding: Binding {
                        inherited_descriptor: Some(0),
                        address: None,
                    },
                    redirect_to_https_port: None,
                }),
                control_socket: folder.path().join("haproxy.sock").display().to_string(),
                metrics: free.local_addr().unwrap(),
                default_action: DefaultAction::Forward(group.name.clone()),
                target_groups: vec![group.clone()],
                ..haproxy::Node::new("test")
            };
            drop(free);
            let file = folder.path().join("haproxy.cfg");
            fs::write(&file, haproxy::render(&node).unwrap()).unwrap();
            let line = haproxy::command_line(file.to_str().unwrap());
            let process = Command::new(&line[0])
                .args(&line[1..])
                .stdin(Stdio::from(OwnedFd::from(listener)))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            Self {
                process,
                folder,
                address,
            }
        }

        fn look(&self, group: &TargetGroup) -> Option<Synchronised> {
            let wanted = WantedGroup {
                group: group.clone(),
                held: BTreeSet::new(),
                draining: BTreeSet::new(),
            };
            synchronise(&self.folder.path().join("haproxy.sock"), &[wanted]).ok()
        }

        /// The servers of the group and of its fail-open backend.
        fn servers(&self) -> Vec<(String, String)> {
            let socket = self.folder.path().join("haproxy.sock");
            let status = parse_show_stat(&ask(&socket, commands::SHOW_STAT).unwrap()).unwrap();
            let names = status.into_iter().map(|it| (it.backend, it.server));
            names.collect()
        }
    }

    impl Drop for Node {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    /// A task: answers its health check at once, and all else when its test lets it. Tells when it
    /// has got such a request.
    fn task() -> (SocketAddr, Receiver<Sender<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let asked = asked.clone();
                thread::spawn(move || answer(stream.unwrap(), &asked));
            }
        });
        (address, requests)
    }

    fn answer(mut stream: TcpStream, asked: &Sender<Sender<()>>) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let Some(Ok(request)) = lines.next() else {
            return;
        };
        let ended = |line: &io::Result<String>| line.as_ref().map_or(true, String::is_empty);
        lines.find(ended);
        if !request.starts_with("GET /health ") {
            let (let_go, held) = channel();
            let _ = asked.send(let_go);
            let _ = held.recv();
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }

    fn group(targets: &[(&str, SocketAddr)]) -> TargetGroup {
        let target = |(name, address): &(&str, SocketAddr)| Target {
            name: (*name).to_owned(),
            address: *address,
        };
        TargetGroup {
            name: "shop".to_owned(),
            algorithm: Algorithm::RoundRobin,
            health_check: HealthCheck {
                path: "/health".to_owned(),
                host: "shop.localhost".to_owned(),
                interval_milliseconds: 200,
                changing_interval_milliseconds: Some(50),
                timeout_milliseconds: 1_000,
                healthy_threshold: 2,
                unhealthy_threshold: 2,
                matcher: "200-399".to_owned(),
            },
            stickiness: None,
            targets: targets.iter().map(target).collect(),
        }
    }

    fn until_healthy(node: &Node, group: &TargetGroup, target: &str) {
        let key = ("shop".to_owned(), target.to_owned());
        let healthy = wait::until(Duration::from_secs(15), || {
            let found = node.look(group)?;
            found.health.get(&key)?.healthy.then_some(())
        });
        assert!(healthy.is_some(), "{:?}", node.look(group));
    }

    #[test]
    fn a_target_that_is_lost_with_requests_in_flight_keeps_no_other_from_being_seen_healthy() {
        let (lost, requests) = task();
        let (fresh, _requests) = task();
        let node = Node::start(&group(&[]));
        let before = group(&[("shop-lost", lost)]);
        until_healthy(&node, &before, "shop-lost");
        // It is admitted to the fail-open backend by the look after that.
        assert!(node.look(&before).unwrap().refused.is_none());
        let mut client = TcpStream::connect(node.address).unwrap();
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
            .unwrap();
        let let_go = requests.recv_timeout(Duration::from_secs(15)).unwrap();
        let after = group(&[("shop-fresh", fresh)]);
        assert!(node.look(&after).unwrap().refused.is_none());
        // Its half in the fail-open backend has no requests in flight and is gone.
        let left = ("shop".to_owned(), "shop-lost".to_owned());
        let servers = node.servers();
        let of_lost: Vec<_> = servers.iter().filter(|it| it.1 == left.1).collect();
        assert_eq!(of_lost, [&left]);
        until_healthy(&node, &after, "shop-fresh");
        assert!(node.look(&after).unwrap().refused.is_none());
        let_go.send(()).unwrap();
        let gone = wait::until(Duration::from_secs(15), || {
            node.look(&after)?;
            (!node.servers().contains(&left)).then_some(())
        });
        assert!(gone.is_some(), "{:?}", node.servers());
    }

    fn status(backend: &str, server: &str, state: OperationalState) -> ServerStatus {
        ServerStatus {
            backend: backend.to_owned(),
            server: server.to_owned(),
            address: None,
            state,
            current_sessions: 0,
            queued: 0,
            total_sessions: 0,
            check_status: "L7OK".to_owned(),
            check_code: Some(200),
            last_check: String::new(),
        }
    }

    #[test]
    fn a_check_under_way_does_not_wipe_out_what_the_last_one_said() {
        let mut failed = status("shop", "shop-1", OperationalState::Down);
        failed.check_status = "L7STS".to_owned();
        failed.check_code = Some(500);
        assert_eq!(detail(&failed).unwrap(), "the health check got 500");
        failed.check_status = "* L7STS".to_owned();
        failed.check_code = Some(0);
        assert_eq!(detail(&failed), None);
    }

    #[test]
    fn what_is_left_in_one_backend_is_removed_and_what_drains_is_drained_once() {
        let open = fail_open_backend("shop");
        let wanted = |draining: &[&str]| WantedGroup {
            group: group(&[]),
            held: BTreeSet::new(),
            draining: draining.iter().map(|&name| name.to_owned()).collect(),
        };
        let changed = |backend: &str, state, draining: &[&str]| {
            changes(&[wanted(draining)], &[status(backend, "shop-1", state)])
        };
        let (group, target) = ("shop".to_owned(), "shop-1".to_owned());
        let remove = [Change::Remove(group.clone(), target.clone())];
        let (up, maintenance) = (OperationalState::Up, OperationalState::Maintenance);
        assert_eq!(changed("shop", up, &[]), remove);
        assert_eq!(changed("shop", maintenance, &[]), remove);
        assert_eq!(changed(&open, maintenance, &[]), remove);
        assert_eq!(
            changed("shop", up, &["shop-1"]),
            [Change::Drain(group, target)]
        );
        assert_eq!(changed("shop", maintenance, &["shop-1"]), []);
    }
}
