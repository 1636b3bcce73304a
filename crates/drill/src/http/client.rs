//! Requests of many visitors to one server, over connections that are kept.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::cookies::Cookies;
use super::response::Response;
use crate::outcome::Failure;

const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Shorter than the idle time-out of any load balancer, so that it is not the drill's own old
/// connections that fail.
const IDLE_LIMIT: Duration = Duration::from_secs(3);

/// What a request carries.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Nothing: a `GET`.
    None,
    /// Fields of a form: a `POST`.
    Form(Vec<(&'static str, String)>),
    /// Bytes of this media type: a `POST`.
    Bytes(&'static str, Vec<u8>),
}

/// A request for `path`, with the method that its body asks for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) body: Body,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            body: Body::None,
        }
    }

    pub(crate) fn post(path: &str, fields: Vec<(&'static str, String)>) -> Self {
        Self {
            path: path.to_owned(),
            body: Body::Form(fields),
        }
    }

    fn render(&self, host: &str, cookies: &Cookies) -> Vec<u8> {
        let (method, content) = match &self.body {
            Body::None => ("GET", None),
            Body::Form(fields) => {
                let form = encode_form(fields).into_bytes();
                ("POST", Some(("application/x-www-form-urlencoded", form)))
            }
            Body::Bytes(kind, bytes) => ("POST", Some((*kind, bytes.clone()))),
        };
        let mut head = format!("{method} {} HTTP/1.1\r\nHost: {host}\r\n", self.path);
        head += "User-Agent: mck-drill\r\nAccept: */*\r\n";
        if let Some(cookies) = cookies.header() {
            head += &format!("Cookie: {cookies}\r\n");
        }
        if let Some((kind, bytes)) = &content {
            head += &format!(
                "Content-Type: {kind}\r\nContent-Length: {}\r\n",
                bytes.len()
            );
        }
        head += "\r\n";
        let mut request = head.into_bytes();
        request.extend(content.map(|(_, bytes)| bytes).unwrap_or_default());
        request
    }
}

/// Sends requests to one address in the name of one host.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    host: String,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, host: &str) -> Self {
        Self {
            address,
            host: host.to_owned(),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Sends the request, once, and takes over the cookies of the answer.
    pub(crate) fn send(
        &self,
        request: &Request,
        cookies: &mut Cookies,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let bytes = request.render(&self.host, cookies);
        let mut connection = match self.take_idle() {
            Some(connection) => connection,
            None => Connection::open(self.address, CONNECT_LIMIT, deadline)?,
        };
        let (response, may_reuse) = connection.exchange(&bytes, deadline)?;
        if may_reuse {
            self.lock().push((connection, Instant::now()));
        }
        response
            .headers("set-cookie")
            .for_each(|header| cookies.set(header));
        Ok(response)
    }

    /// The connection that was used last, if it still stands.
    fn take_idle(&self) -> Option<Connection> {
        loop {
            let (connection, since) = self.lock().pop()?;
            if since.elapsed() < IDLE_LIMIT && connection.is_usable() {
                return Some(connection);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encode_form(fields: &[(&'static str, String)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", percent_encode(value)))
        .collect();
    pairs.join("&")
}

fn percent_encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    fn in_a_second() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    fn send(address: SocketAddr) -> Result<Response, Failure> {
        Client::new(address, "shop.localhost").send(
            &Request::get("/"),
            &mut Cookies::default(),
            Instant::now() + Duration::from_millis(300),
        )
    }

    /// Accepts one connection, reads some of it, and does `answer` to it.
    fn serve_once(answer: impl FnOnce(std::net::TcpStream) + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            answer(stream);
        });
        address
    }

    #[test]
    fn every_way_to_fail_has_its_name() {
        let unused = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        assert_eq!(send(unused), Err(Failure::ConnectionRefused));
        assert_eq!(send(serve_once(drop)), Err(Failure::ConnectionClosed));

        let cut = serve_once(|mut stream| {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
                .unwrap();
        });
        assert_eq!(send(cut), Err(Failure::ConnectionClosed));

        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let silent = serve_once(move |stream| {
            receiver.recv().unwrap_err();
            drop(stream);
        });
        assert_eq!(send(silent), Err(Failure::Timeout));
        drop(sender);

        let other = serve_once(|mut stream| stream.write_all(b"220 mail\r\n\r\n").unwrap());
        assert_eq!(send(other), Err(Failure::Malformed));
    }

    #[test]
    fn a_connection_is_used_again_and_a_closed_one_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(listener.local_addr().unwrap(), "shop.localhost");
        let server = std::thread::spawn(move || {
            for answers in [2, 1] {
                let (mut stream, _) = listener.accept().unwrap();
                for _ in 0..answers {
                    assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                        .unwrap();
                }
            }
        });
        for _ in 0..2 {
            let answer = client.send(&Request::get("/"), &mut Cookies::default(), in_a_second());
            assert_eq!(answer.unwrap().status, 200);
        }
        // The server closes the first connection and waits for the second.
        while client
            .lock()
            .last()
            .is_some_and(|(connection, _)| connection.is_usable())
        {
            std::thread::yield_now();
        }
        let answer = client.send(&Request::get("/"), &mut Cookies::default(), in_a_second());
        assert_eq!(answer.unwrap().status, 200);
        server.join().unwrap();
    }

    #[test]
    fn a_form_is_encoded_and_cookies_are_sent() {
        let mut cookies = Cookies::default();
        cookies.set("session=s1");
        let request = Request::post("/api/token", vec![("token", "a b&c=ü".to_owned())]);
        let text = String::from_utf8(request.render("shop.localhost", &cookies)).unwrap();
        insta::assert_snapshot!(text.replace('\r', ""));
    }
}
