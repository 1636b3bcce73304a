//! Counts the calls of a program on their way to a stand-in.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::stand_in::PORT;

/// Where calls are counted.
pub const COUNTING_PORT: u16 = 4570;

/// Hands everything on, and counts requests on the way.
pub fn count() -> Arc<AtomicUsize> {
    let listener = TcpListener::bind(("127.0.0.1", COUNTING_PORT)).expect("the port is ours");
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", PORT)).expect("the stand-in listens");
            let (from, to) = (client.try_clone(), server.try_clone());
            let (from, to) = (from.expect("a socket"), to.expect("a socket"));
            let counter = Arc::clone(&counter);
            thread::spawn(move || pump(from, to, Some(&counter)));
            thread::spawn(move || pump(server, client, None));
        }
    });
    count
}

fn pump(mut from: TcpStream, mut to: TcpStream, counter: Option<&AtomicUsize>) {
    let mut buffer = [0; 16 * 1024];
    // Enough of what came before that a request's first line is never cut.
    let mut line: Vec<u8> = Vec::new();
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if let Some(counter) = counter {
            for byte in &buffer[..length] {
                if *byte == b'\n' {
                    let is_request = line.ends_with(b" HTTP/1.1\r");
                    counter.fetch_add(usize::from(is_request), Ordering::SeqCst);
                    line.clear();
                } else {
                    line.push(*byte);
                }
            }
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
