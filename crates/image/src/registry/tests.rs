//! Registries that fail: each answers as a script says, on a port of its own.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use super::*;
use crate::manifest::{CONFIG, GZIP_LAYER};

const TAG: &str = "0123456789ab";
const PASSWORD: &str = "dXNlcjpodW50ZXIy";

/// What a registry does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// As a registry that has nothing does.
    Well,
    /// With this status, and a body that is no JSON.
    Status(u16),
    /// Wants a token, as it does of who has none.
    Unauthorized,
    /// Breaks the connection off after some of the body.
    Reset,
    /// Is silent.
    Silent,
    /// Says the caller's own words back.
    Echo,
}

/// A request as a registry got it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Got {
    line: String,
    authorization: String,
}

/// A registry. The nth request whose method and path begin with `at` is answered by the nth act of the
/// script, all others well.
struct Stage {
    port: u16,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Stage {
    fn new(at: &'static str, script: &'static [Act], wants_token: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let got = Arc::new(Mutex::new(Vec::new()));
        let serve = Serve {
            port,
            at,
            script,
            wants_token,
            got: Arc::clone(&got),
            matching: Arc::default(),
            tokens: Arc::default(),
        };
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let serve = serve.clone();
                thread::spawn(move || serve.one(stream));
            }
        });
        Self { port, got }
    }

    fn registry(&self, credentials: Option<Credentials>) -> Registry {
        let short = Duration::from_millis(400);
        let deadlines = Deadlines {
            connect: short,
            answer: short,
            silence: short,
            attempts: Duration::from_secs(5),
            first_wait: Duration::from_millis(5),
        };
        let host = format!("127.0.0.1:{}", self.port);
        Registry {
            connection: Connection::new(&host, credentials, deadlines),
        }
    }

    fn lines(&self, of: &str) -> Vec<Got> {
        let got = self.got.lock().unwrap();
        got.iter()
            .filter(|it| it.line.starts_with(of))
            .cloned()
            .collect()
    }
}

#[derive(Clone)]
struct Serve {
    port: u16,
    at: &'static str,
    script: &'static [Act],
    wants_token: bool,
    got: Arc<Mutex<Vec<Got>>>,
    matching: Arc<Mutex<usize>>,
    tokens: Arc<Mutex<u32>>,
}

