//! A site that is an image: busybox's web server with one page.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mck_local::wait;

use crate::{
    harness::{Outcome, Place},
    image_support::{Blob, Layer, Layout, base_layer},
};

/// busybox is the entry point; its web server does not end by itself, so the image says how.
const EXECUTION: &str = r#"{"User":"app:web","Env":["GREETING=from the image","MODE=image"],"Entrypoint":["/bin/busybox"],"Cmd":["httpd","-f","-p","8080","-h","/srv"],"WorkingDir":"/srv","StopSignal":"SIGKILL"}"#;

/// An image whose page is the text.
pub fn write_image(folder: &Path, page: &str) -> Layout {
    let pages = Layer::new()
        .folder("srv", 0o755)
        .file("srv/index.html", 0o644, page.as_bytes())
        .file("srv/health.html", 0o644, b"healthy");
    let layers = [(Blob::Gzip, base_layer()), (Blob::Gzip, pages.bytes())];
    Layout::write(folder, EXECUTION, &layers)
}

/// An environment with the site; destroyed even when the test fails.
pub struct Site {
    pub place: Place,
    port: u16,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.place.command(&["destroy", "--yes"]).output();
    }
}

impl Site {
    pub fn new(name: &str, image: &str) -> Self {
        Self::of_app(
            name,
            &format!(
                r#"
[app.shop]
image = "{image}"
database = ""
environment = {{ MODE = "from the file" }}

[app.shop.health-check]
path = "/health.html"

[app.shop.hooks]
upgrade = ["sh", "-c", "echo upgraded"]

[app.shop.container.web]
port = 8080
"#
            ),
        )
    }

    /// An environment with the app `shop` as the file says it.
    pub fn of_app(name: &str, app: &str) -> Self {
        let place = Place::empty();
        let [port, other] = [(); 2].map(|()| mck_test_ports::reserve());
        let process = std::process::id();
        place.write(
            "magecloudkit.toml",
            &format!(
                r#"
project = "image-{name}-{process}"
{app}

[environment.local.local]
http-port = {port}
https-port = {other}
internet = false
"#
            ),
        );
        Self { place, port }
    }

    /// Runs a command that must go well; gives what it prints.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        let outcome: Outcome = self.place.run(arguments);
        assert_eq!(
            outcome.code,
            0,
            "{arguments:?}\n{outcome}\n{}",
            self.events()
        );
        outcome.stdout
    }

    fn events(&self) -> String {
        self.place.run(&["events"]).stdout
    }

    /// The page through the load balancer, or what was answered instead.
    pub fn page(&self) -> Result<String, String> {
        page(self.port)
    }

    /// Waits until the page is the text.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        // Several times in a row, since old and new tasks take turns meanwhile.
        let seen = wait::until(Duration::from_secs(60), || {
            let all = (0..8).all(|_| self.page().as_deref() == Ok(text));
            all.then_some(())
        });
        assert!(seen.is_some(), "{:?}\n{}", self.page(), self.events());
    }
}

fn page(port: u16) -> Result<String, String> {
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200 ") {
        Ok(body.to_owned())
    } else {
        Err(answer.clone())
    }
}

/// Somebody who asks for the page all the time.
pub struct Visitors {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Result<String, String>>>,
}

impl Visitors {
    pub fn of(site: &Site) -> Self {
        let (stop, port) = (Arc::new(AtomicBool::new(false)), site.port);
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut answers = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                answers.push(page(port));
                wait::pause(Duration::from_millis(5));
            }
            answers
        });
        Self { stop, thread }
    }

    /// Each answer was one of these pages, and each of these was seen.
    #[track_caller]
    pub fn assert_all_were_served(self, pages: &[&str]) {
        self.stop.store(true, Ordering::Relaxed);
        let answers = self.thread.join().unwrap();
        for answer in &answers {
            let known = answer.as_deref().is_ok_and(|page| pages.contains(&page));
            assert!(known, "{answer:?} among {} answers", answers.len());
        }
        for page in pages {
            assert!(
                answers.iter().any(|it| it.as_deref() == Ok(*page)),
                "{page}"
            );
        }
    }
}
