//! A server that gives tokens for a registry, as Docker's token authentication has them: signed by
//! the authority's key, for what is asked.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::image_support::run;

pub struct TokenServer {
    pub port: u16,
}

impl TokenServer {
    /// For `user`, `NAME:PASSWORD`; `folder` has the authority's key and certificate.
    pub fn start(folder: &Path, user: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = folder.to_owned();
        let authorization = format!("Basic {}", base64(&folder, user.as_bytes()));
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(&folder, &authorization, stream);
            }
        });
        Self { port }
    }
}

fn answer(folder: &Path, authorization: &str, mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut head = lines.by_ref().map_while(Result::ok);
    let first = head.next().unwrap_or_default();
    let mut is_user = false;
    for line in head.by_ref().take_while(|line| !line.is_empty()) {
        is_user |= line.split_once(": ").is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("authorization") && value == authorization
        });
    }
    let (status, body) = if is_user {
        (200, json!({ "token": token(folder, &scopes(&first)) }))
    } else {
        (401, json!({ "errors": [{ "message": "wrong password" }] }))
    };
    let body = body.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// What the query of a request asks for.
fn scopes(request: &str) -> Vec<Value> {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let query = path.split_once('?').unwrap_or_default().1;
    let scopes = query.split('&').filter_map(|it| it.strip_prefix("scope="));
    scopes
        .flat_map(|scope| {
            let plain = scope
                .replace("%3A", ":")
                .replace("%2F", "/")
                .replace("%2C", ",");
            let plain = plain.replace("%20", " ");
            let each = plain.split([' ', '+']).map(str::to_owned);
            each.collect::<Vec<String>>()
        })
        .filter_map(|scope| {
            let mut parts = scope.splitn(3, ':');
            let (kind, name, actions) = (parts.next()?, parts.next()?, parts.next()?);
            let actions: Vec<&str> = actions.split(',').collect();
            Some(json!({ "type": kind, "name": name, "actions": actions }))
        })
        .collect()
}

fn token(folder: &Path, access: &[Value]) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut openssl = Command::new("openssl");
    let certificate = folder.join("ca.pem");
    openssl
        .args(["x509", "-outform", "der", "-in"])
        .arg(certificate);
    let certificate = run("openssl", &mut openssl);
    let header = json!({
        "typ": "JWT",
        "alg": "RS256",
        "x5c": [base64(folder, &certificate)],
    });
    let claims = json!({
        "iss": "test", "sub": "user", "aud": "test", "jti": "1",
        "nbf": now - 10, "iat": now - 10, "exp": now + 300,
        "access": access,
    });
    let [header, claims] = [header, claims].map(|it| url_safe(folder, it.to_string().as_bytes()));
    let signed = format!("{header}.{claims}");
    let path = unique(folder);
    std::fs::write(&path, &signed).unwrap();
    let mut openssl = Command::new("openssl");
    let key = folder.join("ca.key");
    let signature = run(
        "openssl",
        openssl
            .args(["dgst", "-sha256", "-sign"])
            .arg(key)
            .arg(&path),
    );
    format!("{signed}.{}", url_safe(folder, &signature))
}

fn url_safe(folder: &Path, bytes: &[u8]) -> String {
    let text = base64(folder, bytes);
    text.trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_")
}

fn base64(folder: &Path, bytes: &[u8]) -> String {
    let path = unique(folder);
    std::fs::write(&path, bytes).unwrap();
    let encoded = run(
        "coreutils",
        Command::new("base64").arg("--wrap=0").arg(&path),
    );
    std::fs::remove_file(path).unwrap();
    String::from_utf8(encoded).unwrap()
}

fn unique(folder: &Path) -> PathBuf {
    let file = tempfile::Builder::new()
        .prefix("signed")
        .tempfile_in(folder);
    file.unwrap().keep().unwrap().1
}
