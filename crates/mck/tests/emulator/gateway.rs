//! Stands between the program and the account, and does now and then what networks and AWS do.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// AWS is asked too often.
    Throttled,
    /// A load balancer of AWS answers in the place of the service.
    Html,
    /// The connection ends before the request arrives.
    Unsent,
    /// The request is carried out, and the connection ends in the middle of the answer.
    CutAnswer,
    /// The session of who calls has ended.
    Expired,
    /// This machine's clock is wrong.
    Skewed,
    /// The service was deleted.
    Gone,
}

/// Calls that can be made again.
pub const PASSING: [Fault; 4] = [
    Fault::Throttled,
    Fault::Html,
    Fault::Unsent,
    Fault::CutAnswer,
];

/// When it goes wrong.
#[derive(Debug, Clone)]
enum Plan {
    /// Never.
    Fine,
    /// Once for each operation: its name's length and this number say in which way.
    OnceEach(usize),
    /// For all calls from one of an operation on; the number of calls of it that are still good.
    From(&'static str, usize, Fault),
}

/// What was seen.
#[derive(Debug)]
struct Seen {
    plan: Plan,
    operations: Vec<String>,
    done: Vec<(String, Fault)>,
    is_broken: bool,
}

/// Two ways in: to ECS, and to all else.
pub struct Gateway {
    seen: Arc<Mutex<Seen>>,
    pub ecs: String,
    pub others: String,
}

impl Gateway {
    /// Stands before servers, given as `127.0.0.1:PORT`.
    pub fn before(ecs: &str, others: &str) -> Self {
        let seen = Arc::new(Mutex::new(Seen {
            plan: Plan::Fine,
            operations: Vec::new(),
            done: Vec::new(),
            is_broken: false,
        }));
        let [ecs, others] = [ecs, others].map(|to| listen(to.to_owned(), Arc::clone(&seen)));
        Self { seen, ecs, others }
    }

    fn begin(&self, plan: Plan) {
        let mut seen = self.seen.lock().unwrap();
        *seen = Seen {
            plan,
            operations: Vec::new(),
            done: Vec::new(),
            is_broken: false,
        };
    }

    pub fn is_fine_again(&self) {
        self.begin(Plan::Fine);
    }

    /// The first call of each operation fails in another way; `shift` says in which.
    pub fn fails_once_each(&self, shift: usize) {
        self.begin(Plan::OnceEach(shift));
    }

    /// Everything fails from a call of an operation on, after some that are good.
    pub fn fails_from(&self, operation: &'static str, good: usize, fault: Fault) {
        self.begin(Plan::From(operation, good, fault));
    }

    /// What went wrong.
    pub fn done(&self) -> Vec<(String, Fault)> {
        self.seen.lock().unwrap().done.clone()
    }
}

impl Seen {
    fn fault(&mut self, operation: &str) -> Option<Fault> {
        let fault = match &mut self.plan {
            Plan::Fine => None,
            Plan::OnceEach(shift) => {
                let is_new = !self.operations.iter().any(|it| it == operation);
                let at = operation.len() + *shift;
                is_new.then(|| PASSING[at % PASSING.len()])
            }
            Plan::From(wanted, good, fault) => {
                if !self.is_broken && operation == *wanted {
                    self.is_broken = *good == 0;
                    *good = good.saturating_sub(1);
                }
                let concerns = *fault != Fault::Gone || operation == *wanted;
                (self.is_broken && concerns).then_some(*fault)
            }
        };
        if !self.operations.iter().any(|it| it == operation) {
            self.operations.push(operation.to_owned());
        }
        self.done.extend(fault.map(|it| (operation.to_owned(), it)));
        fault
    }
}

fn listen(to: String, seen: Arc<Mutex<Seen>>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", mck_test_ports::reserve())).unwrap();
    let address = listener.local_addr().unwrap();
    // It ends with the test.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (to, seen) = (to.clone(), Arc::clone(&seen));
            // Whoever goes in the middle gets no answer.
            thread::spawn(move || hand_on(&stream, &to, &seen));
        }
    });
    format!("http://{address}")
}

/// A request: its head but for what names this server, and its body.
struct Request {
    head: String,
    body: Vec<u8>,
    operation: String,
    is_json: bool,
}

impl Request {
    fn read(stream: &TcpStream, to: &str) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let (mut head, mut target, mut length) = (String::new(), String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            match name.to_ascii_lowercase().as_str() {
                "host" | "connection" => continue,
                "content-length" => length = value.trim().parse().ok()?,
                "x-amz-target" => target = value.trim().to_owned(),
                _ => {}
            }
            head.push_str(&line);
        }
        head.push_str(&format!("Host: {to}\r\nConnection: close\r\n\r\n"));
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let form = String::from_utf8_lossy(&body);
        let action = form.split('&').find_map(|it| it.strip_prefix("Action="));
        let operation = target.rsplit('.').next().filter(|it| !it.is_empty());
        let is_json = operation.is_some();
        let operation = operation.or(action).unwrap_or("other").to_owned();
        Some(Self {
            head,
            body,
            operation,
            is_json,
        })
    }

    /// A refusal in the service's own protocol.
    fn refusal(&self, code: &str, message: &str) -> Vec<u8> {
        if self.is_json {
            let body = serde_json::json!({ "__type": code, "message": message }).to_string();
            return answer(400, "application/x-amz-json-1.1", &body);
        }
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}\
             </Message></Error></ErrorResponse>"
        );
        answer(400, "text/xml", &body)
    }

    fn sent_to(&self, to: &str) -> Option<Vec<u8>> {
        let mut upstream = TcpStream::connect(to).ok()?;
        upstream.write_all(self.head.as_bytes()).ok()?;
        upstream.write_all(&self.body).ok()?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer).ok()?;
        Some(answer)
    }
}

fn hand_on(mut stream: &TcpStream, to: &str, seen: &Mutex<Seen>) -> Option<()> {
    let request = Request::read(stream, to)?;
    let fault = seen.lock().unwrap().fault(&request.operation);
    let answer = match fault {
        Some(Fault::Unsent) => Vec::new(),
        Some(Fault::Throttled) => request.refusal("ThrottlingException", "Rate exceeded"),
        Some(Fault::Html) => html(),
        Some(Fault::Expired) => request.refusal(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        Some(Fault::Skewed) => request.refusal(
            "InvalidSignatureException",
            "Signature expired: 20261124T150000Z is now earlier than 20261124T160000Z",
        ),
        Some(Fault::Gone) => gone(),
        None | Some(Fault::CutAnswer) => closing(&request.sent_to(to)?),
    };
    let length = if fault == Some(Fault::CutAnswer) {
        answer.len() / 2
    } else {
        answer.len()
    };
    stream.write_all(&answer[..length]).ok()?;
    stream.shutdown(Shutdown::Both).ok()
}

/// An answer that says what is done after it.
fn closing(answer: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer);
    let end = text.find("\r\n").map_or(0, |it| it + 2);
    [&answer[..end], b"Connection: close\r\n", &answer[end..]].concat()
}

fn answer(status: u16, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

fn html() -> Vec<u8> {
    let body = "<html><body><h1>500 Internal Server Error</h1></body></html>";
    answer(500, "text/html", body)
}

fn gone() -> Vec<u8> {
    let body = r#"{"services":[],"failures":[{"arn":"x","reason":"MISSING"}]}"#;
    answer(200, "application/x-amz-json-1.1", body)
}