impl Serve {
    /// One request of one connection: answers close it, so that a failure is one request's alone.
    fn one(&self, mut stream: TcpStream) {
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        // TLS is tried first; its first byte is no letter.
        if reader
            .fill_buf()
            .is_ok_and(|it| !it.first().is_some_and(u8::is_ascii_uppercase))
        {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        let _ = reader.read_line(&mut line);
        let (mut length, mut authorization, mut is_chunked) = (0, String::new(), false);
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) <= 2 {
                break;
            }
            let (name, value) = header.trim().split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => value.clone_into(&mut authorization),
                "transfer-encoding" => is_chunked = true,
                _ => {}
            }
        }
        assert!(!is_chunked, "a length is known");
        let line = line.replace(" HTTP/1.1\r\n", "");
        let mine = Got {
            line: line.clone(),
            authorization: authorization.clone(),
        };
        self.got.lock().unwrap().push(mine);
        let mut act = Act::Well;
        if line.starts_with(self.at) {
            let mut count = self.matching.lock().unwrap();
            act = self.script.get(*count).copied().unwrap_or(Act::Well);
            *count += 1;
        }
        if self.wants_token && authorization.is_empty() && !line.contains("/token") {
            act = Act::Unauthorized;
        }
        let part = if act == Act::Reset {
            length / 2
        } else {
            length
        };
        let _ = std::io::copy(&mut (&mut reader).take(part), &mut std::io::sink());
        match act {
            Act::Reset => {}
            Act::Silent => thread::park_timeout(Duration::from_secs(2)),
            _ => {
                let answer = self.answer(act, &line, &authorization);
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    }

    fn answer(&self, act: Act, line: &str, authorization: &str) -> String {
        let (method, path) = line.split_once(' ').unwrap();
        let (status, headers, body) = match act {
            Act::Status(status) => (status, String::new(), "<html>broken</html>".to_owned()),
            Act::Unauthorized => {
                let realm = format!("http://127.0.0.1:{}/token", self.port);
                let challenge = format!(
                    "WWW-Authenticate: Bearer realm=\"{realm}\",service=\"s\",scope=\"a,b\"\r\n"
                );
                (401, challenge, String::new())
            }
            Act::Echo => {
                let said = format!("{{\"errors\":[{{\"message\":\"no: {authorization}\"}}]}}");
                (403, String::new(), said)
            }
            _ => self.well(method, path),
        };
        let body = if method == "HEAD" {
            String::new()
        } else {
            body
        };
        format!(
            "HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn well(&self, method: &str, path: &str) -> (u16, String, String) {
        let none = String::new;
        if path.starts_with("/token") {
            let mut tokens = self.tokens.lock().unwrap();
            *tokens += 1;
            return (200, none(), format!("{{\"token\":\"token-{tokens}\"}}"));
        }
        match method {
            "POST" if path.contains("from=closed") => (403, none(), none()),
            "POST" if path.contains("from=open") => (201, none(), none()),
            "HEAD" => (404, none(), none()),
            "POST" => (
                202,
                "Location: /v2/a/b/blobs/uploads/1?_state=x\r\n".to_owned(),
                none(),
            ),
            "PATCH" => (
                202,
                "Location: /v2/a/b/blobs/uploads/2?_state=y\r\n".to_owned(),
                none(),
            ),
            "PUT" => (201, none(), none()),
            _ => (200, none(), none()),
        }
    }
}

/// A layout with an image of one layer that is larger than what a socket takes at once.
fn layout() -> (tempfile::TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(folder.path()).unwrap();
    let layer = layout.put(GZIP_LAYER, &vec![7; 8 << 20]).unwrap();
    let config = layout.put(CONFIG, b"{}").unwrap();
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        config,
        layers: vec![layer],
    };
    let text = serde_json::to_vec(&manifest).unwrap();
    let manifest = layout.put(MANIFEST, &text).unwrap();
    layout.set(TAG, &manifest).unwrap();
    (folder, layout)
}

fn push(registry: &Registry) -> Result<PushReport, ImageError> {
    let (_folder, layout) = layout();
    registry.push(&layout, "a/b", TAG, &[], &mut |_| {})
}

#[test]
fn what_passes_is_survived() {
    use Act::{Reset, Status};
    for (at, script) in [
        ("HEAD /v2/a/b/manifests", &[Status(500), Status(503)][..]),
        ("HEAD /v2/a/b/blobs", &[Status(429)]),
        ("POST", &[Status(500), Status(502), Status(500)]),
        ("PATCH", &[Reset]),
        ("PATCH", &[Reset, Status(500), Reset]),
        ("PATCH", &[Act::Silent]),
        ("PUT /v2/a/b/blobs", &[Status(500)]),
        ("PUT /v2/a/b/manifests", &[Status(500), Reset]),
    ] {
        let stage = Stage::new(at, script, false);
        let pushed = push(&stage.registry(None));
        let pushed = pushed.unwrap_or_else(|error| panic!("{at} {script:?}: {error:?}"));
        assert!(
            pushed.is_new && pushed.blobs.iter().all(|it| it.sent),
            "{at}"
        );
        assert_eq!(
            stage.lines("PUT /v2/a/b/manifests").len(),
            1 + script.len() * usize::from(at.contains("PUT /v2/a/b/manifests"))
        );
    }
}

