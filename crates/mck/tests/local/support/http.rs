//! A visitor: HTTP over a socket of its own for each request, cookies kept.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Debug, Clone, Default)]
pub struct HttpRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The path with the query.
    pub path: &'a str,
    /// More header lines.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body.
    pub body: &'a [u8],
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The head as it came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.head, self.text()))
    }

    /// The values of a header, in order.
    pub fn header<'a>(&'a self, name: &str) -> Vec<&'a str> {
        let lines = self.head.lines().skip(1);
        let fields = lines.filter_map(|line| line.split_once(':'));
        fields
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// As it is, where it has a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.text());
        self
    }
}

/// A visitor with cookies.
#[derive(Debug, Clone)]
pub struct Browser {
    port: u16,
    host: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A visitor who has not been there before.
    pub fn new(port: u16, host: &str) -> Self {
        Self {
            port,
            host: host.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// Asks for a page.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> Answer {
        self.ask(&HttpRequest {
            method: "GET",
            path,
            ..HttpRequest::default()
        })
    }

    /// Sends a form.
    #[track_caller]
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form(fields);
        self.ask(&HttpRequest {
            method: "POST",
            path,
            headers: vec![("Content-Type", "application/x-www-form-urlencoded")],
            body: body.as_bytes(),
        })
    }

    /// Sends a request that must be answered.
    #[track_caller]
    pub fn ask(&mut self, request: &HttpRequest<'_>) -> Answer {
        let answer = self.attempt(request);
        answer.unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path))
    }

    /// Sends a request.
    pub fn attempt(&mut self, request: &HttpRequest<'_>) -> io::Result<Answer> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&self.bytes(request))?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let answer = parse(&bytes)?;
        for cookie in answer.header("Set-Cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }

    fn bytes(&self, request: &HttpRequest<'_>) -> Vec<u8> {
        let mut lines = vec![
            format!("{} {} HTTP/1.1", request.method, request.path),
            format!("Host: {}", self.host),
            "Connection: close".to_owned(),
            format!("Content-Length: {}", request.body.len()),
        ];
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            lines.push(format!("Cookie: {}", pairs.join("; ")));
        }
        let more = request.headers.iter();
        lines.extend(more.map(|(name, value)| format!("{name}: {value}")));
        let head = lines.join("\r\n") + "\r\n\r\n";
        [head.as_bytes(), request.body].concat()
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn parse(bytes: &[u8]) -> io::Result<Answer> {
    let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off");
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
    let end = end.ok_or_else(cut)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let mut answer = Answer {
        status: status.ok_or_else(cut)?,
        head,
        body: Vec::new(),
    };
    let rest = &bytes[end + 4..];
    let is_chunked = answer.header("Transfer-Encoding") == ["chunked"];
    let length = answer.header("Content-Length").first().copied();
    let length = length.and_then(|length| length.parse::<usize>().ok());
    answer.body = if is_chunked {
        joined(rest).ok_or_else(cut)?
    } else if length.is_some_and(|length| rest.len() < length) {
        return Err(cut());
    } else {
        rest.to_vec()
    };
    Ok(answer)
}

fn joined(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = chunks.windows(2).position(|it| it == b"\r\n")?;
        let length = std::str::from_utf8(&chunks[..line]).ok()?;
        let length = usize::from_str_radix(length.split(';').next()?, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunks.get(line + 2..line + 2 + length)?);
        chunks = chunks.get(line + 2 + length + 2..)?;
    }
}
