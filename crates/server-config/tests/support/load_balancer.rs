//! A running HAProxy with the rendered configuration.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mck_server_config::haproxy::commands::{self, CommandError};
use mck_server_config::haproxy::status::{OperationalState, ServerStatus, parse_show_stat};
use mck_server_config::haproxy::{
    Algorithm, Binding, HealthCheck, HttpListener, Node, RenderError, Rule, Target, TargetGroup,
    check_command_line, command_line, render,
};

use super::{Process, folder, unprivileged, wait_for};

/// A target group with quick health checks.
pub fn group(name: &str, targets: &[(&str, SocketAddr)]) -> TargetGroup {
    TargetGroup {
        name: name.to_owned(),
        algorithm: Algorithm::RoundRobin,
        health_check: HealthCheck {
            path: "/health".to_owned(),
            host: "shop.localhost".to_owned(),
            interval_milliseconds: 200,
            changing_interval_milliseconds: Some(50),
            timeout_milliseconds: 1000,
            healthy_threshold: 2,
            unhealthy_threshold: 2,
            matcher: "200-399".to_owned(),
        },
        stickiness: None,
        targets: targets
            .iter()
            .map(|(name, address)| target(name, *address))
            .collect(),
    }
}

pub fn target(name: &str, address: SocketAddr) -> Target {
    Target {
        name: name.to_owned(),
        address,
    }
}

pub fn rule(priority: u32, hosts: &[&str], paths: &[&str], target_group: &str) -> Rule {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Rule {
        priority,
        hosts: owned(hosts),
        paths: owned(paths),
        target_group: target_group.to_owned(),
    }
}

/// A running node on a listener of its own.
pub struct Running {
    pub port: u16,
    socket: PathBuf,
    pub log: PathBuf,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Running {
    pub fn start(rules: Vec<Rule>, target_groups: Vec<TargetGroup>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::start_on(listener, |node| {
            node.rules = rules;
            node.target_groups = target_groups;
        })
    }

    pub fn start_on(listener: TcpListener, change: impl FnOnce(&mut Node)) -> Self {
        let folder = folder();
        let port = listener.local_addr().unwrap().port();
        let socket = folder.path().join("control.sock");
        let mut node = Node {
            // The listener is handed down as standard input: descriptor 0.
            http: Some(HttpListener {
                binding: Binding {
                    inherited_descriptor: Some(0),
                    address: None,
                },
                redirect_to_https_port: None,
            }),
            control_socket: socket.to_str().unwrap().to_owned(),
            metrics: SocketAddr::from(([127, 0, 0, 1], mck_test_ports::reserve())),
            ..Node::new("test/us-east-1a")
        };
        change(&mut node);
        let config = folder.path().join("haproxy.cfg");
        std::fs::write(&config, render(&node).unwrap()).unwrap();
        let config = config.to_str().unwrap();
        let log = folder.path().join("log");
        let check = check_command_line(config);
        let checked = Command::new(&check[0])
            .args(&check[1..])
            .stdin(
                listener
                    .try_clone()
                    .map(std::os::fd::OwnedFd::from)
                    .unwrap(),
            )
            .output()
            .unwrap();
        assert!(
            checked.status.success(),
            "{}",
            String::from_utf8_lossy(&checked.stderr)
        );
        let line = unprivileged("haproxy", "haproxy", &command_line(config));
        let stdin = Stdio::from(std::os::fd::OwnedFd::from(listener));
        let process = Process::start_with_stdin(&line, &log, stdin);
        wait_for("the control socket", || UnixStream::connect(&socket).ok());
        Self {
            port,
            socket,
            log,
            _process: process,
            _folder: folder,
        }
    }

    pub fn send(&self, command: &str) -> String {
        send(&self.socket, command)
    }

    pub fn command(&self, command: Result<String, RenderError>) -> Result<(), CommandError> {
        commands::check_reply(&self.send(&command.unwrap()))
    }

    pub fn remove(&self, group: &str, target: &str) -> Result<(), CommandError> {
        commands::check_removal_reply(&self.send(&commands::remove(group, target).unwrap()))
    }

    pub fn servers(&self) -> Vec<ServerStatus> {
        parse_show_stat(&self.send(commands::SHOW_STAT)).unwrap()
    }

    pub fn state(&self, backend: &str, server: &str) -> Option<OperationalState> {
        self.servers()
            .iter()
            .find(|status| status.backend == backend && status.server == server)
            .map(|status| status.state)
    }

    pub fn wait_for_check(&self, server: &str, state: OperationalState) {
        wait_for("a health check", || {
            self.servers()
                .into_iter()
                .find(|status| status.server == server && status.state == state)
                .filter(|status| state != OperationalState::Up || status.has_passed_a_check())
        });
    }
}

pub fn send(socket: &Path, command: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(command.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}
