//! The endpoint: HTTP/1.1, one thread a connection.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{emulator::Emulator, fault::Fault};

/// The largest body, in bytes: 2 MiB. ECS takes task definitions of 64 KiB.
const LARGEST_BODY: usize = 2 << 20;

/// The largest head, in bytes.
const LARGEST_HEAD: usize = 32 << 10;

/// The most headers.
const MOST_HEADERS: usize = 64;

/// The most connections at once.
const MOST_CONNECTIONS: usize = 64;

/// How long a connection may say nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// Why the endpoint can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// It would be open to other machines.
    #[error("{0} is reached from other machines, and nothing at this endpoint asks who calls")]
    NotLoopback(SocketAddr),
    /// The address can't be listened at.
    #[error("could not listen at {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// An endpoint that listens.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
}

impl Endpoint {
    /// Listens at an address of the loopback interface, or at any where `open` says so.
    ///
    /// # Errors
    /// When the address is another machine's way in, or is taken.
    pub fn listen(address: SocketAddr, open: bool) -> Result<Self, ListenError> {
        if !address.ip().is_loopback() && !open {
            return Err(ListenError::NotLoopback(address));
        }
        let at = |source| ListenError::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(at)?;
        let address = listener.local_addr().map_err(at)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers, each connection in a thread of its own; does not end.
    pub fn serve(&self, emulator: &Arc<Emulator>) {
        let open = Arc::new(AtomicUsize::new(0));
        for stream in self.listener.incoming().flatten() {
            if open.load(Ordering::Relaxed) >= MOST_CONNECTIONS {
                continue;
            }
            open.fetch_add(1, Ordering::Relaxed);
            let (emulator, open, address) = (Arc::clone(emulator), Arc::clone(&open), self.address);
            thread::spawn(move || {
                // A client that goes in the middle is no one's failure.
                let _ = converse(&emulator, stream, address);
                open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }
}

fn converse(emulator: &Arc<Emulator>, mut stream: TcpStream, at: SocketAddr) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_nodelay(true)?;
    let mut read = Vec::new();
    loop {
        let head = loop {
            match Head::parse(&read) {
                Ok(Some(head)) => break head,
                Ok(None) if read.len() <= LARGEST_HEAD => {
                    if !fill(&mut stream, &mut read)? {
                        return Ok(());
                    }
                }
                Ok(None) => return refuse(&mut stream, 431, "the head is too large"),
                Err(()) => return refuse(&mut stream, 400, "this is no HTTP request"),
            }
        };
        if let Err((status, reason)) = head.check(at) {
            return refuse(&mut stream, status, reason);
        }
        if head.waits {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let end = head.length + head.body;
        while read.len() < end {
            if !fill(&mut stream, &mut read)? {
                return Ok(());
            }
        }
        let answer = emulator.call(&head.target, &read[head.length..end]);
        respond(&mut stream, &answer)?;
        read.drain(..end);
        if head.closes {
            return Ok(());
        }
    }
}

/// Reads what there is; says whether there was anything.
fn fill(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<bool> {
    let mut part = [0; 16 << 10];
    let count = stream.read(&mut part)?;
    read.extend_from_slice(&part[..count]);
    Ok(count > 0)
}

/// What matters of a request's head.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    length: usize,
    body: usize,
    is_post: bool,
    is_chunked: bool,
    closes: bool,
    waits: bool,
    host: String,
    target: String,
}

impl Head {
    /// The head at the beginning of `bytes`; none while it is not whole.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, ()> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(()),
        };
        let mut head = Self {
            length,
            is_post: request.method == Some("POST"),
            closes: request.version == Some(0),
            ..Self::default()
        };
        for header in &*request.headers {
            let value = str::from_utf8(header.value).map_err(drop)?.trim();
            match header.name.to_ascii_lowercase().as_str() {
                "content-length" => head.body = value.parse().map_err(drop)?,
                "transfer-encoding" => head.is_chunked = true,
                "connection" => head.closes |= value.eq_ignore_ascii_case("close"),
                "expect" => head.waits = value.eq_ignore_ascii_case("100-continue"),
                "host" => value.clone_into(&mut head.host),
                "x-amz-target" => value.clone_into(&mut head.target),
                _ => {}
            }
        }
        Ok(Some(head))
    }

    /// Whether it may be answered; `at` is where this endpoint listens.
    fn check(&self, at: SocketAddr) -> Result<(), (u16, &'static str)> {
        if !self.is_post {
            return Err((405, "ECS is called with POST"));
        }
        if self.is_chunked {
            return Err((411, "the body must come with its length"));
        }
        if self.body > LARGEST_BODY {
            return Err((413, "the body is larger than 2 MiB"));
        }
        if !is_for(&self.host, at) {
            return Err((421, "the request is for another host"));
        }
        Ok(())
    }
}

/// Whether a `Host` is this endpoint: a page in somebody's browser whose name was made to lead here
/// is not. An endpoint that is open to other machines has names that nobody here knows.
fn is_for(host: &str, at: SocketAddr) -> bool {
    if !at.ip().is_loopback() {
        return true;
    }
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback() && address.port() == at.port();
    }
    match host.rsplit_once(':') {
        Some((name, port)) => name == "localhost" && port.parse() == Ok(at.port()),
        None => {
            let address = host.parse::<IpAddr>();
            host == "localhost" || address.is_ok_and(|it| it.is_loopback())
        }
    }
}

fn respond(stream: &mut TcpStream, answer: &Result<Value, Fault>) -> io::Result<()> {
    match answer {
        Ok(body) => send(stream, 200, &body.to_string(), ""),
        Err(fault) => {
            let kind = format!("x-amzn-ErrorType: {}\r\n", fault.kind);
            send(stream, fault.status(), &fault.body().to_string(), &kind)
        }
    }
}

/// Refuses what is no call of ECS, and ends the connection.
fn refuse(stream: &mut TcpStream, status: u16, reason: &str) -> io::Result<()> {
    let body = serde_json::json!({ "message": reason }).to_string();
    send(stream, status, &body, "Connection: close\r\n")
}

fn send(stream: &mut TcpStream, status: u16, body: &str, more: &str) -> io::Result<()> {
    let id = mck_local::secrets::random_text(16)?;
    let response = format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: application/x-amz-json-1.1\r\n\
         x-amzn-RequestId: {id}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        phrase(status),
        body.len()
    );
    stream.write_all(response.as_bytes())
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4566);

    #[test]
    fn only_this_endpoint_s_own_names_are_answered() {
        for good in [
            "127.0.0.1:4566",
            "localhost:4566",
            "[::1]:4566",
            "localhost",
            "127.0.0.1",
        ] {
            assert!(is_for(good, AT), "{good}");
        }
        for other in [
            "",
            "evil.example:4566",
            "localhost.evil.example:4566",
            "127.0.0.1:80",
            "10.0.0.1:4566",
            "ecs.eu-central-1.amazonaws.com",
        ] {
            assert!(!is_for(other, AT), "{other}");
        }
        assert!(is_for(
            "build.example:4566",
            "0.0.0.0:4566".parse().unwrap()
        ));
    }

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let text = b"POST / HTTP/1.1\r\nHost: localhost:4566\r\nX-Amz-Target: A.B\r\n\
            Content-Length: 2\r\nExpect: 100-continue\r\n\r\n{}";
        let head = Head::parse(text).unwrap().unwrap();
        assert_eq!(
            (head.length + head.body, head.target.as_str()),
            (text.len(), "A.B")
        );
        assert!(head.waits && !head.closes && head.check(AT).is_ok());
        for end in 0..head.length {
            assert_eq!(Head::parse(&text[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn what_can_not_be_a_call_is_refused() {
        let status = |text: &str| {
            let head = Head::parse(text.as_bytes()).unwrap().unwrap();
            head.check(AT).unwrap_err().0
        };
        let host = "Host: localhost:4566\r\n";
        assert_eq!(status(&format!("GET / HTTP/1.1\r\n{host}\r\n")), 405);
        let length = "Content-Length: 2097153\r\n";
        assert_eq!(
            status(&format!("POST / HTTP/1.1\r\n{host}{length}\r\n")),
            413
        );
        let chunked = "Transfer-Encoding: chunked\r\n";
        assert_eq!(
            status(&format!("POST / HTTP/1.1\r\n{host}{chunked}\r\n")),
            411
        );
        assert_eq!(status("POST / HTTP/1.1\r\nHost: a.example\r\n\r\n"), 421);
        assert!(Head::parse(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n").is_err());
    }

    #[test]
    fn other_machines_are_let_in_only_on_purpose() {
        let open = "0.0.0.0:0".parse().unwrap();
        assert!(matches!(
            Endpoint::listen(open, false),
            Err(ListenError::NotLoopback(_))
        ));
        assert!(Endpoint::listen(open, true).is_ok());
    }
}
