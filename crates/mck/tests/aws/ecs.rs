//! ECS for stand-ins that have none: the account's settings are right, and there are no services.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    thread,
};

use crate::operate::read_request;

const PORT: u16 = 4571;

/// Where it listens once it serves.
pub fn endpoint() -> String {
    format!("http://127.0.0.1:{PORT}")
}

/// Serves until the test ends.
pub fn serve() {
    let listener = TcpListener::bind(("127.0.0.1", PORT)).expect("the port is ours");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let request = read_request(&mut stream);
    let text = if request.contains("ListAccountSettings") {
        r#"{"settings":[{"name":"awsvpcTrunking","value":"enabled"}]}"#
    } else {
        r#"{"services":[],"failures":[]}"#
    };
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{text}"
    )
    .ok()
}
