//! A small HTTP/1.1 server and client over real sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A backend that answers every request with its name and the request's head, keeps connections,
/// answers `/health` by its flag, takes 600 ms for `/slow` and breaks the connection on `/break`.
pub struct Backend {
    pub address: SocketAddr,
    pub healthy: Arc<AtomicBool>,
    pub requests: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Backend {
    pub fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let backend = Self {
            address,
            healthy: Arc::new(AtomicBool::new(true)),
            requests: Arc::default(),
            stopped: Arc::default(),
        };
        let (healthy, requests, stopped) = (
            backend.healthy.clone(),
            backend.requests.clone(),
            backend.stopped.clone(),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (healthy, requests) = (healthy.clone(), requests.clone());
                std::thread::spawn(move || serve(name, &stream, &healthy, &requests));
            }
        });
        backend
    }

    /// Closes the listening socket, so that connections are refused.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        super::wait_for("the backend to stop", || {
            TcpStream::connect(self.address).err()
        });
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(name: &str, stream: &TcpStream, healthy: &AtomicBool, requests: &AtomicUsize) {
    let mut reader = BufReader::new(stream);
    while let Some(head) = read_head(&mut reader) {
        let path = head.split(' ').nth(1).unwrap_or("/");
        let mut status = "200 OK";
        if path == "/health" {
            if !healthy.load(Ordering::Relaxed) {
                status = "503 Service Unavailable";
            }
        } else {
            requests.fetch_add(1, Ordering::Relaxed);
        }
        match path {
            "/slow" => super::pause(600),
            "/break" => return,
            _ => {}
        }
        let body = format!("name={name}\n{head}");
        let reply = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if (&*stream).write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_head(reader: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if head[before..].trim().is_empty() {
            return Some(head);
        }
    }
}

/// An answer, its head and body as text.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Which backend answered.
    pub fn name(&self) -> &str {
        self.body
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("name="))
            .unwrap_or("")
    }

    /// A header of the request as the backend saw it.
    pub fn seen(&self, header: &str) -> Option<&str> {
        find_header(&self.body, header)
    }

    /// A header of the answer.
    pub fn header(&self, header: &str) -> Option<&str> {
        find_header(&self.head, header)
    }
}

fn find_header<'a>(text: &'a str, header: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case(header).then(|| value.trim())
    })
}

/// One request over a connection of its own; nothing when there was no answer.
pub fn request(
    port: u16,
    method: &str,
    host: &str,
    path: &str,
    headers: &[&str],
) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for header in headers {
        text += &format!("{header}\r\n");
    }
    stream.write_all(format!("{text}\r\n").as_bytes()).ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// A GET that must be answered.
pub fn get(port: u16, host: &str, path: &str) -> Answer {
    request(port, "GET", host, path, &[]).expect("an answer")
}
