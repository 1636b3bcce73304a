//! Primaries of Redis clusters are killed.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mck_local::{
    client,
    supervisor::{record::Record, redis_failover::BACK_WITHIN},
    wait,
};

use super::support::{Browser, HttpRequest, Store, kill};

/// Visitors who write their sessions at once.
const VISITORS: usize = 6;

fn primary(store: &Store, cluster: &str) -> String {
    let record = Record::load(&store.layout().state()).unwrap();
    record
        .primaries
        .get(cluster)
        .cloned()
        .unwrap_or_else(|| format!("{cluster}-0"))
}

/// Makes sessions until it is told to stop; gives the browsers whose session was acknowledged, with
/// what is in it.
fn make_sessions(browser: &Browser, visitor: usize, stop: &AtomicBool) -> Vec<(Browser, String)> {
    let mut made = Vec::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let mut browser = browser.clone();
        let value = format!("v{visitor}-{number}");
        let body = format!("value={value}");
        let answer = browser.attempt(&HttpRequest {
            method: "POST",
            path: "/api/session",
            headers: vec![("Content-Type", "application/x-www-form-urlencoded")],
            body: body.as_bytes(),
        });
        if answer.is_ok_and(|answer| answer.status == 200) {
            made.push((browser, value));
        }
        wait::pause(Duration::from_millis(2));
    }
    made
}

#[test]
fn no_acknowledged_session_is_lost_with_the_primary() {
    let store = Store::storefront("sess");
    store.wait_for("settled", |_| true);
    let stop = Arc::new(AtomicBool::new(false));
    let visitors: Vec<_> = (0..VISITORS)
        .map(|visitor| {
            let (browser, stop) = (store.visitor("shop"), Arc::clone(&stop));
            thread::spawn(move || make_sessions(&browser, visitor, &stop))
        })
        .collect();
    let mut times = Vec::new();
    for _ in 0..4 {
        wait::pause(Duration::from_millis(500));
        let node = primary(&store, "redis-session");
        let pid = store.pids()[&node];
        kill(pid);
        // A status of before the end was noticed is well, too.
        let took = store.wait_for("back", |_| {
            let now = store.pids();
            now.get(&node).is_some_and(|now| *now != pid)
        });
        // On a machine that is busy beyond measure its replica may take over.
        if took < BACK_WITHIN {
            assert_eq!(
                primary(&store, "redis-session"),
                node,
                "it comes back where it was"
            );
        }
        times.push(took);
    }
    stop.store(true, Ordering::Relaxed);
    let sessions: Vec<_> = visitors
        .into_iter()
        .flat_map(|it| it.join().unwrap())
        .collect();
    assert!(
        sessions.len() > 200,
        "there was no load: {}",
        sessions.len()
    );
    let count = sessions.len();
    let mut lost = Vec::new();
    for (mut browser, value) in sessions {
        let found = super::support::read_session(&mut browser);
        if found != value {
            lost.push((value, found));
        }
    }
    println!(
        "{count} sessions acknowledged over 4 kills of the primary, {} lost; back after {times:?}",
        lost.len()
    );
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn a_cache_is_warm_after_its_primary_is_killed() {
    let store = Store::storefront("cache");
    store.wait_for("settled", |_| true);
    let old = primary(&store, "redis-cache");
    let replica = if old == "redis-cache-0" {
        "redis-cache-1"
    } else {
        "redis-cache-0"
    };
    super::zones::redis(&store, "redis-cache", &old, &["SET", "warm", "yes"]);
    wait::pause(Duration::from_millis(100));
    let killed = Instant::now();
    client::kill_node(&store.layout(), &old).unwrap();
    let taken = wait::until(Duration::from_secs(5), || {
        (primary(&store, "redis-cache") == replica).then(|| killed.elapsed())
    });
    store.wait_for("both are back", |_| true);
    let value = super::zones::redis(&store, "redis-cache", replica, &["GET", "warm"]);
    assert_eq!(value.trim(), "yes");
    println!(
        "the replica of redis-cache was recorded as the primary after {:?}",
        taken.unwrap()
    );
    let following = wait::until(Duration::from_secs(5), || {
        let info = super::zones::redis(&store, "redis-cache", &old, &["INFO", "replication"]);
        let fields: BTreeMap<_, _> = info
            .lines()
            .filter_map(|line| line.trim().split_once(':'))
            .collect();
        (fields["role"] == "slave" && fields["master_link_status"] == "up").then_some(())
    });
    assert!(following.is_some(), "{old} does not follow");
    store.visitor("shop").get("/").expect(200);
}
