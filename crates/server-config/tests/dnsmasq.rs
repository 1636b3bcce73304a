//! The rendered configuration in a real dnsmasq.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by a panic"
)]

mod support;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

use mck_server_config::dnsmasq::{
    RELOAD_SIGNAL, Record, Resolver, check_command_line, command_line, render, render_hosts,
};
use support::{Process, folder, run_well, unprivileged, wait_for};

const ZONE: &str = "us-east-1.magecloudkit.internal";

fn record(name: &str, addresses: &[&str]) -> Record {
    Record {
        name: format!("{name}.{ZONE}"),
        addresses: addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect(),
    }
}

/// The names of the architecture's table.
fn records() -> Vec<Record> {
    vec![
        record("db", &["172.31.6.10"]),
        record("db-ro", &["172.31.7.10", "172.31.8.10"]),
        record("redis-cache", &["172.31.6.20"]),
        record("redis-session", &["172.31.7.20"]),
        record("memcached", &["172.31.8.30"]),
        record("media.efs", &["172.31.6.40"]),
    ]
}

#[test]
fn renders_configuration_and_hosts() {
    let mut resolver = Resolver::new("172.31.0.2".parse().unwrap(), ZONE, "/etc/mck/dns/hosts");
    resolver.upstreams = vec!["9.9.9.9".parse().unwrap(), "2620:fe::fe".parse().unwrap()];
    insta::assert_snapshot!("configuration", render(&resolver).unwrap());
    insta::assert_snapshot!("hosts", render_hosts(&records()).unwrap());
    insta::assert_debug_snapshot!(
        "command_lines",
        (
            command_line("/etc/d.conf"),
            check_command_line("/etc/d.conf")
        )
    );
    assert!(render_hosts(&[record("a b", &["10.0.0.1"])]).is_err());
    resolver.zones.push("a/#".to_owned());
    assert!(render(&resolver).is_err());
}

/// Response code, addresses with their TTL, or names, of an answer.
#[derive(Debug)]
struct Answer {
    code: u8,
    addresses: Vec<Ipv4Addr>,
    ttl: Option<u32>,
    raw: Vec<u8>,
}

/// Asks over UDP; the question is encoded as in RFC 1035 §4.1.
fn ask(port: u16, name: &str, kind: u16) -> Option<Answer> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).unwrap());
        question.extend_from_slice(label.as_bytes());
    }
    question.push(0);
    question.extend_from_slice(&kind.to_be_bytes());
    question.extend_from_slice(&[0, 1]);
    socket.send_to(&question, ("127.0.0.1", port)).unwrap();
    let mut reply = vec![0; 512];
    let length = socket.recv(&mut reply).ok()?;
    reply.truncate(length);
    let count = u16::from_be_bytes([reply[6], reply[7]]);
    let (mut addresses, mut ttl) = (Vec::new(), None);
    let mut rest = &reply[question.len()..];
    for _ in 0..count {
        // Each answer starts with a two-byte pointer to the question's name.
        ttl = Some(u32::from_be_bytes(rest[6..10].try_into().unwrap()));
        let size = usize::from(u16::from_be_bytes([rest[10], rest[11]]));
        if let Ok(address) = <[u8; 4]>::try_from(&rest[12..12 + size]) {
            addresses.push(Ipv4Addr::from(address));
        }
        rest = &rest[12 + size..];
    }
    Some(Answer {
        code: reply[3] & 15,
        addresses,
        ttl,
        raw: reply,
    })
}

#[test]
fn answers_the_zone_without_privileges_and_reads_it_again() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let port = mck_test_ports::reserve();
    let loopback: IpAddr = Ipv4Addr::LOCALHOST.into();
    let resolver = Resolver {
        port,
        ..Resolver::new(loopback, ZONE, path("hosts"))
    };
    std::fs::write(path("conf"), render(&resolver).unwrap()).unwrap();
    std::fs::write(path("hosts"), render_hosts(&records()).unwrap()).unwrap();
    run_well(&check_command_line(&path("conf")));
    let line = unprivileged("dnsmasq", "nogroup", &command_line(&path("conf")));
    let process = Process::start(&line, &folder.path().join("log"));
    wait_for("an answer", || ask(port, "localhost", 1));

    for record in records() {
        let answer = ask(port, &record.name, 1).unwrap();
        let found: BTreeSet<IpAddr> = answer.addresses.iter().map(|a| IpAddr::from(*a)).collect();
        assert_eq!(
            found,
            record.addresses.iter().copied().collect(),
            "{}",
            record.name
        );
        assert_eq!(answer.ttl, Some(1));
    }
    let first: BTreeSet<Ipv4Addr> = (0..4)
        .map(|_| ask(port, &format!("db-ro.{ZONE}"), 1).unwrap().addresses[0])
        .collect();
    assert_eq!(first.len(), 2, "readers take turns");
    assert_eq!(
        ask(port, &format!("nothing.{ZONE}"), 1).unwrap().code,
        3,
        "NXDOMAIN"
    );
    assert_eq!(ask(port, "example.com", 1).unwrap().code, 5, "REFUSED");
    let reverse = ask(port, "10.6.31.172.in-addr.arpa", 12).unwrap();
    let name = [&b"\x02db\x09us-east-1\x0cmagecloudkit"[..]].concat();
    assert!(
        reverse.raw.windows(name.len()).any(|part| part == name),
        "{reverse:?}"
    );

    let moved = render_hosts(&[record("db", &["172.31.7.10"])]).unwrap();
    std::fs::write(path("hosts"), moved).unwrap();
    process.signal(RELOAD_SIGNAL.trim_start_matches("SIG"));
    wait_for("the new address", || {
        let answer = ask(port, &format!("db.{ZONE}"), 1)?;
        (answer.addresses == ["172.31.7.10".parse::<Ipv4Addr>().unwrap()]).then_some(())
    });
}
