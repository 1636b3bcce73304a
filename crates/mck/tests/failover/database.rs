//! The database's writer is killed, changed on purpose, and lost while the supervisor is killed.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use mck_local::{
    client,
    supervisor::{database, record::Record},
    wait,
};
use mck_server_config::mariadb::Output;

use super::support::{Browser, HttpRequest, Store, kill};

/// Clients that write at once.
const WRITERS: usize = 8;

/// The bars: how long the store may take no writes.
const MEDIAN: Duration = Duration::from_secs(2);
const WORST: Duration = Duration::from_secs(5);

/// Clients that write all the time, each write with a token of its own.
struct Writers {
    stop: Arc<AtomicBool>,
    /// Tokens that were acknowledged, with when their request was sent and answered.
    acknowledged: Arc<Mutex<Vec<(String, Instant, Instant)>>>,
    failed: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    fn start(store: &Store) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let failed = Arc::new(AtomicU64::new(0));
        let threads = (0..WRITERS).map(|writer| {
            let browser = store.visitor("shop");
            let (stop, acknowledged) = (Arc::clone(&stop), Arc::clone(&acknowledged));
            let failed = Arc::clone(&failed);
            thread::spawn(move || write(writer, browser, &stop, &acknowledged, &failed))
        });
        let threads = threads.collect();
        Self {
            stop,
            acknowledged,
            failed,
            threads,
        }
    }

    /// How long after a moment a request that was sent after it was acknowledged.
    fn writable_after(&self, moment: Instant) -> Duration {
        let first = wait::until(Duration::from_secs(30), || {
            let acknowledged = self.acknowledged.lock().unwrap();
            let later = acknowledged.iter().filter(|(_, sent, _)| *sent > moment);
            later.map(|(_, _, answered)| *answered).min()
        });
        first.expect("no write after half a minute") - moment
    }

    /// The longest time between two acknowledged writes.
    fn longest_gap(&self) -> Duration {
        let acknowledged = self.acknowledged.lock().unwrap();
        let mut answered: Vec<_> = acknowledged
            .iter()
            .map(|(_, _, answered)| *answered)
            .collect();
        answered.sort();
        answered
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or_default()
    }

    /// Ends them and gives the acknowledged tokens, and how many requests failed.
    fn stop(mut self) -> (BTreeSet<String>, u64) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        let acknowledged = self.acknowledged.lock().unwrap();
        let tokens = acknowledged
            .iter()
            .map(|(token, _, _)| token.clone())
            .collect();
        (tokens, self.failed.load(Ordering::Relaxed))
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn write(
    writer: usize,
    mut browser: Browser,
    stop: &AtomicBool,
    acknowledged: &Mutex<Vec<(String, Instant, Instant)>>,
    failed: &AtomicU64,
) {
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let token = format!("w{writer}-{number}");
        let sent = Instant::now();
        let body = format!("token={token}");
        let request = HttpRequest {
            method: "POST",
            path: "/api/token",
            headers: vec![("Content-Type", "application/x-www-form-urlencoded")],
            body: body.as_bytes(),
        };
        match browser.attempt(&request) {
            Ok(answer) if answer.status == 201 => {
                acknowledged
                    .lock()
                    .unwrap()
                    .push((token, sent, Instant::now()));
            }
            _ => drop(failed.fetch_add(1, Ordering::Relaxed)),
        }
        wait::pause(Duration::from_millis(2));
    }
}

fn record(store: &Store) -> Record {
    Record::load(&store.layout().state()).unwrap()
}

fn writer(store: &Store) -> String {
    record(store).writer.unwrap_or_else(|| "db-0".to_owned())
}

fn stored(store: &Store, member: &str) -> BTreeSet<String> {
    let context = client::context(&store.layout()).unwrap();
    let schema = &context.blueprint.database.schemas[0].name;
    let statement = format!("SELECT token FROM `{schema}`.drill_token;\n");
    let printed = database::query(&context, member, &statement, Output::Rows).unwrap();
    printed.lines().map(str::to_owned).collect()
}

/// All is as it should be, and a reader has every write.
fn wait_until_replicated(store: &Store) -> Duration {
    store.wait_for("replicated", |_| !record(store).synced.is_empty())
}

#[track_caller]
fn assert_nothing_lost(store: &Store, acknowledged: &BTreeSet<String>) {
    let stored_there = stored(store, &writer(store));
    let lost: Vec<_> = acknowledged.difference(&stored_there).collect();
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged writes are lost, such as {:?}\n{}",
        lost.len(),
        acknowledged.len(),
        &lost[..lost.len().min(5)],
        store.mck(&["events"]).out
    );
    let members = ["db-0", "db-1"];
    let same = wait::until(Duration::from_secs(10), || {
        let [first, second] = members.map(|member| stored(store, member));
        (first == second).then_some(())
    });
    assert!(same.is_some(), "the members differ");
}

