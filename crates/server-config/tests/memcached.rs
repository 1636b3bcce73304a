//! The command line in a real memcached.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by a panic"
)]

mod support;

use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};

use mck_server_config::memcached::{Memcached, STOP_SIGNAL, command_line};
use support::{Process, folder, unprivileged, wait_for};

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

#[test]
fn renders_the_command_line() {
    insta::assert_debug_snapshot!(command_line(&Memcached::new(LOOPBACK, 64)).unwrap());
    assert!(command_line(&Memcached::new(LOOPBACK, 0)).is_err());
}

#[test]
fn stores_and_gives_back_without_privileges() {
    let port = mck_test_ports::reserve();
    let memcached = Memcached {
        port,
        ..Memcached::new(LOOPBACK, 16)
    };
    let line = unprivileged("memcache", "memcache", &command_line(&memcached).unwrap());
    let folder = folder();
    let mut process = Process::start(&line, &folder.path().join("log"));
    let mut stream = wait_for("memcached", || TcpStream::connect((LOOPBACK, port)).ok());
    stream
        .write_all(b"set a 0 0 1\r\nx\r\nget a\r\nquit\r\n")
        .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert_eq!(reply, "STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n");
    process.signal(STOP_SIGNAL.trim_start_matches("SIG"));
    wait_for("the end", || process.0.try_wait().unwrap());
}
