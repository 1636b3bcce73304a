//! Drills on the real storefront: what is said to be lost is lost, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use mck_drill::{
    DrillKind, DrillPlan, DrillReport, FaultFn, Mix, Observation, StopFlag, render_text, run,
};

/// The storefront's own test servers, restarted on demand.
struct Storefront {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Storefront {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/storefront.php");
        let mut process = Command::new("php")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().unwrap());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut storefront = Self {
            process,
            input,
            output,
            address,
        };
        let port = storefront.line();
        storefront
            .address
            .set_port(port.parse().expect("the storefront did not start"));
        storefront
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Kills a server at once, starts it again and waits until it answers.
    fn restart(&mut self, server: &str) {
        writeln!(self.input.as_ref().unwrap(), "{server}").unwrap();
        assert_eq!(self.line(), "done");
    }

    fn drill(&mut self, kind: DrillKind, server: &'static str) -> DrillReport {
        let plan = DrillPlan {
            requests_per_second: 40,
            before: Duration::from_secs(2),
            after: Duration::from_secs(2),
            duration: Duration::from_secs(6),
            accounts: 2,
            mix: Mix {
                reads: 30,
                sessions: 25,
                tokens: 25,
                uploads: 8,
                logins: 6,
                whoami: 6,
            },
            ..DrillPlan::new(kind, "test", self.address, "shop.localhost")
        };
        let mut fault = FaultFn::new("restart a server", move || {
            self.restart(server);
            Ok(vec![format!("Restarted: {server}")])
        });
        let mut whole = || Observation {
            is_whole: true,
            ..Observation::default()
        };
        run(&plan, &mut fault, &mut whole, &StopFlag::new(), &mut |_| {}).unwrap()
    }
}

impl Drop for Storefront {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

#[test]
fn a_drill_finds_what_the_storefront_lost_and_nothing_else() {
    let mut storefront = Storefront::start();

    let calm = storefront.drill(DrillKind::DeployGood, "");
    assert!(calm.verdict.passed, "{}", render_text(&calm));
    assert_eq!(calm.figures.failed, 0);
    for kept in [
        &calm.figures.writes.kept,
        &calm.figures.sessions,
        &calm.figures.uploads,
    ] {
        assert!(
            kept.acknowledged > 0 && kept.lost + kept.unverified == 0,
            "{kept:?}"
        );
    }

    // A database that was killed has all that it acknowledged, and was away for a while.
    let database = storefront.drill(DrillKind::DbFailover, "database");
    let figures = &database.figures;
    assert!(
        figures.failed > 0 && figures.failed_before == 0,
        "{}",
        render_text(&database)
    );
    assert_eq!(figures.writes.kept.lost + figures.writes.kept.unverified, 0);
    assert_eq!(
        figures.sessions.lost + figures.uploads.lost,
        0,
        "{}",
        render_text(&database)
    );
    let away = figures.timing.writable_again_microseconds.unwrap();
    assert!(away > 50_000, "{}", render_text(&database));
    let writes_failed = figures
        .failures
        .iter()
        .any(|it| it.kind == "database write");
    assert!(writes_failed, "{}", render_text(&database));

    // Sessions without a replica and without a file are gone with their server.
    let session = storefront.drill(DrillKind::CacheFailover, "session");
    let figures = &session.figures;
    assert!(figures.sessions.lost > 10, "{}", render_text(&session));
    assert_eq!(figures.writes.kept.lost + figures.uploads.lost, 0);
    assert!(!session.verdict.passed);
}
