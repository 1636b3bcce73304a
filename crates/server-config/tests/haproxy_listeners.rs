//! The listeners of the rendered configuration in a real HAProxy.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by a panic"
)]

mod support;

use std::net::{SocketAddr, TcpListener};

use mck_server_config::haproxy::{
    Binding, DefaultAction, HttpListener, HttpsListener, Node, command_line, render,
};
use support::http::{Backend, get, request};
use support::load_balancer::{Running, group};
use support::{Process, folder, run_well, wait_for};

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
        Running::start_on(listener, |node| {
            node.target_groups = vec![group("shop", &[("a", shop.address)])];
            node.default_action = DefaultAction::Forward("shop".to_owned());
        })
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
    let (http, https) = (mck_test_ports::reserve(), mck_test_ports::reserve());
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
        metrics: SocketAddr::from(([127, 0, 0, 1], mck_test_ports::reserve())),
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
