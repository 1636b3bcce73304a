//! A whole life on this machine: up, looked at, worked with, stopped, up again, destroyed.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::Place;

/// Destroys the environment even when the test fails.
struct Life {
    place: Place,
    port: u16,
    id: String,
}

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.place.command(&["destroy", "--yes"]).output();
    }
}

impl Life {
    fn begin() -> Self {
        let [port, other] = [(); 2].map(|()| mck_test_ports::reserve());
        let project = format!("life-{}", std::process::id());
        let storefront = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/storefront");
        let storefront = storefront.canonicalize().unwrap();
        let place = Place::with(&format!(
            "project = \"{project}\"\n[app.shop]\npreset = \"storefront\"\nsource = \"{}\"\n\
             [environment.local.local]\nhttp-port = {port}\nhttps-port = {other}\ninternet = false\n",
            storefront.display()
        ));
        Self {
            place,
            port,
            id: format!("{project}-local"),
        }
    }

    fn run(&self, arguments: &[&str]) -> String {
        self.place.run(arguments).expect(0).stdout
    }

    /// The status code of the front page through the load balancer.
    fn front_page(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// Namespaces, mounts and control groups that carry the environment's name.
    fn traces(&self) -> Vec<String> {
        let listed = |folder: &str| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .map(|entry| entry.path().display().to_string())
                .collect::<Vec<_>>()
        };
        let mut all = listed("/run/netns");
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        all.extend(mounts.lines().map(str::to_owned));
        for controllers in listed("/sys/fs/cgroup") {
            all.extend(listed(&format!("{controllers}/magecloudkit")));
        }
        all.extend(listed("/sys/fs/cgroup/magecloudkit"));
        all.retain(|trace| trace.contains(&self.id));
        all
    }
}

#[test]
fn a_store_lives_on_this_machine() {
    let life = Life::begin();
    let address = format!("http://shop.localhost:{}", life.port);
    assert!(life.run(&["up"]).contains(&address));
    assert_eq!(life.front_page(), "HTTP/1.1 200 OK");
    assert!(!life.traces().is_empty());

    look(&life);
    work(&life);
    survive_a_stop(&life);

    // What runs can be ended whatever became of the file.
    life.place.write("magecloudkit.toml", "project = [");
    life.run(&["destroy", "--yes"]);
    assert_eq!(life.traces(), Vec::<String>::new());
    assert!(!life.place.state().exists());
}

fn look(life: &Life) {
    let status = life.place.run(&["status", "--json"]).json();
    assert_eq!(status["settled"], true);
    assert_eq!(status["apps"][0]["healthy"], 2);
    assert!(life.run(&["status"]).contains("is up"));
    assert!(life.run(&["events"]).contains("Healthy"));
    for event in life.run(&["events", "--json"]).lines() {
        serde_json::from_str::<serde_json::Value>(event).unwrap();
    }
    let lines = life.run(&["logs", "shop", "--json"]);
    let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert!(line["container"].as_str().unwrap().starts_with("shop-"));
    assert_eq!(life.run(&["logs", "db-0", "--since", "0s"]), "");
    life.place.run(&["logs", "db-7"]).expect(11);
}

fn work(life: &Life) {
    assert_eq!(
        life.run(&["exec", "shop", "--", "echo", "in a task"]),
        "in a task\n"
    );
    life.place
        .run(&["exec", "--", "sh", "-c", "exit 7"])
        .expect(7);
    life.place.run(&["exec", "shpo", "--", "true"]).expect(11);
    let commands = life.run(&["run", "shop", "--", "php", "bin/magento", "list"]);
    assert!(commands.contains("setup:upgrade"), "{commands}");
    assert_eq!(life.run(&["ssh", "--", "hostname"]), "bastion\n");
    life.run(&["cache", "flush", "shop"]);

    let place = &life.place;
    life.run(&["db", "export", "--output", "dump.sql"]);
    assert!(place.read("dump.sql").contains("CREATE TABLE"));
    life.run(&["db", "export", "--output", "dump.sql.gz"]);
    life.run(&["db", "import", "--input", "dump.sql.gz"]);
    let shell = ["db", "shell", "--", "-N", "-e", "SELECT DATABASE()"];
    assert_eq!(life.run(&shell), "shop\n");
    place.write("cut.sql", "-- MariaDB dump 10.19\nDROP TABLE x;\n");
    let cut = place.run(&["db", "import", "--input", "cut.sql"]).expect(2);
    assert!(cut.stderr.contains("cut off"), "{cut}");
    let mut import = place.command(&["db", "import"]);
    place
        .feed(
            &mut import,
            "CREATE TABLE kept (id INT PRIMARY KEY); INSERT INTO kept VALUES (42);",
        )
        .expect(0);
}

fn survive_a_stop(life: &Life) {
    life.run(&["stop"]);
    assert_eq!(life.traces(), Vec::<String>::new());
    life.place.run(&["status"]).expect(9);
    assert_eq!(interrupted(life, &["up"]), 130);
    // What was begun went on; waiting again is enough.
    life.run(&["up"]);
    assert_eq!(interrupted(life, &["status", "--watch"]), 0);
    assert_eq!(life.front_page(), "HTTP/1.1 200 OK");
    assert!(life.run(&["db", "export"]).contains("INSERT INTO `kept`"));
}

/// Presses Ctrl-C at the command's first sign of life; gives its exit code.
fn interrupted(life: &Life, arguments: &[&str]) -> i32 {
    let mut child = life
        .place
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut sign = [0];
    if arguments.contains(&"up") {
        child
            .stderr
            .as_mut()
            .unwrap()
            .read_exact(&mut sign)
            .unwrap();
    } else {
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut sign)
            .unwrap();
    }
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).unwrap();
    child.wait_with_output().unwrap().status.code().unwrap()
}