#[test]
fn what_does_not_pass_ends() {
    use Act::Status;
    for (script, status, requests) in [
        (&[Status(500); 9][..], 500, 4),
        (&[Status(400)], 400, 1),
        (&[Status(404)], 404, 1),
    ] {
        let stage = Stage::new("PATCH", script, false);
        let error = push(&stage.registry(None)).unwrap_err();
        let ImageError::Refused {
            status: told,
            request,
            reason,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!((*told, reason.as_str()), (status, ""));
        assert_eq!(
            request, "PATCH /v2/a/b/blobs/uploads/1",
            "without the state"
        );
        assert_eq!(stage.lines("PATCH").len(), requests);
    }
}

#[test]
fn a_silent_registry_is_given_up() {
    let stage = Stage::new("HEAD", &[Act::Silent; 9], false);
    let begin = Instant::now();
    let error = push(&stage.registry(None)).unwrap_err();
    assert!(matches!(error, ImageError::Unreachable { .. }), "{error:?}");
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn a_token_that_ends_in_the_middle_is_renewed_once() {
    for at in ["PATCH", "PUT /v2/a/b/blobs", "PUT /v2/a/b/manifests"] {
        let stage = Stage::new(at, &[Act::Unauthorized], true);
        let registry = stage.registry(Some(Credentials::from_base64(PASSWORD)));
        push(&registry).unwrap_or_else(|error| panic!("{at}: {error:?}"));
        let tokens = stage.lines("GET /token");
        assert_eq!(tokens.len(), 2, "{at}");
        assert_eq!(tokens[0].authorization, format!("Basic {PASSWORD}"));
        assert_eq!(tokens[0].line, "GET /token?service=s&scope=a%2Cb");
        let tried: Vec<String> = stage
            .lines(at)
            .into_iter()
            .map(|it| it.authorization)
            .collect();
        assert_eq!(tried[..2], ["Bearer token-1", "Bearer token-2"], "{at}");
    }
    let stage = Stage::new("PATCH", &[Act::Unauthorized; 9], true);
    let error = push(&stage.registry(None)).unwrap_err();
    assert!(error.is_denied(), "{error:?}");
    assert_eq!(stage.lines("PATCH").len(), 2);
}

#[test]
fn no_error_has_the_password() {
    for (at, act) in [
        ("HEAD", Act::Unauthorized),
        ("PATCH", Act::Echo),
        ("PATCH", Act::Status(403)),
        ("GET /token", Act::Status(403)),
        ("GET /token", Act::Echo),
    ] {
        let script: &'static [Act] = Box::leak(vec![act; 9].into_boxed_slice());
        let stage = Stage::new(at, script, true);
        let registry = stage.registry(Some(Credentials::from_base64(PASSWORD)));
        let error = push(&registry).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let shown = format!("{error} {error:?} {source:?} {registry:?}");
        assert!(error.is_denied(), "{at} {act:?}: {error:?}");
        for secret in [PASSWORD, "hunter2", "token-1", "token-2"] {
            assert!(!shown.contains(secret), "{at} {act:?}: {shown}");
        }
    }
}

#[test]
fn what_another_repository_has_is_taken_over_or_sent() {
    let pushed = |at, sibling: &str| {
        let stage = Stage::new(at, &[Act::Status(200); 2], false);
        let (_folder, layout) = layout();
        let siblings = ["a/b".to_owned(), "none/x".to_owned(), sibling.to_owned()];
        let pushed = stage
            .registry(None)
            .push(&layout, "a/b", TAG, &siblings, &mut |_| {})
            .unwrap();
        let sent = pushed.blobs.iter().filter(|it| it.sent).count();
        (sent, stage.lines("POST").len(), stage.lines("PATCH").len())
    };
    assert_eq!(pushed("HEAD /v2/open/x", "open/x"), (0, 2, 0));
    // It may be looked into, but not taken from.
    assert_eq!(pushed("HEAD /v2/closed/x", "closed/x"), (2, 4, 2));
    assert_eq!(pushed("nothing", "none/y"), (2, 2, 2));
}
