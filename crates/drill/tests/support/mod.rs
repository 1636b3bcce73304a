//! A storefront in a few threads, which loses and fails exactly what it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use mck_drill::StopFlag;
use serde_json::{Value, json};

/// What the shop holds, and what it shall do wrong.
#[derive(Default)]
pub struct State {
    /// Requests answered since the start.
    pub answered: u64,
    /// So many of the next tokens are acknowledged and then forgotten.
    pub forget_tokens: u64,
    /// So many of the next tokens are stored and answered with 503.
    pub hide_tokens: u64,
    /// So many of the next tokens are stored and answered as if they had been there.
    pub repeat_tokens: u64,
    /// So many of the sessions written next are lost for good.
    pub forget_sessions: u64,
    /// So many of the next uploads are acknowledged and then lost.
    pub forget_uploads: u64,
    /// So many of the next pages end in the middle.
    pub cut_pages: u64,
    /// No answer leaves before.
    pub stalled_until: Option<Instant>,
    tokens: Vec<(u64, String)>,
    sessions: BTreeMap<String, BTreeMap<String, String>>,
    forgotten_sessions: BTreeSet<String>,
    uploads: BTreeMap<String, Vec<u8>>,
    customers: BTreeMap<String, (String, String)>,
    logged_in: BTreeMap<String, String>,
    next_id: u64,
    streams: Vec<TcpStream>,
}

/// A shop that serves until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    listening: Mutex<StopFlag>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self {
            address,
            state: Arc::default(),
            listening: Mutex::new(StopFlag::new()),
        };
        server.listen(listener);
        server
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn listen(&self, listener: TcpListener) {
        let stop = StopFlag::new();
        *self.listening.lock().unwrap() = stop.clone();
        let state = Arc::clone(&self.state);
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            while !stop.wait_for(Duration::from_micros(500)) {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(false).unwrap();
                    let state = Arc::clone(&state);
                    state
                        .lock()
                        .unwrap()
                        .streams
                        .push(stream.try_clone().unwrap());
                    std::thread::spawn(move || serve(&stream, &state));
                }
            }
        });
    }

    /// Closes every connection and refuses further ones for `duration`.
    pub fn refuse_for(&self, duration: Duration) {
        self.close();
        StopFlag::new().wait_for(duration);
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(_) => StopFlag::new().wait_for(Duration::from_millis(1)),
            };
        };
        self.listen(listener);
    }

    fn close(&self) {
        self.listening.lock().unwrap().set();
        // The accepting thread looks every half millisecond.
        while TcpStream::connect(self.address).is_ok() {
            StopFlag::new().wait_for(Duration::from_millis(1));
        }
        for stream in self.state().streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    session: String,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    body: Vec<u8>,
    location: Option<String>,
}

impl Answer {
    fn json(status: u16, value: &Value) -> Self {
        Self {
            status,
            body: value.to_string().into_bytes(),
            location: None,
        }
    }

    fn page(content: &str) -> Self {
        let body = format!("<!doctype html><html><body>{content}</body></html>\n").into_bytes();
        Self {
            status: 200,
            body,
            location: None,
        }
    }

    fn redirect(to: &str) -> Self {
        Self {
            status: 303,
            body: Vec::new(),
            location: Some(to.to_owned()),
        }
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let (answer, stalled) = {
            let mut state = state.lock().unwrap();
            let answer = state.answer(&request);
            state.answered += 1;
            (answer, state.stalled_until)
        };
        if let Some(until) = stalled {
            StopFlag::new().wait_until(until);
        }
        let location = answer.location.map(|to| format!("Location: {to}\r\n"));
        let mut bytes = format!(
            "HTTP/1.1 {} X\r\nSet-Cookie: session={}; path=/\r\n{}Content-Length: {}\r\n\r\n",
            answer.status,
            request.session,
            location.unwrap_or_default(),
            answer.body.len()
        )
        .into_bytes();
        bytes.extend(answer.body);
        let mut stream = stream;
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = lines
            .iter()
            .find(|line| line.to_lowercase().starts_with(name));
        found.map(|line| line[name.len()..].trim().to_owned())
    };
    assert_eq!(header("host:").as_deref(), Some("shop.localhost"));
    let length = header("content-length:").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = lines[0].split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let cookie = header("cookie:").and_then(|it| it.strip_prefix("session=").map(str::to_owned));
    Some(Request {
        method,
        path: path.to_owned(),
        query: form(query),
        session: cookie.unwrap_or_else(new_session),
        body,
    })
}

fn new_session() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:016x}", RandomState::new().hash_one(0))
}

fn form(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.replace("%40", "@")))
        .collect()
}

