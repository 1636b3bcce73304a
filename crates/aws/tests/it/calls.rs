//! How often AWS is asked.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    stacks::{Lacks, account, apply, assert_fine, environment},
    stand_in::{Kind, PORT, beside},
};

/// Where calls are counted, on their way to the stand-in.
const COUNTING_PORT: u16 = 4570;
/// The most calls a plan with nothing to change may make for each stack.
const MOST_CALLS_A_STACK: usize = 3;

/// Not a test by itself: the plan whose calls are counted.
#[test]
#[ignore = "another test runs it in a process of its own"]
fn plan_once() {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").unwrap_or_default();
    if !endpoint.ends_with(&COUNTING_PORT.to_string()) {
        return;
    }
    let plan = account().plan(&environment("red", Lacks::default()));
    assert!(plan.expect("a plan").difference.is_empty());
}

/// Hands everything on, and counts requests on the way.
fn count() -> Arc<AtomicUsize> {
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

#[test]
fn a_plan_with_nothing_to_change_asks_little() {
    let name = "calls::a_plan_with_nothing_to_change_asks_little";
    beside(Kind::Ministack, name, || {
        let wanted = environment("red", Lacks::default());
        assert_fine(&apply(&account(), &wanted).0);
        let count = count();
        let own = std::env::current_exe().expect("a test knows its program");
        let status = Command::new(own)
            .args(["--exact", "calls::plan_once", "--ignored"])
            .env(
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{COUNTING_PORT}"),
            )
            .status();
        assert!(status.expect("the test's program runs again").success());
        let calls = count.load(Ordering::SeqCst);
        let most = MOST_CALLS_A_STACK * wanted.stacks.len();
        println!("{calls} calls for {} stacks", wanted.stacks.len());
        assert!((1..=most).contains(&calls), "{calls} calls, at most {most}");
    });
}
