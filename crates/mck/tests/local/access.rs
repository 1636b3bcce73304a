//! Who reaches whom, with the real servers: as the blueprint says, and in no other way.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    thread,
    time::Duration,
};

use mck_blueprint::{
    Blueprint,
    model::{Peer, Protocol, SecurityGroupName},
};
use mck_local::network::in_namespace;

use crate::support::{File, Store, run};

/// How long a connection may take, longer than TCP waits before it tries again on a busy machine.
const PATIENCE: Duration = Duration::from_millis(1500);
const SSH: u16 = 22;
const HTTP: u16 = 80;
const NFS: u16 = 2049;

/// A part that runs.
#[derive(Debug, Clone)]
struct Part {
    /// Its namespace's last part.
    name: String,
    /// What rules call it.
    peer: Peer,
    /// Where it listens; none for the world.
    listens: Option<SocketAddr>,
}

fn group(name: &str) -> Peer {
    Peer::Group(SecurityGroupName(name.to_owned()))
}

fn parts(store: &Store, blueprint: &Blueprint) -> Vec<Part> {
    let mut parts: Vec<Part> = blueprint
        .nodes()
        .map(|node| {
            let group_name = node.security_group.0.as_str();
            let port = match group_name {
                "load-balancer" => HTTP,
                "file-system" => NFS,
                "database" => blueprint.database.port,
                "redis-cache" | "redis-session" => 6379,
                "memcached" => 11211,
                _ => SSH,
            };
            Part {
                name: node.name.clone(),
                peer: group(group_name),
                listens: Some((node.address, port).into()),
            }
        })
        .collect();
    let status = store.status();
    for task in status["apps"][0]["tasks"].as_array().unwrap() {
        let address: std::net::Ipv4Addr = task["address"].as_str().unwrap().parse().unwrap();
        parts.push(Part {
            name: format!("task-{}", task["id"].as_str().unwrap()),
            peer: group("app-shop"),
            listens: Some((address, HTTP).into()),
        });
    }
    parts.push(Part {
        name: "igw".to_owned(),
        peer: Peer::Range("0.0.0.0/0".to_owned()),
        listens: None,
    });
    parts
}

#[test]
fn every_role_reaches_what_the_access_graph_says_and_nothing_else() {
    let store = Store::new("access", File::Storefront("[cache.memcached]\nnodes = 1\n"));
    store.up();
    let blueprint = store.blueprint();
    let parts = parts(&store, &blueprint);
    for role in [
        "load-balancer",
        "bastion",
        "servers-app",
        "app-shop",
        "database",
        "redis-cache",
        "redis-session",
        "memcached",
        "file-system",
    ] {
        assert!(
            parts.iter().any(|part| part.peer == group(role)),
            "{role} runs"
        );
    }
    give_the_world_an_address(&store, &blueprint);
    let _listeners = listen_where_no_server_does(&store, &parts);
    let pairs: Vec<(&Part, &Part)> = parts
        .iter()
        .flat_map(|from| parts.iter().map(move |to| (from, to)))
        .filter(|(from, to)| from.name != to.name && to.listens.is_some())
        .collect();
    let mut wrong = Vec::new();
    let mut reached = 0;
    for some in pairs.chunks(80) {
        thread::scope(|scope| {
            let attempts: Vec<_> = some
                .iter()
                .map(|(from, to)| (from, to, scope.spawn(|| connects(&store, from, to))))
                .collect();
            for (from, to, attempt) in attempts {
                let port = to.listens.unwrap().port();
                let allowed = blueprint.allows(&from.peer, &to.peer, Protocol::Tcp, port);
                let connected = attempt.join().unwrap();
                reached += usize::from(connected);
                if connected != allowed {
                    wrong.push(format!(
                        "{} to {} port {port}: connected {connected}, allowed {allowed}",
                        from.name, to.name
                    ));
                }
            }
        });
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(reached > 20, "some must reach some: {reached}");
    every_port_of_the_data_stores_is_closed_to_the_world(&store, &parts);
}

/// A visitor beyond the internet gateway (RFC 5737).
fn give_the_world_an_address(store: &Store, blueprint: &Blueprint) {
    let namespace = store.id.namespace("igw");
    let (address, vpc) = ("203.0.113.10", blueprint.network.cidr.to_string());
    for arguments in [
        format!("address add {address}/32 dev lo"),
        format!("route replace {vpc} via 169.254.1.1 dev eth0 src {address}"),
    ] {
        let mut ip = Command::new("ip");
        ip.args(["-n", &namespace]).args(arguments.split(' '));
        run(&mut ip).good();
    }
}

/// The shared file system is the kernel's and load balancers get their sockets from the host: in
/// their namespaces nobody listens, so that a test must.
fn listen_where_no_server_does(store: &Store, parts: &[Part]) -> Vec<TcpListener> {
    let silent = ["load-balancer", "file-system"].map(group);
    let silent = parts.iter().filter(|part| silent.contains(&part.peer));
    silent
        .filter_map(|part| {
            let address = part.listens.unwrap();
            let bind = || TcpListener::bind(address);
            in_namespace(&store.id.namespace(&part.name), bind)
                .unwrap()
                .ok()
        })
        .collect()
}

fn connects(store: &Store, from: &Part, to: &Part) -> bool {
    let address = to.listens.unwrap();
    in_namespace(&store.id.namespace(&from.name), || {
        TcpStream::connect_timeout(&address, PATIENCE).is_ok()
    })
    .unwrap()
}

fn every_port_of_the_data_stores_is_closed_to_the_world(store: &Store, parts: &[Part]) {
    let world = parts.iter().find(|part| part.listens.is_none()).unwrap();
    let stores = [
        "database",
        "redis-cache",
        "redis-session",
        "memcached",
        "file-system",
    ]
    .map(group);
    let targets: Vec<SocketAddr> = parts
        .iter()
        .filter(|part| stores.contains(&part.peer))
        .flat_map(|part| {
            let address = part.listens.unwrap().ip();
            [22, 80, 2049, 3306, 6379, 11211].map(|port| SocketAddr::new(address, port))
        })
        .collect();
    let reached: Vec<&SocketAddr> = thread::scope(|scope| {
        let namespace = store.id.namespace(&world.name);
        let attempts: Vec<_> = targets
            .iter()
            .map(|address| {
                let namespace = namespace.clone();
                let attempt = move || {
                    let connect = || TcpStream::connect_timeout(address, PATIENCE).is_ok();
                    in_namespace(&namespace, connect).unwrap()
                };
                (address, scope.spawn(attempt))
            })
            .collect();
        attempts
            .into_iter()
            .filter_map(|(address, attempt)| attempt.join().unwrap().then_some(address))
            .collect()
    });
    assert!(reached.is_empty(), "{reached:?}");
}