/// Takes one of a number of mishaps that are still to happen.
fn take(count: &mut u64) -> bool {
    let is_left = *count > 0;
    *count -= u64::from(is_left);
    is_left
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        let fields = form(&String::from_utf8_lossy(&request.body));
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/api/whoami") => Answer::json(
                200,
                &json!({"hostname": "h", "task_id": "t1", "revision": "r1"}),
            ),
            ("POST", "/api/token") => self.add_token(&field("token")),
            ("GET", "/api/tokens") => self.list_tokens(&request.query),
            ("POST", "/api/session") => {
                self.write_session(&request.session, &field("key"), &field("value"))
            }
            ("GET", "/api/session") => {
                let session = self.sessions.get(&request.session);
                Answer::json(
                    200,
                    &json!({"session": session.cloned().unwrap_or_default()}),
                )
            }
            ("POST", "/api/media") => self.add_upload(&request.body),
            ("GET", "/account/login") => {
                Answer::page(r#"<input type="hidden" name="form_key" value="f1">"#)
            }
            ("POST", "/account/register") => {
                let customer = (field("name").replace("%20", " "), field("password"));
                self.customers.insert(field("email"), customer);
                self.logged_in
                    .insert(request.session.clone(), field("email"));
                Answer::redirect("/account")
            }
            ("POST", "/account/login") => {
                let (_, password) = self.customers.get(&field("email")).unwrap();
                assert_eq!(
                    (password, field("form_key").as_str()),
                    (&field("password"), "f1")
                );
                self.logged_in
                    .insert(request.session.clone(), field("email"));
                Answer::redirect("/account")
            }
            ("GET", "/account") => match self.logged_in.get(&request.session) {
                Some(email) => Answer::page(&self.customers[email].0),
                None => Answer::redirect("/account/login"),
            },
            ("GET", path) if self.uploads.contains_key(path) => Answer {
                status: 200,
                body: self.uploads[path].clone(),
                location: None,
            },
            ("GET", path) if path.starts_with("/media/") => Answer {
                status: 404,
                body: Vec::new(),
                location: None,
            },
            ("GET", _) if take(&mut self.cut_pages) => Answer {
                status: 200,
                body: b"<!doctype html><html><bo".to_vec(),
                location: None,
            },
            ("GET", _) => Answer::page(r#"<a href="/category/desk"><a href="/product/mug">"#),
            other => panic!("{other:?} is not a request of a drill"),
        }
    }

    fn add_token(&mut self, token: &str) -> Answer {
        assert!(
            !self.tokens.iter().any(|(_, known)| known == token),
            "{token} came twice"
        );
        self.next_id += 1;
        let answer = json!({"token": token, "id": self.next_id});
        if take(&mut self.forget_tokens) {
            return Answer::json(201, &answer);
        }
        self.tokens.push((self.next_id, token.to_owned()));
        if take(&mut self.hide_tokens) {
            return Answer::json(503, &json!({"error": "nobody knows"}));
        }
        Answer::json(
            if take(&mut self.repeat_tokens) {
                409
            } else {
                201
            },
            &answer,
        )
    }

    fn list_tokens(&self, query: &BTreeMap<String, String>) -> Answer {
        let after: u64 = query["after_id"].parse().unwrap();
        // Smaller pages than asked for, so that there is more than one.
        let page: Vec<_> = self
            .tokens
            .iter()
            .filter(|(id, _)| *id > after)
            .take(25)
            .collect();
        let next = (page.len() == 25).then(|| page[24].0);
        let rows: Vec<Value> = page
            .iter()
            .map(|(id, token)| json!({"id": id, "token": token}))
            .collect();
        Answer::json(200, &json!({"tokens": rows, "next_after_id": next}))
    }

    fn write_session(&mut self, session: &str, key: &str, value: &str) -> Answer {
        let is_forgotten = self.forgotten_sessions.contains(session);
        if !is_forgotten && take(&mut self.forget_sessions) {
            self.forgotten_sessions.insert(session.to_owned());
            self.sessions.remove(session);
        } else if !is_forgotten {
            let values = self.sessions.entry(session.to_owned()).or_default();
            values.insert(key.to_owned(), value.to_owned());
        }
        Answer::json(200, &json!({"key": key, "value": value}))
    }

    fn add_upload(&mut self, bytes: &[u8]) -> Answer {
        assert!(bytes.starts_with(b"\x89PNG"));
        self.next_id += 1;
        let path = format!("/media/{}.bin", self.next_id);
        if !take(&mut self.forget_uploads) {
            self.uploads.insert(path.clone(), bytes.to_vec());
        }
        Answer::json(
            201,
            &json!({"url": path, "sha256": "", "bytes": bytes.len()}),
        )
    }
}
