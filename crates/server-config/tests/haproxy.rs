//! The rendered configuration in a real HAProxy.

mod support;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mck_server_config::haproxy::commands::{self, CommandError};
use mck_server_config::haproxy::status::{OperationalState, ServerStatus, parse_show_stat};
use mck_server_config::haproxy::{
    Algorithm, Binding, DefaultAction, HealthCheck, HttpListener, HttpsListener, Node, RenderError,
    Rule, Stickiness, Target, TargetGroup, check_command_line, command_line, fail_open_backend,
    render,
};
use support::http::{Backend, get, request};
use support::{Process, folder, free_port, pause, run_well, unprivileged, wait_for};

fn group(name: &str, targets: &[(&str, SocketAddr)]) -> TargetGroup {
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

fn target(name: &str, address: SocketAddr) -> Target {
    Target {
        name: name.to_owned(),
        address,
    }
}

fn rule(priority: u32, hosts: &[&str], paths: &[&str], target_group: &str) -> Rule {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Rule {
        priority,
        hosts: owned(hosts),
        paths: owned(paths),
        target_group: target_group.to_owned(),
    }
}

fn full_node() -> Node {
    let mut shop = group("shop", &[("shop-1", "172.31.3.10:80".parse().unwrap())]);
    shop.stickiness = Some(Stickiness {
        cookie_name: "AWSALB".to_owned(),
        duration_seconds: 86_400,
        key: "shop's key".to_owned(),
    });
    let mut admin = group("admin", &[]);
    admin.algorithm = Algorithm::LeastOutstandingRequests;
    Node {
        http: Some(HttpListener {
            binding: Binding {
                inherited_descriptor: Some(3),
                address: Some("172.31.0.10:80".parse().unwrap()),
            },
            redirect_to_https_port: Some(8443),
        }),
        https: Some(HttpsListener {
            binding: Binding {
                inherited_descriptor: Some(4),
                address: Some("172.31.0.10:443".parse().unwrap()),
            },
            certificate: "/etc/mck/tls.pem".to_owned(),
        }),
        rules: vec![
            rule(20, &["shop.localhost", "*.shop.localhost"], &[], "shop"),
            rule(
                10,
                &["shop.localhost"],
                &["/admin", "/admin/*", "/it's \"a\" $x?"],
                "admin",
            ),
        ],
        target_groups: vec![shop, admin],
        trusted_proxies: vec!["103.21.244.0/22".to_owned()],
        metrics: "172.31.0.10:8404".parse().unwrap(),
        ..Node::new("shop-local/us-east-1a")
    }
}

#[test]
fn renders_a_full_node() {
    insta::assert_snapshot!(render(&full_node()).unwrap());
}

#[test]
fn renders_the_command_lines() {
    insta::assert_debug_snapshot!((command_line("/etc/h.cfg"), check_command_line("/etc/h.cfg")));
}

#[test]
fn renders_the_runtime_commands() {
    let group = &full_node().target_groups[0];
    let target = target("shop-2", "172.31.4.10:80".parse().unwrap());
    insta::assert_snapshot!(
        [
            commands::register(group, &target).unwrap(),
            commands::admit_to_fail_open("shop", "shop-2").unwrap(),
            commands::set_state("shop", "shop-2", commands::State::Drain).unwrap(),
            commands::drain("shop", "shop-2").unwrap(),
            commands::shut_sessions_down("shop", "shop-2").unwrap(),
            commands::remove("shop", "shop-2").unwrap(),
        ]
        .concat()
    );
    assert!(commands::drain("shop", "x; shutdown").is_err());
}

#[test]
fn refuses_what_has_no_correct_configuration() {
    let error = |change: &dyn Fn(&mut Node)| {
        let mut node = full_node();
        change(&mut node);
        render(&node).unwrap_err()
    };
    assert_eq!(
        error(&|node| node.rules[0].priority = 10),
        RenderError::DuplicatePriority(10)
    );
    assert_eq!(
        error(&|node| node.rules[0].hosts.clear()),
        RenderError::NoCondition(20)
    );
    assert!(matches!(
        error(&|node| node.rules[0].target_group = "x".to_owned()),
        RenderError::UnknownTargetGroup(_)
    ));
    assert!(matches!(
        error(&|node| node.target_groups[0].health_check.matcher = "2xx".to_owned()),
        RenderError::Matcher(_)
    ));
    assert!(matches!(
        error(&|node| node.rules[0].hosts = vec!["a\nglobal".to_owned()]),
        RenderError::UnsafeText(_)
    ));
    assert!(matches!(
        error(&|node| node.target_groups[1].name = "shop".to_owned()),
        RenderError::DuplicateName(_)
    ));
    assert!(matches!(
        error(&|node| {
            node.http = None;
            node.https = None;
        }),
        RenderError::NoListener
    ));
    assert!(matches!(
        error(&|node| node.idle_timeout_seconds = 0),
        RenderError::OutOfRange { .. }
    ));
}

/// A running node on a listener of its own.
struct Running {
    port: u16,
    socket: PathBuf,
    log: PathBuf,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Running {
    fn start(rules: Vec<Rule>, target_groups: Vec<TargetGroup>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::start_on(listener, rules, target_groups)
    }

    fn start_on(listener: TcpListener, rules: Vec<Rule>, target_groups: Vec<TargetGroup>) -> Self {
        let folder = folder();
        let port = listener.local_addr().unwrap().port();
        let socket = folder.path().join("control.sock");
        let node = Node {
            // The listener is handed down as standard input: descriptor 0.
            http: Some(HttpListener {
                binding: Binding {
                    inherited_descriptor: Some(0),
                    address: None,
                },
                redirect_to_https_port: None,
            }),
            rules,
            target_groups,
            control_socket: socket.to_str().unwrap().to_owned(),
            metrics: SocketAddr::from(([127, 0, 0, 1], free_port())),
            ..Node::new("test/us-east-1a")
        };
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

    fn send(&self, command: &str) -> String {
        send(&self.socket, command)
    }

    fn command(&self, command: Result<String, RenderError>) -> Result<(), CommandError> {
        commands::check_reply(&self.send(&command.unwrap()))
    }

    fn servers(&self) -> Vec<ServerStatus> {
        parse_show_stat(&self.send(commands::SHOW_STAT)).unwrap()
    }

    fn state(&self, backend: &str, server: &str) -> Option<OperationalState> {
        self.servers()
            .iter()
            .find(|status| status.backend == backend && status.server == server)
            .map(|status| status.state)
    }

    fn wait_for_check(&self, server: &str, state: OperationalState) {
        wait_for("a health check", || {
            self.servers()
                .into_iter()
                .find(|status| status.server == server && status.state == state)
                .filter(|status| state != OperationalState::Up || status.has_passed_a_check())
        });
    }
}

fn send(socket: &Path, command: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(command.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

#[test]
fn routes_by_host_and_path_in_order_of_priority() {
    let (shop, admin, special) = (
        Backend::start("shop"),
        Backend::start("admin"),
        Backend::start("special"),
    );
    let node = Running::start(
        vec![
            rule(30, &["shop.localhost", "*.eu.shop.localhost"], &[], "shop"),
            rule(10, &["shop.localhost"], &["/admin", "/admin/*"], "admin"),
            rule(20, &[], &["/it's\"?.php"], "special"),
        ],
        vec![
            group("shop", &[("a", shop.address)]),
            group("admin", &[("a", admin.address)]),
            group("special", &[("a", special.address)]),
        ],
    );
    let name = |host: &str, path: &str| {
        let answer = get(node.port, host, path);
        if answer.status == 200 {
            answer.name().to_owned()
        } else {
            answer.status.to_string()
        }
    };
    assert_eq!(name("shop.localhost", "/"), "shop");
    assert_eq!(name("SHOP.localhost:8080", "/"), "shop");
    assert_eq!(name("fr.eu.shop.localhost", "/x"), "shop");
    assert_eq!(name("shop.localhost", "/admin"), "admin");
    assert_eq!(name("shop.localhost", "/admin/x?y=1"), "admin");
    assert_eq!(name("shop.localhost", "/administrator"), "shop");
    assert_eq!(name("shop.localhost", "/Admin"), "shop");
    assert_eq!(name("other.localhost", "/it's\"1.php"), "special");
    assert_eq!(name("other.localhost", "/it's\"1Xphp"), "404");
    assert_eq!(name("shopXlocalhost", "/"), "404");
    assert_eq!(name("eu.shop.localhost", "/"), "404");
}

#[test]
fn adds_the_headers_of_a_load_balancer_and_drops_forged_ones() {
    let shop = Backend::start("shop");
    let node = Running::start(
        vec![rule(1, &["*"], &[], "shop")],
        vec![group("shop", &[("a", shop.address)])],
    );
    let forged = [
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Proto: https",
        "Proxy: x",
        "X-Real-IP: 1.2.3.4",
    ];
    let answer = request(node.port, "GET", "shop.localhost", "/p?q=\"1\"", &forged).unwrap();
    assert_eq!(answer.seen("X-Forwarded-For"), Some("127.0.0.1"));
    assert_eq!(answer.seen("X-Forwarded-Proto"), Some("http"));
    assert_eq!(
        answer.seen("X-Forwarded-Port"),
        Some(node.port.to_string().as_str())
    );
    assert_eq!(answer.seen("Proxy"), None);
    assert_eq!(answer.seen("X-Real-IP"), None);
    let trace = answer.seen("X-Amzn-Trace-Id").unwrap().to_owned();
    let parts: Vec<&str> = trace.split(['=', '-']).collect();
    assert_eq!(
        (parts[0], parts[1], parts[2].len(), parts[3].len()),
        ("Root", "1", 8, 24)
    );
    let time = u64::from_str_radix(parts[2], 16).unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs();
    assert!(now.abs_diff(time) < 60, "{trace}");
    let id = answer.seen("X-Request-Id").unwrap().to_owned();
    assert_eq!(id.len(), 36);

    let known = "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678";
    let answer = request(node.port, "GET", "shop.localhost", "/", &[known]).unwrap();
    let trace_id = answer.seen("X-Amzn-Trace-Id").unwrap();
    assert!(trace_id.starts_with("Self=1-"), "{trace_id}");
    assert!(
        trace_id.ends_with(";Root=1-67891233-abcdef012345678912345678"),
        "{trace_id}"
    );

    let log = wait_for("the access log", || {
        let log = std::fs::read_to_string(&node.log).unwrap();
        log.lines()
            .find(|line| line.contains(&id))
            .map(str::to_owned)
    });
    let time = format!("\"trace_id\":\"{trace}\"");
    assert!(
        log.starts_with('{') && log.ends_with('}') && log.contains(&time),
        "{log}"
    );
    assert!(
        log.contains(r#""path":"\/p?q=\"1\"""#) || log.contains(r#""path":"/p?q=\"1\"""#),
        "{log}"
    );
    assert!(
        log.contains(r#""termination_state":"----""#) && log.contains(r#""target":"a""#),
        "{log}"
    );
}

/// Sends requests until told to stop; gives how many were sent and what went wrong.
fn load(port: u16, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<(usize, Vec<String>)> {
    std::thread::spawn(move || {
        let (mut sent, mut failures) = (0, Vec::new());
        while !stop.load(Ordering::Relaxed) {
            sent += 1;
            match request(port, "POST", "shop.localhost", "/", &["Content-Length: 0"]) {
                Some(answer) if answer.status == 200 => {}
                other => failures.push(format!("{other:?}")),
            }
        }
        (sent, failures)
    })
}

#[test]
fn targets_come_and_go_under_load_without_a_failed_request() {
    let (old, new) = (Backend::start("old"), Backend::start("new"));
    let shop = group("shop", &[("old", old.address)]);
    let node = Running::start(vec![rule(1, &["*"], &[], "shop")], vec![shop.clone()]);
    let stop = Arc::new(AtomicBool::new(false));
    let loads: Vec<_> = (0..3).map(|_| load(node.port, stop.clone())).collect();

    new.healthy.store(false, Ordering::Relaxed);
    let added = target("new", new.address);
    node.command(commands::register(&shop, &added)).unwrap();
    assert_eq!(
        node.command(commands::register(&shop, &added)),
        Err(CommandError::AlreadyExists)
    );
    pause(300);
    assert_eq!(
        new.requests.load(Ordering::Relaxed),
        0,
        "a target takes nothing until healthy"
    );
    new.healthy.store(true, Ordering::Relaxed);
    node.wait_for_check("new", OperationalState::Up);
    node.command(commands::admit_to_fail_open("shop", "new"))
        .unwrap();
    wait_for("requests to the new target", || {
        (new.requests.load(Ordering::Relaxed) > 20).then_some(())
    });

    assert_eq!(
        node.command(commands::remove("shop", "old")),
        Err(CommandError::NotDrained)
    );
    let port = node.port;
    // Whichever of the two slow requests meets the old target must survive its removal.
    let slow: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(move || get(port, "shop.localhost", "/slow")))
        .collect();
    pause(200);
    node.command(commands::drain("shop", "old")).unwrap();
    assert_eq!(
        node.command(commands::remove("shop", "old")),
        Err(CommandError::StillConnected)
    );
    let before = old.requests.load(Ordering::Relaxed);
    wait_for("the removal", || {
        node.send(&commands::remove("shop", "old").unwrap());
        node.state("shop", "old").is_none().then_some(())
    });
    for request in slow {
        assert_eq!(request.join().unwrap().status, 200);
    }
    pause(100);
    assert_eq!(
        old.requests.load(Ordering::Relaxed),
        before,
        "a drained target gets nothing"
    );
    assert_eq!(node.state(&fail_open_backend("shop"), "old"), None);
    stop.store(true, Ordering::Relaxed);
    for load in loads {
        let (sent, failures) = load.join().unwrap();
        assert!(sent > 50, "{sent}");
        assert_eq!(failures, Vec::<String>::new(), "of {sent}");
    }
}

#[test]
fn a_refused_connection_is_tried_on_another_target() {
    let (dead, alive) = (Backend::start("dead"), Backend::start("alive"));
    let mut shop = group("shop", &[("dead", dead.address), ("alive", alive.address)]);
    shop.health_check.interval_milliseconds = 1000;
    shop.health_check.changing_interval_milliseconds = None;
    let node = Running::start(vec![rule(1, &["*"], &[], "shop")], vec![shop]);
    node.wait_for_check("alive", OperationalState::Up);
    node.wait_for_check("dead", OperationalState::Up);
    dead.stop();
    for method in ["GET", "POST"] {
        for _ in 0..10 {
            let answer = request(
                node.port,
                method,
                "shop.localhost",
                "/",
                &["Content-Length: 0"],
            );
            assert_eq!(answer.unwrap().name(), "alive");
        }
    }
    assert_eq!(
        node.state("shop", "dead"),
        Some(OperationalState::Up),
        "no check has run meanwhile"
    );
}

#[test]
fn only_idempotent_requests_are_sent_twice() {
    let shop = Backend::start("shop");
    let node = Running::start(
        vec![rule(1, &["*"], &[], "shop")],
        vec![group("shop", &[("a", shop.address)])],
    );
    let seen = |method: &str| {
        let before = shop.requests.load(Ordering::Relaxed);
        let answer = request(
            node.port,
            method,
            "shop.localhost",
            "/break",
            &["Content-Length: 0"],
        );
        assert_eq!(answer.unwrap().status, 502);
        shop.requests.load(Ordering::Relaxed) - before
    };
    assert_eq!(seen("POST"), 1);
    assert_eq!(seen("GET"), 4, "the first and three retries");
}

#[test]
fn a_client_stays_with_its_target_until_that_is_drained() {
    let (one, two) = (Backend::start("one"), Backend::start("two"));
    let mut shop = group("shop", &[("one", one.address)]);
    shop.stickiness = Some(Stickiness {
        cookie_name: "AWSALB".to_owned(),
        duration_seconds: 60,
        key: "key".to_owned(),
    });
    let node = Running::start(vec![rule(1, &["*"], &[], "shop")], vec![shop.clone()]);
    node.command(commands::register(&shop, &target("two", two.address)))
        .unwrap();
    node.wait_for_check("two", OperationalState::Up);
    let cookie = wait_for("an answer of the added target", || {
        let answer = get(node.port, "shop.localhost", "/");
        let cookie = answer
            .header("Set-Cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        (answer.name() == "two").then_some(cookie)
    });
    let header = format!("Cookie: {cookie}");
    let sticky = || {
        request(node.port, "GET", "shop.localhost", "/", &[&header])
            .unwrap()
            .name()
            .to_owned()
    };
    assert_eq!(
        (0..10).map(|_| sticky()).collect::<BTreeSet<_>>(),
        BTreeSet::from(["two".into()])
    );
    node.command(commands::drain("shop", "two")).unwrap();
    assert_eq!(
        (0..10).map(|_| sticky()).collect::<BTreeSet<_>>(),
        BTreeSet::from(["one".into()])
    );
}

#[test]
fn routes_to_all_targets_when_none_is_healthy() {
    let (one, two) = (Backend::start("one"), Backend::start("two"));
    let targets = [("one", one.address), ("two", two.address)];
    let node = Running::start(
        vec![rule(1, &["*"], &[], "shop")],
        vec![group("shop", &targets)],
    );
    let answering = || -> BTreeSet<String> {
        (0..6)
            .map(|_| get(node.port, "shop.localhost", "/").name().to_owned())
            .collect()
    };
    one.healthy.store(false, Ordering::Relaxed);
    node.wait_for_check("one", OperationalState::Down);
    assert_eq!(answering(), BTreeSet::from(["two".to_owned()]));
    two.healthy.store(false, Ordering::Relaxed);
    node.wait_for_check("two", OperationalState::Down);
    assert_eq!(
        answering(),
        BTreeSet::from(["one".to_owned(), "two".to_owned()])
    );
    two.healthy.store(true, Ordering::Relaxed);
    node.wait_for_check("two", OperationalState::Up);
    assert_eq!(answering(), BTreeSet::from(["two".to_owned()]));
}

#[test]
fn two_nodes_share_a_port_and_one_takes_over() {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};
    let listener = |port: u16| {
        let fd = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        sockopt::set_socket_reuseport(&fd, true).unwrap();
        bind(&fd, &SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
        listen(&fd, 128).unwrap();
        TcpListener::from(fd)
    };
    let shop = Backend::start("shop");
    let start = |listener| {
        let groups = vec![group("shop", &[("a", shop.address)])];
        Running::start_on(listener, vec![rule(1, &["*"], &[], "shop")], groups)
    };
    let first_listener = listener(0);
    let port = first_listener.local_addr().unwrap().port();
    let (first, second) = (start(first_listener), start(listener(port)));
    let served = |node: &Running| -> u64 {
        let servers = node.servers();
        servers
            .iter()
            .filter(|status| status.backend == "shop")
            .map(|s| s.total_sessions)
            .sum()
    };
    for _ in 0..60 {
        assert_eq!(get(port, "shop.localhost", "/").status, 200);
    }
    assert!(served(&first) > 5 && served(&second) > 5);
    drop(first);
    for _ in 0..30 {
        assert_eq!(get(port, "shop.localhost", "/").status, 200);
    }
}

#[test]
fn serves_https_with_http2_and_redirects_to_it() {
    let shop = Backend::start("shop");
    let folder = folder();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let arguments = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
                     -subj /CN=shop.localhost -addext subjectAltName=DNS:shop.localhost";
    let mut openssl: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
    openssl.extend(["-keyout".into(), path("key"), "-out".into(), path("crt")]);
    run_well(&openssl);
    let pem = ["crt", "key"]
        .map(|name| std::fs::read_to_string(path(name)).unwrap())
        .concat();
    std::fs::write(path("tls.pem"), pem).unwrap();
    let (http, https) = (free_port(), free_port());
    let binding = |port: u16| Binding {
        inherited_descriptor: None,
        address: Some(SocketAddr::from(([127, 0, 0, 1], port))),
    };
    let node = Node {
        http: Some(HttpListener {
            binding: binding(http),
            redirect_to_https_port: Some(https),
        }),
        https: Some(HttpsListener {
            binding: binding(https),
            certificate: path("tls.pem"),
        }),
        default_action: DefaultAction::Forward("shop".to_owned()),
        target_groups: vec![group("shop", &[("a", shop.address)])],
        control_socket: path("control.sock"),
        metrics: SocketAddr::from(([127, 0, 0, 1], free_port())),
        ..Node::new("test")
    };
    std::fs::write(path("haproxy.cfg"), render(&node).unwrap()).unwrap();
    let _process = Process::start(
        &command_line(&path("haproxy.cfg")),
        &folder.path().join("log"),
    );
    let answer = wait_for("a redirect", || {
        request(http, "GET", "shop.localhost:80", "/a?b=c", &[])
    });
    assert_eq!(answer.status, 301);
    let location = format!("https://shop.localhost:{https}/a?b=c");
    assert_eq!(answer.header("location"), Some(location.as_str()));
    let curl = ["curl", "-s", "--cacert", &path("crt"), "--resolve"].map(str::to_owned);
    let mut curl = curl.to_vec();
    curl.extend([
        format!("shop.localhost:{https}:127.0.0.1"),
        "-w".into(),
        "%{http_version}".into(),
    ]);
    curl.push(location);
    let text = run_well(&curl);
    assert!(text.contains("name=shop") && text.ends_with('2'), "{text}");
    assert!(text.contains("x-forwarded-proto: https"), "{text}");
    let metrics = get(node.metrics.port(), "localhost", "/metrics");
    assert!(
        metrics.body.contains("haproxy_server_status"),
        "{}",
        metrics.head
    );
}
