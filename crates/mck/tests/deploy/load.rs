//! Visitors who never stop, each with a session that must be kept.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mck_local::wait::pause;

use crate::store::Store;

const VISITORS: usize = 4;

pub struct Load {
    end: Arc<AtomicBool>,
    visitors: Vec<JoinHandle<Visits>>,
}

/// What visitors saw.
#[derive(Default)]
pub struct Visits {
    requests: u64,
    failures: Vec<String>,
}

impl Load {
    /// Begins, and waits until every visitor has been served.
    pub fn begin(store: &Store) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let port = store.port;
        let visitors = (0..VISITORS).map(|number| {
            let end = Arc::clone(&end);
            thread::spawn(move || visit(port, number, &end))
        });
        let visitors = visitors.collect();
        pause(Duration::from_millis(500));
        Self { end, visitors }
    }

    pub fn end(self) -> Visits {
        self.end.store(true, Ordering::Relaxed);
        let mut all = Visits::default();
        for visitor in self.visitors {
            let visits = visitor.join().unwrap();
            all.requests += visits.requests;
            all.failures.extend(visits.failures);
        }
        all
    }
}

impl Visits {
    pub fn expect_nothing_failed(&self) {
        assert!(
            self.requests > 50,
            "only {} requests were sent",
            self.requests
        );
        assert!(
            self.failures.is_empty(),
            "{} of {} requests failed: {:?}",
            self.failures.len(),
            self.requests,
            &self.failures[..self.failures.len().min(5)]
        );
    }
}

fn visit(port: u16, number: usize, end: &AtomicBool) -> Visits {
    let mut visits = Visits::default();
    let mut cookie = String::new();
    let mut stored: Option<String> = None;
    let mut turn = 0_u64;
    while !end.load(Ordering::Relaxed) {
        turn += 1;
        let value = format!("{number}-{turn}");
        let (method, body) = match (&stored, turn % 3) {
            (None, _) | (_, 0) => ("POST", format!("key=kept&value={value}")),
            _ => ("GET", String::new()),
        };
        visits.requests += 1;
        match request(port, method, "/api/session?key=kept", &body, &mut cookie) {
            Err(error) => visits.failures.push(error.to_string()),
            Ok((status, _)) if status >= 300 => visits.failures.push(format!("HTTP {status}")),
            Ok(_) if method == "POST" => stored = Some(value),
            Ok((_, answer)) => {
                let kept = stored
                    .as_ref()
                    .is_some_and(|stored| answer.contains(stored));
                if !kept {
                    visits
                        .failures
                        .push(format!("{stored:?} is lost: {answer}"));
                }
            }
        }
        pause(Duration::from_millis(10));
    }
    visits
}

/// One request on a connection of its own: every one is routed anew.
fn request(
    port: u16,
    method: &str,
    path: &str,
    body: &str,
    cookie: &mut String,
) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: shop.localhost\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if lower.starts_with("set-cookie:") && !lower.contains("awsalb") {
            let pair = line["set-cookie:".len()..]
                .split(';')
                .next()
                .unwrap_or_default();
            pair.trim().clone_into(cookie);
        }
    }
    let mut answer = String::new();
    reader.read_to_string(&mut answer)?;
    let status = status.ok_or_else(|| std::io::Error::other("the answer was cut off"))?;
    Ok((status, answer))
}
