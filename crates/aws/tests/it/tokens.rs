//! Hands requests on to LocalStack and puts into events what it forgets of them and AWS keeps: the
//! token of the request that they come of.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// The last token of each stack, by its name.
type Tokens = BTreeMap<String, String>;

/// Serves on a port what is behind another.
pub fn serve(port: u16, behind: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is ours");
    let tokens = Arc::new(Mutex::new(Tokens::new()));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tokens = Arc::clone(&tokens);
            thread::spawn(move || hand_on(stream, behind, &tokens));
        }
    });
}

fn hand_on(stream: TcpStream, behind: u16, tokens: &Mutex<Tokens>) -> Option<()> {
    let mut client = BufReader::new(stream);
    let (head, body) = message(&mut client)?;
    let asked = String::from_utf8_lossy(&body).into_owned();
    let field = |name: &str| {
        let mut fields = asked.split('&').filter_map(|pair| pair.split_once('='));
        fields
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    if field("Action").as_deref() == Some("ExecuteChangeSet") {
        let token = field("ClientRequestToken")?;
        tokens.lock().ok()?.insert(field("StackName")?, token);
    }
    let mut server = TcpStream::connect(("127.0.0.1", behind)).ok()?;
    write!(server, "{head}Connection: close\r\n\r\n").ok()?;
    server.write_all(&body).ok()?;
    let (head, answer) = message(&mut BufReader::new(server))?;
    let mut answer = String::from_utf8_lossy(&answer).into_owned();
    if field("Action").as_deref() == Some("DescribeStackEvents") {
        let asked = field("StackName")?;
        let tokens = tokens.lock().ok()?;
        // By name, or by an ARN that has the name within.
        let is_of = |name: &str| asked == name || asked.contains(&format!("%2F{name}%2F"));
        let found = tokens.iter().find(|(name, _)| is_of(name));
        let known = found.map_or_else(String::new, |(_, token)| {
            format!("<ClientRequestToken>{token}</ClientRequestToken>")
        });
        answer = answer.replace("<StackId>", &format!("{known}<StackId>"));
    }
    let mut client = client.into_inner();
    let length = answer.len();
    let lines = head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("content-length"));
    let head: Vec<&str> = lines.collect();
    let head = head.join("\r\n");
    write!(
        client,
        "{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}"
    )
    .ok()
}

/// A message's first lines, without those of the connection, and its body.
fn message(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let (mut head, mut length) = (String::new(), None);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let small = line.to_ascii_lowercase();
        if line == "\r\n" {
            break;
        }
        if let Some(value) = small.strip_prefix("content-length:") {
            length = value.trim().parse::<usize>().ok();
        }
        if !small.starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body).ok()?;
        }
        None if head.starts_with("HTTP") => {
            reader.read_to_end(&mut body).ok()?;
        }
        None => {}
    }
    Some((head, body))
}