fn rounds() -> usize {
    std::env::var("MCK_FAILOVER_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3)
}

#[test]
fn a_killed_writer_is_replaced_and_no_acknowledged_write_is_lost() {
    let store = Store::storefront("dbkill");
    wait_until_replicated(&store);
    let writers = Writers::start(&store);
    let mut times = Vec::new();
    for round in 0..rounds() {
        wait::pause(Duration::from_millis(700));
        let old = writer(&store);
        let pid = store.pids()[&old];
        kill(pid);
        let killed = Instant::now();
        let took = writers.writable_after(killed);
        // A status of before the end was noticed is well, too.
        let again = store.wait_for("another writer, and replicated", |_| {
            writer(&store) != old && !record(&store).synced.is_empty()
        });
        let new = writer(&store);
        println!(
            "round {round}: {old} -> {new}, writable after {took:?}, two zones after {again:?}"
        );
        times.push(took);
    }
    let (acknowledged, failed) = writers.stop();
    assert_nothing_lost(&store, &acknowledged);
    times.sort();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{} rounds, {} writes acknowledged, 0 lost, {failed} requests failed; writable after \
         {median:?} (median), {worst:?} (worst)",
        times.len(),
        acknowledged.len()
    );
    assert!(
        acknowledged.len() > 100 * times.len(),
        "there was no load: {}",
        acknowledged.len()
    );
    assert!(median <= MEDIAN && worst <= WORST, "{times:?}");
}

#[test]
fn a_living_writer_hands_over() {
    let store = Store::storefront("dbhand");
    wait_until_replicated(&store);
    let writers = Writers::start(&store);
    wait::pause(Duration::from_millis(500));
    let (old, pids) = (writer(&store), store.pids());
    let asked = Instant::now();
    client::db_failover(&store.layout()).unwrap();
    let took = asked.elapsed();
    let new = writer(&store);
    assert_ne!(old, new);
    writers.writable_after(Instant::now());
    let gap = writers.longest_gap();
    // At once again: there is no reader that is trusted yet, or there is; never half of both.
    let _ = client::db_failover(&store.layout());
    wait_until_replicated(&store);
    let (acknowledged, failed) = writers.stop();
    println!("handed over in {took:?}, {gap:?} at most without a write, {failed} requests failed");
    assert_nothing_lost(&store, &acknowledged);
    assert!(gap < MEDIAN, "{gap:?}");
    for member in [&old, &new] {
        assert_eq!(pids[member], store.pids()[member], "{member} was restarted");
    }
}

#[test]
fn a_supervisor_killed_in_the_midst_of_a_failover_is_followed_by_one_that_ends_it() {
    let store = Store::storefront("dbsup");
    let writers = Writers::start(&store);
    for delay in [0, 15, 40, 80, 150] {
        wait_until_replicated(&store);
        wait::pause(Duration::from_millis(300));
        let (old, supervisor) = (writer(&store), store.supervisor().unwrap());
        let killed = Instant::now();
        kill(store.pids()[&old]);
        wait::pause(Duration::from_millis(delay));
        kill(supervisor);
        wait::pause(Duration::from_millis(100));
        store.up();
        let took = writers.writable_after(killed);
        wait_until_replicated(&store);
        println!(
            "supervisor killed after {delay} ms: {old} -> {}, {took:?}",
            writer(&store)
        );
        assert!(record(&store).failover.is_none());
    }
    let (acknowledged, _) = writers.stop();
    assert_nothing_lost(&store, &acknowledged);
}

#[test]
fn a_killed_reader_stops_no_writes() {
    let store = Store::storefront("dbread");
    wait_until_replicated(&store);
    let writers = Writers::start(&store);
    wait::pause(Duration::from_millis(300));
    let before = writer(&store);
    let reader = if before == "db-0" { "db-1" } else { "db-0" };
    let killed = Instant::now();
    kill(store.pids()[reader]);
    let took = writers.writable_after(killed);
    wait_until_replicated(&store);
    let (acknowledged, failed) = writers.stop();
    assert_eq!(writer(&store), before);
    assert_eq!(failed, 0);
    assert_nothing_lost(&store, &acknowledged);
    println!("reader killed: writable after {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_writer_that_hangs_is_replaced() {
    let store = Store::storefront("dbhang");
    wait_until_replicated(&store);
    let writers = Writers::start(&store);
    wait::pause(Duration::from_millis(500));
    let (old, pids) = (writer(&store), store.pids());
    stop(pids[&old]);
    let stopped = Instant::now();
    let took = store.wait_for("another writer", |_| writer(&store) != old);
    writers.writable_after(Instant::now());
    wait_until_replicated(&store);
    let (acknowledged, failed) = writers.stop();
    println!(
        "hung: another writer after {took:?}, all well after {:?}, {failed} requests failed",
        stopped.elapsed()
    );
    assert_nothing_lost(&store, &acknowledged);
}

/// Stops a process without ending it.
fn stop(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
}
